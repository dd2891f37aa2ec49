"""The programs that are linked and run by every tool, and how each tool is asked to.

llvm-jitlink links eagerly without its ORC runtime, its fastest way, and lazily with it, the only way. Linkers are called directly with the words
the compiler would give them, so that the compiler driver's time is not held against them. The objects are the same for everybody.
"""

import os
import subprocess

import machine
import tools
from measure import Case, Contender

PROGRAM = "linked program"  # linked before: the limit

# What the bars call a case, where its key does not do.
NAMES = {"compiler": "LLVM compiler"}


class Cases:
    """Makes the cases in the builder's folder; `left_out` says which could not be made, and why."""

    def __init__(self, builder, quick):
        self.builder = builder
        self.machine = builder.machine
        self.quick = quick
        self.left_out = {}

    def all(self, wanted):
        """Makes one case after the other, so that each is measured before the next one's objects are made; those for whose key `wanted` holds."""
        few, many = (200, 2000) if self.quick else (2000, 20000)
        makers = {
            "hello": self.hello,
            "sqlite": self.sqlite,
            "objects": lambda: self.objects("objects", few, every_tool=True),
            "more-objects": lambda: self.objects("more-objects", many, every_tool=False),
            "compiler": self.compiler,
        }
        for key, make in makers.items():
            case = make() if wanted(key) else None
            if case:
                yield case

    def hello(self):
        eager = [self.builder.compile("hello.c")]
        main, greet = self.builder.compile("hello-lazy.c"), self.builder.compile("greet.c")
        return self._case("hello", "hello", eager, [main, "-lazy", greet], eager)

    def sqlite(self):
        """SQLite's archive as the distribution ships it, with a session in an in-memory database."""
        archive = self.builder.archive("libsqlite3.a")
        if not archive:
            self.left_out["sqlite"] = "no libsqlite3.a: apt-get install libsqlite3-dev"
            return None
        main = self.builder.compile(os.path.join(machine.repository, "Inputs", "workloads", "sqlite.c"))
        libm = "-preload=libm.so.6"
        return self._case("sqlite", "sqlite", [main, archive, libm], [main, "-lazy", archive, libm], [main, archive, "-lm"])

    def objects(self, key, count, every_tool, chains=20, functions=10):
        """`count` objects of ten functions, each of which calls one of the next object's; main calls the first function of twenty objects."""
        declarations = "".join(f"int g0000000_{k + 1}(int);\n" for k in range(functions - 1))
        bodies = [f"int f0000000_{k}(int n) {{ return g0000000_{k + 1}(n + {k}) + 1; }}\n" for k in range(functions - 1)]
        last = f"int f0000000_{functions - 1}(int n) {{ return n; }}\n"
        template = self.builder.compile_text(declarations + "".join(bodies) + last, f"{key}-template")
        starts = [f"f{number * count // chains:07d}_0" for number in range(chains)]
        calls = "".join(f"  n = {name}(n);\n" for name in starts)
        externs = "".join(f"int {name}(int);\n" for name in starts)
        text = f'#include <stdio.h>\n{externs}int main(void) {{\n  int n = 0;\n{calls}  printf("%d\\n", n);\n  return 0;\n}}\n'
        main = self.builder.compile_text(text, f"{key}-main")
        words = self.builder.copies(template, key, count)
        lazy = [main] + [word for name in words for word in ("-lazy", name)]
        title = f"{count:,} objects × {functions} functions, {chains} chains called"
        return self._case(key, title, [main, *words], lazy, [main, *words], every_tool=every_tool, short=f"{count:,} objects")

    def compiler(self):
        """A small compiler over 61 archives of LLVM."""
        if self.quick:
            self.left_out["compiler"] = "not in a quick run"
            return None
        config = tools.find_llvm("llvm-config")
        ask = lambda *words: subprocess.run([config, *words], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
        needs = "apt-get install llvm-22-dev libz3-dev zlib1g-dev libzstd-dev libxml2-dev"
        if not config or tools.host_arch() != "x86_64":
            self.left_out["compiler"] = f"no llvm-config: {needs}" if not config else "its code generator is the one for x86-64"
            return None
        archives = ask("--link-static", "--libfiles", "core", "irreader", "passes", "x86")
        libraries = ["z3", "z", "zstd", "xml2"]
        absent = [name for name in archives if not os.path.exists(name)]
        absent += [f"lib{name}.so" for name in libraries if not self.builder.archive(f"lib{name}.so")]
        if absent:
            self.left_out["compiler"] = f"{absent[0]} is missing: {needs}"
            return None
        main = self.builder.compile("compiler.cpp", *ask("--cxxflags"))
        arguments = [os.path.join(machine.programs, "sums.ll")]
        system = [f"-l{name}" for name in libraries]
        lazy = [main] + [word for name in archives for word in ("-lazy", name)] + ["-lstdc++", "-lm", *system]
        native = [main, *archives, *system]
        eager = [main, *archives, "-lstdc++", "-lm", *system]
        # llvm-jitlink knows no shared libraries by -l: it gets them as files to load.
        loaded = [f"-preload={self.builder.archive(f'lib{name}.so')}" for name in ["stdc++", *libraries]]
        loaded.append("-preload=libm.so.6")
        case = self._case("compiler", f"a compiler, {len(archives)} archives of LLVM", eager, lazy, native, arguments, plus=True, jitlink=loaded)
        self._second_start(case, eager, arguments)
        return case

    def _second_start(self, case, eager, arguments):
        """rjitlink with its cache on disk, filled by the round that warms up."""
        if not self.machine.cache_option:
            self.left_out["second start"] = "this rjitlink has no cache on disk (--cache-option names one)"
            return
        folder = os.path.join(self.builder.folder, "cache")
        # The folder's name may have spaces in it.
        options = [word.format(folder=folder) for word in self.machine.cache_option.split()]
        words = [self.machine.own, *options, *eager, "--", *arguments]
        case.contenders.insert(2, Contender("rjitlink, second start", [words]))

    def _case(self, key, title, eager, lazy, native, arguments=(), plus=False, every_tool=True, jitlink=None, short=None):
        """The case with all tools, or with rjitlink and llvm-jitlink only. `jitlink` are words in the place of `-l` ones for llvm-jitlink."""
        program, expected = self.builder.linked_in_advance(native, f"{key}.linked", arguments, plus)
        behind = ["--", *arguments] if arguments else []
        contenders = [
            Contender("rjitlink", [[self.machine.own, *eager, *behind]]),
            Contender("rjitlink -lazy", [[self.machine.own, *lazy, *behind]]),
        ]
        if self.machine.jitlink:
            contenders += self._jitlink(key, eager, lazy, arguments, jitlink)
        if every_tool:
            words = self.builder.link_words(native, f"{key}.peer", plus)
            contenders += [self._linker(name, key, words, arguments) for name in self.machine.linkers]
        contenders.append(Contender(PROGRAM, [program]))
        return Case(key, title, contenders, expected, short or NAMES.get(key))

    def _jitlink(self, key, eager, lazy, arguments, replaced):
        # What follows -args is argv, the program's name included.
        behind = ["-args", key, *arguments] if arguments else []
        own = lambda words: [w for w in words if not replaced or not w.startswith("-l") or w == "-lazy"] + (replaced or [])
        made = [Contender("llvm-jitlink", [[self.machine.jitlink, *own(eager), *behind]])]
        if self.machine.runtime:
            command = [self.machine.jitlink, "-orc-runtime=" + self.machine.runtime, *own(lazy), *behind]
            made.append(Contender("llvm-jitlink -lazy", [command]))
        return made

    def _linker(self, name, key, words, arguments):
        """Links to a file of the linker's own, and runs that."""
        output = f"{key}.{name.replace(' ', '-')}"
        words = [output if word == f"{key}.peer" else word for word in words]
        run = [os.path.join(self.builder.folder, output), *arguments]
        path, whole_memory = self.machine.linkers[name], machine.LINKERS[name][1]
        steps = [[path, *words], run]
        return Contender(f"{name} + run", steps, [[path, *whole_memory, *words], run] if whole_memory else None)
