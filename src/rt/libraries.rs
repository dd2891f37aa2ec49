//! Where `-l` libraries are: the directories given, then those of the system.

use crate::base::Arch;
use std::path::{Path, PathBuf};

/// A library that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Library {
    /// A static one.
    Archive(PathBuf),
    /// A shared one, to be loaded into the process.
    Shared(PathBuf),
}

/// Finds library `name` (`m` for libm) in `dirs`, then in the system's directories for `arch`.
///
/// In one directory a shared library wins over an archive, as with a static linker; in the system's directories
/// `libname.so.N` will do too, since no development files are needed to run a program. Files that are neither, such as linker
/// scripts, are passed over.
pub fn find(name: &str, dirs: &[PathBuf], arch: Arch) -> Option<Library> {
    dirs.iter()
        .find_map(|dir| in_directory(dir, name, false))
        .or_else(|| system_dirs(arch).iter().find_map(|dir| in_directory(dir, name, true)))
}

fn system_dirs(arch: Arch) -> Vec<PathBuf> {
    let multiarch = format!("{}-linux-gnu", arch.name());
    let mut dirs = Vec::new();
    for root in ["/usr/local/lib", "/lib", "/usr/lib"] {
        dirs.push(Path::new(root).join(&multiarch));
        dirs.push(root.into());
        dirs.push(format!("{root}64").into());
    }
    dirs
}

fn in_directory(dir: &Path, name: &str, versioned: bool) -> Option<Library> {
    let shared = dir.join(format!("lib{name}.so"));
    if starts_with(&shared, b"\x7fELF") {
        return Some(Library::Shared(shared));
    }
    if versioned && let Some(path) = newest_version(dir, &format!("lib{name}.so.")) {
        return Some(Library::Shared(path));
    }
    let archive = dir.join(format!("lib{name}.a"));
    let is_archive = starts_with(&archive, b"!<arch>\n") || starts_with(&archive, b"!<thin>\n");
    is_archive.then_some(Library::Archive(archive))
}

/// The file in `dir` whose name is `prefix` and the greatest major version number.
fn newest_version(dir: &Path, prefix: &str) -> Option<PathBuf> {
    let files = std::fs::read_dir(dir).ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let version = |file: &String| file.strip_prefix(prefix)?.parse::<u32>().ok();
    let newest = files.filter(|f| version(f).is_some()).max_by_key(version)?;
    Some(dir.join(newest)).filter(|path| starts_with(path, b"\x7fELF"))
}

fn starts_with(path: &Path, magic: &[u8]) -> bool {
    use std::io::Read;
    let mut bytes = vec![0; magic.len()];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut bytes)).is_ok() && bytes == magic
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(files: &[(&str, &[u8])]) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("rjitlink-libraries-{}-{files:p}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        for (name, bytes) in files {
            std::fs::write(dir.join(name), bytes).unwrap();
        }
        dir
    }

    #[test]
    fn a_shared_library_wins_over_an_archive() {
        let dir = directory(&[("libx.a", b"!<arch>\n"), ("libx.so", b"\x7fELF....")]);
        assert_eq!(in_directory(&dir, "x", false), Some(Library::Shared(dir.join("libx.so"))));
    }

    #[test]
    fn a_linker_script_is_passed_over() {
        let dir = directory(&[("liby.so", b"INPUT(-lz)"), ("liby.a", b"!<arch>\n")]);
        assert_eq!(in_directory(&dir, "y", false), Some(Library::Archive(dir.join("liby.a"))));
    }

    #[test]
    fn the_newest_version_is_taken() {
        let dir = directory(&[("libz.so.9", b"\x7fELF"), ("libz.so.10", b"\x7fELF"), ("libz.so.10.1", b"\x7fELF")]);
        assert_eq!(in_directory(&dir, "z", true), Some(Library::Shared(dir.join("libz.so.10"))));
    }

    #[test]
    fn what_is_nowhere_is_not_found() {
        assert_eq!(find("no-such-library", &[], Arch::X86_64), None);
    }
}
