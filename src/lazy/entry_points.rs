//! Entry points: symbols that stand for implementations which are linked when they are first called.

use super::claims::Claim;
use super::ids::DylibId;
use super::unit::MaterializationUnit;
use crate::base::ExecutorAddr;
use std::sync::Arc;

/// An alias of an alias map: a symbol and the implementation that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LazyAlias {
    /// The symbol that callers use.
    pub entry_point: String,
    /// The JITDylib that the implementation is in.
    pub dylib: DylibId,
    /// The implementation's symbol, a function.
    pub implementation: String,
}

/// Entry points that are made together: one graph of trampolines, one of stubs.
#[derive(Debug)]
pub(super) struct EntryPoints {
    aliases: Aliases,
    /// The stubs, and with them the trampolines.
    pub stubs: Claim,
    /// The pointers that the stubs jump through; claimed with `stubs`.
    pub pointers: Claim,
}

#[derive(Debug)]
enum Aliases {
    /// Function `n` of a lazy file stands for its own body.
    Functions(Arc<MaterializationUnit>),
    /// What a caller of the session asked for.
    Map(Vec<LazyAlias>),
}

/// What an entry point stands for.
#[derive(Debug)]
pub(super) enum Implementation<'a> {
    /// The body of a function of a lazy file.
    Body { unit: &'a Arc<MaterializationUnit>, symbol: u32 },
    /// A symbol of a JITDylib.
    Symbol { dylib: DylibId, name: &'a str },
}

impl EntryPoints {
    /// The functions of `unit`.
    pub fn of_unit(unit: Arc<MaterializationUnit>) -> EntryPoints {
        EntryPoints::new(Aliases::Functions(unit))
    }

    /// The aliases of `map`.
    pub fn of_map(map: Vec<LazyAlias>) -> EntryPoints {
        EntryPoints::new(Aliases::Map(map))
    }

    fn new(aliases: Aliases) -> EntryPoints {
        EntryPoints { aliases, stubs: Claim::default(), pointers: Claim::default() }
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        match &self.aliases {
            Aliases::Functions(unit) => unit.functions().len() as u32,
            Aliases::Map(map) => map.len() as u32,
        }
    }

    /// What entry point `number` stands for.
    pub fn implementation(&self, number: u32) -> Implementation<'_> {
        match &self.aliases {
            Aliases::Functions(unit) => Implementation::Body { unit, symbol: unit.functions()[number as usize] },
            Aliases::Map(map) => {
                let alias = &map[number as usize];
                Implementation::Symbol { dylib: alias.dylib, name: &alias.implementation }
            }
        }
    }

    /// The name of entry point `number`.
    pub fn name(&self, number: u32) -> String {
        match &self.aliases {
            Aliases::Functions(unit) => {
                let symbol = unit.functions()[number as usize];
                String::from_utf8_lossy(unit.file.symbols.at(symbol as usize).name).into_owned()
            }
            Aliases::Map(map) => map[number as usize].entry_point.clone(),
        }
    }

    /// The address of the pointer of entry point `number`, whose batch is resolved.
    pub fn pointer(&self, number: u32) -> ExecutorAddr {
        self.pointers.address().offset(u64::from(number) * 8)
    }
}
