"""Relocation types of arm64 Mach-O and their ranges (mach-o/arm64/reloc.h); see ranges.py.

Addends are relocations of their own with 24 bits: the target's address moves.
"""

from ranges import Row
from ranges_macho_x86_64 import BEFORE, FIXED, LOCAL, S32, data, small, source  # source is the driver's

TRIPLE = "arm64-apple-macosx13"

ANY = (None, None)
PAGES = (-(1 << 32), (1 << 32) - 0x1000)
T, D = "target", "target - place"
MOVES = {"vary": "target"}
NEAR = (-(1 << 27), (1 << 27) - 4)
PAGE, BRANCH = "decode_operand(place, 1)[20:0] = V[32:12]", "decode_operand(place, 0)[25:0] = V[27:2]"


def page_of(address):
    return f"((({address}) >> 12) << 12) - ((place >> 12) << 12)"


def load(name, page, offset):
    """A load from a GOT entry by two instructions, which becomes an address computation where the target is in reach."""
    entry = f"({page_of('got_addr(t.o, target)')})"
    row = Row(name, page_of("target"), PAGE, "Page21", *PAGES, code=f"adrp x0, target@{page}\nldr x0, [x0, target@{offset}]", step=0x1000,
              beyond=[PAGE.replace("V", entry), "decode_operand(place + 4, 2) = got_addr(t.o, target)[11:3]"], peer=False, **MOVES)
    row.rule_for = lambda _: [PAGE, "decode_operand(place + 4, 2) = target[11:0]"]
    return row


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
    small(2, "Pointer16"),
    data("SUBTRACTOR, 8 bytes, from the place down", ".quad place - behind ADDEND", "NegDelta64", "place - behind", ANY, 8, vary="addend",
         target=None, ends="low"),
    data("SUBTRACTOR, 8 bytes, from the place up", ".quad place - before ADDEND", "NegDelta64", "place - before", ANY, 8, vary="addend",
         target=None, ends="high", prologue=BEFORE),
    data("SUBTRACTOR, 4 bytes, from the place down", ".long place - behind ADDEND", "NegDelta32", "place - behind", S32, 4,
         vary="addend", target=None, ends="low", symbol="behind"),
    data("SUBTRACTOR, 4 bytes, from the place up", ".long place - before ADDEND", "NegDelta32", "place - before", S32, 4,
         vary="addend", target=None, ends="high", symbol="before", prologue=BEFORE),
    Row("BRANCH26, direct or through a stub", D, BRANCH, "Branch26PCRel", *NEAR, code="bl target", step=4, peer=False,
        beyond=[BRANCH.replace("V", "(stub_addr(t.o, target) - place)")], **MOVES),
    Row("ADDEND, BRANCH26", "target - place + 8", BRANCH, "Branch26PCRel", *NEAR, code="bl target + 8", step=4, peer=False,
        beyond=[BRANCH.replace("V", "(stub_addr(t.o, target) - place)"), "*{8}(got_addr(t.o, target)) = target + 8"], **MOVES),
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
    Row("ADDEND, PAGE21", page_of("target + 0x123456"), PAGE, "Page21", *PAGES, code="adrp x0, target@PAGE + 0x123456", step=0x1000,
        **MOVES),
    load("GOT_LOAD_PAGE21 and PAGEOFF12, relaxed or not", "GOTPAGE", "GOTPAGEOFF"),
    load("TLVP_LOAD_PAGE21 and PAGEOFF12, relaxed or not", "TLVPPAGE", "TLVPPAGEOFF"),
    Row("GOT_LOAD_PAGE21", "((got_addr(t.o, target) >> 12) << 12) - ((place >> 12) << 12)",
        "decode_operand(place, 1)[20:0] = V[32:12]", "Page21", code="adrp x0, target@GOTPAGE", **FIXED),
    Row("GOT_LOAD_PAGEOFF12", "got_addr(t.o, target)", "decode_operand(place, 2) = V[11:3]", "PageOffset12",
        code="ldr x0, [x1, target@GOTPAGEOFF]", **FIXED),
    data("POINTER_TO_GOT, 8 bytes", ".quad target@GOT", "Pointer64", "got_addr(t.o, target)", ANY, 8, peer=False, **FIXED),
    data("POINTER_TO_GOT", ".long target@got - .", "Delta32", "got_addr(t.o, target) - place", ANY, 4, **FIXED),
    Row("TLVP_LOAD_PAGE21", "((variable >> 12) << 12) - ((place >> 12) << 12)", "decode_operand(place, 1)[20:0] = V[32:12]",
        "Page21", code="adrp x0, variable@TLVPPAGE\nldr x0, [x0, variable@TLVPPAGEOFF]", prologue=LOCAL, peer=False, **FIXED),
    Row("TLVP_LOAD_PAGEOFF12", "variable", "decode_operand(place + 4, 2) = V[11:0]", "PageOffset12",
        code="adrp x0, variable@TLVPPAGE\nldr x0, [x0, variable@TLVPPAGEOFF]", prologue=LOCAL, peer=False, **FIXED),
]
