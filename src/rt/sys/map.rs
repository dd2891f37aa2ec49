//! Input files in memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Files up to this size, in bytes, are read: that costs less than a mapping of their own, of which thousands are slow to make
/// and to take down.
const READ_LIMIT: u64 = 16 << 10;

static MAPPED: AtomicU64 = AtomicU64::new(0);

/// How many bytes of files [`map_file`] has brought into memory.
pub fn mapped_bytes() -> u64 {
    MAPPED.load(Ordering::Relaxed)
}

/// Maps the file at `path`; the bytes stay as long as the process: linked code and symbol tables borrow them.
///
/// Errors: those of opening it; directories and other files that cannot be mapped included.
pub fn map_file(path: &Path) -> io::Result<&'static [u8]> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    MAPPED.fetch_add(metadata.len(), Ordering::Relaxed);
    if metadata.len() <= READ_LIMIT {
        let mut bytes = vec![0; metadata.len() as usize];
        (&file).read_exact(&mut bytes)?;
        return Ok(bytes.leak());
    }
    // SAFETY: the mapping is private and never unmapped. A file that is truncated by somebody else while it is used would
    // raise SIGBUS, as it does in every linker that maps its inputs; that cannot be excluded, only documented.
    let map = unsafe { memmap2::MmapOptions::new().len(metadata.len() as usize).map(&file)? };
    Ok(Box::leak(Box::new(map)))
}
