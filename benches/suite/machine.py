"""What the figures were measured on and with: the machine, rjitlink, and the peers that are there.

A peer that is missing is not a failure: it is named with what installs it, and its cells stay empty.
"""

import os
import platform
import re
import shutil
import subprocess
import sys

repository = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, os.path.join(repository, "lit-tests", "support"))
import tools

programs = os.path.join(repository, "benches", "programs")
target = os.path.abspath(os.environ.get("CARGO_TARGET_DIR", os.path.join(repository, "target")))

# Linkers that write a file, which is run afterwards: how to get each, and the flag that makes its memory visible. mold and wild let a child
# process link, so that the parent can end before the child has freed its memory; times are taken so, peaks of memory without the child.
LINKERS = {
    "mold": ("apt-get install mold", ["--no-fork"]),
    "lld": ("apt-get install lld", []),
    "GNU ld": ("apt-get install binutils", []),
    "wild": ("cargo install --locked wild-linker@0.10.0", ["--no-fork"]),
}


class Machine:
    """The programs to measure. `missing` maps the peers that are not there to what to do about it."""

    def __init__(self, cache_option=None):
        self.cc = os.environ.get("CC", "cc").split()
        self.cxx = os.environ.get("CXX", "c++").split()
        self.own = os.environ.get("RJITLINK", os.path.join(target, "release", "rjitlink"))
        if not os.access(self.own, os.X_OK):
            sys.exit(f"{self.own} is not there: cargo build --release, or name another with RJITLINK")
        self.own = os.path.abspath(self.own)
        self.missing = {}
        self.jitlink, self.runtime = self._find_jitlink()
        paths = {
            "mold": shutil.which("mold"),
            "lld": tools.find_llvm("ld.lld"),
            "GNU ld": shutil.which(_output([*self.cc, "-print-prog-name=ld"]) or "ld"),
            "wild": shutil.which("wild"),
        }
        self.linkers = {name: path for name, path in paths.items() if path}
        for name in LINKERS:
            if name not in self.linkers:
                self.missing[name] = LINKERS[name][0]
        self.strace = shutil.which("strace")
        if not self.strace:
            self.missing["strace"] = "apt-get install strace; counts of system calls are left out"
        self.cache_option = cache_option or self._cache_option()
        self.cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()

    def install(self, folder):
        """Has a copy of the program in `folder` be measured. Peers are installed, which writes files from start to end; a linker writes its
        output here and there, and until the system has read that anew, its pages take longer to map: an eighth of hello's time."""
        self.own = shutil.copy(self.own, os.path.join(folder, "rjitlink"))

    def _find_jitlink(self):
        jitlink = tools.find_llvm("llvm-jitlink")
        runtime = tools.orc_runtime(jitlink, tools.host_arch()) if jitlink else None
        if not jitlink:
            self.missing["llvm-jitlink"] = "lit-tests/setup"
        elif not runtime:
            self.missing["llvm-jitlink -lazy"] = "lit-tests/setup installs its ORC runtime (libclang-rt-dev)"
        return jitlink, runtime

    def _cache_option(self):
        """rjitlink's options for a cache on disk, as words with {folder} in their midst, if it has one."""
        found = re.search(r"(--?cache)-dir\b", _output([self.own, "--help"]))
        return "{0} {0}-dir={{folder}}".format(found.group(1)) if found else None

    def versions(self):
        """What was compared, by name."""
        programs = {"rjitlink": [self.own], "llvm-jitlink": [self.jitlink], **{n: [p] for n, p in self.linkers.items()}}
        found = {}
        for name, command in programs.items():
            if command[0]:
                text = _output([*command, "--version"])
                number = re.search(r"\d+(\.\d+)+", text)
                found[name] = number.group(0) if number else "?"
        commit = _output(["git", "-C", repository, "rev-parse", "--short", "HEAD"])
        if commit:
            found["rjitlink"] += f" ({commit})"
        return found

    def describe(self):
        """The machine in a few words, by what they are about."""
        model, memory = platform.processor() or platform.machine(), 0
        try:
            with open("/proc/cpuinfo") as file:
                model = re.search(r"^model name\s*:\s*(.*)$", file.read(), re.MULTILINE).group(1)
        except (OSError, AttributeError):
            pass
        if hasattr(os, "sysconf"):
            memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
        return {
            "processor": model,
            "cores": self.cores,
            "memory_gib": round(memory, 1),
            "system": f"{platform.system()} {re.match(r'[0-9.]*[0-9]', platform.release()).group(0)}, {platform.machine()}",
            "libc": " ".join(platform.libc_ver()),
            "compiler": _output([*self.cc, "--version"]).split("\n")[0],
        }


def _output(command):
    """What a command prints, without the last line end; nothing if it cannot be run."""
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=60).stdout.strip()
    except OSError:
        return ""
