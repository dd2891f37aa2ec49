//! Simple packed serialization (SPS), as far as the dispatched call `__orc_rt_resolve` needs it.
//!
//! Little-endian, packed. Note the polarity of the leading byte: `Expected` begins with 1 for success.

use crate::base::ExecutorAddr;

/// `JITSymbolFlags`: the symbol is visible outside its JITDylib.
pub const EXPORTED: u8 = 0x10;
/// `JITSymbolFlags`: the symbol is code.
pub const CALLABLE: u8 = 0x20;

/// The out-of-band error for arguments that do not decode.
pub const BAD_ARGUMENTS: &str = "Could not deserialize arguments for wrapper function call";

/// `ExecutorSymbolDef`: what a symbol is bound to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExecutorSymbolDef {
    /// Its address.
    pub address: ExecutorAddr,
    /// Its `JITSymbolFlags`, such as [`EXPORTED`] and [`CALLABLE`].
    pub flags: u8,
}

/// The first argument, an `SPSExecutorAddr`; `None` if the bytes are too few. More bytes are ignored, as LLVM does.
pub fn decode_address(args: &[u8]) -> Option<ExecutorAddr> {
    let (bytes, _) = args.split_first_chunk::<8>()?;
    Some(ExecutorAddr(u64::from_le_bytes(*bytes)))
}

/// Whether a resolve call takes the address alone for an answer, inline: the built-in runtime says so in a second word, since the
/// standard answer has to come from `malloc`, which a first call in a signal handler may have interrupted. LLVM's sends none.
pub fn takes_plain_answer(args: &[u8]) -> bool {
    const PLAIN_ANSWER: u64 = 1;
    args.get(8..16) == Some(&PLAIN_ANSWER.to_le_bytes())
}

/// An argument list of one `SPSExecutorAddr`.
pub fn encode_address(address: ExecutorAddr) -> [u8; 8] {
    address.0.to_le_bytes()
}

/// An `SPSExpected<SPSExecutorSymbolDef>`.
pub fn encode_expected_symbol(result: Result<ExecutorSymbolDef, &str>) -> Vec<u8> {
    match result {
        Ok(symbol) => {
            let mut bytes = [0; 11];
            bytes[0] = 1;
            bytes[1..9].copy_from_slice(&symbol.address.0.to_le_bytes());
            // The target flags, behind them, are for Thumb only.
            bytes[9] = symbol.flags;
            bytes.to_vec()
        }
        Err(message) => {
            let mut bytes = vec![0];
            bytes.extend((message.len() as u64).to_le_bytes());
            bytes.extend(message.as_bytes());
            bytes
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From hexadecimal digits and blanks.
    fn bytes(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        digits.chunks(2).map(byte).collect()
    }

    #[test]
    fn the_argument_of_a_captured_resolve_call_decodes() {
        let args = bytes("0030477abd7f0000");
        assert_eq!(decode_address(&args), Some(ExecutorAddr(0x7fbd_7a47_3000)));
        assert_eq!(encode_address(ExecutorAddr(0x7fbd_7a47_3000)), args[..]);
    }

    #[test]
    fn too_few_bytes_do_not_decode() {
        assert_eq!(decode_address(&[0; 7]), None);
    }

    #[test]
    fn further_bytes_are_ignored() {
        assert_eq!(decode_address(&[1, 0, 0, 0, 0, 0, 0, 0, 9]), Some(ExecutorAddr(1)));
    }

    #[test]
    fn the_address_alone_is_for_those_who_ask_for_it() {
        let args = bytes("0030477abd7f0000 0100000000000000");
        assert!(takes_plain_answer(&args));
        assert!(!takes_plain_answer(&args[..8]));
        assert!(!takes_plain_answer(&bytes("0030477abd7f0000 0200000000000000")));
    }

    #[test]
    fn a_captured_answer_is_encoded_alike() {
        let symbol = ExecutorSymbolDef { address: ExecutorAddr(0x7fbd_7a47_b000), flags: EXPORTED | CALLABLE };
        assert_eq!(encode_expected_symbol(Ok(symbol)), bytes("01 00b0477abd7f0000 30 00"));
    }

    #[test]
    fn a_captured_failure_is_encoded_alike() {
        let message = "Failed to materialize symbols: { (main, { foo$orc_fnbody }) }";
        let mut expected = bytes("00 3d00000000000000");
        expected.extend(message.as_bytes());
        assert_eq!(encode_expected_symbol(Err(message)), expected);
    }
}
