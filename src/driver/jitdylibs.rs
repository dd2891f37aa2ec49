//! From the plan to full JITDylibs, in llvm-jitlink's order: JITDylibs, `-abs`, `-alias`, `-sectcreate`, harness files, then inputs in the
//! order of words; what is not defined then is looked for in link orders.

use super::harness::Harness;
use super::inputs::{Content, Files, InputFile, is_idle_panic_runtime};
use crate::base::{Arch, ExecutorAddr, Format};
use crate::cli::{CommandLine, GranularityArg, Input, InputKind, Plan};
use crate::lazy::{ArchiveOptions, DylibId, Granularity, LazyObjectLinkingLayer, ObjectLinkingLayer, Session};
use crate::link::macho::stub;
use crate::link::{ObjectFile, exported_names, raw_section};
use crate::rt;
use crate::rt::libraries::{self, Library, Search};
use anyhow::{Context, Result, anyhow, bail};
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What inputs are added with.
struct Inputs<'a> {
    command: &'a CommandLine,
    session: &'a Arc<Session>,
    dylibs: Vec<DylibId>,
    eager: ObjectLinkingLayer,
    /// Only if something is lazy.
    lazy: Option<LazyObjectLinkingLayer>,
    harness: Option<Harness>,
    /// Shared libraries, loaded when all files are known: they may refer to what those define.
    libraries: RefCell<Vec<PathBuf>>,
}

/// Makes the JITDylibs of `command` and fills them; `files` are its inputs that are files. Answers the JITDylibs in order of
/// mention, and those whose initializers run, in that order: `main` and the ones it links against, those first.
pub(super) fn fill(
    command: &CommandLine,
    session: &Arc<Session>,
    mut files: Files<'_>,
) -> Result<(Vec<DylibId>, Vec<DylibId>)> {
    let plan = &command.plan;
    let granularity = match command.options.lazy_granularity {
        GranularityArg::Function => Granularity::Function,
        GranularityArg::Object => Granularity::Object,
    };
    let any_lazy = plan.inputs.iter().any(|i| i.lazy);
    let mut inputs = Inputs {
        command,
        session,
        dylibs: plan.dylibs.iter().map(|name| session.create_dylib(name)).collect(),
        eager: ObjectLinkingLayer::new(session),
        lazy: any_lazy.then(|| LazyObjectLinkingLayer::new(session, granularity)).transpose()?,
        harness: None,
        libraries: RefCell::default(),
    };
    check_directories(plan)?;
    inputs.define()?;
    inputs.add_harness()?;
    if let [only] = inputs.dylibs[..] {
        session.expect_names(only, files.names());
    }
    for input in &plan.inputs {
        inputs.add_input(input, &mut files)?;
    }
    session.offer_archives();
    for library in inputs.libraries.take() {
        inputs.load_library(&library)?;
    }
    if command.options.phony_externals {
        session.set_phony_externals(inputs.dylibs[0]);
    }
    let initialized = initializer_order(plan, &inputs.dylibs);
    Ok((inputs.dylibs, initialized))
}

fn check_directories(plan: &Plan) -> Result<()> {
    for (name, dirs) in plan.dylibs.iter().zip(&plan.library_dirs) {
        if let Some(dir) = dirs.iter().find(|dir| !dir.is_dir()) {
            bail!("While linking {name}, -L{} does not point to a directory", dir.display());
        }
    }
    Ok(())
}

impl Inputs<'_> {
    /// Defines what no input defines: addresses, aliases, sections.
    fn define(&self) -> Result<()> {
        let plan = &self.command.plan;
        for (dylib, definition) in &plan.definitions {
            let address = ExecutorAddr(definition.address);
            self.session.define_absolute(self.dylibs[*dylib], &definition.name, address)?;
        }
        for alias in &plan.aliases {
            let (dylib, other) = (self.dylibs[alias.dylib], self.dylibs[alias.aliasee_dylib]);
            self.session.define_alias(dylib, &alias.name, other, &alias.aliasee)?;
        }
        for (dylib, section) in &plan.sections {
            let content = rt::map_file(Path::new(&section.file)).with_context(|| format!("'{}'", section.file))?;
            // Names of sections and symbols live as long as the process.
            let leak = |name: &str| -> &'static [u8] { name.to_string().leak().as_bytes() };
            let symbols: Vec<(&'static [u8], u64)> = section.symbols.iter().map(|(n, at)| (leak(n), *at)).collect();
            let name = format!("orc_sectcreate_{}", section.section);
            let file = raw_section(name, self.session.target(), leak(&section.section), content, &symbols);
            self.eager.add_file(self.dylibs[*dylib], file)?;
        }
        Ok(())
    }

    /// Adds the harness objects, which come before what they test.
    fn add_harness(&mut self) -> Result<()> {
        let mut objects = Vec::new();
        for path in &self.command.harness {
            let file = InputFile::read(Path::new(path))?;
            match file.content {
                Content::Object(object) => objects.push(object.into_file()),
                _ => bail!("{} does not contain a relocatable object file", file.name),
            }
        }
        if objects.is_empty() {
            return Ok(());
        }
        self.harness = Some(Harness::of(objects.iter()));
        for object in objects {
            self.eager.add_file(self.dylibs[0], object)?;
        }
        Ok(())
    }

    fn add_input(&self, input: &Input, files: &mut Files<'_>) -> Result<()> {
        match input.kind {
            InputKind::File => {
                let Some(file) = files.take()? else { return Ok(()) };
                if is_idle_panic_runtime(&file.name, &self.command.plan) {
                    return Ok(());
                }
                match file.content {
                    Content::Shared => {
                        self.libraries.borrow_mut().push(libraries::with_slash(file.name.into()));
                        Ok(())
                    }
                    Content::Script => self.add_libraries(self.search(input).script(Path::new(&file.name))?, input),
                    _ => self.add(input, file),
                }
            }
            InputKind::HiddenFile => self.add(input, InputFile::read(Path::new(&input.name))?),
            InputKind::Library => {
                let name = input.name.to_string_lossy();
                match self.dylib_named(&name) {
                    Some(other) => {
                        self.session.add_to_link_order(self.dylibs[input.dylib], other);
                        Ok(())
                    }
                    None => self.add_libraries(self.find(input, &name)?, input),
                }
            }
            InputKind::HiddenLibrary => {
                let archive = format!(":lib{}.a", input.name.to_string_lossy());
                self.add_libraries(self.find(input, &archive)?, input)
            }
            InputKind::WeakFile | InputKind::WeakLibrary => {
                let name = input.name.to_string_lossy();
                if self.dylib_named(&name).is_some() {
                    bail!("Can't use -weak-lx or -weak_library to load JITDylib {name}");
                }
                let path = match input.kind {
                    InputKind::WeakLibrary => self.weak_library(input, &name)?,
                    _ => PathBuf::from(&input.name),
                };
                let name = path.display().to_string();
                let data = rt::map_file(&path).with_context(|| format!("'{name}'"))?;
                let Some(names) = exported_names(&name, data, self.session.target())? else {
                    bail!("Cannot get interface for {name} unrecognized file type");
                };
                self.session.define_null(self.dylibs[input.dylib], names);
                Ok(())
            }
        }
    }

    /// The library or TextAPI file that `-weak-l` and `name` mean.
    fn weak_library(&self, input: &Input, name: &str) -> Result<PathBuf> {
        let dirs = &self.command.plan.library_dirs[input.dylib];
        let candidates = dirs.iter().flat_map(|dir| ["dylib", "tbd"].map(|end| dir.join(format!("lib{name}.{end}"))));
        let found = candidates.into_iter().find(|path| path.is_file());
        let dylib = &self.command.plan.dylibs[input.dylib];
        found.ok_or_else(|| {
            anyhow!("While linking {dylib}, could not find library for -weak-l{name}; say where it is with -L")
        })
    }

    /// Adds an object or archive.
    fn add(&self, input: &Input, file: InputFile) -> Result<()> {
        let dylib = self.dylibs[input.dylib];
        let file = file.for_target(self.session.target())?;
        let force = self.forced_members();
        let options = ArchiveOptions {
            force,
            hidden: matches!(input.kind, InputKind::HiddenFile | InputKind::HiddenLibrary),
            offered_later: force.is_none(),
        };
        if !matches!(file.content, Content::Archive(_)) {
            self.session.offer_archives();
        }
        match (file.content, self.lazy.as_ref().filter(|_| input.lazy)) {
            (Content::Object(_), _) if options.hidden => bail!("{} does not contain an archive", file.name),
            (Content::Object(object), None) => match &self.harness {
                Some(harness) => {
                    let mut object = object.into_file();
                    harness.apply(&mut object);
                    self.eager.add_file(dylib, object)?;
                }
                None => self.eager.add_file(dylib, *object)?,
            },
            (Content::Object(object), Some(lazy)) => lazy.add_file(dylib, *object)?,
            (Content::Archive(archive), None) => self.eager.add_open_archive(dylib, archive, options)?,
            (Content::Archive(archive), Some(lazy)) => lazy.add_open_archive(dylib, archive, options)?,
            (Content::Stub(data), _) => self.load_stub(&file.name, data)?,
            (Content::Shared | Content::Script | Content::Universal(_) | Content::Neither, _) => bail!(
                "{} does not contain a relocatable object file or archive compatible with {}",
                file.name,
                self.session.target()
            ),
        }
        Ok(())
    }

    /// Which members of archives are part of the program whatever refers to them.
    fn forced_members(&self) -> Option<fn(&ObjectFile) -> bool> {
        let options = &self.command.options;
        match (options.all_load, options.objc) {
            (true, _) => Some(|_| true),
            (false, true) => Some(has_runtime_metadata),
            (false, false) => None,
        }
    }

    /// Adds the static ones of `libraries` like `input`, and loads the others.
    fn add_libraries(&self, libraries: Vec<Library>, input: &Input) -> Result<()> {
        for library in libraries {
            match library {
                Library::Static(path) => self.add(input, InputFile::read(&path)?)?,
                Library::Shared(path) => self.libraries.borrow_mut().push(path),
            }
        }
        Ok(())
    }

    /// Loads the library that `data` is or stands for where the system is the program's. Elsewhere a program finds the library's
    /// symbols in this process, or does not.
    ///
    /// Errors: that it is damaged or for another target, or that it cannot be loaded.
    fn load_stub(&self, name: &str, data: &'static [u8]) -> Result<()> {
        let Some(stub) = stub::read(name, data, self.session.target())? else { return Ok(()) };
        if self.session.target().format == Format::host() {
            let path = if stub.is_text { stub.install_name.into() } else { libraries::with_slash(name.into()) };
            self.libraries.borrow_mut().push(path);
        }
        Ok(())
    }

    /// Loads a shared library, unless the program is for another architecture and so only linked.
    fn load_library(&self, path: &Path) -> Result<()> {
        if Some(self.session.target().arch) != Arch::host() {
            return Ok(());
        }
        let session = self.session;
        Ok(session.executor().load_library_for(path.as_os_str(), &|name| session.offer_to_library(name))?)
    }

    fn dylib_named(&self, name: &str) -> Option<DylibId> {
        self.command.plan.dylibs.iter().position(|dylib| dylib == name).map(|index| self.dylibs[index])
    }

    /// The libraries that a `-l` of `name` stands for.
    fn find(&self, input: &Input, name: &str) -> Result<Vec<Library>> {
        let found = self.search(input).library(name);
        found.map_err(|error| anyhow!("While linking {}, {error}", self.command.plan.dylibs[input.dylib]))
    }

    fn search(&self, input: &Input) -> Search {
        let mut dirs: Vec<PathBuf> = self.command.plan.library_dirs[input.dylib].clone();
        if self.command.options.search_sys_lib
            && let Some(system) = std::env::var_os("LD_LIBRARY_PATH")
        {
            dirs.extend(std::env::split_paths(&system).filter(|dir| !dir.as_os_str().is_empty()));
        }
        Search::new(&dirs, self.session.target().arch)
    }
}

/// `main` and the JITDylibs it links against, those first: their initializers run before those of who needs them.
fn initializer_order(plan: &Plan, dylibs: &[DylibId]) -> Vec<DylibId> {
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

/// Whether the Objective-C or the Swift runtime finds something in `file`, though no symbol refers to it.
fn has_runtime_metadata(file: &ObjectFile) -> bool {
    const LISTS: [&[u8]; 6] = [
        b"__objc_classlist",
        b"__objc_protolist",
        b"__objc_clsrolist",
        b"__objc_catlist",
        b"__objc_catlist2",
        b"__objc_nlcatlist",
    ];
    file.sections.iter().any(|section| {
        let name = section.name.rsplit(|&byte| byte == b',').next().unwrap_or_default();
        let swift = section.name.starts_with(b"__TEXT,__swift") && name != b"__swift_modhash";
        swift || LISTS.contains(&name)
    })
}
