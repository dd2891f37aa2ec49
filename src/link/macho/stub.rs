//! What a library promises, without the library: its exported symbols, from a text stub (`.tbd`, read by `text_stub`) or from a
//! dynamic library's own tables.

use super::{text_stub, universal};
use crate::base::{Arch, Format, Target};
use crate::link::error::{LinkError, Result};
use object::LittleEndian as LE;
use object::macho;
use object::read::macho::{LoadCommandVariant, MachHeader, MachOFile64};
use object::{Object as _, ObjectSymbol as _, SymbolScope};

/// How often the bytes of a library's names may be used on average; well-formed ones use each once.
const NAME_SHARING: usize = 64;

/// A library, known by name.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StubLibrary {
    /// Whether this only stands for the library, which is elsewhere.
    pub is_text: bool,
    /// Where a system that has the library keeps it: what the dynamic loader is asked for.
    pub install_name: String,
    /// The linker-level names of what it exports for the target, ascending, each once. Those of libraries that a text stub carries
    /// within it are among them.
    pub symbols: Vec<Vec<u8>>,
}

/// Whether `data` begins as a text stub or as a dynamic library of this format does. A universal file is looked into by
/// [`super::universal`] first.
pub fn is_stub(data: &[u8]) -> bool {
    text_stub::is_text_stub(data) || is_dylib(data)
}

fn is_dylib(data: &[u8]) -> bool {
    let file_type = data.get(12..16).and_then(|word| Some(u32::from_le_bytes(word.try_into().ok()?)));
    data.starts_with(&macho::MH_MAGIC_64.to_le_bytes())
        && file_type.is_some_and(|word| [macho::MH_DYLIB.0, macho::MH_DYLIB_STUB.0].contains(&word))
}

/// What the library in `data`, called `name` in messages, exports for `target`; universal files are looked into. `None` if it is no
/// library of this format.
///
/// Errors: that it is damaged, or that it is for other targets.
pub fn read(name: &str, data: &'static [u8], target: Target) -> Result<Option<StubLibrary>> {
    let data = match universal::is_universal(data) {
        // The names are the same with signed pointers (arm64e) and without.
        true => universal::part_for(name, data, target).or_else(|error| match target.other_pointers() {
            Some(other) => universal::part_for(name, data, other).map_err(|_| error),
            None => Err(error),
        })?,
        false => data,
    };
    let mut stub = if text_stub::is_text_stub(data) {
        text_stub::read(name, data, target)?
    } else if is_dylib(data) {
        dylib(name, data, target)?
    } else {
        return Ok(None);
    };
    stub.symbols.sort_unstable();
    stub.symbols.dedup();
    Ok(Some(stub))
}

fn dylib(name: &str, data: &'static [u8], target: Target) -> Result<StubLibrary> {
    let malformed = |error| LinkError::malformed(name, "dynamic library", error);
    let header = macho::MachHeader64::<LE>::parse(data, 0).map_err(malformed)?;
    let arch = match header.cputype(LE) {
        macho::CPU_TYPE_X86_64 => Some(Arch::X86_64),
        // The names are the same with signed pointers (arm64e).
        macho::CPU_TYPE_ARM64 => Some(Arch::Aarch64),
        _ => None,
    };
    if target.format != Format::MachO || arch != Some(target.arch) {
        let what = format!("is a dynamic library for CPU type {:#x}, not for {target}", header.cputype(LE).0);
        return Err(LinkError::unsuitable(name, what));
    }
    let mut stub = StubLibrary::default();
    let mut commands = header.load_commands(LE, data, 0).map_err(malformed)?;
    while let Some(command) = commands.next().map_err(malformed)? {
        if let LoadCommandVariant::IdDylib(id) = command.variant().map_err(malformed)? {
            let install_name = command.string(LE, id.dylib.name).map_err(malformed)?;
            stub.install_name = String::from_utf8_lossy(install_name).into_owned();
        }
    }
    let file = MachOFile64::<LE>::parse(data).map_err(malformed)?;
    // Not from the exports trie: a hostile one has as many names as one likes, or no end.
    let mut budget = data.len().saturating_mul(NAME_SHARING);
    for symbol in file.symbols().filter(|s| s.is_definition() && s.scope() == SymbolScope::Dynamic) {
        let name_bytes = symbol.name_bytes().map_err(malformed)?;
        budget = budget.checked_sub(name_bytes.len()).ok_or_else(|| {
            LinkError::malformed(name, "symbol table", "names of symbols overlap those of too many others")
        })?;
        stub.symbols.push(name_bytes.to_vec());
    }
    Ok(stub)
}
