//! The command: from options to a session, a run, and an exit status.

mod cache;
mod check;
mod combinations;
mod harness;
mod inputs;
mod jitdylibs;
mod observers;
mod reports;
mod self_relocations;
mod show;
mod symbolicate;
mod target;

use self::check::Checker;
use self::inputs::Files;
use self::observers::Observers;
use self::show::{Addresses, Shows};
use crate::base::{Arch, ExecutorAddr, Format, Target};
use crate::cli::{self, CommandLine};
use crate::lazy::{
    DylibId, LazyFunction, LinkedProgram, Plugin, Session, SessionError, SessionErrorKind, SessionOptions,
    SymbolProgress,
};
use crate::observe::{LinkedCode, Phase, crash_report, show_progress};
use crate::rt::libraries;
use crate::rt::{
    self, ExecutorError, ExecutorProcessControl, InProcess, MemoryManager, SlabMemoryManager, runtime_archive,
};
use anyhow::{Context, Result, anyhow, bail};
use std::ffi::OsString;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of input from which on linking might take longer than a second: a progress bar costs a thread.
const LARGE_INPUT: u64 = 16 << 20;

/// Runs the command line `args`, the program's name first. Returns only if no program was run.
///
/// Errors are complete messages: what is wrong with which file, and what to do.
pub fn main(args: impl Iterator<Item = OsString>) -> Result<ExitCode> {
    rt::resume()?;
    env_logger::init();
    rt::join_pool();
    let command = cli::parse(args)?;
    if let Some(table) = &command.options.symbolicate_with {
        if command.options.write_symtab.is_some() {
            eprintln!("write-symtab specified with symbolicate-with, ignoring.");
        }
        symbolicate::run(table, command.options.files.iter().map(Path::new))?;
        return Ok(ExitCode::SUCCESS);
    }
    combinations::check(&command)?;
    if let Some(size) = command.options.tls_reserve.filter(|_| !command.options.noexec) {
        rt::enlarge_thread_local_reserve(size)?;
    }
    cache::run(&command)?;
    let observers = Observers::new(&command)?;
    let reports = observers.reports.clone();
    reports.enter(Phase::Add);
    if command.options.use_threads() {
        // Registered before anything else is, so it is the last to be done.
        rt::at_exit_of_this_process(Box::new(|| {
            if rt::mapped_bytes() >= LARGE_INPUT {
                rt::leave_memory_behind();
            }
        }));
    }
    let prepared = inputs::with_files(&command, |files| prepare(&command, files, observers))?;
    let Prepared { session, dylibs, initialized, checks, addresses, speculation } = prepared;
    let target = session.target();
    session.executor().set_arguments(&program_arguments(&command));
    let main = format!("{}main", target.format.symbol_prefix());
    let entry = command.options.entry.as_deref().unwrap_or(&main);
    let process = !command.options.no_process_syms;
    if command.options.show_init_es {
        show::print_jitdylibs(&session, process);
    }
    watch_for_crashes(&command, &session);
    reports.enter(Phase::Link);
    if rt::mapped_bytes() >= LARGE_INPUT && std::io::stderr().is_terminal() {
        show_progress(session.progress(), std::io::stderr(), Duration::from_secs(1));
    }
    let program = session.link_program(&initialized, &dylibs, entry);
    session.progress().end();
    if let Some(reason) = program.as_ref().err().and_then(why_no_executable_stacks) {
        return Err(rt::start_with_executable_stacks(reason).into());
    }
    if command.options.show_entry_es {
        show::print_jitdylibs(&session, process);
    }
    if let Some(addresses) = addresses {
        addresses.print();
    }
    let program = report(&command, &session, program)?;
    if let Some(checker) = checks {
        checker.run(&command.options, target.arch)?;
    }
    if command.options.noexec {
        return Ok(ExitCode::SUCCESS);
    }
    // What is linked from now on are a few functions at a time, if anything, and there is a core that would be idle.
    let is_large = rt::mapped_bytes() >= LARGE_INPUT && command.options.use_threads();
    let has_idle_core = is_large && rt::use_pool(command.options.threads());
    // The files that the program opens get the numbers that they would have without a linker.
    rt::close_files();
    let set_aside = || has_idle_core.then(|| rt::offer(rt::set_aside_files));
    if session.is_lazy() {
        session.initialize(&program)?;
        // Not before: what initializers call is linked from files of which much has been looked at already.
        set_aside();
    } else {
        set_aside();
        // The program has one thread, as without a linker.
        rt::end_pool();
        session.initialize(&program)?;
    }
    reports.enter(Phase::Execute);
    if let Some(order) = speculation {
        session.speculate(order).context("cannot start a thread for -speculate")?;
    }
    let status = session.executor().run_as_main(program.entry);
    session.executor().exit(status)
}

/// A session with all inputs, of which nothing is linked yet.
struct Prepared {
    session: Arc<Session>,
    /// Its JITDylibs in order of mention.
    dylibs: Vec<DylibId>,
    /// Those whose initializers run, in that order.
    initialized: Vec<DylibId>,
    checks: Option<Checker>,
    addresses: Option<Arc<Addresses>>,
    /// What is linked ahead, if anything is.
    speculation: Option<Vec<LazyFunction>>,
}

/// Makes a session for `files` and enters them.
fn prepare(command: &CommandLine, mut files: Files<'_>, observers: Observers) -> Result<Prepared> {
    let reports = observers.reports.clone();
    let (found, said_by) = reports.span("parse", || files.target())?;
    let (target, file) = match &command.options.triple {
        Some(triple) => (target::parse(triple)?, "what -triple names"),
        None => (found, said_by.as_str()),
    };
    if !command.options.noexec && Some(target.arch) != Arch::host() {
        let arch = target.arch.name();
        bail!("{file} is for {arch}, which this machine cannot run; link without running it with -noexec");
    }
    if !command.options.noexec && target.signed_pointers {
        bail!(
            "{file} is for arm64e, whose signed pointers cannot be made here; compile for arm64, or link with -noexec"
        );
    }
    let mut shows = Shows::new(command)?;
    let checks = Checker::for_command(command);
    shows.plugins.extend(checks.as_ref().map(Checker::recorder));
    let addresses = shows.addresses.clone();
    let memory = observers.memory();
    let session = new_session(command, target, shows, memory, observers.plugins)?;
    reports.write_at_exit(&session);
    add_runtime(command, &session)?;
    let (dylibs, initialized) = reports.span("enter symbols", || jitdylibs::fill(command, &session, files))?;
    let speculation = observers.speculation;
    Ok(Prepared { session, dylibs, initialized, checks, addresses, speculation })
}

/// The program's `argv`: the first file's name stands for its own.
fn program_arguments(command: &CommandLine) -> Vec<OsString> {
    command.options.files.iter().take(1).chain(&command.program_args).cloned().collect()
}

/// What messages of errors begin with: the name this program goes by, in llvm-jitlink's own form if it goes by that one.
pub fn error_prefix() -> &'static str {
    let name = std::env::args_os().next();
    match name.as_deref().map(Path::new).and_then(Path::file_name) {
        Some(name) if name == "llvm-jitlink" => "llvm-jitlink error: ",
        _ => "rjitlink: error: ",
    }
}

/// Returns why stacks could not be made executable, if that is what `error` is about.
fn why_no_executable_stacks(error: &SessionError) -> Option<&str> {
    match error.kind() {
        SessionErrorKind::Executor(ExecutorError::ExecutableStack(reason)) => Some(reason),
        _ => None,
    }
}

/// What came of linking; with `-show-err-failed-to-materialize`, an error names what could not be linked because of it.
fn report(
    command: &CommandLine,
    session: &Session,
    program: Result<LinkedProgram, SessionError>,
) -> Result<LinkedProgram> {
    let error = match program {
        Err(error) if command.options.show_err_failed_to_materialize => error,
        other => return Ok(other?),
    };
    let failed = session.describe_dylibs().into_iter().filter_map(|dylib| {
        let failed = dylib.symbols.iter().filter(|symbol| symbol.progress == SymbolProgress::Materializing);
        let names: Vec<&str> = failed.map(|symbol| symbol.name.as_str()).collect();
        (!names.is_empty()).then(|| format!("({}, {{ {} }})", dylib.name, names.join(", ")))
    });
    let failed: Vec<String> = failed.collect();
    if failed.is_empty() {
        return Err(error.into());
    }
    eprintln!("{}{error}", error_prefix());
    bail!("Failed to materialize symbols: {{ {} }}", failed.join(", "))
}

/// Has crashes of the program described on standard error, unless nobody wants that.
fn watch_for_crashes(command: &CommandLine, session: &Arc<Session>) {
    if command.options.crash_backtrace && !command.options.noexec {
        let session = session.clone();
        rt::catch_crashes(Box::new(move |crash| crash_report(LinkedCode { session: Some(&session), moved: 0 }, crash)));
    }
}

fn new_session(
    command: &CommandLine,
    target: Target,
    shows: Shows,
    memory: Box<dyn MemoryManager>,
    plugins: Vec<Box<dyn Plugin>>,
) -> Result<Arc<Session>> {
    let options = &command.options;
    let executor = match options.slab_allocate.filter(|_| options.noexec) {
        Some(size) => {
            let page = options.slab_page_size.unwrap_or(4096);
            let base = ExecutorAddr(options.slab_address.unwrap_or(0x1_0000_0000));
            InProcess::with_memory(Box::new(SlabMemoryManager::new(base, page, Some(size))?))
        }
        None => InProcess::with_memory(memory),
    };
    let executor = if options.no_process_syms { executor.without_symbols() } else { executor };
    for library in &options.preload {
        executor.load_library(library)?;
    }
    let show = options.show_linked_files;
    let process = !options.no_process_syms;
    let graphs = shows.graph_options(options);
    let session_options = SessionOptions {
        executes: !options.noexec,
        threads: options.threads(),
        on_link: Box::new(move |name| {
            if show {
                // Output that cannot be written, to a full disk for instance, does not keep the program from running.
                writeln!(std::io::stdout(), "Linking {name}").ok();
            }
        }),
        load_file: Box::new(rt::map_file),
        copy_file_part: Box::new(rt::copy_file_part),
        check_file: Box::new(rt::check_file),
        helper_archives: Box::new(move || match process && target.format == Format::host() {
            true => libraries::helper_archives(target.arch),
            // Those of this system are for another format.
            false => Vec::new(),
        }),
        plugins: plugins.into_iter().chain(shows.plugins).collect(),
        graphs,
        thread_locals: None,
        relocatable: false,
    };
    Ok(Session::new(target, Box::new(executor), session_options)?)
}

fn add_runtime(command: &CommandLine, session: &Session) -> Result<()> {
    let options = &command.options;
    if let Some(path) = &options.orc_runtime {
        let data = rt::map_file(path).with_context(|| format!("cannot read the ORC runtime '{}'", path.display()))?;
        let name = path.display().to_string();
        return Ok(session.add_runtime(&name, data)?);
    }
    // The runtime needs the process.
    if options.no_orc_runtime || options.no_process_syms {
        return Ok(());
    }
    match runtime_archive::embedded(session.target()) {
        Some((name, data)) => Ok(session.add_runtime(name, data)?),
        None if command.plan.inputs.iter().any(|i| i.lazy) => Err(anyhow!(
            "Lazy linking requires the ORC runtime, and rjitlink has none for {}; give one with -orc-runtime",
            session.target()
        )),
        None => Ok(()),
    }
}
