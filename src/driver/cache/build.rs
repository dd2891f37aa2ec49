//! Making an image of a program, and the record that leads to it.

use super::record::{Entry, Input, Stamp, TICK};
use crate::base::{Arch, ExecutorAddr, Format, Target};
use crate::cli::{CommandLine, InputKind};
use crate::driver::inputs::{self, Files};
use crate::driver::jitdylibs;
use crate::lazy::{ImageRecorder, LinkedProgram, Session, SessionOptions};
use crate::link::arch;
use crate::rt::image_process::ImageProcess;
use crate::rt::libraries::{self, Library};
use crate::rt::{self, ExecutorProcessControl, SlabMemoryManager};
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs;
use std::hash::Hasher;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use xxhash_rust::xxh3::Xxh3;

/// Where images are linked: anywhere, they are moved.
const BASE: ExecutorAddr = ExecutorAddr(1 << 36);
/// The largest image in bytes.
const LIMIT: u64 = 0x6000_0000;

/// Links the program of `command` and leaves its image and its record in `directory`, the record at `path`. Says whether there is a
/// record now. `key` is the command line's.
pub(super) fn build(command: &CommandLine, libraries: &[Library], directory: &Path, key: u64, path: &Path) -> bool {
    let read = Arc::new(Mutex::new(BTreeSet::new()));
    let image = link(command, libraries, directory, key, &read);
    if let Err(error) = &image {
        log::debug!("no image: {error:#}");
    }
    let inputs = match image.as_ref() {
        Ok((_, _, inputs)) => Ok(inputs.clone()),
        // What stands in the way may be gone when one of these has changed.
        Err(_) => stamps(command, libraries, &read),
    };
    let image = image.ok().map(|(name, stamp, _)| (name, stamp));
    inputs.is_ok_and(|inputs| Entry { inputs, image }.write(path).is_ok())
}

/// Files that were read besides those of the command line.
pub(super) type Read = Arc<Mutex<BTreeSet<PathBuf>>>;

/// A program that is linked as an image is.
pub(super) struct Linked {
    pub session: Arc<Session>,
    pub program: LinkedProgram,
    pub recorder: ImageRecorder,
}

/// Links the program of `command`, the same each time. Files that are read besides are noted in `read`.
pub(super) fn link_image(command: &CommandLine, read: &Read) -> Result<Linked> {
    let mut command = command.clone();
    command.plan.inputs.iter_mut().for_each(|input| input.lazy = false);
    inputs::with_files(&command, |files| link_files(&command, files, read))
}

fn link_files(command: &CommandLine, mut files: Files<'_>, read: &Read) -> Result<Linked> {
    let (target, _) = files.target()?;
    if (Some(target.arch), target.format) != (Arch::host(), Format::Elf) {
        bail!("images are only made of ELF programs for this machine");
    }
    let memory = SlabMemoryManager::new(BASE, rt::page_size(), Some(LIMIT))?;
    let executor = ImageProcess::new(Box::new(memory), BASE.offset(LIMIT));
    for library in &command.options.preload {
        executor.load_library(library)?;
    }
    let architecture = arch::of(target.arch).context("nothing is known of the architecture")?;
    let recorder = ImageRecorder::new(executor.clone(), architecture)?;
    let session = Session::new(target, Box::new(executor), options(command, target, &recorder, read))?;
    let (dylibs, initialized) = jitdylibs::fill(command, &session, files)?;
    let entry = command.options.entry.as_deref().unwrap_or("main");
    let program = session.link_program(&initialized, &dylibs, entry)?;
    Ok(Linked { session, program, recorder })
}

/// Links and writes the image; answers its name, its stamp and what it was made of.
fn link(
    command: &CommandLine,
    libraries: &[Library],
    directory: &Path,
    key: u64,
    read: &Read,
) -> Result<(String, Stamp, Vec<Input>)> {
    let before = stamps(command, libraries, read)?;
    let Linked { session, program, recorder } = link_image(command, read)?;
    let (image, contents) = recorder.finish(&session, &program, rt::page_size());
    let inputs = stamps(command, libraries, read)?;
    let of_contents = |inputs: &[Input]| inputs.iter().map(Input::content).collect::<Vec<_>>();
    if !of_contents(&inputs).starts_with(&of_contents(&before)) {
        bail!("a file has changed meanwhile");
    }
    let mut hash = Xxh3::with_seed(key);
    inputs.iter().for_each(|input| hash.update(&input.content().to_le_bytes()));
    let name = format!("{:016x}.image", hash.finish());
    let part = directory.join(format!("{name}.{}.part", std::process::id()));
    let written = image.write(&part, &contents).and_then(|()| fs::rename(&part, directory.join(&name)));
    if written.is_err() {
        fs::remove_file(&part).unwrap_or_default();
    }
    written.context("cannot write the image")?;
    // So that the next start need not doubt the image's times.
    std::thread::sleep(TICK);
    let stamp = Stamp::of(&fs::metadata(directory.join(&name))?);
    Ok((name, stamp, inputs))
}

fn options(command: &CommandLine, target: Target, recorder: &ImageRecorder, read: &Read) -> SessionOptions {
    let (files, helpers) = (read.clone(), read.clone());
    SessionOptions {
        executes: false,
        threads: command.options.threads(),
        copy_file_part: Box::new(|_, _| false),
        load_file: Box::new(move |path| {
            note(&files, path);
            rt::map_file(path)
        }),
        helper_archives: Box::new(move || {
            let archives = libraries::helper_archives(target.arch);
            archives.iter().for_each(|(path, _)| note(&helpers, Path::new(path)));
            archives
        }),
        plugins: vec![Box::new(recorder.clone())],
        thread_locals: Some(Box::new(recorder.clone())),
        relocatable: true,
        ..SessionOptions::default()
    }
}

fn note(read: &Read, path: &Path) {
    read.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_path_buf());
}

/// This linker and all files that were read, as they are now.
///
/// Errors: what the operating system says.
fn stamps(command: &CommandLine, libraries: &[Library], read: &Read) -> Result<Vec<Input>> {
    let linker = std::env::current_exe()?;
    let files = command.plan.inputs.iter().filter(|i| i.kind == InputKind::File).map(|i| Path::new(&i.name));
    let libraries = libraries.iter().map(|library| match library {
        Library::Static(path) | Library::Shared(path) => path.as_path(),
    });
    let read = read.lock().unwrap_or_else(PoisonError::into_inner);
    let others = read.iter().map(PathBuf::as_path);
    let paths = std::iter::once(linker.as_path()).chain(files).chain(libraries).chain(others);
    paths.map(|path| Input::now(path).with_context(|| format!("'{}'", path.display()))).collect()
}
