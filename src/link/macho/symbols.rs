//! The symbol table of a Mach-O file.

use super::names;
use super::read::{File, Tables};
use super::sections::FileSection;
use super::split::Split;
use crate::base::MemProt;
use crate::link::error::{LinkError, Result};
use crate::link::graph::{Linkage, Scope};
use crate::link::object_file::{ObjectPlace, ObjectSection, ObjectSymbol, SectionKind, SymbolKind};
use crate::link::packed::{ObjectSections, ObjectSymbols};
use object::LittleEndian as LE;
use object::macho::{self, Nlist64};
use object::read::macho::Nlist;
use rustc_hash::FxHashMap;
use std::fmt::Display;

/// Greatest size accepted of a common symbol: what the address space of a process holds.
const MAX_SIZE: u64 = 1 << 47;

/// The alignment of common symbols that ask for none is their size, up to this.
const MAX_NATURAL_ALIGN: u64 = 16;

/// Reads the symbol table.
pub(super) struct Symbols<'a> {
    pub file: &'a File<'a>,
    pub tables: &'a Tables,
    pub file_sections: &'a [FileSection],
    pub split: &'a Split,
}

impl Symbols<'_> {
    /// The symbols of the file, then one for each of `sections`, then those that aliases need; see the module `macho`.
    /// Sections for common symbols are added to `sections`.
    pub fn read(&self, sections: &mut ObjectSections) -> Result<ObjectSymbols> {
        let mut symbols = ObjectSymbols::with_capacity(self.file.data, self.tables.symbols.len() + sections.len());
        let pieces = sections.len() as u32;
        let mut aliases = Vec::new();
        for (index, nlist) in self.tables.symbols.iter().enumerate() {
            if !nlist.n_type().is_stab() && nlist.n_type().typ() == macho::N_INDR {
                aliases.push(index);
            }
            symbols.push(self.symbol(index, nlist, sections)?);
        }
        (0..pieces).for_each(|piece| symbols.push(section_symbol(piece)));
        self.resolve_aliases(&aliases, &mut symbols)?;
        Ok(symbols)
    }

    fn malformed(&self, index: usize, name: &[u8], what: impl Display) -> LinkError {
        self.file.malformed(format_args!("symbol {index} ({})", String::from_utf8_lossy(name)), what)
    }

    fn name(&self, index: usize, offset: u32) -> Result<&'static [u8]> {
        if offset == 0 {
            return Ok(b"");
        }
        let name = self.tables.symbols.strings().get(offset);
        name.map_err(|()| {
            self.file.malformed(format_args!("symbol {index}"), "its name is outside of the string table")
        })
    }

    fn symbol(&self, index: usize, nlist: &'static Nlist64<LE>, sections: &mut ObjectSections) -> Result<ObjectSymbol> {
        let n_type = nlist.n_type();
        if n_type.is_stab() {
            return Ok(placeholder());
        }
        let name = self.name(index, nlist.n_strx(LE))?;
        let (n_desc, value) = (nlist.n_desc(LE).0, nlist.n_value(LE));
        let external = n_type.contains(macho::N_EXT);
        if external && name.is_empty() {
            let what = format_args!("Symbol at index {index} has no name (string table index 0), but N_EXT bit is set");
            return Err(self.file.malformed("symbol table", what));
        }
        let mut symbol = ObjectSymbol {
            name,
            place: ObjectPlace::Undefined,
            value: 0,
            size: 0,
            kind: SymbolKind::Data,
            linkage: Linkage::Strong,
            scope: match external {
                false => Scope::Local,
                true if n_type.contains(macho::N_PEXT) || names::is_linker_private(name) => Scope::Hidden,
                true => Scope::Default,
            },
        };
        match n_type.typ() {
            macho::N_UNDF if value == 0 => {
                if n_desc & macho::N_WEAK_REF.0 != 0 {
                    symbol.linkage = Linkage::Weak;
                }
            }
            macho::N_UNDF => {
                symbol.size = value;
                sections.push(self.common(index, name, value, n_desc)?);
                symbol.place = ObjectPlace::Common(sections.len() as u32 - 1);
            }
            macho::N_PBUD | macho::N_INDR => {}
            macho::N_ABS => {
                symbol.place = ObjectPlace::Absolute;
                symbol.value = value;
            }
            macho::N_SECT => self.place(nlist, &mut symbol),
            other => return Err(self.malformed(index, name, format_args!("its type {:#x} is unknown", other.0))),
        }
        if symbol.is_defined() && n_desc & macho::N_WEAK_DEF.0 != 0 {
            symbol.linkage = Linkage::Weak;
        }
        Ok(symbol)
    }

    /// Enters where `symbol` is, whose section and address have been checked.
    fn place(&self, nlist: &Nlist64<LE>, symbol: &mut ObjectSymbol) {
        let number = usize::from(nlist.n_sect()).wrapping_sub(1);
        let section = &self.file_sections[number];
        let offset = nlist.n_value(LE).wrapping_sub(section.address);
        if section.kind == SectionKind::Unloaded {
            symbol.place = ObjectPlace::Section(section.pieces.start);
            symbol.value = offset;
            return;
        }
        let (piece, value) = self.split.piece_at(section, offset as i64);
        let value = value as u64;
        let end = offset - value + self.split.pieces[piece as usize].size;
        symbol.place = ObjectPlace::Section(piece);
        symbol.value = value;
        symbol.size = self.split.distance_to_next(number as u32, offset, end);
        symbol.kind = match section.kind {
            SectionKind::ThreadLocal => SymbolKind::ThreadLocal,
            _ if section.prot != MemProt::ReadExec || self.is_data_in_code(nlist.n_value(LE)) => SymbolKind::Data,
            _ if nlist.n_desc(LE).0 & macho::N_SYMBOL_RESOLVER.0 != 0 => SymbolKind::IndirectFunction,
            _ => SymbolKind::Function,
        };
    }

    /// Whether at `address` of the file are data among instructions.
    fn is_data_in_code(&self, address: u64) -> bool {
        self.tables.data_in_code.iter().any(|entry| {
            let start = u64::from(entry.offset.get(LE));
            (start..start + u64::from(entry.length.get(LE))).contains(&address)
        })
    }

    /// The memory of common symbol `index` of `size` bytes.
    fn common(&self, index: usize, name: &[u8], size: u64, n_desc: u16) -> Result<ObjectSection> {
        if size > MAX_SIZE {
            return Err(self.malformed(index, name, format_args!("common symbol of {size:#x} bytes")));
        }
        let align = match n_desc >> 8 & 0xf {
            0 => size.next_power_of_two().min(MAX_NATURAL_ALIGN),
            log => 1 << log,
        };
        Ok(ObjectSection {
            name: b"__DATA,__common",
            kind: SectionKind::Common,
            prot: MemProt::ReadWrite,
            content: &[],
            size,
            align,
            align_offset: 0,
            linked_to: None,
        })
    }

    /// Makes indirect symbols, the numbers of which are `aliases`, stand for what they name.
    fn resolve_aliases(&self, aliases: &[usize], symbols: &mut ObjectSymbols) -> Result<()> {
        if aliases.is_empty() {
            return Ok(());
        }
        let named = symbols.iter().enumerate().filter(|(_, symbol)| !symbol.name.is_empty());
        let mut by_name: FxHashMap<&[u8], u32> = named.map(|(index, symbol)| (symbol.name, index as u32)).collect();
        for &index in aliases {
            let offset = self.tables.symbols.symbol(object::SymbolIndex(index)).map(|nlist| nlist.n_value(LE));
            let offset = offset.ok().and_then(|value| u32::try_from(value).ok()).filter(|&offset| offset != 0);
            let what = "it is another name for a symbol whose name is outside of the string table";
            let offset = offset.ok_or_else(|| self.malformed(index, symbols.at(index).name, what))?;
            let name = self.name(index, offset)?;
            let target = *by_name.entry(name).or_insert_with(|| {
                symbols.push(ObjectSymbol {
                    name,
                    place: ObjectPlace::Undefined,
                    scope: Scope::Default,
                    ..placeholder()
                });
                symbols.len() as u32 - 1
            });
            symbols.set(index, ObjectSymbol { place: ObjectPlace::Alias(target), ..symbols.at(index) });
        }
        Ok(())
    }
}

/// A symbol that nothing refers to.
fn placeholder() -> ObjectSymbol {
    ObjectSymbol {
        name: b"",
        place: ObjectPlace::Absolute,
        value: 0,
        size: 0,
        kind: SymbolKind::Data,
        linkage: Linkage::Strong,
        scope: Scope::Local,
    }
}

/// The symbol for the start of section `index`.
fn section_symbol(index: u32) -> ObjectSymbol {
    ObjectSymbol { place: ObjectPlace::Section(index), ..placeholder() }
}
