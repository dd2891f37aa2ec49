//! What a command line has read and what came of it.

use crate::rt::image::ImageFile;
use serde::{Deserialize, Serialize};
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// What a file's times must be older than so that a change after they were looked at shows in them. File systems of today keep the time
/// of the last clock tick.
pub(super) const TICK: Duration = Duration::from_millis(20);
/// The same for file systems that keep whole seconds, or two.
const COARSE_TICK: Duration = Duration::from_secs(2);

/// A record, and the image it names, opened.
pub(super) struct Record {
    /// `None` if the program cannot become one.
    pub image: Option<ImageFile>,
}

/// What is in a record's file, behind a hash of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The linker itself and all files it read.
    pub inputs: Vec<Input>,
    /// The image's file name in the directory, and its stamp.
    pub image: Option<(String, Stamp)>,
}

/// A file and what was in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Input {
    path: PathBuf,
    stamp: Stamp,
    content: u64,
}

/// What tells a file from another one, or from itself after a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    /// Whether a later change would show in the times.
    settled: bool,
}

impl Stamp {
    /// That of the file that `metadata` is of.
    pub fn of(metadata: &Metadata) -> Stamp {
        let (modified, changed) =
            ((metadata.mtime(), metadata.mtime_nsec()), (metadata.ctime(), metadata.ctime_nsec()));
        let tick = if modified.1 == 0 && changed.1 == 0 { COARSE_TICK } else { TICK };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let young = |(seconds, nanoseconds): (i64, i64)| {
            let time = Duration::new(u64::try_from(seconds).unwrap_or(0), u32::try_from(nanoseconds).unwrap_or(0));
            time + tick > now
        };
        Stamp {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified,
            changed,
            settled: !young(modified) && !young(changed),
        }
    }

    /// Whether the file of `metadata` is certainly as it was.
    fn vouches_for(&self, metadata: &Metadata) -> bool {
        self.settled && Stamp { settled: true, ..Stamp::of(metadata) } == *self
    }
}

impl Input {
    /// The file at `path` as it is now.
    ///
    /// Errors: what the operating system says.
    pub fn now(path: &Path) -> io::Result<Input> {
        let stamp = Stamp::of(&fs::metadata(path)?);
        Ok(Input { path: path.to_path_buf(), stamp, content: content(path)? })
    }

    /// A hash of what was in it.
    pub fn content(&self) -> u64 {
        self.content
    }

    /// Whether it is as it was; takes down new times of a file that has been written again with the same content.
    fn is_current(&mut self, renewed: &mut bool) -> bool {
        let Ok(metadata) = fs::metadata(&self.path) else {
            return false;
        };
        if self.stamp.vouches_for(&metadata) {
            return true;
        }
        let stamp = Stamp::of(&metadata);
        if stamp.size != self.stamp.size || !content(&self.path).is_ok_and(|content| content == self.content) {
            return false;
        }
        *renewed = true;
        self.stamp = stamp;
        true
    }
}

impl Record {
    /// The record at `path`, if there is one, it is whole, and everything is still as it says.
    pub fn read(path: &Path, directory: &Path) -> Option<Record> {
        let mut entry = Entry::read(path)?;
        let mut renewed = false;
        if !entry.inputs.iter_mut().all(|input| input.is_current(&mut renewed)) {
            return None;
        }
        let image = match &mut entry.image {
            None => None,
            Some((name, stamp)) => {
                let image_path = directory.join(&*name);
                let metadata = fs::metadata(&image_path).ok()?;
                let image = ImageFile::open(&image_path).ok()?;
                if !stamp.vouches_for(&metadata) {
                    if !image.is_intact() {
                        return None;
                    }
                    *stamp = Stamp::of(&metadata);
                    renewed = true;
                }
                Some(image)
            }
        };
        if renewed {
            entry.write(path).unwrap_or_else(|error| log::debug!("{}: {error}", path.display()));
        }
        Some(Record { image })
    }
}

impl Entry {
    fn read(path: &Path) -> Option<Entry> {
        let bytes = fs::read(path).ok()?;
        let (hash, bytes) = bytes.split_at_checked(8)?;
        if xxh3_64(bytes).to_le_bytes() != hash {
            return None;
        }
        postcard::from_bytes(bytes).ok()
    }

    /// Puts the entry in the place of what is at `path`.
    ///
    /// Errors: what the operating system says.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let bytes = postcard::to_stdvec(self).map_err(io::Error::other)?;
        let part = path.with_extension(format!("{}.part", std::process::id()));
        fs::write(&part, [&xxh3_64(&bytes).to_le_bytes()[..], &bytes].concat())?;
        fs::rename(&part, path)
    }
}

/// A hash of what is in the file at `path`.
fn content(path: &Path) -> io::Result<u64> {
    let mut file = fs::File::open(path)?;
    let mut hash = Xxh3::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.digest()),
            size => hash.update(&buffer[..size]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn is_current(input: &mut Input) -> bool {
        input.is_current(&mut false)
    }

    #[test]
    fn a_changed_file_is_not_current_even_with_its_old_times() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "one").unwrap();
        let modified = fs::metadata(&file).unwrap().modified().unwrap();
        let mut input = Input::now(&file).unwrap();
        assert!(is_current(&mut input));
        fs::write(&file, "two").unwrap();
        fs::File::options().write(true).open(&file).unwrap().set_modified(modified).unwrap();
        assert!(!is_current(&mut input));
    }

    #[test]
    fn a_file_written_again_with_the_same_content_is_current() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "one").unwrap();
        let mut input = Input::now(&file).unwrap();
        fs::remove_file(&file).unwrap();
        fs::write(&file, "one").unwrap();
        assert!(is_current(&mut input));
    }

    #[test]
    fn a_damaged_record_is_none() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("x.record");
        Entry { inputs: Vec::new(), image: None }.write(&path).unwrap();
        assert!(Record::read(&path, folder.path()).is_some());
        let bytes = fs::read(&path).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            fs::write(&path, damaged).unwrap();
            assert!(Record::read(&path, folder.path()).is_none(), "byte {at}");
        }
    }
}
