"""Does rjitlink run what a compiler makes of one source under many flags?

    matrix.py --link=… --rjitlink=… [--run=…] '--compiler=COMMAND' '--flags=A B | C | D' … --source=FILE … --work=FOLDER RJITLINK OPTIONS

Each `--flags` is a list of choices separated by `|`; all combinations are tried. The objects of the sources are linked eagerly,
then with every source but the first one lazy, and compared with the natively linked program (see same.py).
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
        objects = []
        for source in sources:
            objects.append(os.path.join(work, f"{number}-{os.path.basename(source)}.o"))
            subprocess.run(compiler + flags + ["-c", source, "-o", objects[-1]], check=True)
        pie = "-pie" if {"-fPIC", "-fPIE"} & set(flags) else "-no-pie"
        lazy = [objects[0]] + [word for file in objects[1:] for word in ("-lazy", file)]
        for files in (objects, lazy):
            combinations += 1
            problem, _, _ = same.compare(tools, files + words, [pie] + get("native"))
            if problem:
                bad += 1
                print(f"{' '.join(flags)}: {problem}")
    print(f"{combinations} combinations, {bad} differ")
    sys.exit(bad != 0)


if __name__ == "__main__":
    main()
