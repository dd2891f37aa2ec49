"""Puts a run's tables and chart into the documentation: docs/performance.md between its two marks, and docs/performance.svg."""

import os

import machine

BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"


def publish(texts, machine_text, bars, chart):
    folder = os.path.join(machine.repository, "docs")
    path = os.path.join(folder, "performance.md")
    with open(path) as file:
        before, rest = file.read().split(BEGIN)
    after = rest.split(END)[1]
    measured = "\n".join([machine_text, bars, *texts])
    with open(path, "w") as file:
        file.write(f"{before}{BEGIN}\n{measured}\n{END}{after}")
    with open(os.path.join(folder, "performance.svg"), "w") as file:
        file.write(chart)
