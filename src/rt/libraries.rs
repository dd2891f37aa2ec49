//! Where libraries are: what `-l` means, what linker scripts list, and the helper archives that every static link ends with.

use super::linker_script::{self, ScriptError, ScriptInput};
use super::map_file;
use crate::base::Arch;
use crate::link::archive::Archive;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Most directories that one message lists.
const MAX_DIRECTORIES: usize = 10;
/// How deep linker scripts may name linker scripts.
const MAX_DEPTH: usize = 8;
/// What the names of libraries end in, those that win over others in one directory first.
const SUFFIXES: &[&str] = if cfg!(target_os = "macos") { &[".dylib", ".tbd", ".a"] } else { &[".so", ".a"] };
/// The helper archive that the C library's linker script names. It is asked last, as all helper archives.
const C_HELPERS: &str = "libc_nonshared.a";

/// A library that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Library {
    /// A file to be linked: an archive, or an object that a linker script or `-l:` names.
    Static(PathBuf),
    /// A shared library, to be loaded into the process. The path has a slash in it, so that the loader searches nowhere else.
    Shared(PathBuf),
}

/// Why there is no library.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// It is nowhere.
    #[error("could not find library for -l{name}; say where it is with -L{}", Searched(.searched))]
    NotFound {
        /// What was written behind `-l`.
        name: String,
        /// The directories that were searched.
        searched: Vec<PathBuf>,
    },
    /// A file that a linker script names is nowhere.
    #[error("'{file}', which linker script {script} names, does not exist{}", Searched(.searched))]
    NoSuchFile {
        /// The file.
        file: String,
        /// The script.
        script: String,
        /// The directories that were searched.
        searched: Vec<PathBuf>,
    },
    /// A linker script cannot be read.
    #[error("linker script {path}: {error}")]
    Unreadable {
        /// The script.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// A linker script cannot be understood.
    #[error("linker script {path}: {error}")]
    Script {
        /// The script.
        path: String,
        /// What is wrong.
        error: ScriptError,
    },
    /// Linker scripts that name each other.
    #[error("linker script {0}: linker scripts name each other")]
    Circle(String),
}

struct Searched<'a>(&'a [PathBuf]);

impl fmt::Display for Searched<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        f.write_str("; not in any of")?;
        for dir in self.0.iter().take(MAX_DIRECTORIES) {
            write!(f, "\n  {}", dir.display())?;
        }
        match self.0.len().saturating_sub(MAX_DIRECTORIES) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

/// What a file is, as far as a search cares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// An archive.
    Archive,
    /// A shared library.
    Shared,
    /// A linker script that lists other files.
    Script,
    /// Something else: a relocatable object, or nothing that can be linked.
    Other,
}

impl FileKind {
    /// What the file that begins with `data` is. 4 KiB are enough.
    pub fn of(data: &[u8]) -> FileKind {
        if Archive::is_archive(data) {
            FileKind::Archive
        } else if data.starts_with(b"\x7fELF") {
            // e_type is ET_DYN (System V gABI, chapter 4).
            if data.get(16..18) == Some(&[3, 0]) { FileKind::Shared } else { FileKind::Other }
        } else if linker_script::is_script(data) {
            FileKind::Script
        } else {
            FileKind::Other
        }
    }
}

/// Where and for what libraries are searched.
#[derive(Debug)]
pub struct Search {
    given: Vec<PathBuf>,
    system: Vec<PathBuf>,
    arch: Arch,
}

impl Search {
    /// A search in the directories `given`, then in those of the system and its compiler for `arch`.
    pub fn new(given: &[PathBuf], arch: Arch) -> Search {
        Search { given: given.to_vec(), system: system_dirs(arch), arch }
    }

    /// Finds what `-l` and `name` mean: `m` is libm, `:libm.a` the file of that name.
    ///
    /// In one directory a shared library wins over an archive, as with a static linker; files for another architecture are passed
    /// over. If no directory has either, `libname.so.N` in the system's will do too, since no development files are needed
    /// to run a program. A linker script stands for what it lists.
    ///
    /// # Errors
    /// All of [`LibraryError`].
    pub fn library(&self, name: &str) -> Result<Vec<Library>, LibraryError> {
        self.find(name, 0)
    }

    /// The files that linker script `path` lists.
    ///
    /// # Errors
    /// All of [`LibraryError`].
    pub fn script(&self, path: &Path) -> Result<Vec<Library>, LibraryError> {
        self.expand(path, 0)
    }

    fn dirs(&self) -> impl Iterator<Item = &PathBuf> {
        self.given.iter().chain(&self.system)
    }

    fn find(&self, name: &str, depth: usize) -> Result<Vec<Library>, LibraryError> {
        // The static unwinder would not know of the frames that the process's is told of.
        let name = if name == "gcc_eh" { "gcc_s" } else { name };
        let names = match name.strip_prefix(':') {
            Some(file) => vec![file.to_string()],
            None => SUFFIXES.iter().map(|suffix| format!("lib{name}{suffix}")).collect(),
        };
        let files = self.dirs().flat_map(|dir| names.iter().map(move |name| dir.join(name)));
        let mut suitable = files.filter_map(|path| Some((self.suitable(&path)?, path)));
        if let Some((kind, path)) = suitable.next() {
            return self.found(kind, path, depth);
        }
        if cfg!(target_os = "macos") {
            // Only the loader can see the system's own: there are no files of theirs.
            return Ok(vec![Library::Shared(format!("/usr/lib/lib{name}.dylib").into())]);
        }
        let versioned = format!("lib{name}.so.");
        match self.system.iter().find_map(|dir| self.newest_version(dir, &versioned)) {
            Some(path) => Ok(vec![Library::Shared(path)]),
            None => Err(LibraryError::NotFound { name: name.to_string(), searched: self.searched() }),
        }
    }

    fn searched(&self) -> Vec<PathBuf> {
        self.dirs().cloned().collect()
    }

    /// What is at `path`, if it can be read and is not for another architecture.
    fn suitable(&self, path: &Path) -> Option<FileKind> {
        let start = beginning(path)?;
        // e_machine (System V gABI, chapter 4).
        let machine: &[u8] = match self.arch {
            Arch::X86_64 => &[62, 0],
            Arch::Aarch64 => &[183, 0],
            Arch::Riscv64 => &[243, 0],
        };
        let foreign = start.starts_with(b"\x7fELF") && start.get(18..20) != Some(machine);
        (!foreign).then(|| FileKind::of(&start))
    }

    fn found(&self, kind: FileKind, path: PathBuf, depth: usize) -> Result<Vec<Library>, LibraryError> {
        Ok(match kind {
            FileKind::Script => self.expand(&path, depth)?,
            FileKind::Shared => vec![Library::Shared(with_slash(path))],
            FileKind::Archive | FileKind::Other => vec![Library::Static(path)],
        })
    }

    fn expand(&self, script: &Path, depth: usize) -> Result<Vec<Library>, LibraryError> {
        let path = || script.display().to_string();
        if depth == MAX_DEPTH {
            return Err(LibraryError::Circle(path()));
        }
        let text = std::fs::read_to_string(script).map_err(|error| LibraryError::Unreadable { path: path(), error })?;
        let inputs = linker_script::parse(&text).map_err(|error| LibraryError::Script { path: path(), error })?;
        let mut libraries = Vec::new();
        for input in inputs {
            libraries.extend(match input {
                ScriptInput::Library(name) => self.find(&name, depth + 1)?,
                ScriptInput::File(name) if Path::new(&name).file_name().is_some_and(|n| n == C_HELPERS) => Vec::new(),
                ScriptInput::File(name) => {
                    let (kind, file) = self.file(script, &name)?;
                    self.found(kind, file, depth + 1)?
                }
            });
        }
        Ok(libraries)
    }

    /// The file that `script` calls `name`: beside it, in the current directory, or where libraries are.
    fn file(&self, script: &Path, name: &str) -> Result<(FileKind, PathBuf), LibraryError> {
        let absolute = Path::new(name).is_absolute();
        let beside = script.parent().map(|dir| dir.join(name));
        let elsewhere = self.dirs().map(|dir| dir.join(name)).filter(|_| !absolute);
        let mut places = beside.into_iter().chain([PathBuf::from(name)]).chain(elsewhere);
        places.find_map(|path| Some((self.suitable(&path)?, path))).ok_or_else(|| LibraryError::NoSuchFile {
            file: name.to_string(),
            script: script.display().to_string(),
            searched: if absolute { Vec::new() } else { self.searched() },
        })
    }

    /// The shared library in `dir` whose name is `prefix` and the greatest major version number.
    fn newest_version(&self, dir: &Path, prefix: &str) -> Option<PathBuf> {
        let version = |file: &String| file.strip_prefix(prefix)?.parse::<u32>().ok();
        let newest = names(dir).filter(|f| version(f).is_some()).max_by_key(version)?;
        Some(dir.join(newest)).filter(|path| self.suitable(path) == Some(FileKind::Shared))
    }
}

/// `path`, as the loader takes it for a path and not for a name to search for.
pub fn with_slash(path: PathBuf) -> PathBuf {
    if path.components().count() == 1 && path.is_relative() { Path::new(".").join(path) } else { path }
}

/// The archives that a static link ends with, as name and content: GCC's own functions, what the C library keeps out of its shared
/// part, and then LLVM's own functions. Looked for in known places; if GCC's archive is in none, the compiler `cc` is asked. None of another architecture than `arch`.
pub fn helper_archives(arch: Arch) -> Vec<(String, &'static [u8])> {
    let gcc = gcc_dirs(arch);
    let mut files: Vec<PathBuf> = gcc.iter().map(|dir| dir.join("libgcc.a")).filter(|file| file.is_file()).collect();
    if files.is_empty() && Arch::host() == Some(arch) {
        files.extend(compilers_answer());
    }
    files.truncate(1);
    files.extend(system_dirs(arch).iter().map(|dir| dir.join(C_HELPERS)).find(|file| file.is_file()));
    files.extend(gcc.iter().map(|dir| dir.join("libgcc_eh.a")).find(|file| file.is_file()));
    files.extend(compiler_rt(arch));
    let open = |file: PathBuf| Some((file.display().to_string(), map_file(&file).ok()?));
    files.into_iter().filter_map(open).collect()
}

/// Where the compiler says that its helper archive is.
fn compilers_answer() -> Option<PathBuf> {
    let mut cc = Command::new("cc");
    let output = cc.arg("-print-libgcc-file-name").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim_end());
    (path.is_absolute() && path.is_file()).then_some(path)
}

/// LLVM's archive of the same functions, of the newest version installed.
fn compiler_rt(arch: Arch) -> Option<PathBuf> {
    let llvm = names(Path::new("/usr/lib")).filter(|name| name.starts_with("llvm-"));
    let mut llvm: Vec<PathBuf> = llvm.map(|name| Path::new("/usr/lib").join(name).join("lib/clang")).collect();
    llvm.sort_by_key(|path| version(&path.to_string_lossy()));
    llvm.reverse();
    llvm.push("/usr/lib/clang".into());
    let newest = llvm.iter().filter_map(|dir| newest_folder(dir));
    let name = arch.name();
    let places =
        [format!("lib/linux/libclang_rt.builtins-{name}.a"), format!("lib/{name}-linux-gnu/libclang_rt.builtins.a")];
    newest.flat_map(|dir| places.iter().map(move |place| dir.join(place)).collect::<Vec<_>>()).find(|f| f.is_file())
}

/// GCC's directories for `arch`, the newest version of each installation.
fn gcc_dirs(arch: Arch) -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    for root in ["/usr/lib/gcc", "/usr/lib64/gcc", "/usr/lib/gcc-cross"].map(Path::new) {
        let prefix = format!("{}-", arch.name());
        let mut triples: Vec<String> = names(root).filter(|name| name.starts_with(&prefix)).collect();
        triples.sort();
        dirs.extend(triples.iter().filter_map(|triple| newest_folder(&root.join(triple))));
    }
    dirs
}

fn system_dirs(arch: Arch) -> Vec<PathBuf> {
    let multiarch = format!("{}-linux-gnu", arch.name());
    let mut dirs = gcc_dirs(arch);
    for root in ["/usr/local/lib", "/lib", "/usr/lib"] {
        dirs.push(Path::new(root).join(&multiarch));
        dirs.push(format!("{root}64").into());
        dirs.push(root.into());
    }
    // Where distributions put what cross compilers link with.
    dirs.push(Path::new("/usr").join(&multiarch).join("lib"));
    dirs.retain(|dir| dir.is_dir());
    dirs
}

fn names(dir: &Path) -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok())
}

/// The numbers in `name`, by which versions are compared.
fn version(name: &str) -> Vec<u32> {
    name.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

/// The folder in `dir` with the greatest version for its name.
fn newest_folder(dir: &Path) -> Option<PathBuf> {
    let versions = names(dir).filter(|name| name.starts_with(|c: char| c.is_ascii_digit()));
    Some(dir.join(versions.max_by_key(|name| version(name))?))
}

/// The first bytes of the file at `path`; `None` if it cannot be read.
fn beginning(path: &Path) -> Option<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(4096).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    const ARCHIVE: &[u8] = b"!<arch>\n";
    /// The part of an ELF header that a search reads: a shared library for x86-64, and one for aarch64.
    const SHARED: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0";
    const FOREIGN: &[u8] = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\xb7\0";

    fn directory(files: &[(&str, &[u8])]) -> TempDir {
        let dir = TempDir::new().unwrap();
        for (name, bytes) in files {
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        dir
    }

    fn found(dirs: &[&Path], name: &str) -> Vec<Library> {
        let given: Vec<PathBuf> = dirs.iter().map(|dir| dir.to_path_buf()).collect();
        Search { given, system: Vec::new(), arch: Arch::X86_64 }.library(name).unwrap()
    }

    #[test]
    fn a_shared_library_wins_over_an_archive() {
        let dir = directory(&[("libx.a", ARCHIVE), ("libx.so", SHARED)]);
        assert_eq!(found(&[dir.path()], "x"), [Library::Shared(dir.path().join("libx.so"))]);
    }

    #[test]
    fn the_first_directory_wins() {
        let (one, two) =
            (directory(&[("libx.a", ARCHIVE)]), directory(&[("libx.so", SHARED), ("libother.a", ARCHIVE)]));
        assert_eq!(found(&[one.path(), two.path()], "x"), [Library::Static(one.path().join("libx.a"))]);
    }

    #[test]
    fn a_library_for_another_architecture_is_passed_over() {
        let dir = directory(&[("libx.a", ARCHIVE), ("libx.so", FOREIGN)]);
        assert_eq!(found(&[dir.path()], "x"), [Library::Static(dir.path().join("libx.a"))]);
    }

    #[test]
    fn a_file_can_be_named() {
        let dir = directory(&[("libx.a", ARCHIVE), ("libx.so", SHARED), ("x.o", b"\x7fELF")]);
        assert_eq!(found(&[dir.path()], ":libx.a"), [Library::Static(dir.path().join("libx.a"))]);
    }

    #[test]
    fn a_script_stands_for_what_it_lists() {
        let script = b"GROUP(y.so libc_nonshared.a AS_NEEDED(-lz) y.a)";
        let files: &[(&str, &[u8])] =
            &[("liby.so", script), ("y.so", SHARED), ("y.a", ARCHIVE), ("libz.so", b"INPUT(z.so)"), ("z.so", SHARED)];
        let dir = directory(files);
        let expected = [
            Library::Shared(dir.path().join("y.so")),
            Library::Shared(dir.path().join("z.so")),
            Library::Static(dir.path().join("y.a")),
        ];
        assert_eq!(found(&[dir.path()], "y"), expected);
    }

    #[test]
    fn scripts_can_be_wrong() {
        for (script, part) in [
            (&b"INPUT(-ly)"[..], "name each other"),
            (b"INPUT(nowhere.a)", "'nowhere.a', which linker script"),
            (b"INPUT(nowhere.a)", "not in any of\n  "),
            (b"INPUT(-lnowhere)", "could not find library for -lnowhere"),
            (b"INPUT(a.o) SECTIONS {}", "line 1: SECTIONS"),
        ] {
            let dir = directory(&[("liby.so", script)]);
            let search = Search { given: vec![dir.path().into()], system: Vec::new(), arch: Arch::X86_64 };
            let error = search.library("y").unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn the_newest_version_is_taken() {
        let dir = directory(&[("libz.so.9", SHARED), ("libz.so.10", SHARED), ("libz.so.10.1", SHARED)]);
        let search = Search { given: Vec::new(), system: vec![dir.path().into()], arch: Arch::X86_64 };
        assert_eq!(search.library("z").unwrap(), [Library::Shared(dir.path().join("libz.so.10"))]);
    }

    #[test]
    fn at_most_ten_directories_are_listed() {
        let searched = (0..12).map(|n| PathBuf::from(format!("d{n}"))).collect();
        let message = LibraryError::NotFound { name: "x".into(), searched }.to_string();
        assert!(message.ends_with("\n  d9\n  and 2 more"), "{message}");
    }

    #[test]
    fn a_bare_name_is_a_file_here() {
        for (path, expected) in [("libx.so", "./libx.so"), ("d/libx.so", "d/libx.so"), ("/libx.so", "/libx.so")] {
            assert_eq!(with_slash(path.into()), Path::new(expected));
        }
    }
}
