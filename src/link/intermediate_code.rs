//! Objects of link-time optimization: they hold a compiler's intermediate code, which only that compiler can turn into machine code.
//!
//! GCC's are objects in the platform's format that say so by a symbol (those that hold machine code as well do not have it); LLVM's are bitcode files
//! (LLVM's bitcode format, "Bitcode Wrapper Format" and "Magic Numbers").

use super::error::LinkError;

/// The common symbol of GCC's objects without machine code.
pub const GNU_SLIM: &[u8] = b"__gnu_lto_slim";

/// The first bytes of LLVM's bitcode, without and with a wrapper.
const BITCODE: [[u8; 4]; 2] = [*b"BC\xc0\xde", [0xde, 0xc0, 0x17, 0x0b]];

/// Whether `data`, a file, is LLVM's bitcode.
pub fn is_bitcode(data: &[u8]) -> bool {
    data.first_chunk().is_some_and(|magic| BITCODE.contains(magic))
}

/// That `file` is such an object.
#[cold]
pub fn error(file: &str) -> LinkError {
    let what = "holds a compiler's intermediate code for link-time optimization, and no machine code; compile it without -flto, or with \
                -flto -ffat-lto-objects";
    LinkError::unsuitable(file, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bitcode_is_known_by_its_first_bytes() {
        for (data, expected) in [
            (&b"BC\xc0\xde5\x14"[..], true),
            (b"\xde\xc0\x17\x0b\0\0", true),
            (b"BC\xc0", false),
            (b"", false),
            (b"\x7fELF", false),
        ] {
            assert_eq!(is_bitcode(data), expected, "{data:x?}");
        }
    }
}
