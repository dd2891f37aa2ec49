//! Compact unwind encodings of arm64 as DWARF call frame instructions.
//!
//! The bits 27 to 24 of an encoding are its mode:
//!
//! | mode | the frame |
//! |---|---|
//! | 2 | has no frame pointer: bits 23–12 are its size in units of 16 bytes; the return address is still in `x30` |
//! | 3 | is described in `__eh_frame` |
//! | 4 | `x29` points to the caller's, the return address above it, and that is where the frame ends |
//!
//! In modes 2 and 4 the bits 4–0 say which of the pairs x19/x20 to x27/x28 are saved, and bits 11–8 which of d8/d9 to d14/d15: in this order, one word
//! below the other, from the highest place of the frame, or from below the caller's `x29`.

use super::CallFrame::{self, InEhFrame, Invalid, Rules, Unknown};
use super::{CommonEntry, cfa};

const X19: u8 = 19;
const X29: u8 = 29;
const X30: u8 = 30;
const SP: u8 = 31;
const D8: u8 = 72;

/// What all frames share: the frame's address is the stack pointer's at the call.
pub(in crate::link::macho) const COMMON: CommonEntry =
    CommonEntry { return_address: X30, rules: &[cfa::DEF_CFA, SP, 0] };

/// The frame of a function.
pub(in crate::link::macho) fn call_frame(encoding: u32) -> CallFrame {
    let mut rules = Vec::new();
    let mut below = match encoding >> 24 & 0xf {
        0 => return Unknown,
        2 => {
            cfa::define(SP, 16 * u64::from(encoding >> 12 & 0xfff), &mut rules);
            1
        }
        3 => return InEhFrame,
        4 => {
            cfa::define(X29, 16, &mut rules);
            cfa::saved(X30, 1, &mut rules);
            cfa::saved(X29, 2, &mut rules);
            3
        }
        _ => return Invalid("the mode of the compact encoding is unknown"),
    };
    let general = (0..5).filter(|pair| encoding >> pair & 1 != 0).map(|pair| X19 + 2 * pair);
    let vector = (0..4).filter(|pair| encoding >> (8 + pair) & 1 != 0).map(|pair| D8 + 2 * pair);
    for first in general.chain(vector) {
        cfa::saved(first, below, &mut rules);
        cfa::saved(first + 1, below + 1, &mut rules);
        below += 2;
    }
    Rules(rules)
}
