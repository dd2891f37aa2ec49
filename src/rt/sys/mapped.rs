//! The input files that are mapped, and whether they are still what they were.
//!
//! A mapping shows what is in its file now. Another file that is put in the place of one, written and then renamed as compilers do it, leaves the mapped one
//! alone. But one that is written over while a lazy program runs would be linked half old and half new, and of one that is cut short pages
//! are missing, which raises SIGBUS. So whoever links for a program that runs asks afterwards whether the bytes can be trusted.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use super::monotonic_nanoseconds;

/// For so many nanoseconds a file is taken for what it was when it was looked at: a lazy program makes thousands of first calls in a row.
const TRUSTED: u64 = 10_000_000;
/// In the place of a time: the file has changed.
const CHANGED: u64 = u64::MAX;

/// A mapped file.
#[derive(Debug)]
struct Mapped {
    bytes: &'static [u8],
    /// Absolute, since the program may change its directory.
    path: PathBuf,
    /// Device and number: which file it is.
    identity: (u64, u64),
    state: State,
    /// When it was looked at last.
    looked_at: AtomicU64,
}

/// What changes when a file's bytes do: its size, and when it was written to.
type State = (u64, i64, i64);

/// By their first addresses.
static MAPPED: RwLock<BTreeMap<usize, Mapped>> = RwLock::new(BTreeMap::new());

fn state(metadata: &Metadata) -> State {
    (metadata.len(), metadata.mtime(), metadata.mtime_nsec())
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Notes that `bytes` are the file at `path`, of which the system says `metadata`.
pub fn add(bytes: &'static [u8], path: &Path, metadata: &Metadata) {
    // Without a current directory there is no way back to the file, and it is not looked at again.
    let path = std::path::absolute(path).unwrap_or_default();
    let looked_at = AtomicU64::new(0);
    let mapped = Mapped { bytes, path, identity: identity(metadata), state: state(metadata), looked_at };
    MAPPED.write().unwrap_or_else(PoisonError::into_inner).insert(bytes.as_ptr() as usize, mapped);
}

/// All mappings.
pub fn all() -> Vec<&'static [u8]> {
    MAPPED.read().unwrap_or_else(PoisonError::into_inner).values().map(|mapped| mapped.bytes).collect()
}

/// Whether the mapped file that `part` is of, if it is of one, is as it was when it was mapped, or was so a moment ago.
///
/// # Errors
/// Its path, if it is not.
pub fn check(part: &[u8]) -> Result<(), PathBuf> {
    let mapped = MAPPED.read().unwrap_or_else(PoisonError::into_inner);
    let Some(file) = find(&mapped, part.as_ptr() as usize) else { return Ok(()) };
    let looked_at = file.looked_at.load(Ordering::Relaxed);
    let now = monotonic_nanoseconds();
    if looked_at != CHANGED && looked_at.saturating_add(TRUSTED) > now {
        return Ok(());
    }
    // What is not there any more, or is another file, says nothing of the mapped one, which others cannot find any more to write to.
    let there = std::fs::metadata(&file.path).ok().filter(|there| identity(there) == file.identity);
    if looked_at == CHANGED || there.is_some_and(|there| state(&there) != file.state) {
        file.looked_at.store(CHANGED, Ordering::Relaxed);
        return Err(file.path.clone());
    }
    file.looked_at.store(now, Ordering::Relaxed);
    Ok(())
}

/// The path of the mapped file whose memory `address` is in. Waits for nobody: `None` also while the table is being changed.
pub fn file_at(address: u64) -> Option<PathBuf> {
    Some(find(&*MAPPED.try_read().ok()?, address as usize)?.path.clone())
}

fn find(mapped: &BTreeMap<usize, Mapped>, address: usize) -> Option<&Mapped> {
    let (_, file) = mapped.range(..=address).next_back()?;
    file.bytes.as_ptr_range().contains(&(address as *const u8)).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::time::{Duration, SystemTime};
    use tempfile::TempDir;

    const SIZE: usize = 100_000;

    /// A folder, which is removed when it is dropped, the path of a file there, and its bytes, mapped.
    fn mapped() -> (TempDir, PathBuf, &'static [u8]) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, vec![7; SIZE]).unwrap();
        let bytes = super::super::map_file(&path).unwrap();
        (folder, path, bytes)
    }

    fn wait_until_it_is_looked_at_again() {
        std::thread::sleep(Duration::from_nanos(2 * TRUSTED));
    }

    #[test]
    fn a_file_that_is_written_over_has_changed() {
        let (_folder, path, bytes) = mapped();
        assert_eq!(check(&bytes[SIZE / 2..]), Ok(()));
        wait_until_it_is_looked_at_again();
        std::fs::write(&path, vec![8; SIZE]).unwrap();
        // The system's clock for files is coarse.
        File::open(&path).unwrap().set_modified(SystemTime::now() + Duration::from_secs(1)).unwrap();
        let changed = Err(path.canonicalize().unwrap());
        assert_eq!(check(bytes), changed);
        assert_eq!(check(bytes), changed, "that stays so");
    }

    #[test]
    fn a_file_that_another_one_has_replaced_is_what_it_was() {
        let (_folder, path, bytes) = mapped();
        let new = path.with_extension("new");
        std::fs::write(&new, b"new").unwrap();
        std::fs::rename(&new, &path).unwrap();
        assert_eq!(check(bytes), Ok(()));
        std::fs::remove_file(path).unwrap();
        wait_until_it_is_looked_at_again();
        assert_eq!(check(bytes), Ok(()));
    }

    #[test]
    fn other_memory_is_not_looked_at() {
        let own = [1u8];
        assert_eq!(check(&own), Ok(()));
        assert_eq!(file_at(own.as_ptr() as u64), None);
    }

    #[test]
    fn addresses_lead_to_files() {
        let (_folder, path, bytes) = mapped();
        let start = bytes.as_ptr() as u64;
        for (address, there) in [(start - 1, false), (start, true), (start + SIZE as u64 - 1, true)] {
            assert_eq!(file_at(address).is_some_and(|found| found.ends_with(path.file_name().unwrap())), there);
        }
    }
}
