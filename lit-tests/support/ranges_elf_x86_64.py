"""Relocation types of x86-64 ELF and their ranges (psABI, table 4.9); see ranges.py."""

from ranges import Row

TRIPLE = "x86_64-linux-gnu"
FLAGS = []
PREFIX = ""

S8, S16, S32 = ((-(1 << bits - 1), (1 << bits - 1) - 1) for bits in (8, 16, 32))
U32 = (0, (1 << 32) - 1)
E8, E16 = ((-(1 << bits - 1), (1 << bits) - 1) for bits in (8, 16))
ANY = (None, None)

GOT = ".section .data.got,\"aw\"\n.globl got\ngot: .long _GLOBAL_OFFSET_TABLE_ - .\n.size got, 4\n"
SIZED = ".bss\n.globl target\ntarget: .skip 64\n.size target, 64\n"
LOCAL = ".section .tdata,\"awT\",@progbits\n.globl target\n.type target,@object\ntarget: .quad 7\n.size target, 8\n"


def source(row, addend):
    sign = "-" if addend < 0 else "+"
    return f"""
        .text
        .globl  main
main:   ret
        .size   main, 1
        {row.prologue}
        .section .place,"{row.flags}",@progbits
        .globl  place
        .p2align 4
place:  {row.code}
        .size   place, .-place
        .reloc  place+{row.at}, R_X86_64_{row.name}, {row.symbol} {sign} {abs(addend):#x}
"""


def data(name, kind, value, limits, width, **more):
    sliced = "V" if width == 8 else f"V[{8 * width - 1}:0]"
    return Row(name, value, f"*{{{width}}}place = {sliced}", kind, *limits, **more)


T, D = "target", "target - place"
G, FROM_GOT, GOT_FROM = "got_addr(t.o, target) - place", "target - _GLOBAL_OFFSET_TABLE_", "_GLOBAL_OFFSET_TABLE_ - place"
G_FROM_GOT = "got_addr(t.o, target) - _GLOBAL_OFFSET_TABLE_"

ROWS = [
    data("64", "Pointer64", T, ANY, 8),
    data("PC32", "Delta32", D, S32, 4),
    data("GOT32", "Delta32FromGOT", G_FROM_GOT, S32, 4, prologue=GOT, peer=False),
    data("GOTPCREL", "Delta32", G, S32, 4),
    data("32", "Pointer32", T, U32, 4),
    data("32S", "Pointer32Signed", T, S32, 4),
    data("16", "Pointer16", T, E16, 2, target=16, peer=(0, 0xffff)),
    data("PC16", "Delta16", D, S16, 2),
    data("8", "Pointer8", T, E8, 1, target=16, peer=(0, 0xff)),
    data("PC8", "Delta8", D, S8, 1),
    data("PC64", "Delta64", D, ANY, 8),
    data("GOTOFF64", "Delta64FromGOT", FROM_GOT, ANY, 8, prologue=GOT),
    data("GOTPC32", "GOTDelta32", GOT_FROM, S32, 4, symbol="_GLOBAL_OFFSET_TABLE_"),
    data("GOT64", "Delta64FromGOT", G_FROM_GOT, ANY, 8, prologue=GOT),
    data("GOTPCREL64", "Delta64", G, ANY, 8),
    data("GOTPC64", "GOTDelta64", GOT_FROM, ANY, 8, symbol="_GLOBAL_OFFSET_TABLE_"),
    data("GOTPLT64", "Delta64FromGOT", G_FROM_GOT, ANY, 8, prologue=GOT, peer=False),
    data("PLTOFF64", "Delta64FromGOT", FROM_GOT, ANY, 8, prologue=GOT, peer=False),
    data("SIZE32", "Size32", "0x40", U32, 4, prologue=SIZED, target=None),
    data("SIZE64", "Size64", "0x40", ANY, 8, prologue=SIZED, target=None),
    data("TPOFF32", "ThreadPointerDelta32", T, S32, 4, prologue=LOCAL, target=None, peer=False),
    data("TPOFF64", "ThreadPointerDelta64", T, ANY, 8, prologue=LOCAL, target=None, peer=False),
    data("DTPOFF32", "ThreadPointerDelta32", T, S32, 4, prologue=LOCAL, target=None, peer=False),
    data("DTPOFF64", "ThreadPointerDelta64", T, ANY, 8, prologue=LOCAL, target=None, peer=False),
]
