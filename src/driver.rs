//! The command: from options to a session, a run, and an exit status.

mod inputs;

use self::inputs::{Content, InputFile};
use crate::base::{Arch, ExecutorAddr, Target};
use crate::cli::{self, CommandLine, GranularityArg, Input, InputKind};
use crate::lazy::{DylibId, Granularity, LazyObjectLinkingLayer, ObjectLinkingLayer, Session, SessionOptions};
use crate::rt::libraries::{self, Library, Search};
use crate::rt::{self, ExecutorProcessControl, InProcess, SlabMemoryManager, runtime_archive};
use anyhow::{Context, Result, anyhow, bail};
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Runs the command line `args`, the program's name first. Returns only if no program was run.
///
/// Errors are complete messages: what is wrong with which file, and what to do.
pub fn main(args: impl Iterator<Item = OsString>) -> Result<ExitCode> {
    env_logger::init();
    let command = cli::parse(args)?;
    check_combinations(&command)?;
    let files = inputs::read(&command)?;
    let (target, file) = inputs::target_of(&files);
    if !command.options.noexec && Some(target.arch) != Arch::host() {
        let arch = target.arch.name();
        bail!("{file} is for {arch}, which this machine cannot run; link without running it with -noexec");
    }
    let session = new_session(&command, target)?;
    add_runtime(&command, &session)?;
    let dylibs = add_inputs(&command, &session, files)?;
    let mut args: Vec<OsString> = command.options.files.iter().take(1).cloned().collect();
    args.extend(command.program_args.iter().cloned());
    session.executor().set_arguments(&args);
    let symbol = command.options.entry.as_deref().unwrap_or("main");
    let symbol = format!("{}{symbol}", target.format.symbol_prefix());
    let entry = session.prepare_program(&initializer_order(&command, &dylibs), &dylibs, &symbol)?;
    if command.options.noexec {
        return Ok(ExitCode::SUCCESS);
    }
    let status = session.executor().run_as_main(entry);
    session.executor().exit(status)
}

fn check_combinations(command: &CommandLine) -> Result<()> {
    let options = &command.options;
    let lazy = command.plan.inputs.iter().any(|i| i.lazy);
    if !options.harness.is_empty() {
        if lazy {
            bail!("Lazy linking cannot be used with -harness mode");
        }
        bail!("-harness is not supported yet");
    }
    if lazy && options.no_orc_runtime {
        bail!("Lazy linking requires the ORC runtime; leave out -no-orc-runtime");
    }
    if options.slab_address.is_some() && (options.slab_allocate.is_none() || !options.noexec) {
        bail!("-slab-address requires -slab-allocate and -noexec");
    }
    if options.slab_page_size.is_some() && options.slab_allocate.is_none() {
        bail!("-slab-page-size requires -slab-allocate");
    }
    if options.noexec && !command.program_args.is_empty() {
        eprintln!("rjitlink: warning: arguments of the program are of no use with -noexec");
    }
    Ok(())
}

fn new_session(command: &CommandLine, target: Target) -> Result<Arc<Session>> {
    let options = &command.options;
    let executor = match options.slab_allocate.filter(|_| options.noexec) {
        Some(size) => {
            let page = options.slab_page_size.unwrap_or(4096);
            let base = ExecutorAddr(options.slab_address.unwrap_or(0x1_0000_0000));
            InProcess::with_memory(Box::new(SlabMemoryManager::new(base, page, Some(size))?))
        }
        None => InProcess::new(),
    };
    for library in &options.preload {
        executor.load_library(library)?;
    }
    let show = options.show_linked_files;
    let session_options = SessionOptions {
        executes: !options.noexec,
        threads: options.num_threads,
        on_link: Box::new(move |name| {
            if show {
                // A reader that went away does not keep the program from running.
                writeln!(std::io::stdout(), "Linking {name}").ok();
            }
        }),
        load_file: Box::new(rt::map_file),
        helper_archives: Box::new(move || libraries::helper_archives(target.arch)),
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
    if options.no_orc_runtime {
        return Ok(());
    }
    match runtime_archive::embedded(session.target()) {
        Some((name, data)) => Ok(session.add_runtime(name, data)?),
        None if command.plan.inputs.iter().any(|i| i.lazy) => Err(anyhow!(
            "Lazy linking requires the ORC runtime, and this rjitlink was built without one for {}; give one with -orc-runtime",
            session.target()
        )),
        None => Ok(()),
    }
}

/// Adds all inputs in the order of the command line; answers the JITDylibs in order of mention.
fn add_inputs(command: &CommandLine, session: &Arc<Session>, files: Vec<InputFile>) -> Result<Vec<DylibId>> {
    let plan = &command.plan;
    let dylibs: Vec<DylibId> = plan.dylibs.iter().map(|name| session.create_dylib(name)).collect();
    let granularity = match command.options.lazy_granularity {
        GranularityArg::Function => Granularity::Function,
        GranularityArg::Object => Granularity::Object,
    };
    let eager = ObjectLinkingLayer::new(session);
    let lazy = if plan.inputs.iter().any(|i| i.lazy) {
        Some(LazyObjectLinkingLayer::new(session, granularity)?)
    } else {
        None
    };
    let add = |input: &Input, file: InputFile| -> Result<()> {
        let dylib = dylibs[input.dylib];
        match (file.content, lazy.as_ref().filter(|_| input.lazy)) {
            (Content::Object(object), None) => eager.add_file(dylib, *object)?,
            (Content::Object(object), Some(lazy)) => lazy.add_file(dylib, *object)?,
            (Content::Archive(archive), None) => eager.add_open_archive(dylib, archive)?,
            (Content::Archive(archive), Some(lazy)) => lazy.add_open_archive(dylib, archive)?,
            (Content::Shared | Content::Script | Content::Neither, _) => bail!(
                "{} does not contain a relocatable object file or archive compatible with {}",
                file.name,
                session.target()
            ),
        }
        Ok(())
    };
    let mut files = files.into_iter();
    let mut libraries = Vec::new();
    for input in &plan.inputs {
        match input.kind {
            InputKind::File => {
                let Some(file) = files.next() else { continue };
                let search = || Search::new(&plan.library_dirs[input.dylib], session.target().arch);
                match file.content {
                    Content::Shared => libraries.push(libraries::with_slash(file.name.into())),
                    Content::Script => {
                        libraries.extend(add_static(search().script(Path::new(&file.name))?, input, &add)?)
                    }
                    _ => add(input, file)?,
                }
            }
            InputKind::Library => {
                libraries.extend(add_static(find_library(command, input, session, &dylibs)?, input, &add)?);
            }
        }
    }
    // When all files are known: libraries may refer to what they define.
    for library in libraries {
        load_library(session, &library)?;
    }
    Ok(dylibs)
}

/// Adds the static ones of `libraries` like `input`, and answers the paths of the others.
fn add_static(
    libraries: Vec<Library>,
    input: &Input,
    add: &dyn Fn(&Input, InputFile) -> Result<()>,
) -> Result<Vec<PathBuf>> {
    let mut shared = Vec::new();
    for library in libraries {
        match library {
            Library::Static(path) => add(input, InputFile::read(&path)?)?,
            Library::Shared(path) => shared.push(path),
        }
    }
    Ok(shared)
}

/// Loads a shared library, unless the program is for another architecture and so only linked.
fn load_library(session: &Session, path: &Path) -> Result<()> {
    if Some(session.target().arch) != Arch::host() {
        return Ok(());
    }
    Ok(session.executor().load_library_for(path.as_os_str(), &|name| session.offer_to_library(name))?)
}

/// The libraries that `-l` stands for; none if it is a JITDylib, which is linked against from now on.
fn find_library(command: &CommandLine, input: &Input, session: &Session, dylibs: &[DylibId]) -> Result<Vec<Library>> {
    let plan = &command.plan;
    let name = input.name.to_string_lossy();
    if let Some(index) = plan.dylibs.iter().position(|d| *d == name) {
        session.add_to_link_order(dylibs[input.dylib], dylibs[index]);
        return Ok(Vec::new());
    }
    let dirs: &[PathBuf] = &plan.library_dirs[input.dylib];
    let found = Search::new(dirs, session.target().arch).library(&name);
    found.with_context(|| format!("While linking {}", plan.dylibs[input.dylib]))
}

/// `main` and the JITDylibs it links against, those first: their initializers run before those of who needs them.
fn initializer_order(command: &CommandLine, dylibs: &[DylibId]) -> Vec<DylibId> {
    let plan = &command.plan;
    let needs = |index: usize| {
        let libraries = plan.inputs.iter().filter(move |i| i.dylib == index && i.kind == InputKind::Library);
        libraries.filter_map(|i| plan.dylibs.iter().position(|d| i.name == d.as_str()))
    };
    let mut order = Vec::new();
    let mut stack = vec![(0, false)];
    let mut seen = vec![false; dylibs.len()];
    while let Some((index, expanded)) = stack.pop() {
        if expanded {
            order.push(dylibs[index]);
        } else if !std::mem::replace(&mut seen[index], true) {
            stack.push((index, true));
            let first = stack.len();
            stack.extend(needs(index).map(|n| (n, false)));
            stack[first..].reverse();
        }
    }
    order
}
