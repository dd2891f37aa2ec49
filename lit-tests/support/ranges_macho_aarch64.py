"""Relocation types of arm64 Mach-O and their ranges (mach-o/arm64/reloc.h); see ranges.py.

Addends are relocations of their own with 24 bits: the target's address moves.
"""

from ranges import Row
from ranges_macho_x86_64 import FIXED, LOCAL, data, source  # source is the driver's

TRIPLE = "arm64-apple-macosx13"

ANY = (None, None)
PAGES = (-(1 << 32), (1 << 32) - 0x1000)
T, D = "target", "target - place"
MOVES = {"vary": "target"}


def offset(name, instruction, value, shift, **more):
    rule = f"decode_operand(place, 2) = V[11:{shift}]"
    return Row(name, value, rule, "PageOffset12", None, None, code=instruction, step=1 << shift, **more)


def sized(instruction, shift):
    return offset(f"PAGEOFF12, {instruction.split(',')[0]}", f"{instruction}, [x1, target@PAGEOFF]", T, shift, **MOVES)


ROWS = [
    data("UNSIGNED, 8 bytes", ".quad target", "Pointer64", T, ANY, 8),
    data("UNSIGNED, 4 bytes", ".long target", "Pointer32", T, (-(1 << 31), (1 << 32) - 1), 4, peer=(0, (1 << 32) - 1)),
    data("SUBTRACTOR, 8 bytes", ".quad target - place", "Delta64", D, ANY, 8),
    data("SUBTRACTOR, 4 bytes", ".long target - place", "Delta32Signed", D, (-(1 << 31), (1 << 31) - 1), 4),
    Row("BRANCH26", "stub_addr(t.o, target) - place", "decode_operand(place, 0)[25:0] = V[27:2]", "Branch26PCRel", code="bl target",
        **FIXED),
    offset("PAGEOFF12, add", "add x0, x1, target@PAGEOFF", T, 0, **MOVES),
    offset("ADDEND", "add x0, x1, target@PAGEOFF + 0x123", "target + 0x123", 0, **MOVES),
    sized("ldrb w0", 0),
    sized("ldrsh x0", 1),
    sized("str w0", 2),
    sized("ldr x0", 3),
    sized("ldr b0", 0),
    sized("ldr h0", 1),
    sized("ldr s0", 2),
    sized("ldr d0", 3),
    sized("str q0", 4),
    Row("PAGE21", "((target >> 12) << 12) - ((place >> 12) << 12)", "decode_operand(place, 1)[20:0] = V[32:12]", "Page21", *PAGES,
        code="adrp x0, target@PAGE", step=0x1000, **MOVES),
    Row("GOT_LOAD_PAGE21", "((got_addr(t.o, target) >> 12) << 12) - ((place >> 12) << 12)",
        "decode_operand(place, 1)[20:0] = V[32:12]", "Page21", code="adrp x0, target@GOTPAGE", **FIXED),
    Row("GOT_LOAD_PAGEOFF12", "got_addr(t.o, target)", "decode_operand(place, 2) = V[11:3]", "PageOffset12",
        code="ldr x0, [x1, target@GOTPAGEOFF]", **FIXED),
    data("POINTER_TO_GOT", ".long target@got - .", "Delta32", "got_addr(t.o, target) - place", ANY, 4, **FIXED),
    Row("TLVP_LOAD_PAGE21", "((variable >> 12) << 12) - ((place >> 12) << 12)", "decode_operand(place, 1)[20:0] = V[32:12]",
        "Page21", code="adrp x0, variable@TLVPPAGE\nldr x0, [x0, variable@TLVPPAGEOFF]", prologue=LOCAL, peer=False, **FIXED),
    Row("TLVP_LOAD_PAGEOFF12", "variable", "decode_operand(place + 4, 2) = V[11:0]", "PageOffset12",
        code="adrp x0, variable@TLVPPAGE\nldr x0, [x0, variable@TLVPPAGEOFF]", prologue=LOCAL, peer=False, **FIXED),
]
