//! LazyReexportsManager: entry points that stand for implementations that are not linked yet.
//!
//! An entry point is a redirectable stub; its pointer first leads to a reentry trampoline. The first call goes through the
//! trampoline and the runtime to [`LazyReexportsManager::resolve`], which links the implementation, redirects the stub,
//! and answers where to go on.

use super::closure::Closure;
use super::error::SessionError;
use super::part::{Findings, Part, Publish, Slot};
use super::redirectable::RedirectableSymbolManager;
use super::session::Session;
use super::symbol_instance::BODY_SUFFIX;
use super::trampolines::ReentryTrampolines;
use super::unit::MaterializationUnit;
use crate::base::{AddrRange, ExecutorAddr};
use crate::link::arch::Architecture;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Makes entry points and answers their first calls.
#[derive(Debug, Default)]
pub struct LazyReexportsManager {
    trampolines: ReentryTrampolines,
    stubs: RedirectableSymbolManager,
    /// By address of the first trampoline.
    table: RwLock<BTreeMap<ExecutorAddr, Reexports>>,
}

/// The entry points of one file: trampoline `n` stands for function `n` of the unit.
#[derive(Debug)]
struct Reexports {
    trampolines: AddrRange,
    unit: Arc<MaterializationUnit>,
}

/// What a reentry address stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LazyReexport {
    /// The symbol that callers use.
    pub entry_point: String,
    /// The implementation's symbol: the same with [`BODY_SUFFIX`].
    pub body: String,
    /// The JITDylib that both are in.
    pub dylib: String,
}

impl LazyReexportsManager {
    /// The trampolines and the stubs of the functions of `unit`, as parts number `first` and `first + 1` of the batch.
    pub(super) fn entry_point_parts(
        &self,
        closure: &Closure<'_>,
        unit: &Arc<MaterializationUnit>,
        first: usize,
        reentry: super::ids::EntryId,
        found: &mut Findings,
    ) -> Result<[Part; 2], SessionError> {
        let arch = closure.arch;
        let unsupported = || SessionError::LazinessUnsupported(arch.arch().name());
        let count = unit.functions().len() as u32;
        let target = unit.file.target;
        let mut trampolines = Part::synthesized(self.trampolines.next_graph_name(), target);
        let reenter = closure.refer(&mut trampolines, reentry, found)?;
        let row = ReentryTrampolines::build(arch, &mut trampolines.graph, count, reenter).ok_or_else(unsupported)?;
        let stride = ReentryTrampolines::stride(arch).ok_or_else(unsupported)? as i64;
        trampolines.published.push((row, Publish::Trampolines(unit.clone())));
        let mut stubs = Part::synthesized(self.stubs.next_graph_name(), target);
        let slot = Slot::Block { part: first, block: row, offset: 0 };
        let initial = stubs.external(b"", 0, slot);
        let made =
            RedirectableSymbolManager::build(arch, &mut stubs.graph, count, |n| (initial, i64::from(n) * stride));
        stubs.published.push((made.stubs, Publish::Stubs(unit.clone())));
        stubs.published.push((made.pointers, Publish::StubPointers(unit.clone())));
        Ok([trampolines, stubs])
    }

    /// Notes that the trampolines of `unit` are the `size` bytes at `address`.
    pub(super) fn register(&self, unit: &Arc<MaterializationUnit>, address: ExecutorAddr, size: u64) {
        let reexports = Reexports { trampolines: AddrRange::new(address, size), unit: unit.clone() };
        self.table.write().unwrap_or_else(PoisonError::into_inner).insert(address, reexports);
    }

    /// The address of entry point `number` of `unit`, whose stubs are linked.
    pub(super) fn entry_point(&self, arch: &dyn Architecture, unit: &MaterializationUnit, number: u32) -> ExecutorAddr {
        unit.stubs.address().offset(u64::from(number) * RedirectableSymbolManager::stride(arch))
    }

    /// Makes entry point `number` of `unit` go to `implementation`.
    pub(super) fn redirect(
        &self,
        session: &Session,
        unit: &MaterializationUnit,
        number: u32,
        implementation: ExecutorAddr,
    ) {
        let pointer = unit.stub_pointers.address().offset(u64::from(number) * 8);
        RedirectableSymbolManager::redirect(session.executor(), pointer, implementation);
    }

    /// What the trampoline at `reentry` stands for.
    ///
    /// Errors: [`SessionError::UnknownReentryAddress`].
    pub fn describe(&self, session: &Session, reentry: ExecutorAddr) -> Result<LazyReexport, SessionError> {
        let (unit, number) = self.find(session, reentry)?;
        let symbol = &unit.file.symbols[unit.functions()[number as usize] as usize];
        let name = String::from_utf8_lossy(symbol.name).into_owned();
        Ok(LazyReexport {
            body: format!("{name}{BODY_SUFFIX}"),
            entry_point: name,
            dylib: session.dylib_name(unit.dylib),
        })
    }

    /// Answers a first call: links the function that the trampoline at `reentry` stands for, redirects its stub, and returns the
    /// landing address. Any number of threads may ask for the same one; it is linked once.
    ///
    /// Errors: [`SessionError::UnknownReentryAddress`], or why the function cannot be linked.
    pub fn resolve(&self, session: &Session, reentry: ExecutorAddr) -> Result<ExecutorAddr, SessionError> {
        let (unit, number) = self.find(session, reentry)?;
        let symbol = unit.functions()[number as usize];
        log::debug!("first call of {}", String::from_utf8_lossy(unit.file.symbols[symbol as usize].name));
        let landing = session.link_body(&unit, symbol)?;
        self.redirect(session, &unit, number, landing);
        Ok(landing)
    }

    fn find(&self, session: &Session, reentry: ExecutorAddr) -> Result<(Arc<MaterializationUnit>, u32), SessionError> {
        let unknown = SessionError::UnknownReentryAddress(reentry.0);
        let stride = ReentryTrampolines::stride(session.arch()).unwrap_or(1);
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let (base, reexports) = table.range(..=reentry).next_back().ok_or(unknown.clone())?;
        let offset = reentry.0 - base.0;
        if !reexports.trampolines.contains(reentry) || !offset.is_multiple_of(stride) {
            return Err(unknown);
        }
        Ok((reexports.unit.clone(), (offset / stride) as u32))
    }
}
