"""Runs contenders in turns and keeps what each run took.

Why a loop of our own and not hyperfine: hyperfine finishes one command before it begins the next, so a machine that gets slower meanwhile
makes the later one look slow. Here each round runs every contender once, each round starting with another one: what disturbs one disturbs
all. A contender may be several commands (link, then run), timed without a shell between them. Every run's output and exit status is compared
with those of the statically linked program. Page faults and peak memory come from the same runs (wait4).
"""

import os
import re
import signal
import statistics
import subprocess

import machine

# Seconds that one command may take; then it has failed.
PATIENCE = 300

# MiB of memory that are touched before each measurement: more than any tool needs.
TOUCHED = 600


class Contender:
    """One way to get from objects to the program's output.

    `steps` are commands run one after the other, the last of which is the program or contains it; `memory_steps` replace them where peak memory
    is asked for. `env` is added to the environment of all. `check` is whether the output must equal the static program's.
    """

    def __init__(self, name, steps, memory_steps=None, env=None, check=True):
        self.name = name
        self.steps = steps
        self.memory_steps = memory_steps
        self.env = {**os.environ, **(env or {})}
        self.check = check
        self.seconds = []  # wall time of each round, all steps together
        self.user, self.system = [], []
        self.step_seconds = [[] for _ in steps]
        self.peaks = []  # KiB, one of each step
        self.faults = {}  # minor and major, the median of the rounds
        self.calls = {}  # system calls by name
        self.failure = None  # why it cannot take part

    def median(self):
        return statistics.median(self.seconds) if self.seconds else None

    def as_json(self):
        if self.failure:
            return {"failure": self.failure}
        return {
            "median_s": self.median(),
            "min_s": min(self.seconds),
            "max_s": max(self.seconds),
            "steps_median_s": [statistics.median(times) for times in self.step_seconds],
            "user_s": statistics.median(self.user),
            "system_s": statistics.median(self.system),
            "peak_kib": self.peaks,
            "faults": self.faults,
            "system_calls": self.calls,
            "runs_s": self.seconds,
        }


class Step:
    """What one run of one command took, and what it printed."""

    def __init__(self, command, env, folder):
        measure = os.path.join(folder, "measure")
        output = os.path.join(folder, "output")
        # A group of its own, so that what hangs can be ended with all it started.
        process = subprocess.Popen([measure, output, *command], cwd=folder, env=env, stdout=subprocess.PIPE, text=True, start_new_session=True)
        try:
            printed = process.communicate(timeout=PATIENCE)[0]
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            # As the shell's timeout command says it.
            printed = f"124 {PATIENCE * 10**9} 0 0 0 0 0"
        numbers = [int(word) for word in printed.split()]
        self.status, self.seconds = numbers[0], numbers[1] / 1e9
        self.user, self.system = numbers[2] / 1e6, numbers[3] / 1e6
        self.peak, self.minor, self.major = numbers[4:]
        with open(output, "rb") as file:
            self.output = file.read()

    def errors(self, folder):
        """The first line the command wrote on standard error."""
        with open(os.path.join(folder, "output.err"), errors="replace") as file:
            lines = [line.strip() for line in file if line.strip()]
        return lines[0] if lines else ""


class Case:
    """One program and all ways to run it. `expected` is the static program's output and status; `short` is the title in a few words."""

    def __init__(self, key, title, contenders, expected, short=None):
        self.key = key
        self.short = short or key
        self.title = title
        self.contenders = contenders
        self.expected = expected

    def contender(self, name):
        return next((c for c in self.contenders if c.name == name), None)

    def measure(self, folder, runs, seconds, progress):
        """`runs` rounds after one to warm up; who has used more than `seconds` so far takes part in three rounds only."""
        for contender in self.contenders:
            self._round(contender, folder, None)
            progress(self, contender)
        rows = {c.name: [] for c in self.contenders}
        for number in range(runs):
            turn = number % len(self.contenders)
            for contender in self.contenders[turn:] + self.contenders[:turn]:
                taken = rows[contender.name]
                if contender.failure or len(taken) >= 3 and sum(contender.seconds) > seconds:
                    continue
                self._round(contender, folder, taken)
        for contender in self.contenders:
            if not contender.failure:
                self._summarize(contender, rows[contender.name], folder)

    def _round(self, contender, folder, taken):
        touch_memory(folder)
        steps = self._run(contender, contender.steps, folder)
        if taken is None or contender.failure:
            return
        taken.append(steps)
        contender.seconds.append(sum(step.seconds for step in steps))
        contender.user.append(sum(step.user for step in steps))
        contender.system.append(sum(step.system for step in steps))
        for index, step in enumerate(steps):
            contender.step_seconds[index].append(step.seconds)

    def _run(self, contender, commands, folder):
        """Runs the commands; notes a failure, or a difference from the static program."""
        steps = []
        for index, command in enumerate(commands):
            step = Step(command, contender.env, folder)
            steps.append(step)
            last = index == len(commands) - 1
            if not last and step.status != 0:
                contender.failure = f"status {step.status} from {os.path.basename(command[0])}: {step.errors(folder)[:200]}"
                return steps
            if last and contender.check and (step.output, step.status) != self.expected:
                what = f"status {step.status}, other" if step.status != self.expected[1] else "other output"
                contender.failure = f"{what} than the static program's: {step.errors(folder)[:200]}".rstrip(": ")
            elif last and not contender.check and step.status != 0:
                contender.failure = f"status {step.status}: {step.errors(folder)[:200]}"
        return steps

    def _summarize(self, contender, rows, folder):
        contender.faults = {
            "minor": int(statistics.median(sum(step.minor for step in steps) for steps in rows)),
            "major": int(statistics.median(sum(step.major for step in steps) for steps in rows)),
        }
        if contender.memory_steps:
            rows = [self._run(contender, contender.memory_steps, folder)]
        contender.peaks = [max(steps[index].peak for steps in rows) for index in range(len(contender.steps))]

    def count_calls(self, machine_, folder, names=("mmap", "mprotect", "munmap")):
        """Counts system calls with one more run of each contender; strace slows it, so its time does not count."""
        if not machine_.strace:
            return
        for contender in self.contenders:
            if contender.failure:
                continue
            contender.calls = dict.fromkeys(names, 0)
            for command in contender.memory_steps or contender.steps:
                strace = [machine_.strace, "-f", "-c", "-o", "calls.strace", "-e", "trace=" + ",".join(names), *command]
                subprocess.run(strace, cwd=folder, env=contender.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                for name, count in _counts(os.path.join(folder, "calls.strace")):
                    if name in names:
                        contender.calls[name] += count
            # Where tracing is forbidden, nothing was counted: no program does without mmap.
            if not contender.calls["mmap"]:
                contender.calls = {}

    def as_json(self):
        return {"title": self.title, "contenders": {c.name: c.as_json() for c in self.contenders}}


def _counts(path):
    """Names and numbers of calls in strace's summary."""
    if not os.path.exists(path):
        return []
    with open(path) as file:
        rows = re.findall(r"^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", file.read(), re.MULTILINE)
    return [(name, int(count)) for count, name in rows]


def build_helpers(machine_, folder):
    """Builds the program that runs the others, and the one that runs before them."""
    for name in ("measure", "touch-memory"):
        source = os.path.join(machine.programs, f"{name}.c")
        subprocess.run([*machine_.cc, "-O1", source, "-o", os.path.join(folder, name)], check=True)


def touch_memory(folder):
    """Has memory at hand for what is measured next, where the system has given free memory to a hypervisor."""
    subprocess.run([os.path.join(folder, "touch-memory"), str(TOUCHED)], check=True)
