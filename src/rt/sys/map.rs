//! Input files in memory.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use super::mapped;

/// Files up to this size, in bytes, are read: that costs less than a mapping of their own, of which thousands are slow to make
/// and to take down.
const READ_LIMIT: usize = 16 << 10;

static MAPPED: AtomicU64 = AtomicU64::new(0);

/// From this size on, in bytes, mapped archives stay open, so that parts of them can be copied. Objects are mostly needed whole.
const OPEN_SIZE: u64 = 256 << 10;

/// What those begin with.
const ARCHIVE: &[u8] = b"!<arch>\n";

/// How many stay open at most, and which part of all files that the process may have open.
const MOST_OPEN: libc::rlim_t = 128;
const OPEN_PART: libc::rlim_t = 4;

/// The files that are open.
static OPEN: RwLock<Vec<(&'static [u8], Arc<File>)>> = RwLock::new(Vec::new());

/// How many bytes of files [`map_file`] has brought into memory.
pub fn mapped_bytes() -> u64 {
    MAPPED.load(Ordering::Relaxed)
}

/// Maps the file at `path`; the bytes stay as long as the process: linked code and symbol tables borrow them.
///
/// Errors: those of opening it; directories and other files that cannot be mapped included.
pub fn map_file(path: &Path) -> io::Result<&'static [u8]> {
    let mut file = File::open(path)?;
    // Small files are read without asking for their size first.
    let mut bytes = [0; READ_LIMIT];
    let mut length = 0;
    while length < READ_LIMIT {
        match file.read(&mut bytes[length..]) {
            Ok(0) => return Ok(keep(bytes[..length].to_vec())),
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        let mut bytes = bytes.to_vec();
        file.read_to_end(&mut bytes)?;
        return Ok(keep(bytes));
    }
    MAPPED.fetch_add(metadata.len(), Ordering::Relaxed);
    // SAFETY: the mapping is private and never unmapped. A file that is written over by somebody else while it is used changes what is read, and one that is
    // cut short raises SIGBUS, as in every linker that maps its inputs. That cannot be excluded; it is noticed ([`mapped::check`]).
    let map = unsafe { memmap2::MmapOptions::new().len(metadata.len() as usize).map(&file)? };
    let map: &'static [u8] = Box::leak(Box::new(map));
    mapped::add(map, path, &metadata);
    if metadata.len() >= OPEN_SIZE && bytes.starts_with(ARCHIVE) {
        let mut open = OPEN.write().unwrap_or_else(PoisonError::into_inner);
        if (open.len() as libc::rlim_t) < most_open() {
            open.push((map, Arc::new(file)));
        }
    }
    Ok(map)
}

/// How many files may stay open: asked for once, and not where no large archive is.
fn most_open() -> libc::rlim_t {
    static MOST: OnceLock<libc::rlim_t> = OnceLock::new();
    *MOST.get_or_init(|| {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: the answer goes to `limit`, which stays 0 where there is none.
        unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
        MOST_OPEN.min(limit.rlim_cur / OPEN_PART)
    })
}

/// Copies `part` of a file that [`map_file`] has mapped to `copy`, which is as long, without bringing the file's own pages into this process's memory.
/// `false` if that cannot be done: the file is small or no archive, too many are open, or [`close_files`] has been called.
pub fn copy_file_part(part: &'static [u8], copy: &mut [u8]) -> bool {
    let (start, end) = (part.as_ptr() as usize, part.as_ptr() as usize + part.len());
    let whole = |map: &[u8]| map.as_ptr() as usize..=map.as_ptr() as usize + map.len();
    let opened = {
        let open = OPEN.read().unwrap_or_else(PoisonError::into_inner);
        let found = open.iter().find(|(map, _)| whole(map).contains(&start) && whole(map).contains(&end));
        found.map(|(map, file)| (map.as_ptr() as usize, file.clone()))
    };
    // Read with nothing locked: other threads open files meanwhile.
    opened.is_some_and(|(map, file)| file.read_exact_at(copy, (start - map) as u64).is_ok())
}

/// Closes what [`map_file`] has left open, before a program runs that is not to find files open which it has not opened.
pub fn close_files() {
    OPEN.write().unwrap_or_else(PoisonError::into_inner).clear();
}

/// Takes mapped files out of this process's memory: it has read what it wants of them, for now. They come back from the file where they are
/// looked at again. Taking down a mapping of much is slow, and has to be done some time: any thread can do it.
pub fn set_aside_files() {
    for map in mapped::all() {
        // SAFETY: the whole mapping of a file, which is never unmapped nor written to: it holds the same bytes afterwards. That the advice
        // is not followed does no harm.
        unsafe { libc::madvise(map.as_ptr().cast_mut().cast(), map.len(), libc::MADV_DONTNEED) };
    }
}

fn keep(bytes: Vec<u8>) -> &'static [u8] {
    MAPPED.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    bytes.leak()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[test]
    fn files_of_all_sizes_are_whole() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("file");
        for size in [0, 1, READ_LIMIT - 1, READ_LIMIT, READ_LIMIT + 1, 3 * READ_LIMIT] {
            let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            std::fs::write(&path, &bytes).unwrap();
            let file = map_file(&path).unwrap();
            assert_eq!(file, bytes, "{size} bytes");
            set_aside_files();
            assert_eq!(file, bytes, "{size} bytes, set aside");
        }
    }

    #[test]
    fn parts_of_open_files_can_be_copied() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("archive");
        let rest = (ARCHIVE.len() as u64..OPEN_SIZE + 1).map(|at| (at % 251) as u8);
        let bytes: Vec<u8> = ARCHIVE.iter().copied().chain(rest).collect();
        std::fs::write(&path, &bytes).unwrap();
        let file = map_file(&path).unwrap();
        drop(folder);
        let copy = |part: &'static [u8]| {
            let mut copy = vec![0; part.len()];
            copy_file_part(part, &mut copy).then_some(copy)
        };
        let size = bytes.len();
        for (start, end) in [(0, 0), (0, 1), (0, size), (4095, 70_000), (size - 1, size), (size, size)] {
            assert_eq!(copy(&file[start..end]).as_deref(), Some(&bytes[start..end]), "{start}..{end}");
        }
        assert_eq!(copy(b"not a part of it"), None);
        close_files();
        assert_eq!(copy(&file[..1]), None);
    }

    #[test]
    fn a_directory_is_an_error() {
        assert!(map_file(&std::env::temp_dir()).is_err());
    }
}
