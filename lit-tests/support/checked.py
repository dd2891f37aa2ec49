"""Do rjitlink and llvm-jitlink agree about checks?

    checked.py --rjitlink=COMMAND [--jitlink=PATH] OPTIONS AND FILES

Runs both with the same words, or rjitlink alone, and prints `all agree: STATUS` if exit status and the lines about rules are the
same; if not, what each says.
"""

import re
import subprocess
import sys

SLAB = ["-noexec", "-slab-allocate=64Mb", "-slab-address=0x200000000", "-slab-page-size=4096"]


def run(command, words):
    done = subprocess.run(command + SLAB + words, capture_output=True, text=True, errors="replace", timeout=120)
    text = re.sub(r"^(\S*llvm-jitlink|rjitlink: error): ", "", done.stderr, flags=re.MULTILINE)
    # LLVM numbers opcodes and registers, and ends some messages with an empty line.
    text = re.sub(r"^  <MCInst .*", "  <MCInst>", text, flags=re.MULTILINE)
    return done.returncode, [line for line in text.splitlines() if line]


def main():
    words = sys.argv[1:]
    tools = {}
    while words and words[0].startswith(("--rjitlink=", "--jitlink=")):
        name, _, command = words.pop(0).partition("=")
        if command:
            tools[name] = run(command.split(), words_after(words))
    results = list(tools.values())
    if any(result != results[0] for result in results):
        for name, result in tools.items():
            print(name, *result[1], f"status {result[0]}", sep="\n")
        sys.exit(1)
    print(*results[0][1], sep="\n")
    print(f"all agree: {results[0][0]}")


def words_after(words):
    """The words behind the names of the tools."""
    return [word for word in words if not word.startswith(("--rjitlink=", "--jitlink="))]


if __name__ == "__main__":
    main()
