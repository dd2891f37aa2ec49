//! Images: linked programs as files, to be mapped and run without linking.
//!
//! An image holds what linking a whole program made, at addresses chosen when it was made. What another process decides anew is
//! listed: pointers to symbols of shared libraries, implementations of indirect functions, offsets of libraries' thread-local
//! variables (which are only compared: linked code holds them). Everything else is mapped from the file, page by page as it is used.
//!
//! The file: [`MAGIC`], the size and the hash of the tables, the hash of the segments' bytes, all as 64-bit little-endian numbers;
//! the tables; from the next page on the segments' bytes. What the hashes do not confirm is not used.

use super::executor::{ExecutorError, ExecutorProcessControl};
use super::sys::image as mapping;
use super::sys::page_size;
use super::thread_local::ThreadLocalPlace;
use crate::base::{AddrRange, ExecutorAddr, MemProt, align_up};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// What an image begins with. The digit counts the versions of the format.
pub const MAGIC: &[u8; 8] = b"rjlimg1\n";

/// Bytes before the tables.
const HEADER: u64 = 32;

/// Tables larger than this are damage, in bytes.
const MAX_TABLES: u64 = 1 << 30;

/// A linked program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// Size of a page, in bytes, of the machine that it was made on.
    pub page_size: u64,
    /// Its memory, ascending by address; no two share a page.
    pub segments: Vec<ImageSegment>,
    /// The address of its entry point.
    pub entry: u64,
    /// Symbols of the process, and where their addresses are to be stored.
    pub imports: Vec<Import>,
    /// Its thread-local variables, if it has any.
    pub thread_locals: Option<ThreadLocalImage>,
    /// Thread-local variables of libraries, and where they must be.
    pub library_thread_locals: Vec<(Vec<u8>, ImagePlace)>,
    /// Addresses of pointers, and of the functions that answer what is to be stored in them.
    pub indirect_functions: Vec<(u64, u64)>,
    /// Address and size in bytes of its unwind records with their terminator; 0 bytes if it has none.
    pub frames: (u64, u64),
    /// Arrays of functions to be called before the entry point, in order.
    pub initializers: Vec<FunctionArrayRange>,
    /// Arrays of functions to be called at exit, in the order of construction.
    pub finalizers: Vec<FunctionArrayRange>,
}

/// Memory of one protection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageSegment {
    /// What it may be used for.
    pub prot: ImageProt,
    /// Where it begins: a multiple of the page size.
    pub address: u64,
    /// Its size in bytes; what is behind `content_size` is zero.
    pub size: u64,
    /// How many bytes of it are in the file.
    pub content_size: u64,
}

/// [`MemProt`], as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImageProt {
    /// [`MemProt::Read`].
    Read,
    /// [`MemProt::ReadExec`].
    ReadExec,
    /// [`MemProt::ReadWrite`].
    ReadWrite,
}

impl From<MemProt> for ImageProt {
    fn from(prot: MemProt) -> ImageProt {
        match prot {
            MemProt::Read => ImageProt::Read,
            MemProt::ReadExec => ImageProt::ReadExec,
            MemProt::ReadWrite => ImageProt::ReadWrite,
        }
    }
}

/// A symbol of the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// Its name as the object format writes it.
    pub name: Vec<u8>,
    /// The version asked for, if one was.
    pub version: Option<Vec<u8>>,
    /// Addresses of pointers to it, and what is added to its address in each.
    pub places: Vec<(u64, i64)>,
}

/// Initial values of thread-local variables.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThreadLocalImage {
    /// Offset of the first byte from the thread pointer, modulo 2^64.
    pub offset: u64,
    /// Size in bytes of all of them together.
    pub size: u64,
    /// The greatest alignment in bytes.
    pub align: u64,
    /// Offsets and bytes that are not zero.
    pub values: Vec<(u64, Vec<u8>)>,
}

/// [`ThreadLocalPlace`], as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ImagePlace {
    /// [`ThreadLocalPlace::Offset`].
    Offset(u64),
    /// [`ThreadLocalPlace::Dynamic`]: module and offset.
    Dynamic(u64, u64),
}

impl From<ThreadLocalPlace> for ImagePlace {
    fn from(place: ThreadLocalPlace) -> ImagePlace {
        match place {
            ThreadLocalPlace::Offset(offset) => ImagePlace::Offset(offset.0),
            ThreadLocalPlace::Dynamic { module, offset } => ImagePlace::Dynamic(module, offset),
        }
    }
}

/// An array of pointers to functions; null and all-ones ones are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionArrayRange {
    /// Its address.
    pub address: u64,
    /// Its size in bytes.
    pub size: u64,
    /// Whether the last one is called first.
    pub backwards: bool,
}

/// Why an image cannot be used. None of it is the user's fault: the program is linked again.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// It cannot be read, or its memory cannot be had.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is no image, or not what was written.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    /// The process differs from the one it was made in.
    #[error("it does not fit this process: {0}")]
    Unsuitable(String),
    /// The process refused something.
    #[error(transparent)]
    Executor(#[from] ExecutorError),
}

impl Image {
    /// Writes the image to a new file at `path`; `contents` gives the bytes of each segment, `content_size` long.
    ///
    /// Errors: what the operating system says.
    pub fn write(&self, path: &Path, contents: &[Vec<u8>]) -> io::Result<()> {
        let tables = postcard::to_stdvec(self).map_err(io::Error::other)?;
        let mut hash = Xxh3::new();
        contents.iter().for_each(|bytes| hash.update(bytes));
        let mut file = io::BufWriter::new(File::create_new(path)?);
        file.write_all(MAGIC)?;
        for number in [tables.len() as u64, xxh3_64(&tables), hash.digest()] {
            file.write_all(&number.to_le_bytes())?;
        }
        file.write_all(&tables)?;
        for (bytes, offset) in contents.iter().zip(self.offsets(tables.len() as u64)) {
            file.seek(SeekFrom::Start(offset))?;
            file.write_all(bytes)?;
        }
        // The last page is mapped whole.
        let end = file.stream_position()?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.set_len(align_up(end, self.page_size).unwrap_or(end))
    }

    /// Where in the file the bytes of each segment begin.
    fn offsets(&self, tables: u64) -> impl Iterator<Item = u64> + '_ {
        let page = |offset: u64| align_up(offset, self.page_size).unwrap_or(u64::MAX);
        let mut next = page(HEADER.saturating_add(tables));
        self.segments.iter().map(move |segment| {
            let behind = page(next.saturating_add(segment.content_size));
            std::mem::replace(&mut next, behind)
        })
    }

    /// Whether the tables agree with each other: every address that is written to or called is in a segment for that.
    fn is_sound(&self) -> bool {
        let inside = |address: u64, size: u64, executable: bool| {
            let end = address.checked_add(size);
            self.segments.iter().any(|s| {
                (s.prot == ImageProt::ReadExec) == executable
                    && address >= s.address
                    && end.is_some_and(|end| end <= s.address.saturating_add(s.size))
            })
        };
        let pointer = |address: u64| address.is_multiple_of(8) && inside(address, 8, false);
        let arrays = || self.initializers.iter().chain(&self.finalizers);
        let pages = self.segments.iter().all(|s| {
            s.address.is_multiple_of(self.page_size)
                && s.content_size <= s.size
                && s.address.checked_add(s.size).is_some()
        });
        pages
            && self.segments.windows(2).all(|s| s[0].address.saturating_add(s[0].size) <= s[1].address)
            && inside(self.entry, 1, true)
            && self.imports.iter().flat_map(|i| &i.places).all(|&(place, _)| pointer(place))
            && self.indirect_functions.iter().all(|&(at, resolver)| pointer(at) && inside(resolver, 1, true))
            && arrays().all(|a| a.size.is_multiple_of(8) && pointer(a.address) && inside(a.address, a.size, false))
            && (self.frames.1 == 0 || inside(self.frames.0, self.frames.1, false))
    }
}

/// An image that was opened.
#[derive(Debug)]
pub struct ImageFile {
    /// Its tables.
    pub image: Image,
    file: File,
    tables: u64,
    contents_hash: u64,
}

impl ImageFile {
    /// Opens the image at `path` and reads its tables.
    ///
    /// Errors: [`ImageError::Io`], [`ImageError::Damaged`], [`ImageError::Unsuitable`].
    pub fn open(path: &Path) -> Result<ImageFile, ImageError> {
        let mut file = File::open(path)?;
        let mut header = [0; HEADER as usize];
        file.read_exact(&mut header)?;
        let number = |at: usize| u64::from_le_bytes(header[at..at + 8].try_into().unwrap_or_default());
        let (size, hash, contents_hash) = (number(8), number(16), number(24));
        if header[..8] != *MAGIC || size > MAX_TABLES {
            return Err(ImageError::Damaged("its header is not an image's"));
        }
        let mut tables = Vec::new();
        (&file).take(size).read_to_end(&mut tables)?;
        if tables.len() as u64 != size || xxh3_64(&tables) != hash {
            return Err(ImageError::Damaged("its tables have another hash"));
        }
        let image: Image =
            postcard::from_bytes(&tables).map_err(|_| ImageError::Damaged("its tables make no sense"))?;
        if image.page_size != page_size() {
            return Err(ImageError::Unsuitable(format!("pages are of {} bytes", page_size())));
        }
        if !image.is_sound() {
            return Err(ImageError::Damaged("its tables contradict each other"));
        }
        Ok(ImageFile { image, file, tables: size, contents_hash })
    }

    /// Reads all of it, and says whether the segments' bytes are what was written.
    pub fn is_intact(&self) -> bool {
        let mut hash = Xxh3::new();
        let mut buffer = vec![0; 1 << 18];
        for (segment, offset) in self.image.segments.iter().zip(self.image.offsets(self.tables)) {
            let mut left = segment.content_size;
            let mut file = &self.file;
            if file.seek(SeekFrom::Start(offset)).is_err() {
                return false;
            }
            while left > 0 {
                let size = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
                if file.read_exact(&mut buffer[..size]).is_err() {
                    return false;
                }
                hash.update(&buffer[..size]);
                left -= size as u64;
            }
        }
        hash.digest() == self.contents_hash
    }

    /// Makes the image part of this process: maps it, binds it to the symbols of `executor`, tells the unwinder. Nothing of it has run
    /// but resolvers of indirect functions.
    ///
    /// Errors: all of [`ImageError`]. What was mapped by then stays mapped.
    pub fn load(&self, executor: &dyn ExecutorProcessControl) -> Result<(), ImageError> {
        let image = &self.image;
        let mut bindings = Vec::with_capacity(image.imports.len());
        for import in &image.imports {
            let missing = || ImageError::Unsuitable(format!("it has no {}", String::from_utf8_lossy(&import.name)));
            bindings.push(executor.lookup(&import.name, import.version.as_deref()).ok_or_else(missing)?);
        }
        for (name, place) in &image.library_thread_locals {
            if executor.lookup_thread_local(name).map(ImagePlace::from) != Some(*place) {
                let name = String::from_utf8_lossy(name);
                return Err(ImageError::Unsuitable(format!("the thread-local variable {name} is elsewhere")));
            }
        }
        if let Some(variables) = &image.thread_locals {
            if executor.thread_locals().allocate(variables.size, variables.align)?.0 != variables.offset {
                return Err(ImageError::Unsuitable("its thread-local memory begins elsewhere".into()));
            }
        }
        let segments: Vec<_> = image.segments.iter().zip(image.offsets(self.tables)).collect();
        mapping::map(&self.file, &segments)?;
        for (import, address) in image.imports.iter().zip(bindings) {
            for &(place, addend) in &import.places {
                executor.write_pointer(ExecutorAddr(place), ExecutorAddr(address.0.wrapping_add_signed(addend)));
            }
        }
        mapping::protect(&segments)?;
        if let Some(variables) = &image.thread_locals {
            for (offset, bytes) in &variables.values {
                executor.thread_locals().initialize(ExecutorAddr(*offset), bytes)?;
            }
        }
        for &(pointer, resolver) in &image.indirect_functions {
            executor.write_pointer(ExecutorAddr(pointer), executor.call_resolver(ExecutorAddr(resolver)));
        }
        executor.register_frames(AddrRange::new(ExecutorAddr(image.frames.0), image.frames.1))?;
        Ok(())
    }

    /// Runs the initializers of the loaded image and has its finalizers run at exit.
    pub fn initialize(&self, executor: &dyn ExecutorProcessControl) {
        let functions = |arrays: &[FunctionArrayRange]| {
            let mut functions = Vec::new();
            for array in arrays {
                let mut pointers = executor.read_pointers(AddrRange::new(ExecutorAddr(array.address), array.size));
                pointers.retain(|p| p.0 != 0 && p.0 != u64::MAX);
                if array.backwards {
                    pointers.reverse();
                }
                functions.append(&mut pointers);
            }
            functions
        };
        let mut at_exit = functions(&self.image.finalizers);
        at_exit.reverse();
        if !at_exit.is_empty() {
            executor.run_at_exit(at_exit);
        }
        executor.run_initializers(&functions(&self.image.initializers));
    }
}
