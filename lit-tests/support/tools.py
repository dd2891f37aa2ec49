"""Finds the programs the tests need, and says which are missing.

The LLVM that the project is compared with comes first, then the newest: /usr/lib/llvm-N (Debian, Ubuntu), Homebrew, then PATH.
LLVM_BIN=<folder> comes before all of them.
"""

import glob
import os
import platform
import re
import shutil
import subprocess
import sys


def peer_version():
    """The major version of the LLVM that the project is compared with, which is the one that makes the runtime archives."""
    script = os.path.join(os.path.dirname(__file__), "..", "..", "src", "rt", "orc", "build")
    with open(script) as text:
        return int(re.search(r"^version=(\d+)\.", text.read(), re.MULTILINE).group(1))


def llvm_folders():
    """Folders with LLVM programs, the preferred one first."""
    folders = []
    if os.environ.get("LLVM_BIN"):
        folders.append(os.environ["LLVM_BIN"])
    numbered = glob.glob("/usr/lib/llvm-*/bin")
    version = lambda path: int(re.search(r"llvm-(\d+)", path).group(1))
    folders += sorted(numbered, key=lambda path: (version(path) != peer_version(), -version(path)))
    folders += ["/opt/homebrew/opt/llvm/bin", "/usr/local/opt/llvm/bin"]
    return [folder for folder in folders if os.path.isdir(folder)]


def find_llvm(name):
    """The path of an LLVM program, or None."""
    for folder in llvm_folders():
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    return shutil.which(name)


def find_peer():
    """The path of llvm-jitlink, and why it cannot be compared with; one of them is None."""
    path = find_llvm("llvm-jitlink")
    if not path:
        return None, "llvm-jitlink is missing"
    said = subprocess.run([path, "--version"], stdout=subprocess.PIPE, text=True).stdout
    found = re.search(r"version (\d+)", said)
    if not found or int(found.group(1)) != peer_version():
        return None, f"llvm-jitlink is not that of LLVM {peer_version()}"
    return (path, None) if orc_runtime(path, host_arch()) else (None, "the ORC runtime of llvm-jitlink is missing")


def host_arch():
    """The host's processor as the tests call it."""
    return {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine())


def cpu_flags():
    """What the host's processor can do, as /proc/cpuinfo says it; empty elsewhere."""
    try:
        with open("/proc/cpuinfo") as info:
            match = re.search(r"^(?:flags|Features)\s*:(.*)$", info.read(), re.MULTILINE)
            return set(match.group(1).split()) if match else set()
    except OSError:
        return set()


def rjitlink(repository, arch):
    """The command that runs rjitlink for programs of `arch`, as a list, or (None, why not)."""
    native = arch == host_arch()
    given = os.environ.get("RJITLINK" if native else "RJITLINK_" + arch.upper())
    triple = "" if native else arch + "-unknown-linux-gnu"
    # A machine's own way of keeping build output elsewhere counts here too.
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(repository, "target"))
    candidates = [given] if given else [os.path.join(target, triple, kind, "rjitlink") for kind in ("release", "debug")]
    for path in candidates:
        if os.access(path, os.X_OK):
            if native:
                return [path], None
            emulator = emulator_for(arch)
            return ([emulator, path], None) if emulator else (None, f"no qemu-{arch} to run {path} with")
    return None, "no rjitlink: build it, or name it in the environment (looked for " + ", ".join(candidates) + ")"


def emulator_for(arch):
    """The user-mode emulator for programs of `arch`, or None."""
    return shutil.which(f"qemu-{arch}-static") or shutil.which(f"qemu-{arch}")


def may_change_root():
    """Whether a program may call chroot, if need be in a user namespace of its own, as others than root must."""
    change = [sys.executable, "-c", "import os; os.chroot('/')"]
    as_others = [shutil.which("unshare") or "unshare", "--user", *change]
    return any(subprocess.run(command, capture_output=True).returncode == 0 for command in (change, as_others) if shutil.which(command[0]))


def orc_runtime(clang, arch):
    """The ORC runtime archive of LLVM for `arch`, or None."""
    library = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(clang))), "lib", "clang")
    found = glob.glob(os.path.join(library, "*", "lib", "*", f"liborc_rt-{arch}.a"))
    found += glob.glob(os.path.join(library, "*", "lib", f"{arch}*", "liborc_rt.a"))
    return found[0] if found else None


def rustc(arch):
    """A rustc that has a standard library for `arch`, as a command, and the folder with that; (None, None) if there is none."""
    target = f"{arch}-unknown-linux-gnu"
    for program in filter(None, (shutil.which("rustc"), shutil.which("rustc", path="/usr/bin"))):
        command = [program, "--target", target, "--print", "target-libdir"]
        folder = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()
        if glob.glob(os.path.join(folder, "libstd-*.rlib")):
            return f"{program} --target {target}", folder
    return None, None


def apple_sdk():
    """The folder of Apple's headers and library stubs, which compilers of LLVM do not find by themselves; None if there is none."""
    if os.environ.get("SDKROOT"):
        return os.environ["SDKROOT"]
    try:
        found = subprocess.run(["xcrun", "--sdk", "macosx", "--show-sdk-path"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    except OSError:
        return None
    return found.stdout.strip() or None


def archive(gcc, name):
    """The path of the archive `name`, by what gcc says; None if it knows none."""
    path = subprocess.run([gcc, "-print-file-name=" + name], stdout=subprocess.PIPE, text=True).stdout.strip()
    return os.path.realpath(path) if os.path.isabs(path) else None


def python_archive(gcc):
    """The archive of the newest CPython that a program can be linked with, or None: that of Debian 13 refers to what it lacks."""
    program = "void Py_Initialize(void); int main(void) { Py_Initialize(); }"
    for minor in range(30, 6, -1):
        path = archive(gcc, f"libpython3.{minor}.a")
        command = [gcc, "-no-pie", "-x", "c", "-", "-x", "none", path, "-lexpat", "-lz", "-lm", "-ldl", "-o", os.devnull]
        if path and subprocess.run(command, input=program, stderr=subprocess.DEVNULL, text=True).returncode == 0:
            return path
    return None


def start_files(compiler):
    """The path of crti.o, by what `compiler`, a command, says."""
    try:
        found = subprocess.run(compiler.split() + ["-print-file-name=crti.o"], stdout=subprocess.PIPE, text=True)
    except OSError:
        return "crti.o-is-missing"
    return os.path.realpath(found.stdout.strip())
