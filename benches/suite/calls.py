"""Calls of lazy functions: the first ones, from one thread and from many, and the ones after that.

A first call costs the work of linking the function's code, and what it takes to get there: trampoline, resolver, the change of the pointer, and on
into the function. The bar is about the second part, and that is measured as it is: each reentry trampoline is called once more when its function is
linked. The whole first call of a function as small as can be, without a relocation, is given beside it: what beginning and ending a batch costs is a
part of that. Where a whole object is linked at once (-lazy-granularity=object, and always in llvm-jitlink), what the first calls of its other
functions take is given, too; rjitlink has redirected their stubs by then, llvm-jitlink has not.
"""

import statistics
import subprocess

import measure

OBJECTS, FUNCTIONS = 100, 100
THREADS = (1, 2, 4, 8, 16)
# Rounds of warm calls for each round of first calls.
WARM_ROUNDS = 3
# Rows of the table that bars are about.
BEYOND_LINKING = "rjitlink, through the trampoline to a function that is linked"
WITH_LINKING = "rjitlink, a small function"


class Calls:
    """Builds the programs and measures; answers plain data for the report."""

    def __init__(self, builder, quick):
        self.builder = builder
        self.machine = builder.machine
        self.objects = OBJECTS // 10 if quick else OBJECTS
        self.runs = 2 if quick else 15

    def measure(self):
        words = self._first_calls()
        own = [self.machine.own]
        by_object, by_function = ["-lazy-granularity=object"], ["-lazy-granularity=function"]
        latency = {
            BEYOND_LINKING: self._latency([*own, *by_function, *words], linked=False, mode="reentries"),
            WITH_LINKING: self._latency([*own, *by_function, *words], linked=False),
            "rjitlink, its object is linked already": self._latency([*own, *by_object, *words], linked=True),
        }
        if self.machine.runtime:
            jitlink = [self.machine.jitlink, "-orc-runtime=" + self.machine.runtime, *words]
            # What follows -args is argv, the program's name included.
            figures = self._of_peer(lambda: self._latency(jitlink, linked=True, behind=("-args", "first-calls")))
            latency.update({"llvm-jitlink, its object is linked already": figures} if figures else {})
        scaling = self._scaling([*own, *by_function, *words])
        return {"first_call_ns": latency, "threads": scaling, "warm_call": self._warm()}

    def _first_calls(self):
        """The words for a program of many lazy functions."""
        functions = "".join(f"int f0000000_{k}(int n) {{ return n + {k}; }}\n" for k in range(FUNCTIONS))
        template = self.builder.compile_text(functions, "calls-template", "-ffunction-sections")
        objects = self.builder.copies(template, "calls", self.objects)
        names = [f"f{n:07d}_{k}" for n in range(self.objects) for k in range(FUNCTIONS)]
        table = "".join(f"int {name}(int);\n" for name in names)
        table += "int (*const functions[])(int) = {" + ", ".join(names) + "};\n"
        table += f"const int function_count = {len(names)}, per_object = {FUNCTIONS};\n"
        main = [self.builder.compile("first-calls.c", "-pthread"), self.builder.compile_text(table, "calls-table")]
        return main + [word for name in objects for word in ("-lazy", name)]

    def _run(self, command, touch=True):
        if touch:
            measure.touch_memory(self.builder.folder)
        done = subprocess.run(command, cwd=self.builder.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=600)
        if done.returncode != 0:
            raise RuntimeError(f"status {done.returncode} from {command[0]}: {done.stderr[:300]}")
        return done.stdout

    def _of_peer(self, measured):
        """What `measured` answers; nothing, but a note, if the peer fails."""
        try:
            return measured()
        except RuntimeError as error:
            self.machine.missing["llvm-jitlink's calls"] = str(error)
            return None

    def _latency(self, command, linked, behind=("--",), mode="latency"):
        """Nanoseconds of the calls of all runs: percentiles. `linked`: only those that find their code linked."""
        taken = []
        for _ in range(self.runs):
            lines = [line.split() for line in self._run([*command, *behind, mode]).splitlines()]
            taken += [int(ns) for kind, ns in lines if kind == "call" or not linked]
        taken.sort()
        at = lambda share: taken[min(len(taken) - 1, int(len(taken) * share))]
        return {"p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "max": taken[-1], "calls": len(taken)}

    def _scaling(self, command):
        """Median nanoseconds for all first calls, by number of threads, and those of one thread in the same order; they take turns.

        Who calls every Nth function comes to each object N times, and finds little of it in the caches. That has nothing to do with threads: a
        single one takes longer for such an order, too. What threads win is held against one that has the same way to go.
        """
        taken = {threads: [] for threads in THREADS}
        alone = {threads: [] for threads in THREADS}
        apart, line = [], []
        cache_line = self.builder.tool("cache-line", "-pthread")
        for _ in range(self.runs):
            line.append(float(self._run([cache_line])))
            for threads in THREADS:
                taken[threads].append(int(self._run([*command, "--", "threads", str(threads)])))
                alone[threads].append(int(self._run([*command, "--", "order", str(threads)])))
            apart.append(self._apart([*command, "--", "threads", "1"]))
        median = lambda taken: {threads: statistics.median(times) for threads, times in taken.items()}
        cores = self.machine.cores
        return {
            "functions": self.objects * FUNCTIONS,
            "cores": cores,
            "median_ns": median(taken),
            "one_thread_ns": median(alone),
            "processes_ns": statistics.median(apart),
            "cache_line_ns": {"median": statistics.median(line), "min": min(line), "max": max(line), "rounds": len(line)},
        }

    def _apart(self, command):
        """The nanoseconds of the slowest of as many processes as there are cores, all at once: they share nothing but the machine."""
        start = lambda: subprocess.Popen(command, cwd=self.builder.folder, stdout=subprocess.PIPE, text=True)
        measure.touch_memory(self.builder.folder)
        outputs = [process.communicate(timeout=600)[0] for process in [start() for _ in range(self.machine.cores)]]
        return max(int(output) for output in outputs)

    def _warm(self):
        """The time of a call in picoseconds, through stubs and through a PLT entry of a native program, and the ratio of the first to the second.

        What differs is less than what the machine's clock does from one run to the next. So each run through stubs is compared with the one
        through the PLT right before it, and what counts is the median of those ratios.
        """
        main = self.builder.compile("warm-call.c", "-fPIC")
        callee = self.builder.compile("callee.c", "-fPIC")
        folder = self.builder.folder
        subprocess.run([*self.machine.cc, "-shared", callee, "-o", "libcallee.so"], cwd=folder, check=True)
        subprocess.run([*self.machine.cc, main, "-L.", "-lcallee", "-Wl,-rpath," + folder, "-o", "warm-call"], cwd=folder, check=True)
        commands = {"PLT entry of a native program": ["./warm-call"], "rjitlink": [self.machine.own, main, "-lazy", callee]}
        if self.machine.runtime:
            commands["llvm-jitlink"] = [self.machine.jitlink, "-orc-runtime=" + self.machine.runtime, main, "-lazy", callee]
        taken = {name: [] for name in commands}
        for _ in range(WARM_ROUNDS * self.runs):
            for name, command in commands.items():
                measured = lambda: self._run(command, touch=False)
                output = self._of_peer(measured) if name == "llvm-jitlink" else measured()
                if output:
                    taken[name].append(int(output))
        ratios = [own / plt for own, plt in zip(taken["rjitlink"], taken["PLT entry of a native program"])]
        return {"median_ps": {name: round(statistics.median(times)) for name, times in taken.items() if times}, "ratio": statistics.median(ratios)}
