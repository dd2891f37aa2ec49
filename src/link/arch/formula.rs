//! What architectures share: the arithmetic of formulas, range checks, and the table of kinds.
//!
//! Each architecture writes one table with [`edge_kinds!`]; a row gives a kind its name, its documentation and the rule
//! by which `apply` carries it out, so that the three cannot drift apart.

use super::{Fixup, FixupError};

/// Size of the pages that `Page(x)` of the formulas rounds to: fixed by the instruction set, whatever the system's pages are.
const PAGE: u64 = 0x1000;

/// The value a fixup computes, before it is cut up into fields.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Formula {
    /// `T + A`
    Target,
    /// `T - P + A`
    Delta,
    /// `P - T + A`
    NegDelta,
    /// `Page(T + A) - Page(P)`
    PageDelta,
    /// `T - GOT + A`
    FromGot,
    /// `T - Page(GOT) + A`
    FromGotPage,
    /// `GOT - P + A`
    GotDelta,
    /// `Size + A`
    Size,
}

impl Formula {
    /// Whether the value stays the same when everything in it is moved by the same whole pages.
    pub(super) fn is_relative(self) -> bool {
        self != Formula::Target
    }

    /// The value modulo 2^64, as the psABIs compute, read as a signed number.
    #[inline(always)]
    pub(super) fn value(self, fixup: &Fixup) -> i64 {
        let Fixup { address, target, got, size, .. } = *fixup;
        let plus = |base: u64| base.wrapping_add(fixup.addend as u64);
        let value = match self {
            Formula::Target => plus(target),
            Formula::Delta => plus(target).wrapping_sub(address),
            Formula::NegDelta => plus(address).wrapping_sub(target),
            Formula::PageDelta => page(plus(target)).wrapping_sub(page(address)),
            Formula::FromGot => plus(target).wrapping_sub(got),
            Formula::FromGotPage => plus(target).wrapping_sub(page(got)),
            Formula::GotDelta => plus(got).wrapping_sub(address),
            Formula::Size => plus(size),
        };
        value as i64
    }
}

/// `Page(address)`.
fn page(address: u64) -> u64 {
    address & !(PAGE - 1)
}

/// The values that a field can hold, both ends included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Limits {
    min: i64,
    max: i64,
}

impl Limits {
    /// Whatever there is: the field has 64 bits, or the psABI asks for no check.
    pub(super) const ANY: Limits = Limits { min: i64::MIN, max: i64::MAX };

    /// `-2^(bits-1) ..= 2^(bits-1) - 1`
    pub(super) const fn signed(bits: u32) -> Limits {
        Limits { min: -1 << (bits - 1), max: (1 << (bits - 1)) - 1 }
    }

    /// `0 ..= 2^bits - 1`
    pub(super) const fn unsigned(bits: u32) -> Limits {
        Limits { min: 0, max: (1 << bits) - 1 }
    }

    /// `-2^(bits-1) ..= 2^bits - 1`: the field may be read either way.
    pub(super) const fn either(bits: u32) -> Limits {
        Limits { min: -1 << (bits - 1), max: (1 << bits) - 1 }
    }

    /// Errors: [`FixupError::OutOfRange`].
    #[inline(always)]
    pub(super) fn check(self, value: i64) -> Result<(), FixupError> {
        if (self.min..=self.max).contains(&value) {
            Ok(())
        } else {
            Err(FixupError::OutOfRange { value: value.into(), min: self.min.into(), max: self.max.into() })
        }
    }
}

/// The `N` bytes at `offset`, for reading and writing.
///
/// Errors: [`FixupError::OutsideBlock`].
pub(super) fn place<const N: usize>(block: &mut [u8], offset: usize) -> Result<&mut [u8; N], FixupError> {
    let end = offset.checked_add(N).ok_or(FixupError::OutsideBlock)?;
    block.get_mut(offset..end).and_then(|bytes| bytes.try_into().ok()).ok_or(FixupError::OutsideBlock)
}

/// Writes the low `width` (at most 8) bytes of `value`, little-endian.
///
/// Errors: [`FixupError::OutsideBlock`].
#[inline(always)]
pub(super) fn store(block: &mut [u8], offset: usize, width: u8, value: i64) -> Result<(), FixupError> {
    let bytes = value.to_le_bytes();
    // Nearly all fields have 4 or 8 bytes, which are one instruction each.
    if width == 4 {
        *place::<4>(block, offset)? = (value as i32).to_le_bytes();
        return Ok(());
    }
    if width == 8 {
        *place::<8>(block, offset)? = bytes;
        return Ok(());
    }
    let source = bytes.get(..width.into()).ok_or(FixupError::OutsideBlock)?;
    let end = offset.checked_add(source.len()).ok_or(FixupError::OutsideBlock)?;
    block.get_mut(offset..end).ok_or(FixupError::OutsideBlock)?.copy_from_slice(source);
    Ok(())
}

/// Declares an architecture's kinds: `CONSTANT: "Name" = "formula", width, class, rule;`.
///
/// Defines the constants in a module `kind`, their public table `KINDS`, and the table `RULES` of the given type.
macro_rules! edge_kinds {
    ($rule:ty; $($constant:ident: $name:literal = $formula:literal, $width:literal, $class:expr, $how:expr;)*) => {
        /// The edge kinds: indexes into the architecture's table.
        pub mod kind {
            use crate::link::edge::EdgeKind;

            #[allow(non_camel_case_types)]
            enum Index { $($constant),* }

            $(
                #[doc = concat!("`", $name, "`: `", $formula, "`.")]
                pub const $constant: EdgeKind = EdgeKind(Index::$constant as u8);
            )*
        }

        /// What every kind is called and how passes treat it; indexed by kind.
        pub static KINDS: &[EdgeKindInfo] = &[
            $(EdgeKindInfo { name: $name, formula: $formula, width: $width, class: $class }),*
        ];

        /// How every kind is applied; indexed by kind.
        pub(super) static RULES: &[$rule] = &[$($how),*];

        /// Every constant beside its name, for the test that they agree with the table.
        #[cfg(test)]
        pub(super) static CONSTANTS: &[(crate::link::edge::EdgeKind, &str)] = &[$((kind::$constant, $name)),*];
    };
}
pub(super) use edge_kinds;
