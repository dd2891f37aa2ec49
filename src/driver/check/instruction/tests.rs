use super::{Operand, decode};
use crate::base::Arch;

/// Length and operands, registers as names and numbers in decimal: `6: EAX RIP 1 - -4102 -`.
fn text(arch: Arch, bytes: &[u8]) -> String {
    let Some(decoded) = decode(arch, bytes) else { return "none".into() };
    let operand = |operand: &Operand| match operand {
        Operand::Register(name) if name.is_empty() => " -".to_string(),
        Operand::Register(name) => format!(" {name}"),
        Operand::Immediate(value) => format!(" {value}"),
    };
    format!("{}:{}", decoded.size, decoded.operands.iter().map(operand).collect::<String>())
}

#[track_caller]
fn assert_decodes(arch: Arch, rows: &[(&[u8], &str)]) {
    for (bytes, expected) in rows {
        assert_eq!(text(arch, bytes), *expected, "{bytes:02x?}");
    }
}

#[test]
fn x86_64_operands_are_numbered_as_in_llvm() {
    assert_decodes(
        Arch::X86_64,
        &[
            // mov 0xfa(%rip), %eax; cmpl $5, (%rip); call *(%rip)
            (&[0x8b, 0x05, 0xfa, 0, 0, 0], "6: EAX RIP 1 - 250 -"),
            (&[0x83, 0x3d, 0, 0, 0, 0, 5], "7: RIP 1 - 0 - 5"),
            (&[0xff, 0x15, 0xfc, 0xff, 0xff, 0xff], "6: RIP 1 - -4 -"),
            // add (%rip), %eax; add $0x12345, %eax; xor %ecx, %ecx
            (&[0x03, 0x05, 0, 0, 0, 0], "6: EAX EAX RIP 1 - 0 -"),
            (&[0x05, 0x45, 0x23, 0x01, 0], "5: 74565"),
            (&[0x31, 0xc9], "2: ECX ECX ECX"),
            // jne, call, addr32 call: the distance from the next instruction
            (&[0x75, 0xec], "2: -20 5"),
            (&[0xe8, 0, 0, 0, 0x80], "5: -2147483648"),
            (&[0x67, 0xe8, 8, 0, 0, 0], "6: 8"),
            // mov $-1, %ecx; movabs; mov %fs:0, %rax
            (&[0xb9, 0xff, 0xff, 0xff, 0xff], "5: ECX 4294967295"),
            (&[0x48, 0xb8, 1, 0, 0, 0, 0, 0, 0, 0x80], "10: RAX -9223372036854775807"),
            (&[0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0], "9: RAX - 1 - 0 FS"),
            // xchg %eax, (%rip); lock xadd %eax, (%rip); cmovne %ecx, %edx; ret
            (&[0x87, 0x05, 0, 0, 0, 0], "6: EAX EAX RIP 1 - 0 -"),
            (&[0xf0, 0x0f, 0xc1, 0x05, 0, 0, 0, 0], "1:"),
            (&[0x0f, 0x45, 0xd1], "3: EDX EDX ECX 5"),
            (&[0xc3], "1:"),
            (&[0x06], "none"),
            (&[0x8b, 0x05, 0], "none"),
            (&[], "none"),
        ],
    );
}

#[test]
fn aarch64_operands_are_fields_of_the_word() {
    let rows: &[(u32, &str)] = &[
        (0x9000_0010, "4: X16 0"),
        (0xf0ff_ffe1, "4: X1 -1"),
        (0x10ff_ffe2, "4: X2 -4"),
        (0x9148_d020, "4: X0 X1 564 12"),
        (0x17ff_fffe, "4: -2"),
        (0x5400_0041, "4: 1 2"),
        (0xb768_0003, "4: X3 45 0"),
        (0xf940_0421, "4: X1 X1 1"),
        (0x3dc0_0c20, "4: V0 X1 3"),
        (0xa9be_7bfd, "4: SP X29 X30 SP -4"),
        (0xd2ff_ffe0, "4: X0 65535 48"),
        (0xf2a2_4683, "4: X3 X3 4660 16"),
        (0x5800_0040, "4: X0 2"),
        (0xd53b_d040, "4: X0 56962"),
        (0xd503_201f, "4:"),
        (0xc8a0_7c41, "4: X0 X0 X1 X2"),
        (0xf820_0041, "4: X1 X0 X2"),
        (0x0000_0000, "none"),
        (0x4e22_8400, "none"),
    ];
    for (word, expected) in rows {
        let expected = expected.replace("SP", "X31");
        assert_eq!(text(Arch::Aarch64, &word.to_le_bytes()), expected, "{word:#010x}");
    }
    assert_eq!(text(Arch::Aarch64, &[0x1f, 0x20, 0x03]), "none");
}

#[test]
fn whatever_the_bytes_are_there_is_an_answer() {
    let mut state = 1u64;
    for _ in 0..100_000 {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let bytes = [state.to_le_bytes(), (state >> 7).to_le_bytes()].concat();
        for arch in [Arch::X86_64, Arch::Aarch64] {
            if let Some(decoded) = decode(arch, &bytes) {
                assert!((1..=15).contains(&decoded.size), "{bytes:02x?}");
            }
        }
    }
}
