"""Relocation types of x86-64 Mach-O and their ranges (mach-o/x86_64/reloc.h); see ranges.py.

Addends are in the bytes, where they have no more room than the value: it is mostly the target's address that moves.
"""

from ranges import Row

TRIPLE = "x86_64-apple-macosx13"

FAR = 0x123456789abc
S32 = (-(1 << 31), (1 << 31) - 1)
ANY = (None, None)
LOCAL = """.section __DATA,__thread_bss,thread_local_zerofill
        .tbss variable$tlv$init, 8, 3
        .section __DATA,__thread_vars,thread_local_variables
        .globl variable
variable: .quad target
        .quad 0
        .quad variable$tlv$init
"""


BEFORE = """.section __DATA,__data
        .globl  before
before: .quad   0
"""


def source(row, addend):
    code = row.code.replace("ADDEND", f"{'-' if addend < 0 else '+'} {abs(addend):#x}")
    section = "__TEXT,__text,regular,pure_instructions" if row.flags == "ax" else "__DATA,__data"
    return f"""
        .section __TEXT,__text,regular,pure_instructions
        .globl  _main
_main:  ret
        {row.prologue}
        .section {section}
        .globl  place
        .p2align 4
place:  {code}
        .globl  behind
behind: nop
        .subsections_via_symbols
"""


def data(name, text, kind, value, limits, width, **more):
    sliced = "V" if width == 8 else f"V[{8 * width - 1}:0]"
    row = Row(name, value, f"*{{{width}}}place = {sliced}", kind, *limits, vary=more.pop("vary", "target"), **more)
    row.code = text
    return row


def code(name, instruction, kind, value, limits, operand, **more):
    rule = f"decode_operand(place, {operand}) = V"
    return Row(name, value, rule, kind, *limits, code=instruction, vary=more.pop("vary", "target"), **more)


T, D = "target", "target - next_pc(place)"
G = "got_addr(t.o, target) - next_pc(place)"
FIXED = {"vary": None, "target": FAR}
THROUGH_GOT = {"beyond": [f"decode_operand(place, 4) = {G}", "*{1}(place + 1) = 0x8b"]}
# A place that no symbol leads to, in another section; the linked address is read from a pointer to it.
UNNAMED = """.section __DATA,__unnamed
        .quad 0
Lunnamed: .quad 0
        .section __DATA,__where
        .globl where
where:  .quad Lunnamed
"""


def down(name, instruction, operand):
    """A displacement into a section by its number. Code comes behind data, so only the low end can be overstepped;
    llvm-jitlink has no place outside of sections."""
    return code(name, instruction, "Delta32", "(*{8}where) - next_pc(place)", S32, operand, vary="addend", target=None, ends="low",
                symbol="", prologue=UNNAMED, peer=False)


def load(name, instruction):
    """A load from a GOT entry, which becomes an address computation where the target is in reach."""
    row = code(name, instruction, "Delta32", D, S32, 4, peer=False, **THROUGH_GOT)
    row.rule_for = lambda _: [row.rule, "*{1}(place + 1) = 0x8d"]
    return row


def small(width, kind):
    limits = (-(1 << (8 * width - 1)), (1 << (8 * width)) - 1)
    directive = {1: ".byte", 2: ".short"}[width]
    return data(f"UNSIGNED, {width} bytes", f"{directive} target", kind, T, limits, width, target=0, peer=False)


ROWS = [
    data("UNSIGNED, 8 bytes", ".quad target", "Pointer64", T, ANY, 8),
    data("UNSIGNED, 8 bytes, addend", ".quad target + 0x1234", "Pointer64", "target + 0x1234", ANY, 8),
    data("UNSIGNED, 4 bytes", ".long target", "Pointer32", T, (0, (1 << 32) - 1), 4),
    code("SIGNED", "movl target(%rip), %eax", "Delta32", D, S32, 4),
    code("SIGNED, addend", "movl target+0x100(%rip), %eax", "Delta32", "target - next_pc(place) + 256", S32, 4),
    code("SIGNED_1", "movb $0x12, target(%rip)", "Delta32", D, S32, 3),
    code("SIGNED_2", "movw $0x1234, target(%rip)", "Delta32", D, S32, 3),
    code("SIGNED_4", "movl $0x12345678, target(%rip)", "Delta32", D, S32, 3),
    small(2, "Pointer16"),
    small(1, "Pointer8"),
    down("SIGNED, into a section", "movl Lunnamed ADDEND(%rip), %eax", 4),
    down("SIGNED_1, into a section", "movb $0x12, Lunnamed ADDEND(%rip)", 3),
    down("SIGNED_2, into a section", "movw $0x1234, Lunnamed ADDEND(%rip)", 3),
    down("SIGNED_4, into a section", "movl $0x12345678, Lunnamed ADDEND(%rip)", 3),
    code("SIGNED, of an unnamed place", "movl Lunnamed(%rip), %eax\nLunnamed: .long 5", "Delta32", "0", ANY, 4, **FIXED),
    code("BRANCH", "callq target", "BranchPCRel32", "stub_addr(t.o, target) - next_pc(place)", ANY, 0, **FIXED),
    code("BRANCH, direct or through a stub", "callq target", "BranchPCRel32", D, S32, 0, peer=False,
         beyond=["decode_operand(place, 0) = stub_addr(t.o, target) - next_pc(place)"]),
    load("GOT_LOAD, relaxed or not", "movq target@GOTPCREL(%rip), %rax"),
    code("GOT_LOAD", "movq target@GOTPCREL(%rip), %rax", "Delta32", G, ANY, 4, **FIXED),
    code("GOT", "pushq target@GOTPCREL(%rip)", "Delta32", G, ANY, 3, **FIXED),
    code("GOT, behind an immediate", "cmpq $0, target@GOTPCREL(%rip)", "Delta32", G, ANY, 3, **FIXED),
    data("GOT, data", ".long target@GOTPCREL + 4", "Delta32", "got_addr(t.o, target) - place", ANY, 4, **FIXED),
    data("SUBTRACTOR, 8 bytes, up", ".quad behind - place ADDEND", "Delta64", "behind - place", ANY, 8, vary="addend", target=None,
         ends="high"),
    data("SUBTRACTOR, 8 bytes, down", ".quad before - place ADDEND", "Delta64", "before - place", ANY, 8, vary="addend",
         target=None, ends="low", prologue=BEFORE),
    data("SUBTRACTOR, 4 bytes, up", ".long behind - place ADDEND", "Delta32", "behind - place", S32, 4, vary="addend",
         target=None, ends="high", symbol="behind"),
    data("SUBTRACTOR, 4 bytes, down", ".long before - place ADDEND", "Delta32", "before - place", S32, 4, vary="addend",
         target=None, ends="low", symbol="before", prologue=BEFORE),
    data("SUBTRACTOR, 8 bytes, from the place down", ".quad place - behind ADDEND", "NegDelta64", "place - behind", ANY, 8, vary="addend",
         target=None, ends="low"),
    data("SUBTRACTOR, 8 bytes, from the place up", ".quad place - before ADDEND", "NegDelta64", "place - before", ANY, 8, vary="addend",
         target=None, ends="high", prologue=BEFORE),
    data("SUBTRACTOR, 4 bytes, from the place down", ".long place - behind ADDEND", "NegDelta32", "place - behind", S32, 4,
         vary="addend", target=None, ends="low", symbol="behind"),
    data("SUBTRACTOR, 4 bytes, from the place up", ".long place - before ADDEND", "NegDelta32", "place - before", S32, 4,
         vary="addend", target=None, ends="high", symbol="before", prologue=BEFORE),
    load("TLV, relaxed or not", "movq target@TLVP(%rip), %rax"),
    code("TLV", "movq variable@TLVP(%rip), %rax", "Delta32", "variable - next_pc(place)", ANY, 4, prologue=LOCAL, peer=False,
         **FIXED),
]
