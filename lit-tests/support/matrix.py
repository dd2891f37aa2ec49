"""Does rjitlink run what a compiler makes of one source under many flags?

    matrix.py --link=… --rjitlink=… [--run=…] '--compiler=COMMAND' '--flags=A B | C | D' … --source=FILE … [--archived=FILE …] --work=FOLDER
        ['--arguments=WORD …' …] RJITLINK OPTIONS

Each `--flags` is a list of choices separated by `|`; all combinations are tried. The objects of the sources are linked eagerly,
then with every source but the first one lazy, at both granularities, and compared with the natively linked program (see same.py).
`--archived` sources become members of one archive, the last input file. Each `--arguments` is a list of arguments for the program:
it is run with each of them.
Prints one line per combination that differs and `N combinations, N differ`.
"""

import itertools
import os
import shlex
import subprocess
import sys

import same


def main():
    tools, rest, words = same.options(sys.argv[1:])
    get = lambda name: [value for key, value in rest if key == name]
    compiler, work, sources = shlex.split(get("compiler")[0]), get("work")[0], get("source")
    choices = [[shlex.split(choice) for choice in flags.split("|")] for flags in get("flags")]
    os.makedirs(work, exist_ok=True)
    combinations, bad = 0, 0
    for number, choice in enumerate(itertools.product(*choices)):
        flags = [flag for part in choice for flag in part]
        object_of = {}
        for source in sources + get("archived"):
            object_of[source] = os.path.join(work, f"{number}-{os.path.basename(source)}.o")
            subprocess.run(compiler + flags + ["-c", source, "-o", object_of[source]], check=True)
        files = [object_of[source] for source in sources]
        if get("archived"):
            files.append(os.path.join(work, f"{number}.a"))
            subprocess.run(["llvm-ar", "rcs", files[-1]] + [object_of[source] for source in get("archived")], check=True)
        pie = "-pie" if {"-fPIC", "-fPIE"} & set(flags) else "-no-pie"
        program = os.path.join(work, f"{number}.program")
        problem = same.link_natively(tools, files + words, [pie] + get("native"), program)
        if problem:
            sys.exit(problem)
        lazy = files[:1] + [word for file in files[1:] for word in ("-lazy", file)]
        for inputs in (files, lazy, ["-lazy-granularity=object"] + lazy):
            for arguments in get("arguments") or [""]:
                combinations += 1
                command = inputs + words + (["--", *arguments.split()] if arguments else [])
                problem, _, _ = same.compare_with(tools, command, program)
                if problem:
                    bad += 1
                    print(f"{' '.join(flags)}: {problem}")
    print(f"{combinations} combinations, {bad} differ")
    sys.exit(bad != 0)


if __name__ == "__main__":
    main()
