# LLVM lit's configuration of the suite. One run covers one architecture: `lit -Darch=aarch64 lit-tests`; without
# -Darch the host's. Programs of another architecture than the host's run under user-mode qemu.
#
# Substitutions
#   %clang %clangxx   LLVM's compilers, for the architecture under test
#   %gcc %gxx         GNU's (REQUIRES: gcc)
#   %rjitlink         the program under test, with the emulator before it if it needs one
#   %same             support/same.py: links natively and with rjitlink, runs both, compares; see there
#   %matrix           support/matrix.py: the same for a list of compiler flags
#   %peer             support/peer.py: compares with llvm-jitlink (REQUIRES: llvm-jitlink)
#   %jitlink          llvm-jitlink with its ORC runtime (REQUIRES: llvm-jitlink)
#   %inputs           the repository's Inputs folder
#   %python           Python
#   %{trad}           the flag for calls of __tls_get_addr in the place of descriptors
# FileCheck, not, split-file, llvm-ar and so on are called by name.
#
# Features
#   x86_64 | aarch64       the architecture under test      emulated      it runs under qemu
#   linux | darwin         the host                         avx, avx512   the host's processor has it (x86_64 only)
#   gcc, lld, llvm-jitlink, static-linker                   those programs are there
#   aarch64-helpers                                         the cross compiler's libgcc.a is there
#   libsqlite3, liblua5.4, libleveldb, libsnappy, libffi, libpython3.11, libjemalloc   those archives are there; %libsqlite3 and so on are their paths

import glob
import os
import re
import shutil
import subprocess
import sys

import lit.formats

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "support"))
sys.dont_write_bytecode = True
import tools

in_ci = os.environ.get("CI") == "true"
arch = lit_config.params.get("arch", tools.host_arch())
suite = os.path.dirname(os.path.realpath(__file__))
repository = os.path.dirname(suite)

config.name = f"rjitlink-{arch}"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".c", ".cpp", ".s", ".test"]
config.excludes = ["support", "Inputs"]
config.test_source_root = suite
config.test_exec_root = os.path.join(repository, "target", "lit", arch)


def missing(what, consequence):
    """A program that is not there: no reason to fail for a user, but one for the project's own machines."""
    if in_ci:
        lit_config.fatal(f"{what} ({consequence}); run lit-tests/setup")
    lit_config.note(f"{what}: {consequence}; lit-tests/setup installs what is missing")


def skip_all(why):
    config.unsupported = True
    missing(why, f"all tests for {arch} are skipped")


native = arch == tools.host_arch()
triple = f"{arch}-linux-gnu"
clang, clangxx = tools.find_llvm("clang"), tools.find_llvm("clang++")
filecheck = tools.find_llvm("FileCheck")
rjitlink, why_not = tools.rjitlink(repository, arch)
emulator = None if native else tools.emulator_for(arch)

if not sys.platform.startswith("linux"):
    config.unsupported = True
    lit_config.note("the suite's programs are ELF programs for Linux: all tests are skipped on this system")
elif arch not in ("x86_64", "aarch64"):
    lit_config.fatal(f"no tests for the architecture {arch}")
elif not (clang and clangxx and filecheck and tools.find_llvm("split-file") and tools.find_llvm("not")):
    skip_all("LLVM's clang, FileCheck, split-file or not is missing")
elif not rjitlink:
    skip_all(why_not)
elif not native and not emulator:
    skip_all(f"qemu-{arch} is missing")

config.environment["PATH"] = os.pathsep.join(
    ([os.path.dirname(filecheck)] if filecheck else []) + [config.environment.get("PATH", os.environ["PATH"])]
)
# What would change compilers, programs under test or the loader must come from the tests alone.
for name in ("LANG", "LC_ALL"):
    config.environment[name] = "C"

features = config.available_features
features.update([arch, "linux" if sys.platform.startswith("linux") else sys.platform])
if not native:
    features.add("emulated")
if native and arch == "x86_64":
    flags = tools.cpu_flags()
    features.update(name for name, flag in (("avx", "avx"), ("avx512", "avx512f")) if flag in flags)

gcc_prefix = "" if native else f"{arch}-linux-gnu-"
gcc, gxx = shutil.which(gcc_prefix + "gcc"), shutil.which(gcc_prefix + "g++")
if gcc and gxx:
    features.update(["gcc", "static-linker"])
else:
    missing(f"{gcc_prefix}gcc and g++ are missing", "tests of what they emit are skipped")

if glob.glob("/usr/lib/gcc-cross/aarch64-linux-gnu/*/libgcc.a"):
    features.add("aarch64-helpers")

if tools.find_llvm("ld.lld"):
    features.add("lld")
else:
    missing("ld.lld is missing", "a test of its partial links is skipped")

jitlink = tools.find_llvm("llvm-jitlink")
runtime = tools.orc_runtime(jitlink, arch) if jitlink else None
if native and jitlink and runtime:
    features.add("llvm-jitlink")
elif native:
    missing("llvm-jitlink or its ORC runtime is missing", "comparisons with it are skipped")

# Archives of real programs, native ones only: %libsqlite3 and so on, with a feature of that name.
libraries = {name: name + ".a" for name in ("libsqlite3", "liblua5.4", "libleveldb", "libsnappy", "libffi", "libpython3.11", "libjemalloc")}
for name, file in libraries.items() if native and gcc else ():
    path = subprocess.run([gcc, "-print-file-name=" + file], capture_output=True, text=True).stdout.strip()
    if os.path.isabs(path):
        features.add(name)
        config.substitutions.append(("%" + re.escape(name), os.path.realpath(path)))
    else:
        missing(f"{file} is missing", "a real program is not run")

target = "" if native else f" --target={triple}"
run = f"--run={emulator} " if emulator else ""
rjitlink = " ".join(rjitlink or ["rjitlink-is-missing"])
clang, clangxx = f"{clang}{target}", f"{clangxx}{target}"
support = os.path.join(suite, "support")
compare = f"'--link={clangxx}' '--rjitlink={rjitlink}' {run}"
config.substitutions += [
    ("%clangxx", clangxx),
    ("%clang", clang),
    ("%gxx", gxx or "g++-is-missing"),
    ("%gcc", gcc or "gcc-is-missing"),
    ("%rjitlink", rjitlink),
    ("%same", f"{sys.executable} {support}/same.py {compare}"),
    ("%matrix", f"{sys.executable} {support}/matrix.py {compare}"),
    ("%peer", f"{sys.executable} {support}/peer.py '--jitlink={jitlink}' '--orc-runtime={runtime}' '--rjitlink={rjitlink}'"),
    ("%jitlink", f"{jitlink} -orc-runtime={runtime}"),
    ("%inputs", os.path.join(repository, "Inputs")),
    ("%python", sys.executable),
    ("%{trad}", "-mtls-dialect=trad" if arch == "aarch64" else "-mtls-dialect=gnu"),
]
try:
    import psutil  # lit needs it to end a test and what it started

    lit_config.maxIndividualTestTime = 300
except ImportError:
    missing("Python's psutil is missing", "a test that hangs is not ended")
