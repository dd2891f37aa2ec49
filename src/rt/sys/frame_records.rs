//! Call frame records in memory: `.eh_frame`, as the Linux Standard Base lays it out (LSB Core 5.0, "Exception Frames").
//!
//! A record is its length, a word that says what it is, and the rest. A frame description entry (FDE) says which code it is about; how that is written
//! is in the common information entry (CIE) that it refers to.

use crate::base::{AddrRange, ExecutorAddr};

/// The forms of pointers (`DW_EH_PE_`), in the low bits of an encoding, and what they are added to, in the high ones.
const FORM: u8 = 0x0f;
const ABSPTR: u8 = 0x00;
const UDATA2: u8 = 0x02;
const UDATA4: u8 = 0x03;
const UDATA8: u8 = 0x04;
const SDATA2: u8 = 0x0a;
const SDATA4: u8 = 0x0b;
const SDATA8: u8 = 0x0c;
const APPLICATION: u8 = 0x70;
const PCREL: u8 = 0x10;

/// A frame description entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Where the record begins.
    pub record: ExecutorAddr,
    /// The code it is about.
    pub code: AddrRange,
}

/// Bytes of memory that is read from front to back; behind its end there are zeroes.
struct Cursor {
    at: u64,
    end: u64,
}

impl Cursor {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let at = self.at;
        self.at = at.saturating_add(N as u64);
        if self.at > self.end {
            return [0; N];
        }
        // SAFETY: inside the section, which `Frames::new` requires to stay readable.
        unsafe { (at as *const [u8; N]).read() }
    }

    fn byte(&mut self) -> u8 {
        self.take::<1>()[0]
    }

    /// Passes over `count` bytes.
    fn skip(&mut self, count: u64) {
        self.at = self.at.saturating_add(count);
    }

    /// Passes over a LEB128 number.
    fn skip_number(&mut self) {
        while self.byte() & 0x80 != 0 {}
    }

    /// A number in the form of `encoding`; `None` if it is none that a linker writes for code.
    fn number(&mut self, encoding: u8) -> Option<u64> {
        Some(match encoding & FORM {
            ABSPTR | UDATA8 | SDATA8 => u64::from_le_bytes(self.take()),
            UDATA4 => u64::from(u32::from_le_bytes(self.take())),
            UDATA2 => u64::from(u16::from_le_bytes(self.take())),
            SDATA4 => i64::from(i32::from_le_bytes(self.take())) as u64,
            SDATA2 => i64::from(i16::from_le_bytes(self.take())) as u64,
            _ => return None,
        })
    }

    /// A pointer to code.
    fn pointer(&mut self, encoding: u8) -> Option<u64> {
        let place = self.at;
        let number = self.number(encoding)?;
        match encoding & APPLICATION {
            0 => Some(number),
            PCREL => Some(place.wrapping_add(number)),
            _ => None,
        }
    }
}

/// The frame description entries of a section, in its order.
pub struct Frames {
    rest: Cursor,
    /// The common information entry that was read last, and how its entries write code.
    common: (u64, Option<u8>),
}

impl Frames {
    /// Those of `section`: finalized memory that is never unmapped, up to its end or a length of zero.
    pub fn new(section: AddrRange) -> Frames {
        Frames { rest: Cursor { at: section.start.0, end: section.end.0 }, common: (0, None) }
    }

    /// How the entries of the common information entry at `at` write code.
    fn encoding(&mut self, at: u64) -> Option<u8> {
        if self.common.0 != at {
            self.common = (at, encoding(Cursor { at, end: self.rest.end }));
        }
        self.common.1
    }
}

/// The same, read from the entry that `record` begins with. An augmentation without `z` says nothing that could be passed over, and has no encoding.
fn encoding(mut record: Cursor) -> Option<u8> {
    record.skip(8);
    let version = record.byte();
    let mut augmentation = Cursor { ..record };
    while record.byte() != 0 {}
    record.skip_number();
    record.skip_number();
    if version == 1 {
        record.skip(1)
    } else {
        record.skip_number()
    }
    match augmentation.byte() {
        0 => return Some(ABSPTR),
        b'z' => record.skip_number(),
        _ => return None,
    }
    loop {
        match augmentation.byte() {
            0 => return Some(ABSPTR),
            b'R' => return Some(record.byte()),
            b'L' => record.skip(1),
            b'P' => {
                let personality = record.byte();
                record.number(personality)?;
            }
            b'S' | b'B' | b'G' => {}
            _ => return None,
        }
    }
}

impl Iterator for Frames {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        loop {
            let record = self.rest.at;
            let length = u32::from_le_bytes(self.rest.take());
            let kind = self.rest.at;
            let end = kind.saturating_add(u64::from(length));
            if length == 0 || end > self.rest.end {
                self.rest.at = self.rest.end;
                return None;
            }
            let distance = u32::from_le_bytes(self.rest.take());
            let mut entry = Cursor { at: self.rest.at, end };
            self.rest.at = end;
            // A common information entry.
            if distance == 0 {
                continue;
            }
            let Some(encoding) = self.encoding(kind.wrapping_sub(u64::from(distance))) else { continue };
            if let Some(start) = entry.pointer(encoding)
                && let Some(size) = entry.number(encoding)
            {
                let code = AddrRange::new(ExecutorAddr(start), size);
                return Some(Frame { record: ExecutorAddr(record), code });
            }
        }
    }
}

#[cfg(test)]
#[path = "frame_records_tests.rs"]
pub mod tests;
