//! Images: linked programs as files, to be mapped and run without linking.
//!
//! An image holds what linking a whole program made, as if it began at address 0. It is mapped near the process's shared libraries,
//! wherever those are. What depends on that is listed: pointers into the image, references to symbols of the process,
//! implementations of indirect functions, offsets of libraries' thread-local variables (which are only compared: linked code
//! holds them). Everything else stays in the file's pages and is read as it is used.
//!
//! In all tables an address in the image is its offset from the image's start.
//!
//! The file: [`MAGIC`], the size and the hash of the tables, the hash of the segments' bytes, all as 64-bit little-endian numbers;
//! the tables; from the next page on the segments' bytes. What the hashes do not confirm is not used.

use super::executor::{ExecutorError, ExecutorProcessControl};
use super::memory::MemoryError;
use super::program::{ProgramSymbol, ProgramSymbols};
use super::reservation::reserve_near_libraries;
use super::sys::image::Mapped;
use super::sys::page_size;
use super::thread_local::ThreadLocalPlace;
use crate::base::{AddrRange, ExecutorAddr, MemProt, align_up};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;
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
    /// Pointers into the image: for each segment that has any, bit `n` of word `m` stands for the pointer at `8 * (64 * m + n)` bytes
    /// from its start.
    pub pointers: Vec<Vec<u64>>,
    /// Addresses of pointers into the image that are not aligned.
    pub unaligned_pointers: Vec<u64>,
    /// Symbols of the process, and what refers to them.
    pub imports: Vec<Import>,
    /// Its thread-local variables, if it has any.
    pub thread_locals: Option<ThreadLocalImage>,
    /// Thread-local variables of libraries, and where they must be.
    pub library_thread_locals: Vec<(Vec<u8>, ImagePlace)>,
    /// Names that shared libraries refer to, and the addresses of the program's definitions.
    pub definitions: Vec<(Vec<u8>, u64)>,
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
    /// Where it begins in the image: a multiple of the page size.
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

impl From<ImageProt> for MemProt {
    fn from(prot: ImageProt) -> MemProt {
        match prot {
            ImageProt::Read => MemProt::Read,
            ImageProt::ReadExec => MemProt::ReadExec,
            ImageProt::ReadWrite => MemProt::ReadWrite,
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
    /// What refers to it.
    pub places: Vec<ImportPlace>,
}

/// A reference to a symbol of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportPlace {
    /// Its address.
    pub address: u64,
    /// What is added to the symbol's address.
    pub addend: i64,
    /// Whether it is a distance from itself in 32 bits (`T - P + A`), not an address in 64 (`T + A`).
    pub is_distance: bool,
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
    /// There is no room for it.
    #[error(transparent)]
    Memory(#[from] MemoryError),
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
        let within = |s: &ImageSegment, address: u64, size: u64| {
            address >= s.address && address.checked_add(size).is_some_and(|end| end <= s.address.saturating_add(s.size))
        };
        let code = |address: u64| self.segments.iter().any(|s| s.prot == ImageProt::ReadExec && within(s, address, 1));
        let data = |address: u64, size: u64| {
            self.segments.iter().any(|s| s.prot != ImageProt::ReadExec && within(s, address, size))
        };
        let pages = self.segments.iter().all(|s| {
            s.address.is_multiple_of(self.page_size)
                && s.content_size <= s.size
                && s.address.checked_add(s.size).is_some()
        });
        let bits = |(segment, words): (&ImageSegment, &Vec<u64>)| words.len() as u64 <= segment.size.div_ceil(512);
        let place = |place: &ImportPlace| match place.is_distance {
            true => self.segments.iter().any(|s| within(s, place.address, 4)),
            false => data(place.address, 8),
        };
        let mut arrays = self.initializers.iter().chain(&self.finalizers);
        pages
            && self.segments.windows(2).all(|s| s[0].address.saturating_add(s[0].size) <= s[1].address)
            && self.pointers.len() == self.segments.len()
            && self.segments.iter().zip(&self.pointers).all(bits)
            && self.unaligned_pointers.iter().all(|&address| data(address, 8))
            && code(self.entry)
            && self.definitions.iter().all(|&(_, address)| code(address) || data(address, 1))
            && self.imports.iter().flat_map(|i| &i.places).all(place)
            && self.indirect_functions.iter().all(|&(at, resolver)| at % 8 == 0 && data(at, 8) && code(resolver))
            && arrays.all(|a| a.size % 8 == 0 && a.address % 8 == 0 && data(a.address, a.size))
            && (self.frames.1 == 0 || data(self.frames.0, self.frames.1))
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
    pub fn load(&self, executor: &dyn ExecutorProcessControl) -> Result<LoadedImage<'_>, ImageError> {
        let image = &self.image;
        let bindings = self.bindings(executor)?;
        if let Some(variables) = &image.thread_locals
            && executor.thread_locals().allocate(&[(variables.size, variables.align)])?[0].0 != variables.offset
        {
            return Err(ImageError::Unsuitable("its thread-local memory begins elsewhere".into()));
        }
        let size = image.segments.last().map_or(0, |last| last.address + last.size);
        let segments: Vec<_> = image.segments.iter().zip(image.offsets(self.tables)).collect();
        let distances = image.imports.iter().flat_map(|i| &i.places).any(|place| place.is_distance);
        let mut mapped = Mapped::new(&self.file, &segments, reserve_near_libraries(size)?, distances)?;
        for (segment, pointers) in image.segments.iter().zip(&image.pointers) {
            mapped.relocate(segment.address, pointers);
        }
        image.unaligned_pointers.iter().for_each(|&address| mapped.relocate_one(address));
        for (import, target) in image.imports.iter().zip(bindings) {
            for place in &import.places {
                let value = target.0.wrapping_add_signed(place.addend);
                if !place.is_distance {
                    mapped.store(place.address, value.to_le_bytes());
                    continue;
                }
                let distance = value.wrapping_sub(mapped.start() + place.address) as i64;
                let distance = i32::try_from(distance).map_err(|_| {
                    let name = String::from_utf8_lossy(&import.name);
                    ImageError::Unsuitable(format!("{name} is too far away"))
                })?;
                mapped.store(place.address, distance.to_le_bytes());
            }
        }
        let start = ExecutorAddr(mapped.protect()?);
        if let Some(variables) = &image.thread_locals {
            for (offset, bytes) in &variables.values {
                let place = ThreadLocalPlace::Offset(ExecutorAddr(*offset));
                executor.thread_locals().initialize(place, bytes)?;
            }
        }
        let loaded = LoadedImage { image, start };
        for &(pointer, resolver) in &image.indirect_functions {
            executor.write_pointer(loaded.address(pointer), executor.call_resolver(loaded.address(resolver)));
        }
        let end = image.segments.iter().map(|segment| segment.address + segment.size).max().unwrap_or(0);
        let frames = AddrRange::new(loaded.address(image.frames.0), image.frames.1);
        let definitions = image.definitions.iter().map(|(name, address)| (name.clone(), loaded.address(*address)));
        let definitions: BTreeMap<Vec<u8>, ExecutorAddr> = definitions.collect();
        let mapped = |s: &ImageSegment| (AddrRange::new(loaded.address(s.address), s.size), s.prot.into());
        let program =
            LoadedProgram { definitions: definitions.clone(), mapped: image.segments.iter().map(mapped).collect() };
        executor.publish_program(Arc::new(program), &definitions)?;
        executor.register_frames(frames, AddrRange::new(start, end))?;
        Ok(loaded)
    }

    /// The addresses of the imports, in order.
    fn bindings(&self, executor: &dyn ExecutorProcessControl) -> Result<Vec<ExecutorAddr>, ImageError> {
        for (name, place) in &self.image.library_thread_locals {
            if executor.lookup_thread_local(name).map(ImagePlace::from) != Some(*place) {
                let name = String::from_utf8_lossy(name);
                return Err(ImageError::Unsuitable(format!("the thread-local variable {name} is elsewhere")));
            }
        }
        let lookup = |import: &Import| {
            let missing = || ImageError::Unsuitable(format!("it has no {}", String::from_utf8_lossy(&import.name)));
            executor.lookup(&import.name, import.version.as_deref()).ok_or_else(missing)
        };
        self.image.imports.iter().map(lookup).collect()
    }
}

/// What others than the program see of it.
struct LoadedProgram {
    /// No more than what shared libraries have asked for when it was linked.
    definitions: BTreeMap<Vec<u8>, ExecutorAddr>,
    mapped: Vec<(AddrRange, MemProt)>,
}

impl ProgramSymbols for LoadedProgram {
    fn exports(&self, name: &[u8]) -> bool {
        self.definitions.contains_key(name)
    }

    fn find(&self, name: &[u8]) -> Option<ExecutorAddr> {
        self.definitions.get(name).copied()
    }

    fn mapped(&self) -> Vec<(AddrRange, MemProt)> {
        self.mapped.clone()
    }

    fn symbol_at(&self, _address: ExecutorAddr) -> Option<ProgramSymbol> {
        None
    }
}

/// An image that is part of this process.
#[derive(Debug)]
pub struct LoadedImage<'a> {
    image: &'a Image,
    start: ExecutorAddr,
}

impl LoadedImage<'_> {
    /// The address in this process of what is at `offset` in the image.
    fn address(&self, offset: u64) -> ExecutorAddr {
        self.start.offset(offset)
    }

    /// The address of its entry point.
    pub fn entry(&self) -> ExecutorAddr {
        self.address(self.image.entry)
    }

    /// Runs its initializers, and has its finalizers run at exit.
    pub fn initialize(&self, executor: &dyn ExecutorProcessControl) {
        let mut at_exit = self.functions(executor, &self.image.finalizers);
        at_exit.reverse();
        if !at_exit.is_empty() {
            executor.run_at_exit(at_exit);
        }
        executor.run_initializers(&self.functions(executor, &self.image.initializers));
    }

    fn functions(&self, executor: &dyn ExecutorProcessControl, arrays: &[FunctionArrayRange]) -> Vec<ExecutorAddr> {
        let mut functions = Vec::new();
        for array in arrays {
            let mut pointers = executor.read_pointers(AddrRange::new(self.address(array.address), array.size));
            pointers.retain(|p| p.0 != 0 && p.0 != u64::MAX);
            if array.backwards {
                pointers.reverse();
            }
            functions.append(&mut pointers);
        }
        functions
    }
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
