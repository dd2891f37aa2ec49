//! LazyReexportsManager: entry points that stand for implementations that are not linked yet.
//!
//! An entry point is a redirectable stub; its pointer first leads to a reentry trampoline. The first call goes through the
//! trampoline and the runtime to [`LazyReexportsManager::resolve`], which links the implementation, redirects the stub,
//! and answers where to go on.

use super::closure::Closure;
use super::entry_points::{EntryPoints, Implementation, LazyAlias};
use super::error::{SessionError, SessionErrorKind};
use super::ids::{DylibId, EntryId};
use super::part::{Findings, Part, Publish, Slot};
use super::plugin::FirstCall;
use super::redirectable::RedirectableSymbolManager;
use super::session::Session;
use super::symbol_instance::BODY_SUFFIX;
use super::trampolines::ReentryTrampolines;
use crate::base::{AddrRange, ExecutorAddr};
use crate::link::arch::Architecture;
use crossbeam_utils::CachePadded;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

/// Makes entry points and answers their first calls.
#[derive(Debug, Default)]
pub struct LazyReexportsManager {
    trampolines: ReentryTrampolines,
    stubs: RedirectableSymbolManager,
    /// By address of the first trampoline.
    table: CachePadded<RwLock<BTreeMap<ExecutorAddr, Reexports>>>,
}

/// Trampoline `n` stands for entry point `n`.
#[derive(Debug)]
struct Reexports {
    trampolines: AddrRange,
    points: Arc<EntryPoints>,
}

/// What a reentry address stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LazyReexport {
    /// The symbol that callers use.
    pub entry_point: String,
    /// The implementation's symbol; for a function of a lazy file its own name with [`BODY_SUFFIX`].
    pub body: String,
    /// The JITDylib that the implementation is in.
    pub dylib: String,
}

impl LazyReexportsManager {
    /// Defines lazy reexports in `dylib`: each entry point of `aliases` stands for its implementation, which is linked when the
    /// entry point is first called. Nothing is looked up before.
    ///
    /// Errors: [`SessionErrorKind::DuplicateDefinition`] for an entry point that is defined already, [`SessionErrorKind::NoRuntime`].
    pub fn define(&self, session: &Session, dylib: DylibId, aliases: Vec<LazyAlias>) -> Result<(), SessionError> {
        session.enable_laziness()?;
        session.add_lazy_reexports(dylib, aliases)
    }

    /// The trampolines and the stubs of `points`, as parts number `first` and `first + 1` of the batch.
    pub(super) fn entry_point_parts(
        &self,
        closure: &Closure<'_>,
        points: &Arc<EntryPoints>,
        first: usize,
        reentry: EntryId,
        found: &mut Findings,
    ) -> Result<[Part; 2], SessionError> {
        let arch = closure.arch;
        let unsupported = || SessionError::from(SessionErrorKind::LazinessUnsupported(arch.arch().name()));
        let count = points.count();
        let mut trampolines = Part::synthesized(self.trampolines.next_graph_name(), closure.target);
        let reenter = closure.refer(&mut trampolines, reentry, found)?;
        let row = ReentryTrampolines::build(arch, &mut trampolines.graph, count, reenter).ok_or_else(unsupported)?;
        let stride = ReentryTrampolines::stride(arch).ok_or_else(unsupported)? as i64;
        trampolines.published.push((row, Publish::Trampolines(points.clone())));
        let mut stubs = Part::synthesized(self.stubs.next_graph_name(), closure.target);
        let slot = Slot::Block { part: first, block: row, offset: 0 };
        let initial = stubs.external(b"", 0, slot);
        let made =
            RedirectableSymbolManager::build(arch, &mut stubs.graph, count, |n| (initial, i64::from(n) * stride));
        stubs.published.push((made.stubs, Publish::Stubs(points.clone())));
        stubs.published.push((made.pointers, Publish::StubPointers(points.clone())));
        Ok([trampolines, stubs])
    }

    /// Notes that the trampolines of `points` are the `size` bytes at `address`.
    pub(super) fn register(&self, points: &Arc<EntryPoints>, address: ExecutorAddr, size: u64) {
        let reexports = Reexports { trampolines: AddrRange::new(address, size), points: points.clone() };
        self.table.write().unwrap_or_else(PoisonError::into_inner).insert(address, reexports);
    }

    /// The address of entry point `number` of `points`, whose stubs are linked.
    pub(super) fn entry_point(arch: &dyn Architecture, points: &EntryPoints, number: u32) -> ExecutorAddr {
        points.stubs.address().offset(u64::from(number) * RedirectableSymbolManager::stride(arch))
    }

    /// What the trampoline at `reentry` stands for.
    ///
    /// Errors: [`SessionErrorKind::UnknownReentryAddress`].
    pub fn describe(&self, session: &Session, reentry: ExecutorAddr) -> Result<LazyReexport, SessionError> {
        let (points, number) = self.find(session, reentry)?;
        let entry_point = points.name(number);
        Ok(match points.implementation(number) {
            Implementation::Body { unit, .. } => LazyReexport {
                body: format!("{entry_point}{BODY_SUFFIX}"),
                entry_point,
                dylib: session.dylib_name(unit.dylib),
            },
            Implementation::Symbol { dylib, name } => {
                LazyReexport { body: name.to_string(), entry_point, dylib: session.dylib_name(dylib) }
            }
        })
    }

    /// Answers a first call: links the function that the trampoline at `reentry` stands for, redirects its stub, and returns the
    /// landing address. Any number of threads may ask for the same one; it is linked once.
    ///
    /// Errors: [`SessionErrorKind::UnknownReentryAddress`], or why the function cannot be linked.
    pub fn resolve(&self, session: &Session, reentry: ExecutorAddr) -> Result<ExecutorAddr, SessionError> {
        if session.plugins().is_empty() {
            return self.answer(session, reentry);
        }
        let start = Instant::now();
        let result = self.answer(session, reentry);
        let end = Instant::now();
        if let Ok(LazyReexport { entry_point, body, dylib }) = self.describe(session, reentry) {
            let call = FirstCall { entry_point, body, dylib, start, end, linked: result.is_ok() };
            for plugin in session.plugins() {
                plugin.first_call(&call);
            }
        }
        result
    }

    fn answer(&self, session: &Session, reentry: ExecutorAddr) -> Result<ExecutorAddr, SessionError> {
        let (points, number) = self.find(session, reentry)?;
        log::debug!("first call of {}", points.name(number));
        let landing = match points.implementation(number) {
            Implementation::Body { unit, symbol } => session.link_body(unit, symbol)?,
            Implementation::Symbol { dylib, name } => session.lookup(dylib, name)?,
        };
        RedirectableSymbolManager::redirect(session.executor(), points.pointer(number), landing);
        Ok(landing)
    }

    fn find(&self, session: &Session, reentry: ExecutorAddr) -> Result<(Arc<EntryPoints>, u32), SessionError> {
        let unknown = || SessionError::from(SessionErrorKind::UnknownReentryAddress(reentry.0));
        let stride = ReentryTrampolines::stride(session.arch()).unwrap_or(1);
        let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
        let (base, reexports) = table.range(..=reentry).next_back().ok_or_else(unknown)?;
        let offset = reentry.0 - base.0;
        if !reexports.trampolines.contains(reentry) || !offset.is_multiple_of(stride) {
            return Err(unknown());
        }
        Ok((reexports.points.clone(), (offset / stride) as u32))
    }
}
