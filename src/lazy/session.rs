//! Sessions: JITDylibs full of files, and lookups that link them.

use super::batch::{self, Root};
use super::batch_table::BatchTable;
use super::canonical::CanonicalAddresses;
use super::dynamic_symbols;
use super::entry_points::{EntryPoints, LazyAlias};
use super::error::{MissingSymbol, SessionError};
use super::helpers::{self, HelperArchives};
use super::ids::{DylibId, EntryId};
use super::initializers;
use super::lazy_reexports::LazyReexportsManager;
use super::resolution::PLATFORM;
use super::symbol_instance::BODY_SUFFIX;
use super::symbol_table::{Definition, SymbolTables};
use super::thread_locals;
use super::unit::{Laziness, MaterializationUnit};
use crate::base::{ExecutorAddr, Target};
use crate::link::arch::{self, Architecture};
use crate::link::archive::Archive;
use crate::link::{LinkError, ObjectFile};
use crate::rt::gate;
use crate::rt::wrapper::{
    BAD_ARGUMENTS, CALLABLE, EXPORTED, ExecutorSymbolDef, decode_address, encode_expected_symbol,
};
use crate::rt::{DispatchHandler, DispatchResult, ExecutorProcessControl, PretendReserve, ThreadLocalMemory};
use std::path::Path;
use std::sync::{Arc, Mutex, Once, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak};

/// The runtime's function that trampolines call.
const REENTRY_SYMBOL: &[u8] = b"__orc_rt_reenter";
/// What that is called where it is only an alias.
const REENTRY_ALIASEE: &[u8] = b"__orc_rt_sysv_reenter";
/// The tag by which the runtime asks for a function's implementation.
const RESOLVE_TAG: &[u8] = b"__orc_rt_resolve_tag";

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
    /// The archives that a static link ends with, as name and content, asked for at most once: when a symbol is defined neither by
    /// the inputs nor by the runtime nor by the process. Those for another target are left out.
    pub helper_archives: ArchiveLoader,
}

/// Reads a file into memory that stays readable as long as the process.
pub type FileLoader = Box<dyn Fn(&Path) -> std::io::Result<&'static [u8]> + Send + Sync>;

/// Answers names and contents of archives; the contents must stay readable as long as the process.
pub type ArchiveLoader = Box<dyn Fn() -> Vec<(String, &'static [u8])> + Send + Sync>;

impl Default for SessionOptions {
    /// Executes, uses all cores, tells nobody, reads no thin archives, and has no helper archives.
    fn default() -> SessionOptions {
        SessionOptions {
            executes: true,
            threads: None,
            on_link: Box::new(|_| {}),
            load_file: Box::new(|_| Err(std::io::Error::other("this session reads no thin archives"))),
            helper_archives: Box::new(Vec::new),
        }
    }
}

/// An ExecutionSession: JITDylibs, the process that runs their code, and the linking that connects them.
///
/// All methods may be called from any thread at any time, program code that is being linked lazily included.
pub struct Session {
    target: Target,
    arch: &'static dyn Architecture,
    executor: Box<dyn ExecutorProcessControl>,
    options: SessionOptions,
    tables: RwLock<SymbolTables>,
    /// Held while symbols are resolved: what one thread adds must not be linked by another before everything it needs is known.
    resolving: Mutex<()>,
    helpers: OnceLock<HelperArchives>,
    pub(super) batches: BatchTable,
    pub(super) reexports: LazyReexportsManager,
    pub(super) canonical: CanonicalAddresses,
    /// The entry of the reentry function, once laziness is set up.
    reentry: OnceLock<EntryId>,
    /// The address of the resolve tag, once it is linked.
    resolve_tag: OnceLock<ExecutorAddr>,
    handle: Weak<Session>,
    pool: Once,
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
        let arch = arch::of(target.arch).ok_or(SessionError::LazinessUnsupported(target.arch.name()))?;
        let mut tables = SymbolTables::default();
        tables.add_dylib("Platform");
        Ok(Arc::new_cyclic(|handle| Session {
            target,
            arch,
            executor,
            options,
            tables: RwLock::new(tables),
            resolving: Mutex::new(()),
            helpers: OnceLock::new(),
            batches: BatchTable::default(),
            reexports: LazyReexportsManager::default(),
            canonical: CanonicalAddresses::default(),
            reentry: OnceLock::new(),
            resolve_tag: OnceLock::new(),
            handle: handle.clone(),
            pool: Once::new(),
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

    /// Whether the inputs added so far define `name` for a shared library that needs it. An archive member that does becomes part of the
    /// program, as a static linker would have it.
    pub fn offer_to_library(&self, name: &[u8]) -> bool {
        dynamic_symbols::offer(&mut self.tables_mut(), name)
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
    pub(super) fn add_object(&self, dylib: DylibId, file: ObjectFile, laziness: Laziness) -> Result<(), SessionError> {
        if file.target != self.target {
            let what = format!("is for {}, but the program is linked for {}", file.target, self.target);
            return Err(LinkError::unsuitable(&file.name, what).into());
        }
        self.tables_mut().add_object(dylib, file, laziness)?;
        Ok(())
    }

    /// Adds `archive` to `dylib`: its members become part of the program when something refers to them.
    ///
    /// Errors: damage of members, if the archive has no index and they must be asked.
    pub(super) fn add_archive(&self, dylib: DylibId, archive: Archive, laziness: Laziness) -> Result<(), SessionError> {
        self.tables_mut().add_archive(dylib, archive, laziness, &self.options.load_file)?;
        Ok(())
    }

    /// Makes `archive`, called `name`, the session's ORC runtime; before anything lazy is added, at most once.
    ///
    /// Errors: that it is no archive, or damaged.
    pub fn add_runtime(&self, name: &str, archive: &'static [u8]) -> Result<(), SessionError> {
        self.add_archive(PLATFORM, Archive::parse(name, archive)?, Laziness::Eager)?;
        let dispatch = self.executor.jit_dispatch();
        let mut tables = self.tables_mut();
        for (name, address) in
            [(&b"__orc_rt_jit_dispatch"[..], dispatch.function), (&b"__orc_rt_jit_dispatch_ctx"[..], dispatch.context)]
        {
            let id = tables.intern(PLATFORM, name);
            tables.set_definition(id, Definition::Absolute(address), true);
        }
        Ok(())
    }

    /// Sets up lazy linking: the runtime must be able to re-enter the linker.
    ///
    /// Errors: [`SessionError::NoRuntime`], and what is wrong with the runtime.
    pub(super) fn enable_laziness(&self) -> Result<(), SessionError> {
        if self.arch.reentry_trampoline().is_none() {
            return Err(SessionError::LazinessUnsupported(self.target.arch.name()));
        }
        let mut tables = self.tables_mut();
        if self.reentry.get().is_some() {
            return Ok(());
        }
        if tables.archives.iter().all(|a| a.dylib != PLATFORM) {
            return Err(SessionError::NoRuntime);
        }
        let entry = tables.intern(PLATFORM, REENTRY_SYMBOL);
        if tables.entries[entry.index()].archive.is_none() {
            // LLVM's archives define the function under this name and leave the alias to the linker.
            let target = tables.intern(PLATFORM, REENTRY_ALIASEE);
            if tables.entries[target.index()].archive.is_none() {
                let runtime = tables.archives.iter().find(|a| a.dylib == PLATFORM);
                return Err(SessionError::UnsuitableRuntime {
                    name: runtime.map_or_else(String::new, |a| a.name.clone()),
                    missing: "__orc_rt_reenter",
                });
            }
            tables.require(target);
            tables.set_definition(entry, Definition::Alias(target), true);
        }
        // The runtime is searched with everything else, so that the program's definitions are known by then.
        tables.require(entry);
        drop(tables);
        self.executor.set_dispatch_handler(Arc::new(Dispatcher(self.handle.clone())))?;
        self.reentry.get_or_init(|| entry);
        Ok(())
    }

    pub(super) fn add_lazy_reexports(&self, dylib: DylibId, map: Vec<LazyAlias>) -> Result<(), SessionError> {
        self.tables_mut().add_lazy_reexports(dylib, map)
    }

    /// The entry points of the functions of `unit`, if it is lazy.
    pub(super) fn entry_points(&self, unit: &MaterializationUnit) -> Option<Arc<EntryPoints>> {
        Some(self.tables().entry_points[unit.entry_points?.index()].clone())
    }

    /// Defines `name` in `dylib` as the absolute address `address`.
    pub fn define_absolute(&self, dylib: DylibId, name: &'static [u8], address: ExecutorAddr) {
        let mut tables = self.tables_mut();
        let id = tables.intern(dylib, name);
        tables.set_definition(id, Definition::Absolute(address), true);
    }

    /// Links symbol `name` of `dylib`, as the object format writes it, with all it needs, and returns its address.
    /// For the body of a lazy function append [`BODY_SUFFIX`]. The address of a thread-local variable is its offset from the thread
    /// pointer, modulo 2^64.
    ///
    /// Errors: that it is defined nowhere, or the root cause of what could not be linked.
    pub fn lookup(&self, dylib: DylibId, name: &str) -> Result<ExecutorAddr, SessionError> {
        let _inside = gate::enter();
        self.resolve_with(&[dylib], name.strip_suffix(BODY_SUFFIX).unwrap_or(name))?;
        if let Some(function) = name.strip_suffix(BODY_SUFFIX) {
            let body = {
                let tables = self.tables();
                let id = self.find(&tables, dylib, function)?;
                match tables.entries[id.index()].definition {
                    Definition::Unit { unit, symbol } => Some((tables.units[unit.index()].clone(), symbol)),
                    _ => None,
                }
            };
            let (unit, symbol) = body.ok_or_else(|| not_found(name))?;
            return self.link_body(&unit, symbol);
        }
        let entry = self.find(&self.tables(), dylib, name)?;
        Ok(batch::link(self, &[Root::Entry(entry)])?[0])
    }

    /// Links `entry` of the first of `dylibs` that defines it, together with all initializers of `initialized`; runs those
    /// in order (unless the session executes nothing), and returns the entry's address. Finalizers are registered to run at exit.
    ///
    /// Errors: as [`Session::lookup`].
    pub fn prepare_program(
        &self,
        initialized: &[DylibId],
        dylibs: &[DylibId],
        entry: &str,
    ) -> Result<ExecutorAddr, SessionError> {
        self.resolve_with(dylibs, entry)?;
        let (roots, initializers, finalizers, interposed) = {
            let tables = self.tables();
            let found = dylibs.iter().find_map(|&d| self.find(&tables, d, entry).ok());
            let mut roots = vec![Root::Entry(found.ok_or_else(|| not_found(entry))?)];
            let (initializers, finalizers) = initializers::collect(&tables, initialized);
            roots.extend(initializers.roots());
            roots.extend(finalizers.roots());
            roots.extend(thread_locals::roots(&tables));
            let mut interposed = Vec::new();
            if self.options.executes {
                thread_locals::settle_libraries(self, &tables);
                interposed = dynamic_symbols::interposed(self, &tables);
                roots.extend(interposed.iter().map(|i| Root::Entry(i.entry)));
            }
            (roots, initializers, finalizers, interposed)
        };
        let addresses = {
            let _inside = gate::enter();
            batch::link(self, &roots)?
        };
        if self.options.executes {
            let last = &addresses[addresses.len() - interposed.len()..];
            dynamic_symbols::publish(self, self.handle.clone(), interposed, last)?;
            let mut at_exit = finalizers.functions(&*self.executor);
            at_exit.reverse();
            if !at_exit.is_empty() {
                self.executor.run_at_exit(at_exit);
            }
            self.executor.run_initializers(&initializers.functions(&*self.executor));
        }
        Ok(addresses[0])
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

    /// The address of the body of `symbol` of `unit`, linked if need be.
    pub(super) fn link_body(&self, unit: &Arc<MaterializationUnit>, symbol: u32) -> Result<ExecutorAddr, SessionError> {
        let (section, offset) = unit.place(symbol).ok_or_else(|| not_found("an absolute symbol's body"))?;
        if unit.owner(section).is_some_and(|batch| self.batches.is_ready(batch)) {
            return Ok(unit.section_address(section).offset(offset));
        }
        let start = batch::link(self, &[Root::Section(unit.clone(), section)])?[0];
        Ok(start.offset(offset))
    }

    fn find(&self, tables: &SymbolTables, dylib: DylibId, name: &str) -> Result<EntryId, SessionError> {
        let defined = |id: &EntryId| tables.entries[id.index()].definition != Definition::Undefined;
        tables.find(dylib, name.as_bytes()).filter(defined).ok_or_else(|| not_found(name))
    }

    /// Resolves symbols, `name` of the first of `dylibs` that knows it among them: an archive may define it.
    fn resolve_with(&self, dylibs: &[DylibId], name: &str) -> Result<(), SessionError> {
        let offered = |tables: &SymbolTables| {
            let id = dylibs.iter().find_map(|&dylib| tables.find(dylib, name.as_bytes()))?;
            let entry = &tables.entries[id.index()];
            (entry.definition == Definition::Undefined && entry.archive.is_some()).then_some(id)
        };
        let wanted = offered(&self.tables());
        if let Some(id) = wanted {
            self.tables_mut().require(id);
        }
        if self.tables().is_resolved() {
            return Ok(());
        }
        let _resolving = self.resolving.lock().unwrap_or_else(PoisonError::into_inner);
        let parallel = self.use_threads();
        loop {
            self.tables_mut().resolve(&self.options.load_file, parallel)?;
            // The process is asked without keeping others from reading the tables: a thread in its loader may need them.
            let missing = helpers::missing(&self.tables(), &*self.executor);
            let open = || HelperArchives::open((self.options.helper_archives)(), self.target);
            let mut tables = self.tables_mut();
            tables.unresolved.clear();
            if !missing.is_empty() && !tables.ask_helpers(missing, || self.helpers.get_or_init(open))? {
                return Ok(());
            }
            if tables.is_resolved() {
                return Ok(());
            }
        }
    }

    pub(super) fn arch(&self) -> &'static dyn Architecture {
        self.arch
    }

    pub(super) fn reentry(&self) -> Result<EntryId, SessionError> {
        self.reentry.get().copied().ok_or(SessionError::NoRuntime)
    }

    /// The thread-local memory of the program: nobody's if it is not run.
    pub(super) fn thread_locals(&self) -> &dyn ThreadLocalMemory {
        if self.options.executes { self.executor.thread_locals() } else { &self.pretend_reserve }
    }

    pub(super) fn executes(&self) -> bool {
        self.options.executes
    }

    pub(super) fn use_threads(&self) -> bool {
        // The threads of the pool are not there in the child of a fork.
        if matches!(self.options.threads, Some(0 | 1)) || crate::rt::forked() {
            return false;
        }
        if let Some(threads) = self.options.threads {
            // Fails if there is a pool already: that one will do.
            self.pool.call_once(|| rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().unwrap_or(()));
        }
        true
    }

    pub(super) fn announce(&self, graph: &str) {
        log::debug!("linking {graph}");
        (self.options.on_link)(graph);
    }

    pub(super) fn tables(&self) -> RwLockReadGuard<'_, SymbolTables> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn tables_mut(&self) -> RwLockWriteGuard<'_, SymbolTables> {
        self.tables.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address of the tag of resolve calls; `None` as long as the runtime is not linked, and so cannot make any.
    fn resolve_tag(&self) -> Option<ExecutorAddr> {
        if let Some(&tag) = self.resolve_tag.get() {
            return Some(tag);
        }
        let tables = self.tables();
        let entry = tables.find(PLATFORM, RESOLVE_TAG)?;
        let Definition::Unit { unit, symbol } = tables.entries[entry.index()].definition else {
            return None;
        };
        let tag = tables.units[unit.index()].symbol_address(symbol)?;
        Some(*self.resolve_tag.get_or_init(|| tag))
    }
}

fn not_found(name: &str) -> SessionError {
    SessionError::SymbolsNotFound(Arc::new(vec![MissingSymbol { name: name.to_string(), referrer: None }]))
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
        let definition = session
            .reexports
            .resolve(&session, reentry)
            .map(|address| ExecutorSymbolDef { address, flags: EXPORTED | CALLABLE });
        Ok(match definition {
            Ok(symbol) => encode_expected_symbol(Ok(symbol)),
            Err(error) => encode_expected_symbol(Err(&error.to_string())),
        })
    }
}
