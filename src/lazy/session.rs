//! Sessions: JITDylibs full of files, and lookups that link them.

use super::batch_table::BatchTable;
use super::canonical::CanonicalAddresses;
use super::entry_points::{EntryPoints, LazyAlias};
use super::error::{SessionError, SessionErrorKind};
use super::helpers::HelperArchives;
use super::ids::{DylibId, EntryId};
use super::lazy_reexports::LazyReexportsManager;
use super::member_reader::FileAccess;
use super::name_table::HashedFile;
use super::plugin::Plugin;
use super::progress::Progress;
use super::resolution::{ArchiveOptions, PLATFORM};
use super::scratch::ScratchPool;
use super::symbol_table::{Definition, SymbolTables};
use super::unit::{Laziness, MaterializationUnit};
use crate::base::{ExecutorAddr, Target};
use crate::link::arch::{self, Architecture};
use crate::link::archive::{Archive, CopyPart};
use crate::link::conventions::Conventions;
use crate::link::{self, LinkError};
use crate::rt::wrapper::{
    BAD_ARGUMENTS, CALLABLE, EXPORTED, ExecutorSymbolDef, decode_address, encode_address, encode_expected_symbol,
    takes_plain_answer,
};
use crate::rt::{DispatchHandler, DispatchResult, ExecutorProcessControl, PretendReserve, ThreadLocalMemory};
use crossbeam_utils::CachePadded;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, TryLockError, Weak};
use std::thread::Thread;

/// How a session behaves.
pub struct SessionOptions {
    /// Whether linked code is run. If not, everything is linked and nothing of the program executed, so that the target need not
    /// be this machine.
    pub executes: bool,
    /// How many threads big batches are linked with; 0 and 1: only that of the caller. `None`: as many as there are cores.
    pub threads: Option<usize>,
    /// Called with the name of each graph when it is about to be linked; for a file once, however often it is linked from.
    pub on_link: Box<dyn Fn(&str) + Send + Sync>,
    /// Reads a file that a thin archive names. What it returns must stay readable as long as the process.
    pub load_file: FileLoader,
    /// Copies tables of lazy archives' members, so that the members themselves need not be in memory yet.
    pub copy_file_part: Box<CopyPart<'static>>,
    /// Asked, while the program runs, of bytes that something was linked from: whether they are still what they were. The error is the path of the file that has changed.
    pub check_file: FileChecker,
    /// The archives that a static link ends with, as name and content, asked for at most once: when a symbol is defined neither by
    /// the inputs nor by the runtime nor by the process. Those for another target are left out.
    pub helper_archives: ArchiveLoader,
    /// Shown every graph that is linked, in this order.
    pub plugins: Vec<Box<dyn Plugin>>,
    /// What graphs are like.
    pub graphs: GraphOptions,
    /// Where thread-local variables go; `None`: where the executor has them, or nowhere if nothing is executed.
    pub thread_locals: Option<Box<dyn ThreadLocalMemory>>,
    /// Whether linked code will run where symbols of the process have other addresses: nothing is decided by those they have now.
    pub relocatable: bool,
}

/// What graphs are like, for those who look at them; the program does the same in either case.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct GraphOptions {
    /// Whether graphs are complete, as JITLink's are: they have all symbols of their files, entry points and bodies of lazy functions
    /// by their names, a GOT entry for each reference that asks for one, and a stub for each callee outside of the graph; references
    /// go past those where they can. Otherwise graphs have what fixing up needs.
    pub complete: bool,
    /// Whether every graph has pages of its own, in JITLink's order. Only for sessions that execute nothing.
    pub separate: bool,
}

/// Reads a file into memory that stays readable as long as the process.
pub type FileLoader = Box<dyn Fn(&Path) -> std::io::Result<&'static [u8]> + Send + Sync>;

/// Answers whether bytes of a file are as they were when it was read; else its path.
pub type FileChecker = Box<dyn Fn(&'static [u8]) -> Result<(), PathBuf> + Send + Sync>;

/// Answers names and contents of archives; the contents must stay readable as long as the process.
pub type ArchiveLoader = Box<dyn Fn() -> Vec<(String, &'static [u8])> + Send + Sync>;

impl SessionOptions {
    pub(super) fn file_access(&self) -> FileAccess<'_> {
        FileAccess { load: &self.load_file, copy_part: &self.copy_file_part }
    }
}

impl Default for SessionOptions {
    /// Executes, uses all cores, tells nobody, reads no thin archives, trusts files, and has neither helper archives nor plugins.
    fn default() -> SessionOptions {
        SessionOptions {
            executes: true,
            threads: None,
            on_link: Box::new(|_| {}),
            load_file: Box::new(|_| Err(std::io::Error::other("this session reads no thin archives"))),
            copy_file_part: Box::new(|_, _| false),
            check_file: Box::new(|_| Ok(())),
            helper_archives: Box::new(Vec::new),
            plugins: Vec::new(),
            graphs: GraphOptions::default(),
            thread_locals: None,
            relocatable: false,
        }
    }
}

/// An ExecutionSession: JITDylibs, the process that runs their code, and the linking that connects them.
///
/// All methods may be called from any thread at any time, program code that is being linked lazily included.
pub struct Session {
    target: Target,
    arch: &'static dyn Architecture,
    conventions: &'static dyn Conventions,
    executor: Box<dyn ExecutorProcessControl>,
    pub(super) options: SessionOptions,
    tables: CachePadded<RwLock<SymbolTables>>,
    /// Held while symbols are resolved: what one thread adds must not be linked by another before everything it needs is known.
    /// Also while the process is asked, outside of the fork gate: a child that another thread forks meanwhile cannot resolve symbols.
    resolving: Mutex<()>,
    helpers: OnceLock<HelperArchives>,
    pub(super) batches: BatchTable,
    pub(super) reexports: LazyReexportsManager,
    pub(super) scratch: ScratchPool,
    pub(super) canonical: CanonicalAddresses,
    /// The entry of the reentry function, once laziness is set up.
    reentry: OnceLock<EntryId>,
    /// The address of the resolve tag, once it is linked.
    resolve_tag: OnceLock<ExecutorAddr>,
    /// Whether the program runs, and so files have had time to change.
    pub(super) started: AtomicBool,
    pub(super) handle: Weak<Session>,
    progress: Arc<Progress>,
    /// The thread that links ahead, if one does.
    pub(super) speculating: OnceLock<Thread>,
    /// Where thread-local variables would be if anything ran.
    pretend_reserve: PretendReserve,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session for {}", self.target)
    }
}

impl Session {
    /// A session that links for `target` and runs on `executor`.
    ///
    /// Errors: that nothing is known of the architecture.
    pub fn new(
        target: Target,
        executor: Box<dyn ExecutorProcessControl>,
        options: SessionOptions,
    ) -> Result<Arc<Session>, SessionError> {
        let arch = arch::of(target.arch).ok_or_else(|| SessionErrorKind::LazinessUnsupported(target.arch.name()))?;
        let conventions = link::conventions(target.format);
        let mut tables = SymbolTables::new(target, conventions);
        tables.add_dylib("Platform");
        Ok(Arc::new_cyclic(|handle| Session {
            target,
            arch,
            conventions,
            executor,
            options,
            tables: CachePadded::new(RwLock::new(tables)),
            resolving: Mutex::new(()),
            helpers: OnceLock::new(),
            batches: BatchTable::default(),
            reexports: LazyReexportsManager::default(),
            scratch: ScratchPool::default(),
            canonical: CanonicalAddresses::default(),
            reentry: OnceLock::new(),
            resolve_tag: OnceLock::new(),
            started: AtomicBool::new(false),
            handle: handle.clone(),
            progress: Arc::default(),
            speculating: OnceLock::new(),
            pretend_reserve: PretendReserve::default(),
        }))
    }

    /// A new, empty JITDylib. Its undefined symbols are looked for in itself, the runtime, and the process.
    pub fn create_dylib(&self, name: &str) -> DylibId {
        let mut tables = self.tables_mut();
        let id = tables.add_dylib(name);
        tables.dylibs[id.index()].link_order.push(PLATFORM);
        id
    }

    /// Looks for undefined symbols of `dylib` in `other` too: after those added before, before the runtime and the process.
    pub fn add_to_link_order(&self, dylib: DylibId, other: DylibId) {
        let mut tables = self.tables_mut();
        let order = &mut tables.dylibs[dylib.index()].link_order;
        let end = order.len().saturating_sub(1);
        if !order.contains(&other) {
            order.insert(end, other);
        }
    }

    /// Adds `file` to `dylib`. Nothing of it is linked yet.
    ///
    /// Errors: that it is for another target, or defines a symbol again.
    pub(super) fn add_object(&self, dylib: DylibId, file: HashedFile, laziness: Laziness) -> Result<(), SessionError> {
        let target = file.file.target;
        if target != self.target {
            let what = format!("is for {target}, but the program is linked for {}", self.target);
            return Err(LinkError::unsuitable(&file.file.name, what).into());
        }
        self.tables_mut().add_object(dylib, file, laziness, false)?;
        Ok(())
    }

    /// Adds `archive` to `dylib`: its members become part of the program when something refers to them.
    ///
    /// Errors: damage of members, if the archive has no index and they must be asked.
    pub(super) fn add_archive(
        &self,
        dylib: DylibId,
        archive: Archive,
        laziness: Laziness,
        options: ArchiveOptions,
    ) -> Result<(), SessionError> {
        self.tables_mut().add_archive(dylib, archive, laziness, options, self.options.file_access())?;
        Ok(())
    }

    /// Makes `archive`, called `name`, the session's ORC runtime; before anything lazy is added, at most once.
    ///
    /// Errors: that it is no archive, or damaged.
    pub fn add_runtime(&self, name: &str, archive: &'static [u8]) -> Result<(), SessionError> {
        self.add_archive(PLATFORM, Archive::parse(name, archive)?, Laziness::Eager, ArchiveOptions::default())?;
        let dispatch = self.executor.jit_dispatch();
        let mut tables = self.tables_mut();
        let names = self.conventions.runtime();
        for (name, address) in [(names.dispatch, dispatch.function), (names.dispatch_context, dispatch.context)] {
            let id = tables.intern(PLATFORM, name);
            tables.set_definition(id, Definition::Absolute(address), true);
        }
        for &(alias, name) in names.aliases {
            // LLVM's archives leave aliases to the linker.
            let (alias, name) = (tables.intern(PLATFORM, alias), tables.intern(PLATFORM, name));
            if tables.entries[alias.index()].archive.is_none() && tables.entries[name.index()].archive.is_some() {
                tables.set_definition(alias, Definition::Alias(name), true);
            }
        }
        Ok(())
    }

    /// Sets up lazy linking: the runtime must be able to re-enter the linker.
    ///
    /// Errors: [`SessionErrorKind::NoRuntime`], and what is wrong with the runtime.
    pub(super) fn enable_laziness(&self) -> Result<(), SessionError> {
        if self.arch.reentry_trampoline().is_none() {
            return Err(SessionErrorKind::LazinessUnsupported(self.target.arch.name()).into());
        }
        let mut tables = self.tables_mut();
        if self.reentry.get().is_some() {
            return Ok(());
        }
        if tables.archives.iter().all(|a| a.dylib != PLATFORM) {
            return Err(SessionErrorKind::NoRuntime.into());
        }
        let entry = tables.intern(PLATFORM, self.conventions.runtime().reentry);
        let defined = tables.follow(entry);
        if tables.entries[defined.index()].archive.is_none() {
            let runtime = tables.archives.iter().find(|a| a.dylib == PLATFORM);
            return Err(SessionErrorKind::UnsuitableRuntime {
                name: runtime.map_or_else(String::new, |a| a.name.clone()),
                missing: "__orc_rt_reenter",
            }
            .into());
        }
        // The runtime is searched with everything else, so that the program's definitions are known by then.
        tables.require(defined);
        drop(tables);
        self.executor.set_dispatch_handler(Arc::new(Dispatcher(self.handle.clone())))?;
        self.reentry.get_or_init(|| entry);
        Ok(())
    }

    /// Whether something may be linked while the program runs: code can re-enter the linker.
    pub fn is_lazy(&self) -> bool {
        self.reentry.get().is_some()
    }

    pub(super) fn add_lazy_reexports(&self, dylib: DylibId, map: Vec<LazyAlias>) -> Result<(), SessionError> {
        self.tables_mut().add_lazy_reexports(dylib, map)
    }

    /// The entry points of the functions of `unit`, if it is lazy.
    pub(super) fn entry_points(&self, unit: &MaterializationUnit) -> Option<Arc<EntryPoints>> {
        Some(self.tables().entry_points[unit.entry_points?.index()].clone())
    }

    /// What the trampolines of lazy functions stand for, and how first calls are answered.
    pub fn lazy_reexports(&self) -> &LazyReexportsManager {
        &self.reexports
    }

    /// The process that runs the program.
    pub fn executor(&self) -> &dyn ExecutorProcessControl {
        &*self.executor
    }

    /// What the session links for.
    pub fn target(&self) -> Target {
        self.target
    }

    /// The name of `dylib`.
    pub fn dylib_name(&self, dylib: DylibId) -> String {
        self.tables().dylibs[dylib.index()].name.clone()
    }

    /// Resolves symbols.
    pub(super) fn resolve(&self) -> Result<(), SessionError> {
        let _resolving = self.resolving.lock().unwrap_or_else(PoisonError::into_inner);
        let sharing = self.sharing();
        loop {
            self.tables_mut().resolve(self.options.file_access(), sharing)?;
            let missing = self.ask_for_unresolved();
            let mut tables = self.tables_mut();
            tables.unresolved.clear();
            let open = || HelperArchives::open((self.options.helper_archives)(), self.target);
            if missing.is_empty() || !tables.ask_helpers(&missing, || self.helpers.get_or_init(open))? {
                drop(tables);
                self.ask_for_the_rest(missing);
                break;
            }
        }
        let mut tables = self.tables_mut();
        tables.order_new_units();
        // Separate graphs have all of their memory in one place.
        if !self.separates_graphs() {
            tables.place_far_data(self.executor.memory().capacity(), self.arch, sharing);
        }
        tables.place_thread_locals(self.thread_locals(), self.arch, sharing)
    }

    pub(super) fn arch(&self) -> &'static dyn Architecture {
        self.arch
    }

    /// The names of the target's format.
    pub(super) fn conventions(&self) -> &'static dyn Conventions {
        self.conventions
    }

    pub(super) fn reentry(&self) -> Result<EntryId, SessionError> {
        self.reentry.get().copied().ok_or_else(|| SessionErrorKind::NoRuntime.into())
    }

    /// The thread-local memory of the program: nobody's if it is not run.
    pub(super) fn thread_locals(&self) -> &dyn ThreadLocalMemory {
        match &self.options.thread_locals {
            Some(memory) => &**memory,
            None if self.options.executes => self.executor.thread_locals(),
            None => &self.pretend_reserve,
        }
    }

    pub(super) fn relocatable(&self) -> bool {
        self.options.relocatable
    }

    pub(super) fn executes(&self) -> bool {
        self.options.executes
    }

    pub(super) fn plugins(&self) -> &[Box<dyn Plugin>] {
        &self.options.plugins
    }

    pub(super) fn completes_graphs(&self) -> bool {
        self.options.graphs.complete
    }

    pub(super) fn separates_graphs(&self) -> bool {
        self.options.graphs.separate && !self.options.executes
    }

    /// How far linking is.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }

    /// Whether stubs are redirected by first calls only.
    pub(super) fn wants_all_first_calls(&self) -> bool {
        self.options.plugins.iter().any(|plugin| plugin.wants_all_first_calls())
    }

    pub(super) fn announce(&self, graph: &str) {
        log::debug!("linking {graph}");
        (self.options.on_link)(graph);
    }

    pub(super) fn tables(&self) -> RwLockReadGuard<'_, SymbolTables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tables, unless somebody is changing them.
    pub(super) fn try_tables(&self) -> Option<RwLockReadGuard<'_, SymbolTables>> {
        match self.tables.try_read() {
            Ok(tables) => Some(tables),
            Err(TryLockError::Poisoned(tables)) => Some(tables.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    pub(super) fn tables_mut(&self) -> RwLockWriteGuard<'_, SymbolTables> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address of the tag of resolve calls; `None` as long as the runtime is not linked, and so cannot make any.
    fn resolve_tag(&self) -> Option<ExecutorAddr> {
        if let Some(&tag) = self.resolve_tag.get() {
            return Some(tag);
        }
        let tables = self.tables();
        let entry = tables.find(PLATFORM, self.conventions.runtime().resolve_tag)?;
        let Definition::Unit { unit, symbol } = tables.entries[entry.index()].definition else {
            return None;
        };
        let tag = tables.units[unit.index()].symbol_address(symbol)?;
        Some(*self.resolve_tag.get_or_init(|| tag))
    }
}

/// Answers the calls of linked code.
struct Dispatcher(Weak<Session>);

impl DispatchHandler for Dispatcher {
    fn dispatch(&self, tag: ExecutorAddr, args: &[u8]) -> DispatchResult {
        let session = self.0.upgrade().ok_or("the session has ended")?;
        if session.resolve_tag() != Some(tag) {
            return Err(format!("No function registered for tag {tag}"));
        }
        let reentry = decode_address(args).ok_or(BAD_ARGUMENTS)?;
        Ok(match session.reexports.resolve(&session, reentry) {
            Ok(address) if takes_plain_answer(args) => encode_address(address).to_vec(),
            Ok(address) => encode_expected_symbol(Ok(ExecutorSymbolDef { address, flags: EXPORTED | CALLABLE })),
            Err(error) => encode_expected_symbol(Err(&error.to_string())),
        })
    }
}
