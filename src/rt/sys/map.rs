//! Input files in memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Files up to this size, in bytes, are read: that costs less than a mapping of their own, of which thousands are slow to make
/// and to take down.
const READ_LIMIT: usize = 16 << 10;

static MAPPED: AtomicU64 = AtomicU64::new(0);

/// The files that are mapped.
static MAPS: Mutex<Vec<&'static [u8]>> = Mutex::new(Vec::new());

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
    // SAFETY: the mapping is private and never unmapped. A file that is truncated by somebody else while it is used would
    // raise SIGBUS, as it does in every linker that maps its inputs; that cannot be excluded, only documented.
    let map = unsafe { memmap2::MmapOptions::new().len(metadata.len() as usize).map(&file)? };
    let map: &'static [u8] = Box::leak(Box::new(map));
    MAPS.lock().unwrap_or_else(PoisonError::into_inner).push(map);
    Ok(map)
}

/// Takes mapped files out of this process's memory: it has read what it wants of them, for now. They come back from the file where they are
/// looked at again. Taking down a mapping of much is slow, and has to be done some time: any thread can do it.
pub fn set_aside_files() {
    let maps = MAPS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    for map in maps {
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

    #[test]
    fn files_of_all_sizes_are_whole() {
        let path = std::env::temp_dir().join(format!("rjitlink-map-{}", std::process::id()));
        for size in [0, 1, READ_LIMIT - 1, READ_LIMIT, READ_LIMIT + 1, 3 * READ_LIMIT] {
            let bytes: Vec<u8> = (0..size).map(|at| (at % 251) as u8).collect();
            std::fs::write(&path, &bytes).unwrap();
            let file = map_file(&path).unwrap();
            assert_eq!(file, bytes, "{size} bytes");
            set_aside_files();
            assert_eq!(file, bytes, "{size} bytes, set aside");
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn a_directory_is_an_error() {
        assert!(map_file(&std::env::temp_dir()).is_err());
    }
}
