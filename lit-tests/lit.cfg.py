# LLVM lit's configuration of the suite. One run covers one architecture and one object format: `lit -Darch=aarch64 lit-tests`,
# `lit -Dformat=macho lit-tests`; without -Darch and -Dformat the host's. Programs of another architecture than the host's run under
# user-mode qemu. Mach-O programs run on Linux too: they are compiled with the headers in Inputs/darwin/include, and %same compares
# lazy linking with eager linking there, as no other linker can link them.
#
# Substitutions
#   %clang %clangxx   LLVM's compilers, for the architecture under test
#   %gcc %gxx         GNU's (REQUIRES: gcc)
#   %darwin %darwinxx LLVM's compilers for Darwin on the architecture under test, with headers to run programs on this host
#   %rjitlink         the program under test, with the emulator before it if it needs one
#   %same             support/same.py: links natively and with rjitlink, runs both, compares; see there
#   %lazily           support/same.py: compares with eager linking by rjitlink
#   %matrix           support/matrix.py: the same for a list of compiler flags
#   %peer             support/peer.py: compares with llvm-jitlink (REQUIRES: llvm-jitlink)
#   %differential     support/differential.py: many command lines, with both (REQUIRES: llvm-jitlink)
#   %jitlink          llvm-jitlink with its ORC runtime (REQUIRES: llvm-jitlink)
#   %inputs %benches  the repository's folders of those names
#   %checked          support/checked.py: compares rules with llvm-jitlink, where it is installed, in a slab at %slab's address
#   %ranges           support/ranges.py: relocation types at the ends of their ranges
#   %slab             options that link to fixed addresses and run nothing
#   %python           Python
#   %runtime          the folder of the runtime's sources, in which %{arch} is part of file names
#   %{_}              what the format puts before C names
#   %{python-include} the folder with the headers of %libpython3
#   %{cxx-library}    loads this system's C++ library
#   %{apple-arch}     the architecture as Apple calls it
#   %{crt}            the folder with the C library's start files
#   %{trad}           the flag for calls of __tls_get_addr in the place of descriptors
#   %{desc}           the flag for descriptors
# FileCheck, not, split-file, llvm-ar and so on are called by name.
#
# Features
#   x86_64 | aarch64       the architecture under test      emulated      it runs under qemu
#   elf | macho            the format under test
#   linux | darwin         the host                         avx, avx512   the host's processor has it (x86_64 only)
#   gcc, lld, llvm-jitlink, static-linker                   those programs are there
#   gdb, perf-record                                        those programs are there and can watch the program under test
#   aarch64-helpers                                         the cross compiler's libgcc.a is there
#   rust                   a rustc with a standard library: %rustc, and where that is: %{rust-libs}
#   libsqlite3, liblua5.4, libleveldb, libsnappy, libffi, libpython3, libjemalloc   those archives are there; %libsqlite3 and so on are their paths

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

host_format = "macho" if sys.platform == "darwin" else "elf"
object_format = lit_config.params.get("format", host_format)
config.name = f"rjitlink-{arch}-{object_format}"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".c", ".cpp", ".s", ".test"]
config.excludes = ["support", "Inputs"]
config.test_source_root = suite
config.test_exec_root = os.path.join(repository, "target", "lit", f"{arch}-{object_format}")


def missing(what, consequence):
    """A program that is not there: no reason to fail for a user, but one for the project's own machines, which run Linux."""
    if in_ci and sys.platform.startswith("linux"):
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

if object_format not in (host_format, "macho"):
    lit_config.fatal(f"programs in the format {object_format} do not run on this system")
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

sdk = tools.apple_sdk() if host_format == "macho" else None
if sdk:
    config.environment["SDKROOT"] = sdk
elif host_format == "macho":
    missing("xcrun knows no SDK for macOS", "nothing can be compiled; install the command line tools with xcode-select --install")

features = config.available_features
features.update([arch, object_format, "linux" if sys.platform.startswith("linux") else sys.platform])
# Whether the suite's programs are compiled for another system than the one they run on.
crossed = object_format != host_format
if not native:
    features.add("emulated")
if native and arch == "x86_64":
    flags = tools.cpu_flags()
    features.update(name for name, flag in (("avx", "avx"), ("avx512", "avx512f")) if flag in flags)

if features.issuperset(["elf", "linux"]):
    if tools.may_change_root():
        features.add("chroot")
    else:
        missing("neither root nor a user namespace may change the root directory", "what happens without /proc is not tested")

gcc_prefix = "" if native else f"{arch}-linux-gnu-"
gcc, gxx = shutil.which(gcc_prefix + "gcc"), shutil.which(gcc_prefix + "g++")
if object_format == "macho":
    gcc = gxx = None
elif gcc and gxx:
    features.update(["gcc", "static-linker"])
else:
    missing(f"{gcc_prefix}gcc and g++ are missing", "tests of what they emit are skipped")

if glob.glob("/usr/lib/gcc-cross/aarch64-linux-gnu/*/libgcc.a"):
    features.add("aarch64-helpers")

if tools.find_llvm("ld.lld"):
    features.add("lld")
elif object_format == "elf":
    missing("ld.lld is missing", "a test of its partial links is skipped")

if native and shutil.which("gdb"):
    features.add("gdb")
elif native:
    missing("gdb is missing", "debugging is not tested")
if native and shutil.which("perf"):
    recorded = subprocess.run(["perf", "record", "-q", "-o", os.devnull, "true"], capture_output=True)
    if recorded.returncode == 0:
        features.add("perf-record")
    else:
        lit_config.note("this system does not permit perf to record: what perf makes of a jitdump is not tested")
elif native:
    missing("perf is missing", "what perf makes of a jitdump is not tested")

jitlink, why_not = tools.find_peer()
runtime = tools.orc_runtime(jitlink, arch) if jitlink else None
if native and jitlink and object_format == "elf":
    features.add("llvm-jitlink")
elif native and object_format == "elf":
    missing(why_not, "comparisons with it are skipped")

# Archives of real programs, native ones only: %libsqlite3 and so on, with a feature of that name.
archives = ("libsqlite3", "liblua5.4", "libleveldb", "libsnappy", "libffi", "libjemalloc")
libraries = {name: tools.archive(gcc, name + ".a") for name in archives} if native and gcc else {}
if libraries:
    libraries["libpython3"] = tools.python_archive(gcc)
for name, path in libraries.items():
    if path:
        features.add(name)
        config.substitutions.append(("%" + re.escape(name), path))
    else:
        missing(f"no {name}.a that programs can be linked with", "a real program is not run")
if libraries.get("libpython3"):
    version = re.search(r"lib(python3\.[0-9]+)\.a$", libraries["libpython3"]).group(1)
    config.substitutions.append(("%{python-include}", "/usr/include/" + version))

include = os.path.join(repository, "Inputs", "darwin", "include")
apple = "arm64" if arch == "aarch64" else arch
darwin = f" --target={apple}-apple-macos13"
if host_format == "elf":
    # No assembler warnings about a version of the SDK that is not there.
    darwin += f" -nostdlibinc -isystem {include}"
darwin, darwinxx = f"{clang}{darwin}", f"{clangxx}{darwin}"
rustc, rust_libs = tools.rustc(arch)
if rustc:
    features.add("rust")
    config.substitutions += [("%rustc", rustc), ("%{rust-libs}", rust_libs)]
else:
    missing(f"no rustc has a standard library for {arch}", "a Rust program is not run")

target = "" if native else f" --target={triple}"
run = f"--run={emulator} " if emulator else ""
rjitlink = " ".join(rjitlink or ["rjitlink-is-missing"])
clang, clangxx = (darwin, darwinxx) if crossed else (f"{clang}{target}", f"{clangxx}{target}")
support = os.path.join(suite, "support")
link = "" if crossed else clangxx
checker = jitlink if "llvm-jitlink" in features else ""
compare = f"'--link={link}' '--rjitlink={rjitlink}' {run}"
config.substitutions += [
    ("%darwinxx", darwinxx),
    ("%darwin", darwin),
    ("%clangxx", clangxx),
    ("%clang", clang),
    ("%gxx", gxx or "g++-is-missing"),
    ("%gcc", gcc or "gcc-is-missing"),
    ("%rjitlink", rjitlink),
    ("%lazily", f"{sys.executable} {support}/same.py --link= '--rjitlink={rjitlink}'"),
    ("%same", f"{sys.executable} {support}/same.py {compare}"),
    ("%matrix", f"{sys.executable} {support}/matrix.py {compare}"),
    ("%peer", f"{sys.executable} {support}/peer.py '--jitlink={jitlink}' '--orc-runtime={runtime}' '--rjitlink={rjitlink}'"),
    (
        "%differential",
        f"{sys.executable} {support}/differential.py '--jitlink={jitlink}' '--orc-runtime={runtime}' '--rjitlink={rjitlink}'"
        f" '--clang={clang}' '--ar={tools.find_llvm('llvm-ar')}'",
    ),
    ("%ranges", f"{sys.executable} {support}/ranges.py '--rjitlink={rjitlink}' '--jitlink={checker}'"),
    ("%checked", f"{sys.executable} {support}/checked.py '--rjitlink={rjitlink}' '--jitlink={checker}'"),
    ("%slab", "-noexec -slab-allocate=64Mb -slab-address=0x200000000 -slab-page-size=4096"),
    ("%jitlink", f"{jitlink} -orc-runtime={runtime}"),
    ("%inputs", os.path.join(repository, "Inputs")),
    ("%benches", os.path.join(repository, "benches")),
    ("%python", sys.executable),
    ("%{apple-arch}", apple),
    ("%{arch}", arch.replace("x86_64", "x86-64")),
    ("%runtime", os.path.join(repository, "src", "rt", "orc")),
    ("%{_}", "_" if object_format == "macho" else ""),
    ("%{cxx-library}", "-preload=libstdc++.so.6 -preload=libgcc_s.so.1" if host_format == "elf" else "-preload=/usr/lib/libc++.1.dylib"),
    ("%{crt}", os.path.dirname(tools.start_files(clang))),
    ("%{trad}", "-mtls-dialect=trad" if arch == "aarch64" else "-mtls-dialect=gnu"),
    ("%{desc}", "-mtls-dialect=desc" if arch == "aarch64" else "-mtls-dialect=gnu2"),
]
try:
    import psutil  # lit needs it to end a test and what it started

    try:
        lit_config.maxIndividualTestTime = 300
    except AttributeError:  # lit of LLVM 23 and later, where a suite has a limit of its own
        config.maxIndividualTestTime = 300
except ImportError:
    missing("Python's psutil is missing", "a test that hangs is not ended")
