"""Links each relocation type of an architecture and a format at both ends of its range, and just outside.

    ranges.py --rjitlink=COMMAND [--jitlink=COMMAND] TABLE [NAME...]

TABLE is a module beside this one that has `TRIPLE` and `ROWS`. For a row, rules in the check language say what the fixed-up bytes
have to be, computed from addresses. The addend, or the target's address, moves the value to the ends of the range; where it begins
is asked with a rule that does not hold. Outside of the range, linking must fail with a message that names file, section, target, edge
kind, place and value; or a stub or GOT entry must be used, if the row has rules for that.
With --jitlink, llvm-jitlink has to agree on which of these links work, unless the row says otherwise.
"""

import argparse
import concurrent.futures
import importlib
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

BASE = 0x10000000
MASK = (1 << 64) - 1
# No value is this one.
IMPOSSIBLE = 0x5555555555555555
SLAB = 64 << 20  # bytes
OPTIONS = ["-noexec", "-slab-allocate=64Mb", f"-slab-address={BASE:#x}", "-slab-page-size=4096"]


class Row:
    """A relocation type.

    name      its name
    value     the value as an expression of the check language: `target - place`
    rule      what the bytes at `place` are, with V for the value: `*{4}place = V[31:0]`
    code      the assembly at `place`; None: `fill` bytes of data
    at        the fixup's offset from `place`
    low, high the least and the greatest value that fits; None: whatever
    step      values are multiples of this
    kind      the edge kind that messages name
    target    the address of `target`; None: the assembly defines it
    ends      which ends can be reached: "both", "low" or "high"
    reloc     whether `code` leaves it to the table's `source` to add the relocation
    symbol    the symbol that the relocation names
    start     what to begin with, so that the value fits
    vary      what moves the value: "addend", "target", or None: nothing does, and it is only compared
    prologue  assembly before
    beyond    rules for values outside of the range, which are then no error; so near to its ends that only a part of the slab is in reach,
              either may be
    peer      llvm-jitlink's (low, high); False: it does not know the relocation; None: the same
    """

    def __init__(self, name, value, rule, kind, low=None, high=None, code=None, fill=8, at=0, step=1, target=BASE,
                 symbol="target", start=0, vary="addend", ends="both", reloc=True, prologue="", beyond=None, peer=None, flags="aw"):
        self.name, self.value, self.rule, self.kind, self.low, self.high = name, value, rule, kind, low, high
        self.code, self.at, self.step, self.target, self.prologue, self.peer = code, at, step, target, prologue, peer
        self.symbol, self.start, self.vary, self.ends = symbol, start, vary, ends
        self.reloc, self.beyond = reloc, beyond
        self.flags = "ax" if code else flags
        self.code = code or f".skip {fill}"


    def rule_for(self, _value):
        """The rules for a value, with V for it."""
        return [self.rule]


class Tool:
    def __init__(self, command):
        self.command = command.split()

    def run(self, arguments):
        done = subprocess.run(self.command + arguments, capture_output=True, text=True, errors="replace", timeout=120)
        return done.returncode, done.stdout + done.stderr


class Case:
    """Links a row's object with a value moved by some distance."""

    def __init__(self, table, row, folder):
        self.table, self.row, self.folder = table, row, folder

    def link(self, tool, distance, rules):
        row = self.row
        source, made = os.path.join(self.folder, "t.s"), os.path.join(self.folder, "t.o")
        with open(source, "w") as file:
            file.write(self.table.source(row, distance if row.vary == "addend" else 0))
            file.write("".join(f"# jitlink-check: {rule}\n" for rule in rules))
        command = ["llvm-mc", f"-triple={self.table.TRIPLE}", "-filetype=obj", source, "-o", made]
        subprocess.run(command, check=True)
        moved = distance if row.vary == "target" else 0
        defined = [] if row.target is None else [f"-abs=target={row.target + moved & MASK:#x}"]
        return tool.run([*OPTIONS, *defined, f"-check={source}", made])

    def natural(self, tool):
        """The value that is not moved, as a signed number."""
        row = self.row
        status, output = self.link(tool, row.start, [f"{row.value}={IMPOSSIBLE:#x}"])
        found = re.search(rf"is false: 0x([0-9a-f]+) != {IMPOSSIBLE:#x}", output)
        if not found:
            raise AssertionError(f"{row.name}: no value at {row.start:#x} (status {status}): {output}")
        value = signed(int(found.group(1), 16))
        # An addend is no part of the expression, the target's address is.
        return value - row.start if row.vary == "target" else value

    def expect(self, tool, natural, value, inside, message):
        """Links so that the value is `value`, and complains if that goes otherwise than it should `inside` the range, or outside."""
        row = self.row
        distance = signed(value - natural & MASK)
        # No blank may follow a number, and a value may be one.
        expression = f"({row.value}+{distance & MASK:#x})" if row.vary == "addend" else f"({row.value})"
        rules = row.rule_for(value) if inside else row.beyond or []
        status, output = self.link(tool, distance, [rule.replace("V", expression) for rule in rules])
        fits = inside or row.beyond
        if fits:
            return [] if status == 0 else [f"{row.name}: {value:#x} should fit (status {status}): {output}"]
        if status != 1 or not re.search(message, output):
            return [f"{row.name}: {value:#x} should not fit (status {status}), message {message}: {output}"]
        return []


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def check_row(table, row, rjitlink, jitlink):
    complaints, runs = [], 0
    with tempfile.TemporaryDirectory() as folder:
        case = Case(table, row, folder)
        message = (
            rf"In graph \S*t\.o, section \S+: relocation target 0x[0-9a-f]+ .*\([^()]*{row.symbol}[^()]*\) is out of range of "
            rf"{row.kind} fixup at address 0x[0-9a-f]+ \(.* \+ 0x[0-9a-f]+\): -?0x[0-9a-f]+ does not fit -?0x"
        )
        tools = [(rjitlink, row.low, row.high, message)]
        if jitlink and row.peer is not False:
            tools.append((jitlink, *(row.peer or (row.low, row.high)), "is out of range of"))
        for tool, low, high, message in tools:
            natural = case.natural(tool)
            if row.vary is None:
                values = [(natural, True)]
            else:
                values = []
                # Such addresses as the program can have, where it is no error to be outside.
                least, most = (low, high) if not row.beyond else (max(low + SLAB, -BASE // 2), high - SLAB)
                # Where there is no limit, the ends of 64 bits.
                if row.ends != "high":
                    values += [(-(1 << 63), True)] if low is None else [(least, True), (low - row.step, False)]
                if row.ends != "low":
                    values += [((1 << 63) - row.step, True)] if high is None else [(most, True), (high + row.step, False)]
            for value, fits in values:
                complaints += case.expect(tool, natural, value, fits, message)
            runs += len(values)
    return complaints, runs


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rjitlink", required=True)
    parser.add_argument("--jitlink")
    parser.add_argument("table")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    table = importlib.import_module(options.table)
    rows = [row for row in table.ROWS if not options.names or row.name in options.names]
    rjitlink = Tool(options.rjitlink)
    jitlink = Tool(options.jitlink) if options.jitlink else None
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        def guarded(row):
            try:
                return check_row(table, row, rjitlink, jitlink)
            except AssertionError as error:
                return [str(error)], 0
        results = list(pool.map(guarded, rows))
    complaints = [complaint for found, _ in results for complaint in found]
    print("\n".join(complaints))
    print(f"{len(rows)} relocation types, {sum(runs for _, runs in results)} links, {len(complaints)} complaints")
    sys.exit(1 if complaints or not rows else 0)


if __name__ == "__main__":
    main()
