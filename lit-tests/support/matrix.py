"""Does rjitlink run what a compiler makes of one source under many flags?

    matrix.py --link=… --rjitlink=… [--run=…] '--compiler=COMMAND' '--flags=A B | C | D' … --source=FILE … [--archived=FILE …] [--shared=FILE …]
        [--loaded=FILE …] --work=FOLDER ['--arguments=WORD …' …] RJITLINK OPTIONS

Each `--flags` is a list of choices separated by `|`; all combinations are tried. The objects of the sources are linked eagerly,
then with every source but the first one lazy, at both granularities, and compared with the natively linked program (see same.py).
`--archived` sources become members of one archive, the last input file but for the `--shared` ones, of which each becomes a shared library.
`--loaded` sources become shared libraries too, which are not given to any linker; their paths are the program's last arguments.
Each `--arguments` is a list of arguments for the program: it is run with each of them.
Prints one line per combination that differs and `N combinations, N differ`.

`lit-tests/matrix/run` reads the same words from the tests and tries more compilers, flags and processors.
"""

import itertools
import os
import shlex
import subprocess
import sys

import same

WAYS = ("eager", "lazy function", "lazy object")


class Case:
    """What a program is made of."""

    def __init__(self, rest, words):
        get = lambda name: [value for key, value in rest if key == name]
        self.sources, self.archived, self.shared, self.loaded = get("source"), get("archived"), get("shared"), get("loaded")
        self.native, self.arguments, self.words = get("native"), get("arguments") or [""], words


def build(case, compiler, flags, folder, prefix):
    """Compiles the sources of `case`; answers rjitlink's input files, and the libraries that the program is to load."""
    def compile_to(source, suffix, *more):
        file = os.path.join(folder, f"{prefix}-{os.path.basename(source)}{suffix}")
        subprocess.run([*compiler, *more, source, "-o", file], check=True, stderr=subprocess.PIPE)
        return file

    files = [compile_to(source, ".o", *flags, "-c") for source in case.sources]
    if case.archived:
        members = [compile_to(source, ".o", *flags, "-c") for source in case.archived]
        archive = os.path.join(folder, f"{prefix}.a")
        subprocess.run(["llvm-ar", "rcs", archive, *members], check=True)
        files.append(archive)
    # The program refers to a library by the path it is linked with, since it has no other name.
    shared = lambda sources: [compile_to(source, ".so", *[f for f in flags if f.startswith("-O")], "-fPIC", "-shared") for source in sources]
    return files + shared(case.shared), shared(case.loaded)


def native_program(tools, case, files, flags, program):
    """Links the native program; None, or what the linker says."""
    pie = "-pie" if {"-fPIC", "-fPIE"} & set(flags) else "-no-pie"
    return same.link_natively(tools, files + case.words, [pie, *case.native], program)


def ways(files):
    """The words for rjitlink of each of `WAYS`."""
    lazy = files[:1] + [word for file in files[1:] for word in ([file] if file.endswith(".so") else ["-lazy", file])]
    return files, lazy, ["-lazy-granularity=object"] + lazy


def compare(tools, case, inputs, loaded, program):
    """The difference, or None, between the program's runs with each list of its arguments."""
    for arguments in case.arguments:
        arguments = arguments.split() + loaded
        command = inputs + case.words + (["--", *arguments] if arguments else [])
        yield same.compare_with(tools, command, program)[0]


def main():
    tools, rest, words = same.options(sys.argv[1:])
    get = lambda name: [value for key, value in rest if key == name]
    case, compiler, work = Case(rest, words), shlex.split(get("compiler")[0]), get("work")[0]
    choices = [[shlex.split(choice) for choice in flags.split("|")] for flags in get("flags")]
    os.makedirs(work, exist_ok=True)
    combinations, bad = 0, 0
    for number, choice in enumerate(itertools.product(*choices)):
        flags = [flag for part in choice for flag in part]
        files, loaded = build(case, compiler, flags, work, number)
        program = os.path.join(work, f"{number}.program")
        problem = native_program(tools, case, files, flags, program)
        if problem:
            sys.exit(problem)
        for inputs in ways(files):
            for problem in compare(tools, case, inputs, loaded, program):
                combinations += 1
                if problem:
                    bad += 1
                    print(f"{' '.join(flags)}: {problem}")
    print(f"{combinations} combinations, {bad} differ")
    sys.exit(bad != 0)


if __name__ == "__main__":
    main()
