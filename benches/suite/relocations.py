"""Relocations applied per second, eagerly, by rjitlink and llvm-jitlink on the same objects.

The rate is relocations over the time beyond that tool's own hello, so that a slow start is not counted as slow relocation. What bounds any linker is
copying the sections to where they run: their bytes over the same time, as a share of memcpy's speed on this machine, says how far from it rjitlink is.
"""

import os
import subprocess

import build
from measure import Case, Contender

FUNCTIONS, CALLS = 64, 64


def make_case(cases, quick):
    """Objects full of calls and pointers, and what is in them: the case, relocations, bytes of loaded sections."""
    builder = cases.builder
    count = 8 if quick else 128
    own = [f"f0000000_{k}" for k in range(FUNCTIONS)]
    both = own + [f"g0000000_{k}" for k in range(FUNCTIONS)]
    text = "".join(f"int {name}(int);\n" for name in both)
    text += "int (*const f0000000_table[])(int) = {" + ", ".join(both * (CALLS // 2)) + "};\n"
    for k, name in enumerate(own):
        calls = "".join(f"  n += {both[(k + 3 * call) % len(both)]}(n - 1);\n" for call in range(CALLS))
        # Nothing is called when the program runs: the answer for 0 is known.
        text += f"int {name}(int n) {{\n  if (n == 0)\n    return {k};\n{calls}  return n + f0000000_table[n & 63](0);\n}}\n"
    template = builder.compile_text(text, "relocations-template")
    objects = builder.copies(template, "relocations", count)
    main = builder.compile_text("int f0000000_0(int);\nint main(void) { return f0000000_0(0); }\n", "relocations-main")
    words = [main, *objects]
    applied, loaded = build.relocations(os.path.join(builder.folder, template))
    contenders = [Contender("rjitlink", [[builder.machine.own, *words]])]
    if builder.machine.jitlink:
        contenders.append(Contender("llvm-jitlink", [[builder.machine.jitlink, *words]]))
    program, expected = builder.linked_in_advance(words, "relocations.linked")
    contenders.append(Contender("linked program", [program]))
    title = f"{count} objects with {applied * count / 1e6:.2f} million relocations"
    return Case("relocations", title, contenders, expected), applied * count, loaded * count


def rates(case, hello, applied, loaded, builder):
    """Relocations and bytes per second of each tool, and memcpy's bytes per second."""
    done = subprocess.run([builder.tool("memcpy")], cwd=builder.folder, stdout=subprocess.PIPE, text=True, check=True)
    warm, fresh = (float(word) for word in done.stdout.split())
    found = {"relocations": applied, "bytes": loaded, "memcpy_bytes_per_s": warm, "memcpy_fresh_pages_bytes_per_s": fresh, "tools": {}}
    for contender in case.contenders:
        start = hello.contender(contender.name)
        if contender.median() and start and start.median() and contender.name != "linked program":
            seconds = contender.median() - start.median()
            if seconds > 0:
                found["tools"][contender.name] = {"relocations_per_s": applied / seconds, "bytes_per_s": loaded / seconds}
    return found
