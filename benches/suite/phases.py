"""Where rjitlink's own time and memory go, case by case: what its -time-trace and -stats-json say, medians of some runs.

Phases before the program starts come from the trace. First calls come from statistics of another run, because a trace of thousands of them takes
time itself; all of it is the case's own median. What a process's memory is made of is read from /proc where it is largest.
"""

import json
import os
import statistics
import subprocess
import time

import measure

RUNS = 5

# The cases, and the ways to run rjitlink in them.
SHOWN = [("sqlite", "rjitlink"), ("sqlite", "rjitlink -lazy"), ("objects", "rjitlink"), ("objects", "rjitlink -lazy"), ("compiler", "rjitlink"), ("compiler", "rjitlink -lazy")]

# What the trace calls the phases, and what they are.
SPANS = {
    "parse": "reading inputs and archives' indexes",
    "enter symbols": "entering their symbols, loading libraries",
    "resolve": "resolving symbols, reading archive members",
    "claim": "finding what to link at once, reading its relocations",
    "tables": "its tables: GOT, stubs",
    "allocate": "its layout and memory",
    "fix up": "copying and relocating it",
}
ROWS = {
    **SPANS,
    "other": "everything else until the first initializer",
    "first calls": "linking in first calls",
    "all": "all of it, and the program itself",
}


def measured(cases, folder):
    """The figures by case and way; nothing for cases that were not measured or failed."""
    figures = {}
    for key, name in SHOWN:
        contender = cases[key].contender(name) if key in cases else None
        if contender and not contender.failure:
            figures[f"{cases[key].short}{name.removeprefix('rjitlink')}"] = _figures(contender, folder)
    return figures


def _figures(contender, folder):
    command = contender.steps[0]
    runs = [_times(command, folder) for _ in range(RUNS)]
    times = {row: statistics.median(run[row] for run, _ in runs) for row in ROWS if row != "all"}
    times["all"] = contender.median() * 1000
    return {"ms": times, "functions": runs[0][1], "memory_mib": _memory(command, folder)}


def _run(command, options, folder, watch=lambda process: None):
    """Runs `command` with more options."""
    measure.touch_memory(folder)
    nowhere = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([command[0], *options, *command[1:]], cwd=folder, **nowhere)
    watch(process)
    process.wait()


def _times(command, folder):
    """Milliseconds of each phase, and the numbers of functions."""
    trace, statistics_ = os.path.join(folder, "phases.trace"), os.path.join(folder, "phases.stats")
    _run(command, [f"-time-trace={trace}"], folder)
    with open(trace) as file:
        events = json.load(file)["traceEvents"]
    first = {}
    for event in sorted((event for event in events if event.get("ph") == "X"), key=lambda event: event["ts"]):
        first.setdefault(event["name"], event)
    row = {name: first[name]["dur"] / 1000 if name in first else 0 for name in SPANS}
    before = (first["initializers"]["ts"] - min(event["ts"] for event in first.values())) / 1000
    row["other"] = before - sum(row.values())
    _run(command, [f"-stats-json={statistics_}"], folder)
    with open(statistics_) as file:
        said = json.load(file)
    row["first calls"] = said["first_call_us"]["total"] / 1000
    return row, said["functions"]


def _memory(command, folder):
    """MiB of the process's own memory, of mapped files, and of the memory that linked code is in, where the sum is greatest."""
    largest = (0, 0, 0)

    def watch(process):
        nonlocal largest
        while process.poll() is None:
            largest = max(largest, _kinds(process.pid), key=sum)
            time.sleep(0.001)

    _run(command, [], folder, watch)
    return largest


def _kinds(process):
    try:
        with open(f"/proc/{process}/status") as file:
            lines = dict(line.split(":", 1) for line in file)
    except OSError:
        return (0, 0, 0)
    return tuple(int(lines.get(kind, "0 kB").split()[0]) / 1024 for kind in ("RssAnon", "RssFile", "RssShmem"))


def table(figures):
    """The figures in Markdown."""
    lines = ["### Where rjitlink's time and memory go", "", "Medians of runs of their own, so the rows add up roughly.", "", "| milliseconds | " + " | ".join(figures) + " |", "| --- |" + " ---: |" * len(figures)]
    for row, what in ROWS.items():
        lines.append(f"| {what} | " + " | ".join(f"{of['ms'][row]:.1f}" for of in figures.values()) + " |")
    for key, what in {"given": "functions given", "linked": "functions linked", "first_called": "first calls"}.items():
        lines.append(f"| {what} | " + " | ".join(f"{of['functions'][key]:,}" for of in figures.values()) + " |")
    for kind, what in enumerate(("of its own", "files", "linked code and small constants")):
        lines.append(f"| peak memory, MiB: {what} | " + " | ".join(f"{of['memory_mib'][kind]:.1f}" for of in figures.values()) + " |")
    return "\n".join(lines) + "\n"
