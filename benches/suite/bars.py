"""What rjitlink is to reach, as a table, and whether a measurement reaches it.

A bar is a ratio of two measured figures and its limit. The program linked before is the limit of every tool that runs it; where a bar asks for less
than that, the row says so.
"""

from calls import BEYOND_LINKING, WITH_LINKING
from cases import NAMES, PROGRAM


class Bar:
    """`title` is about the case that comes first. `ours` and `theirs` are (case, contender) of a time or a peak; `limit` is the largest ratio that reaches the bar."""

    def __init__(self, title, ours, limit, theirs, figure="time"):
        self.title, self.ours, self.limit, self.theirs, self.figure = title, ours, limit, theirs, figure


def _bars():
    time = lambda case, ours, limit, theirs: Bar(f"{ours} ≤ {limit}× {theirs}", (case, ours), limit, (case, theirs))
    eager, lazy, second = "rjitlink", "rjitlink -lazy", "rjitlink, second start"
    return [
        time("hello", eager, 0.12, "llvm-jitlink"),
        time("hello", lazy, 0.12, "llvm-jitlink -lazy"),
        time("hello", eager, 3, PROGRAM),
        time("hello", lazy, 3, PROGRAM),
        time("sqlite", eager, 0.25, "llvm-jitlink"),
        time("sqlite", lazy, 0.25, "llvm-jitlink -lazy"),
        time("sqlite", eager, 0.5, "mold + run"),
        time("sqlite", lazy, 0.5, "mold + run"),
        time("sqlite", lazy, 0.7, eager),
        time("objects", eager, 0.25, "llvm-jitlink"),
        time("objects", eager, 0.35, "mold + run"),
        time("objects", lazy, 0.1, "llvm-jitlink -lazy"),
        Bar("rjitlink -lazy ≤ 11× its time for a tenth of them", ("more-objects", lazy), 11, ("objects", lazy)),
        Bar("rjitlink -lazy ≤ 11× its memory for a tenth of them", ("more-objects", lazy), 11, ("objects", lazy), "peak"),
        time("compiler", eager, 0.9, "wild + run"),
        time("compiler", lazy, 0.4, "wild + run"),
        time("compiler", second, 3, PROGRAM),
        Bar("peak memory of rjitlink ≤ 0.15× llvm-jitlink", ("hello", eager), 0.15, ("hello", "llvm-jitlink"), "peak"),
        Bar("peak memory of rjitlink -lazy ≤ 0.15× llvm-jitlink -lazy", ("hello", lazy), 0.15, ("hello", "llvm-jitlink -lazy"), "peak"),
        Bar("peak memory of rjitlink -lazy ≤ 0.5× wild's and the program's together", ("compiler", lazy), 0.5, ("compiler", "wild + run"), "peaks"),
    ]


class Row:
    """One bar with what was measured. `ratio` is None if something is missing, `note` says what."""

    def __init__(self, title, ours, theirs, ratio, limit, at_least=False, note=""):
        self.title, self.ours, self.theirs, self.ratio, self.limit, self.note = title, ours, theirs, ratio, limit, note
        self.at_least = at_least

    def met(self):
        """Whether the bar is reached; None if it was not measured. A ratio counts with the three digits that are printed."""
        if self.ratio is None:
            return None
        ratio = float(f"{self.ratio:.3g}")
        return ratio >= self.limit if self.at_least else ratio <= self.limit

    def as_json(self):
        return {**self.__dict__, "met": self.met()}


def rows(cases, left_out, calls, rates, wanted):
    """The bars about cases for whose key `wanted` holds, measured as far as the results go. `cases` are those measured, by key."""
    found = [_compared(bar, cases, left_out) for bar in _bars() if wanted(bar.ours[0]) and wanted(bar.theirs[0])]
    if calls:
        found += _of_calls(calls)
    if rates:
        found.append(_of_rates(rates))
    return found


def _compared(bar, cases, left_out):
    first = cases.get(bar.ours[0])
    title = f"{first.short if first else NAMES.get(bar.ours[0], bar.ours[0])}: {bar.title}"
    figures = []
    for key, name in (bar.ours, bar.theirs):
        case = cases.get(key)
        contender = case and case.contender(name)
        if not contender:
            return Row(title, "", "", None, bar.limit, note=_why_absent(key, name, case, left_out))
        if contender.failure:
            return Row(title, "", "", None, bar.limit, note=f"{name}: {contender.failure}")
        figures.append(_figure(contender, bar.figure))
    note = ""
    program = first.contender(PROGRAM)
    if bar.figure == "time" and bar.theirs[1] != PROGRAM and program.median() > bar.limit * figures[1]:
        note = f"the linked program alone takes {_shown(program.median(), 'time')}"
    ours, theirs = (_shown(figure, bar.figure) for figure in figures)
    return Row(title, ours, theirs, figures[0] / figures[1], bar.limit, note=note)


def _why_absent(key, name, case, left_out):
    if not case:
        return left_out.get(key, "")
    if "second start" in name:
        return left_out.get("second start", "")
    return f"no {name.replace(' + run', '')} here"


def _figure(contender, figure):
    if figure == "time":
        return contender.median()
    return sum(contender.peaks) if figure == "peaks" else max(contender.peaks)


def _shown(value, figure):
    return f"{value * 1000:.2f} ms" if figure == "time" else f"{value / 1024:.1f} MiB"


def _first_call(share, limit, beyond, whole):
    """What a share of first calls takes, in µs. Linking the function is no part of it, but said beside it."""
    title = f"first call, beyond linking the function: {share} ≤ {limit} µs"
    us = beyond[share] / 1000
    return Row(title, f"{us:.2f} µs", "", us, limit, note=f"{whole[share] / 1000:.2f} µs with linking a small one")


def _of_calls(calls):
    beyond, whole = calls["first_call_ns"][BEYOND_LINKING], calls["first_call_ns"][WITH_LINKING]
    scaling, warm = calls["threads"], calls["warm_call"]
    # Measured again from JSON, numbers of threads are text.
    medians, alone = ({int(threads): ns for threads, ns in scaling[key].items()} for key in ("median_ns", "one_thread_ns"))
    cores = min(16, scaling["cores"])
    plt, stub = warm["median_ps"]["PLT entry of a native program"], warm["median_ps"]["rjitlink"]
    return [
        _first_call("p50", 3, beyond, whole),
        _first_call("p99", 30, beyond, whole),
        Row(
            f"{scaling['functions']:,} first calls: 16 threads ≥ {0.75 * cores:.2f} times as fast as one in their order ({cores} cores)",
            f"{medians[16] / 1e6:.2f} ms",
            f"{alone[16] / 1e6:.2f} ms",
            alone[16] / medians[16],
            0.75 * cores,
            at_least=True,
            note=f"{medians[1] / medians[16]:.2f} times as fast as one in order of objects, {medians[1] / 1e6:.2f} ms",
        ),
        Row("warm call through a redirected stub ≤ 1.0× a PLT call", f"{stub} ps", f"{plt} ps", warm["ratio"], 1.0),
    ]


def _of_rates(rates):
    title = "relocations applied per second ≥ 3× llvm-jitlink"
    own, peer = rates["tools"].get("rjitlink"), rates["tools"].get("llvm-jitlink")
    if not own or not peer:
        return Row(title, "", "", None, 3, at_least=True, note="not measured: a tool is missing, or its hello took longer")
    shown = [f"{tool['relocations_per_s'] / 1e6:.2f} M/s" for tool in (own, peer)]
    share = own["bytes_per_s"] / rates["memcpy_bytes_per_s"]
    fresh = own["bytes_per_s"] / rates["memcpy_fresh_pages_bytes_per_s"]
    note = f"{share:.1%} of memcpy's bandwidth, {fresh:.1%} of memcpy's into fresh pages"
    return Row(title, *shown, own["relocations_per_s"] / peer["relocations_per_s"], 3, at_least=True, note=note)
