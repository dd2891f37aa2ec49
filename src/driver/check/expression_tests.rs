use super::expression::check;
use super::linked_code::{LinkedCode, Rank};
use crate::base::Arch;

/// `mov 0xff0(%rip), %eax; call +0x1f; add $7, %eax; jne -20` at 0x1000, a byte that begins no instruction at 0x1010, data and zeroes
/// at 0x2000, a GOT entry for `far` and a stub for `ext` in `t.o`.
fn code() -> LinkedCode {
    let mut code = LinkedCode::default();
    let main = [0x8b, 0x05, 0xf0, 0x0f, 0, 0, 0xe8, 0x1f, 0, 0, 0, 0x83, 0xc0, 7, 0x75, 0xec, 0x06, 0x06];
    code.add_block(0x1000, main.len() as u64, &main);
    code.add_block(0x2000, 16, &[0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0, 0x20, 0, 0, 0, 0, 0, 0]);
    code.add_block(0x2010, 16, &[]);
    code.add_block(0x3000, 8, &[0xef, 0xbe, 0xad, 0xde, 0, 0, 0, 0]);
    for (name, address) in [("main", 0x1000), ("bad", 0x1010), ("words", 0x2000), ("zero", 0x2010), ("a.b$c:d", 5)] {
        code.define(name, address, Rank::Global, true);
    }
    code.define_absolute("far", 0xdead_beef);
    let file = code.file_of_graph("folder/t.o");
    file.sections.insert("__DATA,__data".into(), 0x2000);
    file.got.insert("far".into(), 0x3000);
    file.stubs.insert("ext".into(), 0x1020);
    code
}

fn message(rule: &str) -> Option<String> {
    check(rule, &code(), Arch::X86_64).err()
}

#[test]
fn these_rules_hold() {
    let rules = [
        "main = main",
        "0x10 = 16",
        "010 = 8",
        "main=0x1000",
        "\tmain  =  main\t",
        "5-3 = 2",
        "10-3-2 = 5",
        "2+2<<1 = 8",
        "256>>4 = 16",
        "6&3 = 2",
        "4|1 = 5",
        "main << 1 = main + main",
        "0-1 = 0xffffffffffffffff",
        "1<<63 = 0x8000000000000000",
        "1<<64 = 1",
        "(1+2) = 3",
        "((main)) = main",
        "0x1234[15:8] = 0x12",
        "main [15:8] = 0x10",
        "(main)[15:12] = 1",
        "main[63:0] = 0",
        "main[64:12] = main >> 12",
        "*{4}words = 0x44332211",
        "*{8}words = 0x8877665544332211",
        "*{ 1}words = 0x11",
        "*{1}words+1 = 0x22",
        "(*{1}words)+1 = 0x12",
        "*{3}(words + 1) = 0x443322",
        "*{2}*{8}(words + 8) = 0x2211",
        "*{8}zero = 0",
        "*{4}(zero + 12) = 0",
        "*{4}far = 0",
        "*{8}0 = 0",
        "far[15:0] = 0xbeef",
        "decode_operand(main, 4) = words - next_pc(main) - 10",
        "decode_operand(main+6, 0) = 0x1f",
        "decode_operand(main + 0x6, 0) = 31",
        "decode_operand(main+11, 2)[1:0] = 3",
        "decode_operand(main+14, 0) = 0-20",
        "decode_operand(main+14,1) = 5",
        "next_pc( main ) = main + 6",
        "*{1}next_pc(main) = 0xe8",
        "stub_addr(t.o, ext) = main + 32",
        "stub_addr( t.o , ext, ) = main + 32",
        "stub_addr(t.o,ext,unk.*) = main + 32",
        "got_addr(t.o, far) = 0x3000",
        "*{8}(got_addr(t.o, far)) = far",
        "*{8}got_addr(t.o, far, x) = far",
        "section_addr(t.o, __DATA,__data) = words",
        "*{1}(section_addr(t.o,__DATA,__data )) = 0x11",
        "a.b$c:d = 5",
        "main",
        "1",
    ];
    let failed: Vec<_> = rules.iter().filter_map(|rule| message(rule)).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn two_values_that_differ_are_shown() {
    assert_eq!(message("main + 1 = words").unwrap(), "Expression 'main + 1 = words' is false: 0x1001 != 0x2000");
}

/// Rules that cannot be evaluated, and the message behind the rule.
const ERRORS: &[(&str, &str)] = &[
    ("= 0", "Unexpected end of expression"),
    ("main =", "Unexpected end of expression"),
    ("main + = 0", "Unexpected end of expression"),
    ("1 + 2 = 3", "Encountered unexpected token ' ' while parsing subexpression '1 + 2'"),
    ("0X10 = 16", "Encountered unexpected token 'X10' while parsing subexpression '0X10'"),
    ("0b11 = 3", "Encountered unexpected token 'b11' while parsing subexpression '0b11'"),
    ("main f = 0", "Encountered unexpected token 'f' while parsing subexpression 'main f'"),
    ("main < f", "Encountered unexpected token '<' while parsing subexpression 'main < f'"),
    ("main) = 0", "Encountered unexpected token ')' while parsing subexpression 'main)'"),
    ("(main = 0", "Encountered unexpected token '' while parsing subexpression '(main' expected ')'"),
    ("(5 ) = 5", "Encountered unexpected token ' ' while parsing subexpression '(5 )' expected ')'"),
    (
        "() = 0",
        "Encountered unexpected token ')' while parsing subexpression ')' expected '(', '*', identifier, or number",
    ),
    (
        "-1 = 0",
        "Encountered unexpected token '-' while parsing subexpression '-1' expected '(', '*', identifier, or number",
    ),
    (
        ".x = 0",
        "Encountered unexpected token '.' while parsing subexpression '.x' expected '(', '*', identifier, or number",
    ),
    (
        "1 == 1",
        "Encountered unexpected token '=' while parsing subexpression '= 1' expected '(', '*', identifier, or number",
    ),
    (
        "main <<<< 1 = 0",
        "Encountered unexpected token '<<' while parsing subexpression '<< 1' expected '(', '*', identifier, or number",
    ),
    ("0x = 0", "'0x' is no number of at most 64 bits"),
    ("08 = 8", "'08' is no number of at most 64 bits"),
    ("18446744073709551616 = 0", "'18446744073709551616' is no number of at most 64 bits"),
    ("nosuch = 0", "No known address for symbol 'nosuch'"),
    (
        "Lx = 0",
        "No known address for symbol 'Lx' (this appears to be an assembler local label -  perhaps drop the 'L'?)",
    ),
    ("section_size(t.o, x) = 0", "No known address for symbol 'section_size'"),
    ("*4}words = 1", "Expected '{' following '*'."),
    ("*{4words = 1", "Missing '}' for dereference."),
    ("*{4 }words = 1", "Missing '}' for dereference."),
    ("*{0}words = 1", "Invalid size for dereference."),
    ("*{9}words = 1", "Invalid size for dereference."),
    ("*{x}words = 1", "Encountered unexpected token 'x' while parsing subexpression 'x}words' expected number"),
    ("*{8}(zero + 12) = 0", "Nothing is linked at 0x201c, from where 8 bytes are to be loaded"),
    ("main[1] = 0", "Encountered unexpected token ']' while parsing subexpression ']' expected ':'"),
    ("main[15 :8] = 0", "Encountered unexpected token ' ' while parsing subexpression ' :8]' expected ':'"),
    ("main[a:1] = 0", "Encountered unexpected token 'a:1' while parsing subexpression 'a:1]' expected number"),
    ("main[1:0 = 0", "Encountered unexpected token '' expected ']'"),
    ("main[1:0][0:0] = 0", "Encountered unexpected token '[' while parsing subexpression 'main[1:0][0:0]'"),
    (
        "decode_operand main, 4) = 0",
        "Encountered unexpected token 'main' while parsing subexpression 'main, 4)' expected '('",
    ),
    ("decode_operand(main) = 0", "Encountered unexpected token ')' while parsing subexpression ')' expected ','"),
    (
        "decode_operand(main 6, 0) = 0",
        "Encountered unexpected token '6' while parsing subexpression '6, 0)' expected ','",
    ),
    (
        "decode_operand(main - 6, 0) = 0",
        "Encountered unexpected token '6' while parsing subexpression '6, 0)' expected '+' for offset or ',' if no offset",
    ),
    (
        "decode_operand(main + 6 , 0) = 0",
        "Encountered unexpected token ' ' while parsing subexpression ' , 0)' expected ','",
    ),
    ("decode_operand(main+f, 0) = 0", "Encountered unexpected token '' expected ','"),
    (
        "decode_operand(main, x) = 0",
        "Encountered unexpected token 'x' while parsing subexpression 'x)' expected number",
    ),
    ("decode_operand(main, 4 = 0", "Encountered unexpected token '' expected ')'"),
    ("decode_operand(nosuch, 4) = 0", "Cannot decode unknown symbol 'nosuch'"),
    ("decode_operand() = 0", "Cannot decode unknown symbol ''"),
    ("decode_operand(bad, 0) = 0", "Couldn't decode instruction at 'bad'"),
    ("decode_operand(zero, 0) = 0", "Couldn't decode instruction at 'zero'"),
    ("decode_operand(far, 0) = 0", "Couldn't decode instruction at 'far'"),
    ("decode_operand(main+0xffffffffffffffff, 0) = 0", "Couldn't decode instruction at 'main'"),
    ("next_pc = 0", "Encountered unexpected token '' expected '('"),
    ("next_pc(main+6) = 0", "Encountered unexpected token '+' while parsing subexpression '+6)' expected ')'"),
    ("next_pc(bad) = 0", "Couldn't decode instruction at 'bad'"),
    (
        "stub_addr t.o, ext) = 0",
        "Encountered unexpected token 't.o' while parsing subexpression 't.o, ext)' expected '('",
    ),
    ("stub_addr(t.o ext) = 0", "Encountered unexpected token '' while parsing subexpression '(t.o ext)' expected ','"),
    ("stub_addr(t.o, ext = 0", "Encountered unexpected token '' while parsing subexpression '(t.o, ext' expected ')'"),
    ("stub_addr(./t.o, ext) = 0", "RTDyldChecker: file \"./t.o\" not recognized"),
    ("stub_addr(t.o, far) = 0", "RTDyldChecker: no stub for \"far\" registered for file \"t.o\""),
    (
        "stub_addr(t.o, ext, x86) = 0",
        "RTDyldChecker: \"ext\" has 1 stubs in file \"t.o\", but none of them matches the stub-kind filter \"x86\" (all encountered kinds are \"<unknown>\").",
    ),
    ("got_addr(t.o, ext) = 0", "RTDyldChecker: no GOT entry for \"ext\" registered for file \"t.o\""),
    ("section_addr(t.o) = 0", "Encountered unexpected token '' while parsing subexpression '(t.o)' expected ','"),
    (
        "section_addr(t.o, .text = 0",
        "Encountered unexpected token '' while parsing subexpression '(t.o, .text' expected ')'",
    ),
    ("section_addr(t.o, .text) = 0", "RTDyldChecker: no section \".text\" registered for file \"t.o\""),
    ("section_addr(nofile, .text) = 0", "RTDyldChecker: file \"nofile\" not recognized"),
];

#[test]
fn what_cannot_be_evaluated_says_why() {
    for (rule, expected) in ERRORS {
        assert_eq!(
            message(rule).as_deref(),
            Some(&*format!("Error evaluating expression '{rule}': {expected}")),
            "{rule}"
        );
    }
}

#[test]
fn operands_that_are_no_numbers_are_shown_with_their_instruction() {
    let dump = "Instruction is:\n  <MCInst MOV <MCOperand Reg:EAX> <MCOperand Reg:RIP> <MCOperand Imm:1> <MCOperand Reg:> <MCOperand Imm:4080> <MCOperand Reg:>>";
    for (rule, what) in [
        ("decode_operand(main, 0) = 0", "Operand '0' of instruction 'main' is not an immediate."),
        (
            "decode_operand(main, 9) = 0",
            "Invalid operand index '9' for instruction 'main'. Instruction has only 6 operands.",
        ),
    ] {
        assert_eq!(message(rule).unwrap(), format!("Error evaluating expression '{rule}': {what}\n{dump}"));
    }
}

#[test]
fn nesting_has_an_end() {
    let rule = "(".repeat(100_000);
    assert!(message(&rule).unwrap().ends_with("Expression nested too deeply"));
}

#[test]
fn no_text_is_too_odd() {
    // Every prefix and every piece of a rule with all constructs: an answer, never a panic.
    let rule =
        "*{8}(got_addr(t.o, far)) + (decode_operand(main + 6, 0)[26:2] << 1) = next_pc(main) | stub_addr(t.o, ext, ü)";
    for start in (0..rule.len()).filter(|&at| rule.is_char_boundary(at)) {
        for end in (start..=rule.len()).filter(|&at| rule.is_char_boundary(at)) {
            check(&rule[start..end], &code(), Arch::X86_64).ok();
        }
    }
}
