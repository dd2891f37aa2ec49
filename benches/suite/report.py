"""Prints the tables in Markdown, and gathers everything for JSON."""


def case_table(case):
    """One case: a line for each contender, fastest median first, with its ratio to the program that was linked before."""
    fast = sorted((c for c in case.contenders if not c.failure), key=lambda c: c.median())
    program = case.contender("linked program").median()
    lines = [
        f"### {case.title}",
        "",
        "| | median, ms | min | max | × linked program | peak, MiB | page faults | mmap | mprotect | munmap |",
        "| --- |" + " ---: |" * 9,
    ]
    for c in fast:
        steps = ""
        if len(c.steps) > 1:
            parts = c.as_json()["steps_median_s"]
            steps = " (" + " + ".join(f"{part * 1000:.1f}" for part in parts) + ")"
        peak = " + ".join(f"{kib / 1024:.1f}" for kib in c.peaks)
        calls = [str(c.calls[name]) if c.calls else "" for name in ("mmap", "mprotect", "munmap")]
        times = f"{c.median() * 1000:.2f}{steps} | {min(c.seconds) * 1000:.2f} | {max(c.seconds) * 1000:.2f}"
        faults = c.faults["minor"] + c.faults["major"]
        lines.append(f"| {c.name} | {times} | {c.median() / program:.2f} | {peak} | {faults:,} | " + " | ".join(calls) + " |")
    lines += [f"| {c.name} | fails: {_cell(c.failure)} |" + " |" * 8 for c in case.contenders if c.failure]
    return "\n".join(lines) + "\n"


def _cell(text):
    return text.replace("|", "\\|").replace("\n", " ")


def calls_table(calls):
    lines = ["### Calls of lazy functions", "", "| first call, µs | p50 | p90 | p99 | max | calls |", "| --- |" + " ---: |" * 5]
    for name, ns in calls["first_call_ns"].items():
        cells = [f"{ns[key] / 1000:.2f}" for key in ("p50", "p90", "p99", "max")]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {ns['calls']:,} |")
    scaling = calls["threads"]
    medians, alone = ({int(threads): ns for threads, ns in scaling[key].items()} for key in ("median_ns", "one_thread_ns"))
    lines += ["", f"| {scaling['functions']:,} first calls with linking | " + " | ".join(f"{t} thread{'s' if t > 1 else ''}" for t in medians) + " |"]
    lines.append("| --- |" + " ---: |" * len(medians))
    lines.append("| all, ms | " + " | ".join(f"{ns / 1e6:.2f}" for ns in medians.values()) + " |")
    lines.append("| one thread in the order of those, ms | " + " | ".join(f"{alone[t] / 1e6:.2f}" for t in medians) + " |")
    lines.append("| threads faster than one in their order | " + " | ".join(f"{alone[t] / ns:.2f}×" for t, ns in medians.items()) + " |")
    lines.append("| than one in order of objects | " + " | ".join(f"{medians[1] / ns:.2f}×" for ns in medians.values()) + " |")
    if scaling.get("processes_ns"):
        cores = scaling["cores"]
        lines += ["", f"{cores} processes that do it all at once, each with one thread, do {cores * medians[1] / scaling['processes_ns']:.2f} times as much as one alone: what the machine gives."]
    line = scaling["cache_line_ns"]
    lines.append(f"A cache line takes {line['median']:.0f} ns from one core to another ({line['min']:.0f} to {line['max']:.0f} in {line['rounds']} rounds).")
    lines += ["", "| warm call through | picoseconds |", "| --- | ---: |"]
    lines += [f"| {name} | {ps} |" for name, ps in calls["warm_call"]["median_ps"].items()]
    return "\n".join(lines) + "\n"


def rates_table(rates):
    warm, fresh = rates["memcpy_bytes_per_s"], rates["memcpy_fresh_pages_bytes_per_s"]
    lines = [
        f"### {rates['relocations'] / 1e6:.2f} million relocations in {rates['bytes'] / 2**20:.1f} MiB, eager",
        "",
        f"memcpy on one core: {warm / 2**30:.1f} GiB/s, into fresh pages {fresh / 2**30:.1f} GiB/s.",
        "",
        "| | relocations/s, million | MiB/s | of memcpy | of memcpy into fresh pages |",
        "| --- |" + " ---: |" * 4,
    ]
    for name, rate in rates["tools"].items():
        speed = rate["bytes_per_s"]
        cells = [f"{rate['relocations_per_s'] / 1e6:.2f}", f"{speed / 2**20:.0f}", f"{speed / warm:.1%}", f"{speed / fresh:.1%}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def bars_table(rows, judged):
    """The bars. A run too short to judge by prints the same without a verdict."""
    lines = ["### Bars", "", "| bar | rjitlink | against | figure | |", "| --- | ---: | ---: | ---: | --- |"]
    words = {True: "met", False: "**not met**", None: "not measured"}
    for row in rows:
        verdict = words[row.met()] if judged or row.ratio is None else "not judged"
        figure = "" if row.ratio is None else f"{row.ratio:.3g}"
        note = f"; {_cell(row.note)}" if row.note else ""
        lines.append(f"| {row.title} | {row.ours} | {row.theirs} | {figure} | {verdict}{note} |")
    return "\n".join(lines) + "\n"


def machine_text(machine):
    about = machine.describe()
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions().items())
    lines = [f"{about['processor']}, {about['cores']} cores, {about['memory_gib']} GiB, {about['system']}, {about['libc']}.", f"{versions}."]
    lines += [f"Not here: {name} ({how})." for name, how in machine.missing.items()]
    return "\n".join(lines) + "\n"
