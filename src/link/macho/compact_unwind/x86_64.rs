//! Compact unwind encodings of x86-64 as DWARF call frame instructions.
//!
//! The bits 27 to 24 of an encoding are its mode:
//!
//! | mode | the frame |
//! |---|---|
//! | 1 | `%rbp` points below the return address, at the caller's `%rbp`; up to five registers lie in a row further below: bits 23–16 say how many words, bits 14–0 which, three bits for each |
//! | 2 | counts from `%rsp`: bits 23–16 are its size in words, the return address included |
//! | 3 | so too, but bits 23–16 say where in the function the `subq $size, %rsp` has its immediate; bits 15–13 are words pushed besides that |
//! | 4 | is described in `__eh_frame` |
//!
//! In modes 2 and 3, bits 12–10 are the number of registers saved below the return address, and bits 9–0 are the number of their
//! permutation: which of the six registers the first is, which of the rest the second, and so on, as digits of falling base.

use super::CallFrame::{self, InEhFrame, Invalid, Rules, Unknown};
use super::{CommonEntry, cfa};

const RSP: u8 = 7;
const RBP: u8 = 6;

/// The DWARF numbers of the registers that encodings number from 1: rbx, r12 to r15, rbp.
const REGISTERS: [u8; 6] = [3, 12, 13, 14, 15, RBP];

/// What all frames share: the return address is the word below the frame's address.
pub(in crate::link::macho) const COMMON: CommonEntry =
    CommonEntry { return_address: 16, rules: &[cfa::DEF_CFA, RSP, 8, cfa::OFFSET | 16, 1] };

/// The frame of a function whose instructions are `code`.
pub(in crate::link::macho) fn call_frame(encoding: u32, code: &[u8]) -> CallFrame {
    let field = |low: u32, width: u32| encoding >> low & ((1 << width) - 1);
    let size = u64::from(field(16, 8));
    match field(24, 4) {
        0 => Unknown,
        1 => rbp_frame(field(0, 15), size),
        2 => frameless(8 * size, field(10, 3) as usize, field(0, 10)),
        3 => {
            let immediate = code.get(size as usize..).and_then(|rest| rest.first_chunk());
            let Some(immediate) = immediate else {
                return Invalid("the compact encoding finds the frame's size outside of the function");
            };
            let size = u64::from(u32::from_le_bytes(*immediate)) + 8 * u64::from(field(13, 3));
            frameless(size, field(10, 3) as usize, field(0, 10))
        }
        4 => InEhFrame,
        _ => Invalid("the mode of the compact encoding is unknown"),
    }
}

/// The frame at `%rbp` with `registers`, three bits each, from `words` words below up.
fn rbp_frame(mut registers: u32, words: u64) -> CallFrame {
    let mut rules = Vec::new();
    cfa::define(RBP, 16, &mut rules);
    cfa::saved(RBP, 2, &mut rules);
    for index in 0..5 {
        let number = registers as usize & 7;
        registers >>= 3;
        if number == 0 {
            continue;
        }
        // rbp is none of them: it is where the frame is.
        let (Some(&register), Some(below)) = (REGISTERS[..5].get(number - 1), words.checked_sub(index)) else {
            return Invalid("the compact encoding saves a register that cannot be there");
        };
        cfa::saved(register, below + 2, &mut rules);
    }
    Rules(rules)
}

/// The frame of `size` bytes above `%rsp` with `count` registers below the return address.
fn frameless(size: u64, count: usize, permutation: u32) -> CallFrame {
    let Some(registers) = permuted(count, permutation) else {
        return Invalid("the compact encoding saves registers that cannot be there");
    };
    let mut rules = Vec::new();
    cfa::define(RSP, size, &mut rules);
    for (index, register) in registers.into_iter().enumerate() {
        cfa::saved(register, (count - index) as u64 + 1, &mut rules);
    }
    Rules(rules)
}

/// The first `count` registers of permutation `number`; `None` if there are no so many, or if it is none.
fn permuted(count: usize, number: u32) -> Option<Vec<u8>> {
    let mut left = REGISTERS.to_vec();
    let mut rest = number;
    let mut registers = Vec::with_capacity(count);
    for index in 0..count {
        // How many ways there are to choose those behind this one.
        let ways: u32 = (index + 1..count).map(|i| 6 - i as u32).product();
        let digit = rest.checked_div(ways)? as usize;
        rest %= ways;
        if digit >= left.len() {
            return None;
        }
        registers.push(left.remove(digit));
    }
    (count <= REGISTERS.len()).then_some(registers)
}
