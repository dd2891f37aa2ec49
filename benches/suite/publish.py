"""Puts a run's tables and chart into the documentation: between the marks of docs/performance.md and of the README, and docs/performance.svg."""

import os

import machine

BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"
CHART = "performance.svg"


def publish(texts, machine_text, bars, chart):
    """`texts` are the tables of the cases, the others those of the machine and of the bars."""
    with open(os.path.join(machine.repository, "docs", CHART), "w") as file:
        file.write(chart)
    _between_marks("docs/performance.md", "\n".join([machine_text, f"![The chart of the README]({CHART})\n", bars, *texts]))
    alternative = "Times from objects to the end of the program, for rjitlink, llvm-jitlink, and linkers with a run of what they link"
    _between_marks("README.md", f"![{alternative}](docs/{CHART})\n\n{machine_text}")


def _between_marks(name, text):
    path = os.path.join(machine.repository, name)
    with open(path) as file:
        before, rest = file.read().split(BEGIN)
    after = rest.split(END)[1]
    with open(path, "w") as file:
        file.write(f"{before}{BEGIN}\n{text}\n{END}{after}")
