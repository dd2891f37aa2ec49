"""Relocation types of x86-64 ELF and their ranges (psABI, table 4.9); see ranges.py."""

from ranges import Row

TRIPLE = "x86_64-linux-gnu"

S8, S16, S32 = ((-(1 << bits - 1), (1 << bits - 1) - 1) for bits in (8, 16, 32))
U32 = (0, (1 << 32) - 1)
E8, E16 = ((-(1 << bits - 1), (1 << bits) - 1) for bits in (8, 16))
ANY = (None, None)

GOT = ".section .data.got,\"aw\"\n.globl got\ngot: .long _GLOBAL_OFFSET_TABLE_ - .\n.size got, 4\n"
SIZED = ".bss\n.globl target\ntarget: .skip 64\n.size target, 64\n"
LOCAL = ".section .tdata,\"awT\",@progbits\n.globl target\n.type target,@object\ntarget: .quad 7\n.size target, 8\n"


TLS = {"prologue": LOCAL, "target": None, "peer": False}
GENERAL_DYNAMIC = ".byte 0x66\nleaq target@TLSGD(%rip), %rdi\n.value 0x6666\nrex64\ncall __tls_get_addr@PLT"


def source(row, addend):
    sign = "-" if addend < 0 else "+"
    reloc = f".reloc place+{row.at}, R_X86_64_{row.name}, {row.symbol} {sign} {abs(addend):#x}"
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
        {reloc if row.reloc else ""}
"""


def data(name, kind, value, limits, width, **more):
    sliced = "V" if width == 8 else f"V[{8 * width - 1}:0]"
    return Row(name, value, f"*{{{width}}}place = {sliced}", kind, *limits, **more)


def code(name, instructions, rule, **more):
    """Instructions with their own relocations, which are only compared: nothing moves their values."""
    return Row(name, "target", rule, "", code=instructions, vary=None, reloc=False, **more)


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
    data("TPOFF32", "ThreadPointerDelta32", T, S32, 4, **TLS),
    data("TPOFF64", "ThreadPointerDelta64", T, ANY, 8, **TLS),
    data("DTPOFF32", "ThreadPointerDelta32", T, S32, 4, **TLS),
    data("DTPOFF64", "ThreadPointerDelta64", T, ANY, 8, **TLS),
    data("GOTPCRELX", "PCRel32GOTLoadRelaxable", G, S32, 4, peer=False),
    data("REX_GOTPCRELX", "PCRel32GOTLoadREXRelaxable", G, S32, 4, peer=False),
    data("CODE_4_GOTPCRELX", "PCRel32GOTLoadREX2Relaxable", G, S32, 4, peer=False),
    code("PLT32", "call target@PLT", "decode_operand(place, 0) = stub_addr(t.o, target) - next_pc(place)", target=0x123456789abc),
    # Accesses to thread-local variables are rewritten to use the offset from the thread pointer.
    code("GOTTPOFF", "movq target@GOTTPOFF(%rip), %rax", "decode_operand(place, 1) = target", **TLS),
    code("TLSGD", GENERAL_DYNAMIC, "decode_operand(place+9, 4) = target", **TLS),
    code("TLSLD", "leaq target@TLSLD(%rip), %rdi\ncall __tls_get_addr@PLT", "*{4}place = 0x64666666", **TLS),
    code("GOTPC32_TLSDESC", "leaq target@TLSDESC(%rip), %rax", "decode_operand(place, 1) = target", **TLS),
    code("TLSDESC_CALL", "call *target@TLSCALL(%rax)", "*{2}place = 0x9066", **TLS),
]
