"""Checks messages about misused options.

    misuse.py COMMAND FILE

FILE has pairs of lines: "> words" are given to COMMAND, which must end with status 1 and print nothing on stdout; the first line it
prints on stderr must begin with the program's name and contain what stands behind the "< " that follows.
"""

import shlex
import subprocess
import sys


def main():
    command, table = shlex.split(sys.argv[1]), open(sys.argv[2]).read().splitlines()
    lines = [line for line in table if line.startswith((">", "<"))]
    wrong = 0
    for words, expected in zip(lines[::2], lines[1::2]):
        done = subprocess.run(command + shlex.split(words[1:]), capture_output=True, text=True, timeout=120)
        first = done.stderr.splitlines()[:1]
        good = done.returncode == 1 and not done.stdout and first and first[0].startswith("rjitlink: error: ")
        if not good or expected[2:] not in first[0]:
            wrong += 1
            print(words, expected, f"status {done.returncode}", done.stdout, done.stderr, sep="\n")
    print(f"{len(lines) // 2} misuses, {wrong} not as expected")


if __name__ == "__main__":
    main()
