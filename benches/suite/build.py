"""Makes the inputs: compiles, generates objects in numbers, and has programs linked in advance."""

import os
import shlex
import struct
import subprocess

import machine


class Builder:
    """Builds into one folder; all names it answers are relative to it."""

    def __init__(self, machine_, folder):
        self.machine = machine_
        self.folder = folder

    def source(self, name):
        """The path of one of the suite's programs."""
        return os.path.join(machine.programs, name)

    def compile(self, source, *flags, name=None):
        """Compiles one of the suite's programs, or the path of another source; answers the object's name."""
        path = self.source(source)
        plus = source.endswith(".cpp")
        name = name or os.path.splitext(os.path.basename(source))[0] + ".o"
        compiler = self.machine.cxx if plus else self.machine.cc
        subprocess.run([*compiler, "-O1", *flags, "-c", path, "-o", name], cwd=self.folder, check=True)
        return name

    def tool(self, name, *flags):
        """Builds one of the suite's programs that measures the machine; answers what runs it."""
        subprocess.run([*self.machine.cc, "-O2", *flags, self.source(name + ".c"), "-o", name], cwd=self.folder, check=True)
        return "./" + name

    def compile_text(self, text, name, *flags):
        """Compiles C source text to `name`.o."""
        with open(os.path.join(self.folder, name + ".c"), "w") as file:
            file.write(text)
        return self.compile(os.path.join(self.folder, name + ".c"), *flags, name=name + ".o")

    def copies(self, template, name, count):
        """Writes `count` objects to folder `name` that differ from the object `template` in the numbers of their symbols only.

        In object n, `f0000000` becomes `f` with n in seven digits, and `g0000000` the same with the number of the object after it; after the last comes
        the first. Compiling one and rewriting its string table makes twenty thousand objects in a second.
        """
        os.makedirs(os.path.join(self.folder, name), exist_ok=True)
        with open(os.path.join(self.folder, template), "rb") as file:
            bytes_ = file.read()
        names = []
        for number in range(count):
            after = (number + 1) % count
            object_ = bytes_.replace(b"f0000000", b"f%07d" % number).replace(b"g0000000", b"f%07d" % after)
            names.append(f"{name}/{number}.o")
            with open(os.path.join(self.folder, names[-1]), "wb") as file:
                file.write(object_)
        return names

    def archive(self, library):
        """The path of a static library of the compiler's, or None."""
        done = subprocess.run([*self.machine.cc, f"-print-file-name={library}"], stdout=subprocess.PIPE, text=True, check=True)
        path = os.path.realpath(done.stdout.strip())
        return path if os.path.isabs(done.stdout.strip()) and os.path.exists(path) else None

    def link_words(self, words, output, plus=False):
        """The command line that the compiler would give its linker, without the linker and without plug-ins for link-time optimization.

        Position-dependent programs start faster, so they are what the peers make.
        """
        driver = self.machine.cxx if plus else self.machine.cc
        done = subprocess.run([*driver, "-no-pie", "-###", *words, "-o", output], cwd=self.folder, stderr=subprocess.PIPE, text=True, check=True)
        line = next(line for line in reversed(done.stderr.splitlines()) if "collect2" in line or "/ld" in line)
        linked, skip = [], False
        for word in shlex.split(line)[1:]:
            if not skip and word != "-plugin" and not word.startswith("-plugin-opt"):
                linked.append(word)
            skip = word == "-plugin"
        return linked

    def linked_in_advance(self, words, output, arguments=(), plus=False):
        """Links a program with the system's own linker and runs it once: its command, and its output and status."""
        driver = self.machine.cxx if plus else self.machine.cc
        subprocess.run([*driver, "-no-pie", *words, "-o", output], cwd=self.folder, check=True)
        command = [os.path.join(self.folder, output), *arguments]
        done = subprocess.run(command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return command, (done.stdout, done.returncode)


def relocations(path):
    """Of a 64-bit little-endian ELF object: the number of relocations in sections that are loaded, and those sections' bytes."""
    with open(path, "rb") as file:
        data = file.read()
    start = struct.unpack_from("<Q", data, 0x28)[0]
    size, count = struct.unpack_from("<HH", data, 0x3A)
    # Name, type, flags, address, offset, size, link, info, alignment, entry size.
    headers = [struct.unpack_from("<IIQQQQIIQQ", data, start + size * index) for index in range(count)]
    rela, allocated, no_bits = 4, 2, 8
    loaded = [header for header in headers if header[2] & allocated]
    applied = [header for header in headers if header[1] == rela and headers[header[7]][2] & allocated]
    return sum(header[5] // 24 for header in applied), sum(header[5] for header in loaded if header[1] != no_bits)
