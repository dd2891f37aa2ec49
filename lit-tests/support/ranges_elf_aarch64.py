"""Relocation types of aarch64 ELF and their ranges (AAELF64, "Static AArch64 relocations"); see ranges.py."""

from ranges import BASE, Row

TRIPLE = "aarch64-linux-gnu"


def signed(bits):
    return (-(1 << bits - 1), (1 << bits - 1) - 1)


def unsigned(bits):
    return (0, (1 << bits) - 1)


def either(bits):
    return (-(1 << bits - 1), (1 << bits) - 1)


ANY = (None, None)
CODE = BASE + 0x1000
GOT = ".section .data.got,\"aw\"\n.globl got\ngot: .xword got\n.reloc got, R_AARCH64_PREL64, _GLOBAL_OFFSET_TABLE_\n.size got, 8\n"
LOCAL = ".section .tdata,\"awT\",%progbits\n.globl target\n.type target,%object\ntarget: .xword 7\n.size target, 8\n"


DYNAMIC = {"prologue": LOCAL, "target": None, "peer": False}
DYNAMIC_GOT = {"prologue": LOCAL + GOT, "target": None, "peer": False}
INITIAL_EXEC = "adrp x0, :gottprel:target\nldr x0, [x0, :gottprel_lo12:target]"
DESCRIPTOR = """adrp x0, :tlsdesc:target
        ldr     x1, [x0, :tlsdesc_lo12:target]
        add     x0, x0, :tlsdesc_lo12:target
        .tlsdesccall target
        blr     x1"""


def source(row, addend):
    sign = "-" if addend < 0 else "+"
    reloc = f".reloc place+{row.at}, R_AARCH64_{row.name}, {row.symbol} {sign} {abs(addend):#x}"
    return f"""
        .text
        .globl  main
        .p2align 2
main:   ret
        .size   main, 4
        {row.prologue}
        .section .place,"{row.flags}",%progbits
        .globl  place
        .p2align 4
place:  {row.code}
        .size   place, .-place
        {reloc if row.reloc else ""}
"""


def data(name, kind, value, limits, width, **more):
    sliced = "V" if width == 8 else f"V[{8 * width - 1}:0]"
    return Row(name, value, f"*{{{width}}}place = {sliced}", kind, *limits, **more)


def code(name, kind, value, limits, instruction, operand, high, low=0, step=1, **more):
    """A field of `instruction`, operand number `operand`: bits `high` to `low` of the value."""
    width = high - low
    rule = f"decode_operand(place, {operand})[{width}:0] = V[{high}:{low}]"
    return Row(name, value, rule, kind, *fit(limits, step), code=instruction, step=step, **more)


def fit(limits, step):
    """The ends of `limits` that are multiples of `step`."""
    return tuple(None if end is None else end // step * step for end in limits)


T, D = "target", "target - place"
G, FROM_GOT = "got_addr(t.o, target) - place", "target - _GLOBAL_OFFSET_TABLE_"
G_FROM_GOT = "got_addr(t.o, target) - _GLOBAL_OFFSET_TABLE_"
NO_PEER = {"peer": False}
IN_GOT = {"prologue": GOT, "peer": False}
# What pretends to be the first variable is 64 KiB from the thread pointer.
TLS = {"prologue": LOCAL, "target": None, "peer": False, "start": -0x10000}


def page(name, kind, place, **more):
    """The distance of pages: `place` is at the start of one."""
    rule = "decode_operand(place, 1)[20:0] = V[32:12]"
    return Row(name, place, rule, kind, *more.pop("limits"), code="adrp x0, .", step=0x1000, **more)


def wide(name, kind, value, limits, group, signed_value=False, **more):
    """One of movz, movn, movk: a group of 16 bits."""
    low = 16 * group
    if not signed_value:
        rule = f"decode_operand(place, 2) = V[{low + 15}:{low}]"
        return Row(name, value, rule, kind, *limits, code=f"movk x0, #0, lsl #{low}", **more)
    return SignedWide(name, value, kind, limits, group, **more)


class SignedWide(Row):
    """movz, or for negative values movn with the bits inverted."""

    def __init__(self, name, value, kind, limits, group, **more):
        self.group = group
        super().__init__(name, value, "", kind, *limits, code=f"movz x0, #0, lsl #{16 * group}", **more)

    def rule_for(self, value):
        low = 16 * self.group
        bits = f"V[{low + 15}:{low}]"
        opcode = "(*{4}place)[30:29] = "
        if value < 0:
            return [opcode + "0", f"decode_operand(place, 1) + {bits} = 0xffff"]
        return [opcode + "2", f"decode_operand(place, 1) = {bits}"]


LOADS = {8: ("ldrb w0, [x1]", 0), 16: ("ldrh w0, [x1]", 1), 32: ("ldr w0, [x1]", 2), 64: ("ldr x0, [x1]", 3),
         128: ("ldr q0, [x1]", 4)}


def offset(name, kind, value, limits, size, **more):
    instruction, shift = LOADS[size]
    return code(name, kind, value, limits, instruction, 2, 11, shift, step=1 << shift, **more)


LONG = "ldr x0, [x1]"
ROWS = [
    data("ABS64", "Pointer64", T, ANY, 8),
    data("ABS32", "Pointer32", T, either(32), 4, peer=unsigned(32)),
    data("ABS16", "Pointer16", T, either(16), 2, target=16, **NO_PEER),
    data("PREL64", "Delta64", D, ANY, 8),
    data("PREL32", "Delta32", D, either(32), 4, peer=signed(32)),
    data("PREL16", "Delta16", D, either(16), 2, **NO_PEER),
    wide("MOVW_UABS_G0", "MoveWide16G0", T, unsigned(16), 0, target=16, **NO_PEER),
    wide("MOVW_UABS_G0_NC", "MoveWide16G0NoCheck", T, ANY, 0),
    wide("MOVW_UABS_G1", "MoveWide16G1", T, unsigned(32), 1, **NO_PEER),
    wide("MOVW_UABS_G1_NC", "MoveWide16G1NoCheck", T, ANY, 1),
    wide("MOVW_UABS_G2", "MoveWide16G2", T, unsigned(48), 2, **NO_PEER),
    wide("MOVW_UABS_G2_NC", "MoveWide16G2NoCheck", T, ANY, 2),
    wide("MOVW_UABS_G3", "MoveWide16G3", T, ANY, 3),
    wide("MOVW_SABS_G0", "MoveWide16SignedG0", T, signed(17), 0, True, target=16, **NO_PEER),
    wide("MOVW_SABS_G1", "MoveWide16SignedG1", T, signed(33), 1, True, **NO_PEER),
    wide("MOVW_SABS_G2", "MoveWide16SignedG2", T, signed(49), 2, True, **NO_PEER),
    code("LD_PREL_LO19", "LDRLiteral19", D, signed(21), "ldr x0, .", 1, 20, 2, step=4),
    code("ADR_PREL_LO21", "ADRLiteral21", D, signed(21), "adr x0, .", 1, 20),
    page("ADR_PREL_PG_HI21", "Page21", D, limits=(-(1 << 32), (1 << 32) - 0x1000)),
    page("ADR_PREL_PG_HI21_NC", "Page21NoCheck", D, limits=ANY, **NO_PEER),
    code("ADD_ABS_LO12_NC", "PageOffset12", T, ANY, "add x0, x1, #0", 2, 11),
    offset("LDST8_ABS_LO12_NC", "PageOffset12LDST8", T, ANY, 8),
    offset("LDST16_ABS_LO12_NC", "PageOffset12LDST16", T, ANY, 16),
    offset("LDST32_ABS_LO12_NC", "PageOffset12LDST32", T, ANY, 32),
    offset("LDST64_ABS_LO12_NC", "PageOffset12LDST64", T, ANY, 64),
    offset("LDST128_ABS_LO12_NC", "PageOffset12LDST128", T, ANY, 128),
    code("TSTBR14", "TestAndBranch14PCRel", D, signed(16), "tbz x0, #3, .", 2, 15, 2, step=4),
    code("CONDBR19", "CondBranch19PCRel", D, signed(21), "cbz x0, .", 1, 20, 2, step=4),
    wide("MOVW_PREL_G0", "MoveWide16PCRelG0", D, signed(17), 0, True, **NO_PEER),
    wide("MOVW_PREL_G0_NC", "MoveWide16PCRelG0NoCheck", D, ANY, 0, **NO_PEER),
    wide("MOVW_PREL_G1", "MoveWide16PCRelG1", D, signed(33), 1, True, **NO_PEER),
    wide("MOVW_PREL_G1_NC", "MoveWide16PCRelG1NoCheck", D, ANY, 1, **NO_PEER),
    wide("MOVW_PREL_G2", "MoveWide16PCRelG2", D, signed(49), 2, True, **NO_PEER),
    wide("MOVW_PREL_G2_NC", "MoveWide16PCRelG2NoCheck", D, ANY, 2, **NO_PEER),
    wide("MOVW_PREL_G3", "MoveWide16PCRelG3", D, ANY, 3, True, **NO_PEER),
    wide("MOVW_GOTOFF_G0", "MoveWide16FromGOTG0", G_FROM_GOT, signed(17), 0, True, **IN_GOT),
    wide("MOVW_GOTOFF_G0_NC", "MoveWide16FromGOTG0NoCheck", G_FROM_GOT, ANY, 0, **IN_GOT),
    wide("MOVW_GOTOFF_G1", "MoveWide16FromGOTG1", G_FROM_GOT, signed(33), 1, True, **IN_GOT),
    wide("MOVW_GOTOFF_G1_NC", "MoveWide16FromGOTG1NoCheck", G_FROM_GOT, ANY, 1, **IN_GOT),
    wide("MOVW_GOTOFF_G2", "MoveWide16FromGOTG2", G_FROM_GOT, signed(49), 2, True, **IN_GOT),
    wide("MOVW_GOTOFF_G2_NC", "MoveWide16FromGOTG2NoCheck", G_FROM_GOT, ANY, 2, **IN_GOT),
    wide("MOVW_GOTOFF_G3", "MoveWide16FromGOTG3", G_FROM_GOT, ANY, 3, True, **IN_GOT),
    data("GOTREL64", "Delta64FromGOT", FROM_GOT, ANY, 8, **IN_GOT),
    data("GOTREL32", "Delta32FromGOT", FROM_GOT, signed(32), 4, **IN_GOT),
    code("GOT_LD_PREL19", "LDRLiteral19", G, signed(21), "ldr x0, .", 1, 20, 2, step=4, **NO_PEER),
    code("LD64_GOTOFF_LO15", "GotOffset15", G_FROM_GOT, unsigned(15), LONG, 2, 14, 3, step=8, **IN_GOT),
    page("ADR_GOT_PAGE", "Page21", G, limits=(-(1 << 32), (1 << 32) - 0x1000), peer=False),
    code("LD64_GOT_LO12_NC", "PageOffset12LDST64", "got_addr(t.o, target)", ANY, LONG, 2, 11, 3, step=8, peer=False),
    code("LD64_GOTPAGE_LO15", "GotPageOffset15", "got_addr(t.o, target) - ((_GLOBAL_OFFSET_TABLE_ >> 12) << 12)",
         unsigned(15), LONG, 2, 14, 3, step=8, **IN_GOT),
    data("PLT32", "FunctionDelta32", D, signed(32), 4, **NO_PEER),
    data("GOTPCREL32", "Delta32Signed", G, signed(32), 4, **NO_PEER),
]


def thread_local_rows():
    """Local-exec and the offsets of local-dynamic: the same fields under two names."""
    for model in ("TLSLE", "TLSLD"):
        part = "TPREL" if model == "TLSLE" else "DTPREL"
        kind = "ThreadPointerOffset"
        yield wide(f"{model}_MOVW_{part}_G2", f"{kind}MoveWide16G2", T, signed(49), 2, True, **TLS)
        yield wide(f"{model}_MOVW_{part}_G1", f"{kind}MoveWide16G1", T, signed(33), 1, True, **TLS)
        yield wide(f"{model}_MOVW_{part}_G1_NC", f"{kind}MoveWide16G1NoCheck", T, ANY, 1, **TLS)
        yield wide(f"{model}_MOVW_{part}_G0", f"{kind}MoveWide16G0", T, signed(17), 0, True, **TLS)
        yield wide(f"{model}_MOVW_{part}_G0_NC", f"{kind}MoveWide16G0NoCheck", T, ANY, 0, **TLS)
        yield code(f"{model}_ADD_{part}_HI12", f"{kind}High12", T, unsigned(24), "add x0, x1, #0, lsl #12", 2, 23, 12, **TLS)
        yield code(f"{model}_ADD_{part}_LO12", f"{kind}12", T, unsigned(12), "add x0, x1, #0", 2, 11, **TLS)
        yield code(f"{model}_ADD_{part}_LO12_NC", f"{kind}12NoCheck", T, ANY, "add x0, x1, #0", 2, 11, **TLS)
        for size in LOADS:
            yield offset(f"{model}_LDST{size}_{part}_LO12", f"{kind}12LDST{size}", T, unsigned(12), size, **TLS)
            yield offset(f"{model}_LDST{size}_{part}_LO12_NC", f"{kind}12LDST{size}NoCheck", T, ANY, size, **TLS)


def fixed(name, instructions, rules, **more):
    """Instructions with their own relocations, which are only compared: nothing moves their values."""
    return Row(name, "target", rules, "", code=instructions, vary=None, reloc=False, **more)


ROWS += thread_local_rows()
ROWS += [
    code("TLSIE_LD_GOTTPREL_PREL19", "LDRLiteral19", G, signed(21), "ldr x0, .", 1, 20, 2, step=4, **DYNAMIC),
    wide("TLSIE_MOVW_GOTTPREL_G1", "MoveWide16FromGOTG1", G_FROM_GOT, signed(33), 1, True, **DYNAMIC_GOT),
    wide("TLSIE_MOVW_GOTTPREL_G0_NC", "MoveWide16FromGOTG0NoCheck", G_FROM_GOT, ANY, 0, **DYNAMIC_GOT),
    fixed("CALL26", "bl target", "decode_operand(place, 0)[25:0] = (stub_addr(t.o, target) - place)[27:2]", target=0x123456789abc),
    fixed("JUMP26", "b target", "decode_operand(place, 0)[25:0] = (stub_addr(t.o, target) - place)[27:2]", target=0x123456789abc),
    # Accesses to thread-local variables are rewritten to use the offset from the thread pointer: movz with the upper half, movk with
    # the lower one.
    fixed("TLSIE_ADR_GOTTPREL_PAGE21", INITIAL_EXEC, "decode_operand(place, 1) = target[31:16]", **DYNAMIC),
    fixed("TLSIE_LD64_GOTTPREL_LO12_NC", INITIAL_EXEC, "decode_operand(place+4, 2) = target[15:0]", **DYNAMIC),
    fixed("TLSDESC_ADR_PAGE21", DESCRIPTOR, "decode_operand(place, 1) = target[31:16]", **DYNAMIC),
    fixed("TLSDESC_LD64_LO12", DESCRIPTOR, "decode_operand(place+4, 2) = target[15:0]", **DYNAMIC),
    fixed("TLSDESC_ADD_LO12", DESCRIPTOR, "*{4}(place + 8) = 0xd503201f", **DYNAMIC),
    fixed("TLSDESC_CALL", DESCRIPTOR, "*{4}(place + 12) = 0xd503201f", **DYNAMIC),
]
