//! `-cache`: a program is linked once, kept as an image, and mapped when it is started again.
//!
//! A *record* belongs to a command line: which files it read, with what content, and which image came of them. It is found by a hash of
//! the command line; the image's name is a hash of contents. A start looks at the files' sizes and times only; where those differ from
//! the record's, or are so young that a change could hide behind them, contents decide. Files appear in the directory whole or not at
//! all, so any number of processes can share it.
//!
//! Lazy files are linked with the rest: what is mapped from a file costs nothing until it is used. So an image stands for the
//! program's behaviour, not for how it is linked. What cannot become an image (because something is missing that nobody calls, say) is
//! linked as without a cache, and the record says so.

mod build;
mod crash;
mod record;

use self::record::Record;
use super::program_arguments;
use crate::base::Arch;
use crate::cli::{CommandLine, InputKind};
use crate::rt::image::{ImageError, ImageFile};
use crate::rt::libraries::{Library, Search};
use crate::rt::{self, ExecutorProcessControl, InProcess};
use anyhow::{Context, Result, bail};
use std::fs;
use std::hash::Hasher;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::Xxh3;

/// Entries that were not used for so many seconds are removed when one is added.
const UNUSED: u64 = 30 * 24 * 60 * 60;

/// Runs the program of `command` from the cache, if that was asked for, adding it if need be. Returns if it has to be linked as
/// usual.
///
/// Errors: options that need a linker, a directory that cannot be made. Whatever is wrong with an entry only costs time.
pub(super) fn run(command: &CommandLine) -> Result<()> {
    let options = &command.options;
    if !options.cache && options.cache_dir.is_none() {
        return Ok(());
    }
    if let Some(option) = obstacle(command) {
        bail!("-cache cannot be combined with {option}: a program from the cache is not linked");
    }
    let directory = match &options.cache_dir {
        Some(directory) => directory.clone(),
        None => default_directory()?,
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&directory).with_context(|| {
        format!("cannot make the cache directory '{}'; choose another with -cache-dir", directory.display())
    })?;
    let Some(libraries) = libraries(command) else {
        return Ok(());
    };
    let key = key(command, &libraries);
    let path = directory.join(format!("{key:016x}.record"));
    // Whatever the child does to this process's memory is lost with it: it is the process that was before any linking.
    let record = match Record::read(&path, &directory) {
        Some(record) => record,
        None => {
            let built = rt::in_child(|| build::build(command, &libraries, &directory, key, &path));
            log::debug!("the image was built: {built:?}");
            remove_unused(&directory);
            let Some(record) = Record::read(&path, &directory) else {
                return Ok(());
            };
            record
        }
    };
    let Some(image) = record.image else {
        return Ok(());
    };
    let origin = crash::Origin { command, record: &path, directory: &directory };
    match start(command, &libraries, &image, &origin) {
        Ok(never) => match never {},
        Err(error) => {
            log::debug!("the image of {} is not used: {error}", path.display());
            Ok(())
        }
    }
}

/// Runs the program whose image is in `file` and which was made of `origin`.
fn start(
    command: &CommandLine,
    libraries: &[Library],
    file: &ImageFile,
    origin: &crash::Origin<'_>,
) -> Result<std::convert::Infallible, ImageError> {
    let executor = InProcess::new();
    for library in &command.options.preload {
        executor.load_library(library)?;
    }
    for library in libraries {
        if let Library::Shared(path) = library {
            executor.load_library(path.as_os_str())?;
        }
    }
    executor.set_arguments(&program_arguments(command));
    let program = file.load(&executor)?;
    origin.watch_for_crashes(program.entry());
    program.initialize(&executor);
    let status = executor.run_as_main(program.entry());
    executor.exit(status)
}

/// The first option given that needs a linker, or whose output is the linker's.
fn obstacle(command: &CommandLine) -> Option<&'static str> {
    let options = &command.options;
    let obstacles = [
        (options.noexec, "-noexec"),
        (!command.harness.is_empty(), "-harness"),
        (options.show_linked_files, "-show-linked-files"),
        (options.show_graphs.is_some(), "-show-graphs"),
        (options.show_addrs, "-show-addrs"),
        (options.show_relocated_section_contents, "-show-relocated-section-contents"),
        (options.show_init_es, "-show-init-es"),
        (options.show_entry_es, "-show-entry-es"),
        (options.write_symtab.is_some(), "-write-symtab"),
        (options.slab_allocate.is_some(), "-slab-allocate"),
        (!options.check.is_empty(), "-check"),
        (options.debugger_support == Some(true), "-debugger-support"),
        (options.perf_support, "-perf-support"),
        (options.perf_map, "-perf-map"),
        (options.time_trace.is_some(), "-time-trace"),
        (options.stats.is_some() || options.stats_json.is_some(), "-stats"),
        (options.show_times, "-show-times"),
        (options.record_lazy_execs.is_some(), "-record-lazy-execs"),
    ];
    obstacles.into_iter().find_map(|(given, option)| given.then_some(option))
}

/// `$XDG_CACHE_HOME/rjitlink`, or the same below the home directory's `.cache`.
fn default_directory() -> Result<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let caches = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")));
    Ok(caches.context("there is no home directory; say with -cache-dir where the cache is")?.join("rjitlink"))
}

/// What the `-l` options of `command` stand for; `None` if that is for the linker to say.
fn libraries(command: &CommandLine) -> Option<Vec<Library>> {
    let arch = Arch::host()?;
    let mut found = Vec::new();
    for input in &command.plan.inputs {
        if input.kind == InputKind::Library {
            let search = Search::new(&command.plan.library_dirs[input.dylib], arch);
            found.extend(search.library(&input.name.to_string_lossy()).ok()?);
        }
    }
    Some(found)
}

/// A number for the command line: what it says, where, and what its libraries are.
fn key(command: &CommandLine, libraries: &[Library]) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(format!("{:?} {:?} {libraries:?}", command.plan, command.options).as_bytes());
    if let Ok(directory) = std::env::current_dir() {
        hash.update(directory.as_os_str().as_bytes());
    }
    hash.finish()
}

/// Removes entries that nobody has used for long. Another process may do the same.
fn remove_unused(directory: &Path) {
    let Ok(entries) = fs::read_dir(directory) else { return };
    for entry in entries.flatten() {
        let ours =
            [".record", ".image", ".part"].iter().any(|end| entry.file_name().as_bytes().ends_with(end.as_bytes()));
        let used = entry.metadata().and_then(|m| m.accessed());
        if ours && used.is_ok_and(|used| used.elapsed().is_ok_and(|age| age.as_secs() > UNUSED)) {
            fs::remove_file(entry.path()).unwrap_or_else(|error| log::debug!("{}: {error}", entry.path().display()));
        }
    }
}
