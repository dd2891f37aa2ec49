"""Does rjitlink run a program as the statically linked one runs?

    same.py --link=COMPILER --rjitlink=COMMAND [--run=EMULATOR] [--native=FLAG]... [--repeat=N] FILES AND OPTIONS

FILES AND OPTIONS are given to rjitlink as they are. The native link gets the files, -l, -L and what `--native` adds, without rjitlink's
own options. Without a COMPILER, what the other linker is compared with is rjitlink itself, linking everything before the program
starts. Both programs run; what they print and how they end must be the same. The program's output is
printed, then `status: N` (or `signal: N`), so that a test may also check what the program does.
"""

import os
import shlex
import subprocess
import sys
import tempfile

OWN_OPTIONS = ("cache", "cache-dir", "lazy", "lazy-granularity", "num-threads", "show-linked-files", "preload", "orc-runtime", "entry")
SECONDS = 120


def native_words(words):
    """Splits rjitlink's words into those for the native linker and the program's own arguments."""
    files, arguments = [], []
    for number, word in enumerate(words):
        if word in ("-args", "--"):
            arguments = words[number + 1 :]
            break
        option = word.lstrip("-").split("=")[0]
        if not (word.startswith("-") and option in OWN_OPTIONS):
            files.append(word)
    return files, arguments


def run(command):
    """What a program prints, and how it ends as text."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return b"", f"no end within {SECONDS} s", b""
    end = f"signal: {-done.returncode}" if done.returncode < 0 else f"status: {done.returncode}"
    return done.stdout, end, done.stderr


def link_natively(tools, words, native_flags, program):
    """Links `program` from the files among rjitlink's words; None if that went well, else what the linker says."""
    files = native_words(words)[0]
    # Apple's linker looks into archives as often as it takes, and knows no groups.
    group = files if sys.platform == "darwin" else ["-Wl,--start-group", *files, "-Wl,--end-group"]
    link = tools["link"] + ["-o", program, *native_flags, *group]
    linked = subprocess.run(link, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return f"the native link failed: {shlex.join(link)}\n{linked.stdout.decode(errors='replace')}" if linked.returncode else None


def compare_with(tools, words, program):
    """None if rjitlink does what the native `program` does, else a description of the difference; also the expected output and end."""
    return compare_results(tools, words, run(tools["run"] + [program, *native_words(words)[1]]))


def compare_results(tools, words, expected):
    """As `compare_with`, when the result of the other program is known."""
    found = run(tools["rjitlink"] + list(words))
    if found[:2] == expected[:2]:
        return None, expected[0], expected[1]
    report = [f"differs: {shlex.join(tools['rjitlink'] + list(words))}"]
    for title, result in (("expected", expected), ("rjitlink", found)):
        report.append(f"--- {title}: {result[1]}\n{result[0].decode(errors='replace')}")
        report.append(f"--- {title}, stderr\n{result[2].decode(errors='replace')}")
    return "\n".join(report), expected[0], expected[1]


def eager(words):
    """rjitlink's words without those that make files lazy."""
    return [word for word in words if word.lstrip("-").split("=")[0] not in ("lazy", "lazy-granularity")]


def compare(tools, words, native_flags=()):
    """Links natively and compares, as `compare_with` does; without a native linker, compares lazy with eager linking."""
    if not tools["link"]:
        expected = run(tools["rjitlink"] + eager(words))
        if expected[2].startswith(b"rjitlink: error"):
            return f"eager linking fails: {expected[2].decode(errors='replace')}", b"", ""
        return compare_results(tools, words, expected)
    with tempfile.TemporaryDirectory() as folder:
        program = os.path.join(folder, "program")
        problem = link_natively(tools, words, native_flags, program)
        return (problem, b"", "") if problem else compare_with(tools, words, program)


def options(arguments):
    """Reads this script's own options: the tools, the others as (name, value), the words behind them."""
    tools, rest = {"run": []}, []
    while arguments and arguments[0].startswith("--") and "=" in arguments[0]:
        name, _, value = arguments.pop(0)[2:].partition("=")
        if name in ("link", "rjitlink", "run"):
            tools[name] = shlex.split(value)
        else:
            rest.append((name, value))
    return tools, rest, arguments


def main():
    tools, rest, words = options(sys.argv[1:])
    native_flags = [value for name, value in rest if name == "native"]
    repeat = max([int(value) for name, value in rest if name == "repeat"], default=1)
    for _ in range(repeat):
        problem, output, end = compare(tools, words, native_flags)
        if problem:
            sys.exit(problem)
    sys.stdout.buffer.write(output)
    print(end)


if __name__ == "__main__":
    main()
