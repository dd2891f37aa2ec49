"""Do rjitlink and llvm-jitlink answer the same command lines alike?

    differential.py --jitlink=PATH --orc-runtime=PATH --rjitlink=COMMAND --clang=COMMAND --ar=COMMAND --work=DIR

Makes small objects for both architectures and both formats, runs every line of the table below with both tools, and compares exit
status and stdout. Objects of the host's architecture in its format are also run, all others linked with -noexec. What differs on
purpose is taken out of the output (`normal`), each with its reason; llvm-jitlink's order changes from run to run, so lines are
compared as sets.

A line of the table is what the tools get; ~ stands for what the format puts before C names, TRIPLE for the target's, OUT for a file
the line writes, which is then compared too. Lines under RUN are for the host only, those that begin with an
architecture or a format for that one (newer LLVM relaxes GOT accesses on aarch64 as rjitlink does, 22 does not; of Mach-O, JITLink
keeps compact unwind records, which are call frames here). Lines under CONTENTS are compared byte for byte; llvm-jitlink
22 never ends when two symbols of a section overlap, which is skipped.
"""

import os
import re
import shlex
import resource
import signal
import subprocess
import sys
import tempfile
from collections import Counter

SLAB = "-noexec -slab-allocate=1Mb -slab-address=0x10000000 -slab-page-size=4096"

SOURCES = {
    "main.c": "int foo(void); extern int x; int main(void) { return foo() - x; }",
    "foo.c": "int x = 40; int foo(void) { return x + 2; }",
    "foo2.c": "int foo(void) { return 2; }",
    "bar.c": "int bar(void) { return 3; }",
    "pure.c": "int main(void) { return 9; }",
    "weak.c": "__attribute__((weak)) int foo(void) { return 1; } __attribute__((weak)) int x = 5;",
    "hidden.c": "__attribute__((visibility(\"hidden\"))) int foo(void) { return 4; } int x = 1; int *px(void) { return &x; }",
    "puts.c": "int puts(const char *); int main(void) { puts(\"hello\"); return 3; }",
    "data.s": ".data\n.globl ~d\n.p2align 3\n~d:\n.quad ~e\n.quad ~d+8\n.globl ~e\n~e:\n.long 7\n.text\n.globl ~main\n~main:\n.long 0\nSUBSECTIONS\n",
    "blob.c": "extern char blob[]; int main(void) { return blob[1]; }",
    "common1.c": "int shared[4]; int get(void); int main(void) { shared[1] = 6; return get(); }",
    "common2.c": "extern int shared[4]; int get(void) { return shared[1]; }",
    "tested.c": "static int inner(void) { return 1; } int (*table)(void) = inner; int helper(void) { return 2; }"
    " int outer(void) { return helper() + 10 * table(); } int main(void) { return 99; }",
    "harness.c": "int outer(void); int helper(void) { return 7; } int main(void) { return outer(); }",
    "override.c": "void llvm_jitlink_setTestResultOverride(long); int main(void) { llvm_jitlink_setTestResultOverride(300); return 1; }",
    "two.c": "int from_a(void); int same(void) { return 1; } int main(void) { return 10 * from_a() + same(); }",
    "a.c": "int same(void) { return 2; } int from_a(void) { return same(); }",
    "user.c": "extern int x; int main(void) { return x; }",
    "x.c": "int x = 6;",
    "framed.c": "int one(int); int two(int x) { return one(x) / 3; } int one(int x) { return x * 5; } int main(void) { return two(6); }",
    "args.c": "int main(int argc, char **argv) { return argv[argc] ? 1 : argv[argc - 1][0]; }",
    "self.s": ".text\n.globl ~main\n~main:\nleaq ~main(%rip), %rax\nleaq ~main+7(%rip), %rax\nretq\nSUBSECTIONS\n",
    "optional.c": "__attribute__((weak)) int maybe(void); int main(void) { return maybe ? maybe() : 8; }",
}

FILES = {
    "blob.txt": "Z!**",
    "text.o": "no object\n",
    "lib.tbd": "--- !tapi-tbd\ntbd-version: 4\ntargets: [ x86_64-macos, arm64-macos ]\ninstall-name: F\nexports:\n"
    "  - targets: [ x86_64-macos, arm64-macos ]\n    symbols: [ _bar ]\n...\n",
    "damaged.tbd": "--- !tapi-tbd\n",
    "bt.txt": "#0 0x1000\n#1 main 1004\nno address here\n0x1000\n#2 0x2345 \n#3 0xfff\n",
    "good.rules": "# jitlink-check: *{4}~x = 40\n# jitlink-check: ~foo & 0 = 0\n# other: (~main - ~main) = 0\n",
    "bad.rules": "# jitlink-check: *{4}~x = 41\n# other: *{4}~x = 40\n",
    "wrong.rules": "# jitlink-check: *{4}~x 40\n# jitlink-check: nosuch = 1\n",
    "words.rsp": "-show-linked-files\n\"main.o\" 'foo.o'",
    "nested.rsp": "@words.rsp -num-threads 0",
    "endless.rsp": "@endless.rsp",
    "arguments.rsp": "-args 'two words' x",
    "order.txt": "main, main, foo\n",
    "table.txt": "\"a.o\"\n0x1000 main\n0x2000 twice named\n",
}

# Exit status and stdout of all, linked for each architecture and format.
LINK = """
main.o foo.o
-show-linked-files main.o foo.o
--show-linked-files --noexec=true main.o foo.o
-show-linked-files main.o libf.a
-show-linked-files main.o -L. -lf
-show-linked-files -all_load main.o libf.a
-show-linked-files -all_load main.o foo.o libf.a
main.o -lf
main.o -Lnothere -lf
main.o
main.o foo.o foo2.o
-show-err-failed-to-materialize main.o foo.o
main.o weak.o
main.o weak.o foo.o
main.o foo.o weak.o
main.o hidden.o
main.o -lA -jd=A hidden.o
optional.o
common1.o common2.o
-abs ~foo=0x1000 -abs ~x=0x1000 -slab-allocate=1Mb -slab-address=0x10000 -slab-page-size=4096 main.o
-abs ~foo main.o foo.o
-abs ~foo=zz main.o foo.o
-abs ~main=4 main.o foo.o
-abs ~foo=1 -abs ~foo=2 main.o
-alias=~other=~main -entry=~other main.o foo.o
-alias ~foo=~bar -alias ~x=~d -abs ~d=0x10 -slab-allocate=1Mb -slab-address=0x10000 -slab-page-size=4096 main.o bar.o
-alias ~foo main.o foo.o
-alias ~foo= main.o foo.o
-alias ~a=NOJD:~b main.o foo.o
main.o -alias ~foo=A:~foo -alias ~x=A:~x -jd=A foo.o
main.o -alias ~foo=A:~foo -alias ~x=A:~x -jd=A hidden.o
main.o -lA -jd=A foo.o
main.o -jd=A foo.o
main.o -lA -jd A -lB -jd B foo.o
-jd=A main.o foo.o
two.o -lA -jd=A a.o
main.o -lA -jd=A -load_hidden=libf.a
main.o -load_hidden=libf.a
main.o -L. -hidden-lf
main.o -hidden-lf
-entry=~foo foo.o
-entry=~nosuch main.o foo.o
-entry
-no-process-syms puts.o
-no-process-syms pure.o
-phony-externals -slab-allocate=1Mb -slab-address=0x10000 -slab-page-size=4096 main.o
tested.o -harness harness.o
-show-linked-files tested.o -harness harness.o
tested.o -harness libf.a
main.o -lazy foo.o -harness harness.o
-sectcreate=__data,blob.txt@~blob=0 blob.o
-sectcreate=__data,blob.txt@~blob=zz blob.o
-sectcreate=__data blob.o
-sectcreate=__data,nosuch.txt@~blob=0 blob.o
-weak_library=lib.tbd main.o foo.o
-weak_library=damaged.tbd main.o foo.o
-alias=~foo=~bar -weak_library=lib.tbd main.o
-slab-address=0x1000 pure.o
-slab-page-size=4096 pure.o
-slab-allocate=abc pure.o
-noexec=yes pure.o
-num-threads=abc pure.o
-num-threads=0 main.o foo.o
-use-memmgr=foo pure.o
-use-memmgr=generic pure.o
-bogus pure.o
-args=x pure.o
nosuch.o
.
text.o
-preload=/nosuch.so pure.o
-orc-runtime=/nosuch.a pure.o
-orc-runtime=pure.o pure.o
-triple=x86_64-unknown-linux-gnu nosuch.o
-write-symtab=/nosuch/dir/file pure.o
-symbolicate-with=nosuch.txt bt.txt
-check=good.rules main.o foo.o
-check=bad.rules main.o foo.o
-check=wrong.rules main.o foo.o
-check=bad.rules -check-name=other main.o foo.o
-check=good.rules -check-name=other main.o foo.o
-check=good.rules -check-name=nothing main.o foo.o
-check=nosuch.rules main.o foo.o
@words.rsp
@nested.rsp
main.o @nosuch.rsp
@endless.rsp
main.o foo.o @arguments.rsp
-entry @nosuch.rsp main.o foo.o
main.o foo.o -args x -y
main.o foo.o -args -- -args --
-ObjC main.o foo.o
-show-linked-files -ObjC main.o libf.a
-color main.o foo.o
-color=0 main.o
-debugger-support main.o foo.o
-debugger-support=false main.o foo.o
-perf-support main.o foo.o
-perf-support=false main.o
-vtune-support pure.o
-vtune-support=false main.o foo.o
-phony-externals pure.o
-phony-externals -show-linked-files main.o foo.o
-preload=libm.so.6 main.o foo.o
-search-sys-lib main.o foo.o
-search-sys-lib main.o -lnosuchlibrary
-show-err-failed-to-materialize -no-process-syms puts.o
-triple=TRIPLE main.o foo.o
-triple TRIPLE -show-linked-files main.o libf.a
-weak-lnosuchlibrary main.o foo.o
main.o foo.o -weak-l nosuchlibrary
-speculate=none main.o foo.o
-speculate=often main.o foo.o
-record-lazy-execs=OUT main.o foo.o
-noexec=false -noexec main.o foo.o
-load_hidden=nosuch.a main.o foo.o
-hidden-lnosuch main.o foo.o
-L. -L nosuch -l f main.o
-all_load main.o -jd=A libf.a
-use-memmgr=default main.o foo.o
-print-options main.o foo.o -nosuch
"""

# The same with what is printed about the linked code, in a slab.
SHOW = """
-show-addrs user.o x.o
-show-addrs data.o
-show-init-es main.o foo.o
-show-init-es main.o -lA -jd=A foo.o
-show-entry-es main.o foo.o
-show-entry-es common1.o common2.o
-show-entry-es main.o weak.o
-show-graphs=. data.o
-show-graphs=nothing data.o
x86_64: -show-graphs=user user.o x.o
-show-graphs=x.o user.o x.o
-write-symtab=OUT main.o foo.o
-write-symtab=OUT data.o
elf: -show-graphs=. framed.o
elf: -show-addrs framed.o
elf: -write-symtab=OUT framed.o
-show-init-es framed.o foo.o
elf: -add-self-relocations=false -show-graphs=. framed.o
x86_64: -add-self-relocations -show-graphs=. self.o
-show-err-failed-to-materialize -show-entry-es framed.o
-symbolicate-with=table.txt bt.txt
"""

CONTENTS = """
-show-relocated-section-contents data.o
-show-relocated-section-contents -entry=~bar bar.o
-show-relocated-section-contents pure.o
-show-relocated-section-contents -entry=~foo foo.o
x86_64: -add-self-relocations -show-relocated-section-contents self.o
x86_64: -show-relocated-section-contents self.o
x86_64: -show-relocated-section-contents user.o x.o
x86_64: -show-relocated-section-contents common1.o common2.o
"""

RUN = """
main.o foo.o
main.o libf.a
main.o weak.o
main.o weak.o foo.o
main.o foo.o weak.o
main.o hidden.o
puts.o
override.o
-entry=foo foo.o
common1.o common2.o
common2.o common1.o
optional.o
two.o -lA -jd=A a.o
main.o -alias foo=A:foo -alias x=A:x -jd=A foo.o
tested.o -harness harness.o
-num-threads=0 main.o foo.o
-no-process-syms pure.o
-debugger-support=false pure.o
-sectcreate=__data,blob.txt@blob=0 blob.o
-debugger-support main.o foo.o
-perf-support main.o foo.o
-vtune-support pure.o
-preload=libm.so.6 -search-sys-lib main.o foo.o
-phony-externals pure.o
-check=good.rules main.o foo.o
-check=bad.rules main.o foo.o
-all_load main.o libf.a
-ObjC main.o libf.a
-abs maybe=0x10 pure.o
-use-memmgr=default main.o foo.o
args.o -args a b
args.o -args b -- a
args.o @arguments.rsp
main.o -load_hidden=libf.a
main.o -L. -hidden-lf
"""

RUN_WITH_RUNTIME = """
main.o -lazy foo.o
-lazy main.o -lazy foo.o
main.o -lazy libf.a
main.o -lA -jd=A -lazy foo.o
two.o -lA -jd=A -lazy a.o
main.o -alias foo=A:foo -alias x=A:x -jd=A -lazy foo.o
-alias other=main -entry=other main.o -lazy foo.o
main.o -lazy foo.o -jd=A -alias again=main:foo
-lazy pure.o
main.o -lazy=false foo.o
-speculate=none main.o -lazy foo.o
-speculate=simple main.o -lazy foo.o
-speculate=simple -speculate-order=order.txt main.o -lazy foo.o
-speculate-order=nosuch.txt -speculate=simple main.o -lazy foo.o
-debugger-support main.o -lazy foo.o
-perf-support main.o -lazy foo.o
framed.o
args.o -args a b
"""

FLAGS = ["-O1", "-fno-builtin", "-fno-exceptions"]
# Records of unwinding give sections a second symbol: see CONTENTS.
UNFRAMED = ["-fno-asynchronous-unwind-tables", "-fno-unwind-tables"]
FRAMED = ["-fasynchronous-unwind-tables"]

TARGETS = {
    ("x86_64", "elf"): "x86_64-linux-gnu",
    ("aarch64", "elf"): "aarch64-linux-gnu",
    ("x86_64", "macho"): "x86_64-apple-macos13",
    ("aarch64", "macho"): "arm64-apple-macos13",
}

def normal(line):
    """The line without what differs on purpose; None if all of it does."""
    # Places in the tools' own memory.
    line = re.sub(r"content: 0x[0-9a-f]+ -- 0x[0-9a-f]+", "content", line)
    line = re.sub(r"ES: 0x[0-9a-f]+", "ES", line)
    line = re.sub(r"Materializer 0x[0-9a-f]+", "Materializer", line)
    # Symbols that only JITLink's own graphs have.
    if "__jitlink_ELF_SYM_UND_0" in line or "_GLOBAL_OFFSET_TABLE_" in line:
        return None
    # JITLink has symbols for records of unwinding that nothing refers to, and for sections.
    if "<anonymous symbol>" in line or "no symbols" in line or "symbols:" in line:
        return None
    # Of absolute symbols there may be none without that one.
    if line.strip() == "none":
        return None
    # What relaxation makes of a GOT access has kinds of its own.
    line = line.replace("PCRel32GOTLoadRelaxedToLEA", "Delta32")
    return line.rstrip() or None


def sections(text):
    """Contents by graph, in order of names: the sections with content in order, the empty ones in none."""
    graphs = []
    for graph in sorted(re.split(r"^(?=Relocated section contents for )", text, flags=re.M)):
        parts = re.split(r"^(?=\S+ content:$)", graph, flags=re.M)
        full = [part for part in parts if "section empty" not in part]
        graphs.append("".join(full + sorted(part for part in parts if "section empty" in part)))
    return graphs


# Bytes that no command line needs.
MOST_OUTPUT = 1 << 20


class Tools:
    def __init__(self, given):
        self.given = {key: shlex.split(value) for key, value in given.items()}
        self.work = given["work"]
        self.failures, self.count = [], 0

    def run(self, command, folder, most_output=None):
        out = os.path.join(folder, "OUT")
        if os.path.exists(out):
            os.remove(out)
        with tempfile.TemporaryFile("w+", errors="replace") as stdout:
            # What never ends, ends here: with SIGXFSZ.
            limit = lambda: most_output and resource.setrlimit(resource.RLIMIT_FSIZE, (most_output, most_output))
            done = subprocess.run(
                command,
                cwd=folder,
                stdout=stdout,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                preexec_fn=limit,
                timeout=120,
                env={**os.environ, "JITDUMPDIR": folder},
            )
            stdout.seek(0)
            written = open(out).read() if os.path.exists(out) else ""
            return done.returncode, stdout.read() + written, done.stderr

    def compare(self, folder, line, peer_words, own_words, view):
        peer = self.run(self.given["jitlink"] + peer_words, folder, MOST_OUTPUT)
        own = self.run(self.given["rjitlink"] + own_words, folder)
        self.count += 1
        if peer[0] == -signal.SIGXFSZ:
            print(f"SKIPPED: llvm-jitlink never ends: {line}")
            return
        expected, found = (peer[0], view(peer[1])), (own[0], view(own[1]))
        if expected != found:
            self.failures.append(line)
            print(f"--- {os.path.basename(folder)}: {line}")
            for title, result, raw in (("llvm-jitlink", expected, peer), ("rjitlink", found, own)):
                print(f"{title}: status {result[0]}", raw[2].strip(), sep="\n")
            if expected[1] != found[1] and isinstance(expected[1], list):
                for title, more, less in (("llvm-jitlink", *(expected[1], found[1])), ("rjitlink", *(found[1], expected[1]))):
                    for text in (Counter(more) - Counter(less)).elements():
                        print(f"  only {title}: {text}")
            elif expected[1] != found[1]:
                print("llvm-jitlink:", expected[1], "rjitlink:", found[1], sep="\n")
        elif own[0] and "panicked" in own[2]:
            self.failures.append(line)
            print(f"--- {line}", own[2], sep="\n")

    def build(self, arch, form):
        folder = os.path.join(self.work, f"{arch}-{form}")
        os.makedirs(folder, exist_ok=True)
        prefix = "_" if form == "macho" else ""
        for name, text in {**SOURCES, **FILES}.items():
            with open(os.path.join(folder, name), "w") as file:
                # In a Mach-O file as compilers make it, symbols part sections.
                text = text.replace("SUBSECTIONS", ".subsections_via_symbols" if form == "macho" else "")
                file.write(text.replace("~", prefix) if name.endswith((".s", ".rules")) else text)
        for name in SOURCES:
            if name == "self.s" and arch != "x86_64":
                continue
            frames = FRAMED if name == "framed.c" else UNFRAMED
            flags = FLAGS + frames if name.endswith(".c") else []
            command = self.given["clang"] + [f"--target={TARGETS[arch, form]}", *flags, "-c", name]
            subprocess.run(command, cwd=folder, check=True)
        subprocess.run(self.given["ar"] + ["rcs", "libf.a", "bar.o", "foo.o"], cwd=folder, check=True)
        return folder, prefix


def lines(text):
    return sorted(filter(None, map(normal, text.splitlines())))


def table(text, arch, form, prefix):
    for line in filter(None, text.splitlines()):
        words = [word.replace("~", prefix).replace("TRIPLE", TARGETS[arch, form]) for word in line.split()]
        if words[0].endswith(":"):
            if words.pop(0) not in (arch + ":", form + ":"):
                continue
        yield line, words


def main():
    tools = Tools(dict(word[2:].split("=", 1) for word in sys.argv[1:]))
    host = os.uname().machine
    for arch, form in TARGETS:
        folder, prefix = tools.build(arch, form)
        probe = tools.run(tools.given["rjitlink"] + ["-noexec", "pure.o"], folder)
        if probe[0] and "cannot be linked yet" in probe[2]:
            print(f"SKIPPED: {arch} {form}, which rjitlink does not link yet")
            continue
        own = ["-no-orc-runtime"]
        for line, words in table(LINK, arch, form, prefix):
            # An -orc-runtime that is given is not taken back.
            no_runtime = [] if any(word.startswith("-orc-runtime") for word in words) else own
            tools.compare(folder, line, ["-noexec"] + words, ["-noexec"] + no_runtime + words, lines)
        for line, words in table(SHOW, arch, form, prefix):
            tools.compare(folder, line, SLAB.split() + words, SLAB.split() + own + words, lines)
        for line, words in table(CONTENTS, arch, form, prefix):
            tools.compare(folder, line, SLAB.split() + words, SLAB.split() + own + words, sections)
        if (arch, form) == (host, "elf"):
            runtime = ["-orc-runtime=" + tools.given["orc-runtime"][0]]
            for line, words in table(RUN, arch, form, prefix):
                tools.compare(folder, line, words, words, lines)
            for line, words in table(RUN_WITH_RUNTIME, arch, form, prefix):
                tools.compare(folder, line, runtime + words, words, lines)
    print(f"{tools.count} command lines, {len(tools.failures)} differ")
    sys.exit(1 if tools.failures else 0)


if __name__ == "__main__":
    main()
