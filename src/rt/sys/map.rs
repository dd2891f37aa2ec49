//! Input files in memory.

use std::fs::File;
use std::io;
use std::path::Path;

/// Maps the file at `path`; the bytes stay mapped as long as the process: linked code and symbol tables borrow them.
///
/// Errors: those of opening it; directories and other files that cannot be mapped included.
pub fn map_file(path: &Path) -> io::Result<&'static [u8]> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    if metadata.len() == 0 {
        return Ok(&[]);
    }
    // SAFETY: the mapping is private and never unmapped. A file that is truncated by somebody else while it is used would
    // raise SIGBUS, as it does in every linker that maps its inputs; that cannot be excluded, only documented.
    let map = unsafe { memmap2::Mmap::map(&file)? };
    Ok(Box::leak(Box::new(map)))
}
