#!/usr/bin/env python3
"""Says whether a macOS executable starts on the oldest macOS that it is for.

    check_imports.py TRIPLE EXECUTABLE

Each symbol that the executable takes from Apple's libraries must stand in the file `imports` beside this script, with a
release of macOS that is not younger than the oldest one for TRIPLE; what is younger may only be imported weakly, or
looked up with dlsym. The executable is read with LLVM's nm.
"""

import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), ".."))
import tools

# What Rust's targets are for.
OLDEST = {"aarch64-apple-darwin": "11.0", "x86_64-apple-darwin": "10.12"}


def number(release):
    return tuple(int(part) for part in release.split("."))


def known_imports():
    """The releases in which symbols appeared, by their names."""
    path = os.path.join(os.path.dirname(os.path.realpath(__file__)), "imports")
    with open(path) as lines:
        rows = [line.split() for line in lines if not line.startswith("#")]
    return {name: release for release, name in rows}


def imports(executable):
    """The names of undefined symbols, and whether each may stay undefined."""
    nm = tools.find_llvm("llvm-nm")
    said = subprocess.run([nm, "-m", "-u", executable], stdout=subprocess.PIPE, text=True, check=True).stdout
    for line in said.splitlines():
        words = re.match(r"\s*\(undefined\) (.*?)(\S+)(?: \(from .*\))?$", line)
        yield words.group(2), "weak" in words.group(1)


def main():
    triple, executable = sys.argv[1:]
    oldest = OLDEST[triple]
    known = known_imports()
    complaints, count = [], 0
    for name, weak in imports(executable):
        count += 1
        if weak:
            continue
        if name not in known:
            complaints.append(f"{name} is not in the list: add it with the release in which it appeared")
        elif known[name] != "zig" and number(known[name]) > number(oldest):
            complaints.append(f"{name} is of macOS {known[name]}; {triple} starts with {oldest}: look it up with dlsym")
    for complaint in complaints:
        print(f"{executable}: {complaint}")
    print(f"{triple}: {count} imports, {len(complaints)} that are too new or unknown")
    return 1 if complaints or not count else 0


if __name__ == "__main__":
    sys.exit(main())
