//! Shared libraries that the linker writes itself, because only a shared library can tell the
//! dynamic loader something, or ask it.
//!
//! They have no code: a dynamic symbol table (System V gABI, "Dynamic Linking"), words that the
//! loader fills in, and program headers. Always among those is PT_GNU_STACK: the loader takes a
//! library without it for an old one that wants executable stacks, and newer C libraries (glibc
//! 2.41) then refuse to load it.

use std::ffi::{CString, c_int, c_void};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsRawFd, FromRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use object::LittleEndian;
use object::elf;
use object::write::elf::{Encoder, FileHeader, FileHeaderLayout, ProgramHeader, Rel, Sym};

use super::process;
use crate::base::ExecutorAddr;

/// What this process runs on (`e_machine`; System V gABI, chapter 4).
#[cfg(target_arch = "x86_64")]
pub const MACHINE: elf::Machine = elf::EM_X86_64;
#[cfg(target_arch = "aarch64")]
pub const MACHINE: elf::Machine = elf::EM_AARCH64;

/// The alignment of segments: the largest page of any system.
const SEGMENT_ALIGN: u64 = 0x1_0000;
/// Where thread-local memory has its initial values in the file: behind everything else, on a page.
const THREAD_LOCAL_IMAGE: u64 = 0x1000;

/// Entries of the dynamic section.
const DYNAMIC_ENTRIES: usize = 9;
const PROGRAM_HEADERS: u32 = 4;
/// Where the words are that the loader fills in: behind the file header and the program headers,
/// whose sizes in bytes are 64 and 56 (System V gABI, chapter 5).
const WORDS: u64 = 64 + 56 * PROGRAM_HEADERS as u64;

static FILE_HEADER: FileHeader = FileHeader {
    os_abi: elf::ELFOSABI_NONE,
    abi_version: 0,
    e_type: elf::ET_DYN,
    e_machine: MACHINE,
    e_entry: 0,
    e_flags: elf::FileFlags(0),
};

/// Program headers right behind the file header, and no sections: loaders look at none.
static FILE_LAYOUT: FileHeaderLayout =
    FileHeaderLayout { e_phoff: 64, segment_num: PROGRAM_HEADERS, e_shoff: 0, section_num: 0, shstrtab_index: 0 };

static ENCODER: LazyLock<Encoder<LittleEndian>> = LazyLock::new(|| Encoder::new(LittleEndian, true, MACHINE));

/// What a symbol of a library is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Definition {
    /// An address, wherever the library is.
    Absolute(ExecutorAddr),
    /// All of the library's thread-local memory.
    ThreadLocalMemory,
    /// A thread-local variable of another library, or of none: a weak reference.
    ThreadLocalReference,
}

/// A shared library to be written.
#[derive(Default)]
pub struct GeneratedLibrary<'a> {
    /// Names and definitions of its dynamic symbols.
    pub symbols: Vec<(&'a [u8], Definition)>,
    /// Words that the loader fills in when it loads the library: the types of their relocations,
    /// all of the first symbol.
    pub words: Vec<elf::RelocationType>,
    /// Bytes of thread-local memory, all zero at first.
    pub thread_local_memory: u64,
    /// The alignment of the thread-local memory in bytes.
    pub thread_local_align: u64,
    /// Whether it asks for executable stacks.
    pub executable_stacks: bool,
}

/// A library that is loaded.
pub struct LoadedLibrary {
    handle: *mut c_void,
}

/// Where the parts of a library are in its file, and, from its base, in memory.
struct Layout {
    dynamic: u64,
    hash: u64,
    symbols: u64,
    relocations: u64,
    strings: u64,
    /// Bytes up to here; what follows is the image of thread-local memory.
    size: u64,
}

impl GeneratedLibrary<'_> {
    /// The library's bytes, without the zeroes that its thread-local memory begins as.
    fn bytes(&self) -> Vec<u8> {
        let layout = self.layout();
        let mut bytes = Vec::with_capacity(layout.size as usize);
        ENCODER
            .file_header(&mut bytes, &FILE_HEADER, &FILE_LAYOUT)
            .expect("a header of constants has no large numbers");
        for header in self.program_headers(&layout) {
            ENCODER.program_header(&mut bytes, &header);
        }
        bytes.resize(layout.dynamic as usize, 0);
        for (tag, value) in self.dynamic_entries(&layout) {
            ENCODER.dynamic(&mut bytes, tag, value).expect("a 64-bit value fits");
        }
        let hash = |index: u32| {
            let (name, definition) = self.symbols.get((index as usize).checked_sub(1)?)?;
            (*definition != Definition::ThreadLocalReference).then(|| elf::hash(name))
        };
        ENCODER.hash_table(&mut bytes, self.buckets(), self.symbols.len() as u32 + 1, hash);
        bytes.resize(layout.symbols as usize, 0);
        ENCODER.null_symbol(&mut bytes);
        let mut strings = vec![0];
        for &(name, definition) in &self.symbols {
            ENCODER.symbol(&mut bytes, &self.symbol(definition, strings.len() as u32));
            strings.extend(name);
            strings.push(0);
        }
        for (r_offset, &r_type) in (WORDS..).step_by(8).zip(&self.words) {
            ENCODER.relocation(&mut bytes, true, &Rel { r_offset, r_sym: 1, r_type, r_addend: 0 });
        }
        bytes.extend(strings);
        bytes
    }

    fn layout(&self) -> Layout {
        let words = self.words.len() as u64;
        let entries = self.symbols.len() as u64 + 1;
        let dynamic = WORDS + 8 * words;
        let hash = dynamic + ENCODER.dyn_size() * DYNAMIC_ENTRIES as u64;
        let symbols = (hash + ENCODER.hash_size(self.buckets(), entries as u32)).next_multiple_of(8);
        let relocations = symbols + ENCODER.sym_size() * entries;
        let strings = relocations + ENCODER.rel_size(true) * words;
        let names: u64 = self.symbols.iter().map(|(name, _)| name.len() as u64 + 1).sum();
        Layout { dynamic, hash, symbols, relocations, strings, size: strings + 1 + names }
    }

    /// Loaders divide by the number of buckets.
    fn buckets(&self) -> u32 {
        self.symbols.len().max(1) as u32
    }

    /// PT_LOAD, PT_DYNAMIC, PT_GNU_STACK, PT_TLS. All can be written to: the loader writes to its
    /// tables.
    fn program_headers(&self, layout: &Layout) -> [ProgramHeader; 4] {
        let header = |p_type, offset, size, p_align| ProgramHeader {
            p_type,
            p_flags: elf::PF_R | elf::PF_W,
            p_offset: offset,
            p_vaddr: offset,
            p_paddr: offset,
            p_filesz: size,
            p_memsz: size,
            p_align,
        };
        let mut stack = header(elf::PT_GNU_STACK, 0, 0, 16);
        if self.executable_stacks {
            stack.p_flags |= elf::PF_X;
        }
        [
            header(elf::PT_LOAD, 0, self.file_size(layout.size), SEGMENT_ALIGN),
            header(elf::PT_DYNAMIC, layout.dynamic, layout.hash - layout.dynamic, 8),
            stack,
            // Of no size: none.
            header(
                if self.thread_local_memory == 0 { elf::PT_NULL } else { elf::PT_TLS },
                THREAD_LOCAL_IMAGE,
                self.thread_local_memory,
                self.thread_local_align,
            ),
        ]
    }

    fn file_size(&self, size: u64) -> u64 {
        if self.thread_local_memory == 0 { size } else { THREAD_LOCAL_IMAGE + self.thread_local_memory }
    }

    fn dynamic_entries(&self, layout: &Layout) -> [(elf::DynamicTag, u64); DYNAMIC_ENTRIES] {
        [
            (elf::DT_HASH, layout.hash),
            (elf::DT_SYMTAB, layout.symbols),
            (elf::DT_STRTAB, layout.strings),
            (elf::DT_STRSZ, layout.size - layout.strings),
            (elf::DT_SYMENT, ENCODER.sym_size()),
            (elf::DT_RELA, layout.relocations),
            (elf::DT_RELASZ, ENCODER.rel_size(true) * self.words.len() as u64),
            (elf::DT_RELAENT, ENCODER.rel_size(true)),
            (elf::DT_NULL, 0),
        ]
    }

    fn symbol(&self, definition: Definition, st_name: u32) -> Sym {
        let (st_info, section, st_shndx, st_value, st_size) = match definition {
            Definition::Absolute(address) => {
                (elf::SymbolInfo::new(elf::STB_GLOBAL, elf::STT_NOTYPE), None, elf::SHN_ABS, address.0, 0)
            }
            // There are no sections; any number but zero says that the symbol is defined.
            Definition::ThreadLocalMemory => (
                elf::SymbolInfo::new(elf::STB_GLOBAL, elf::STT_TLS),
                Some(1),
                elf::SHN_UNDEF,
                0,
                self.thread_local_memory,
            ),
            Definition::ThreadLocalReference => {
                (elf::SymbolInfo::new(elf::STB_WEAK, elf::STT_TLS), None, elf::SHN_UNDEF, 0, 0)
            }
        };
        Sym { section, st_name, st_info, st_other: elf::SymbolOther(0), st_shndx, st_value, st_size }
    }

    /// A new file in memory with the library, which ends with this process if `ends_with_process`
    /// says so, or else is inherited by the programs that it executes.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn memory_file(&self, ends_with_process: bool) -> io::Result<File> {
        let flags = if ends_with_process { libc::MFD_CLOEXEC } else { 0 };
        // SAFETY: the name is a C string; the call has no other precondition.
        let fd = unsafe { libc::memfd_create(c"rjitlink-library".as_ptr(), flags) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a fresh descriptor that nobody else knows.
        let mut file = unsafe { File::from_raw_fd(fd) };
        self.write_to(&mut file)?;
        Ok(file)
    }

    fn write_to(&self, file: &mut File) -> io::Result<()> {
        let bytes = self.bytes();
        file.write_all(&bytes)?;
        file.set_len(self.file_size(bytes.len() as u64))
    }

    /// Loads the library; with `RTLD_GLOBAL` as `scope`, its symbols are everybody's. It stays
    /// loaded unless it is closed.
    ///
    /// # Errors
    /// What the operating system or the loader says.
    pub fn load(&self, scope: c_int) -> io::Result<LoadedLibrary> {
        // The loader takes a path it knows for the library it has loaded from there, and numbers of
        // descriptors come again. Without any `./` it is the path of a library that the process was
        // started with.
        static LOADED: AtomicUsize = AtomicUsize::new(1);
        let number = LOADED.fetch_add(1, Ordering::Relaxed);
        if let Ok(file) = self.memory_file(true) {
            let path = format!("/proc/self/fd/{}{}", "./".repeat(number), file.as_raw_fd());
            if Path::new(&path).exists() {
                return LoadedLibrary::open(&path, scope);
            }
        }
        // In a sandbox, or after `chroot`. What is left is a file that is there while it is loaded.
        let mut result = Err(io::ErrorKind::NotFound.into());
        for folder in ["/tmp", "/dev/shm", "."] {
            let path = format!("{folder}/rjitlink-{}-{number}.so", super::process_id());
            let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
            result = created.and_then(|mut file| {
                let loaded = self.write_to(&mut file).and_then(|()| LoadedLibrary::open(&path, scope));
                std::fs::remove_file(&path).and(loaded)
            });
            if result.is_ok() {
                break;
            }
        }
        result
    }
}

impl LoadedLibrary {
    fn open(path: &str, scope: c_int) -> io::Result<LoadedLibrary> {
        let path = CString::new(path)?;
        // SAFETY: a C string; the library has no code.
        let handle = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW | scope) };
        if handle.is_null() { Err(io::Error::other(process::loader_error())) } else { Ok(LoadedLibrary { handle }) }
    }

    /// The first `N` of the words that the loader has filled in, of which the library must have as
    /// many; `None` if the loader does not say where it is.
    pub fn words<const N: usize>(&self) -> Option<[u64; N]> {
        /// `struct link_map`, as far as debuggers and `dlinfo` know it (link.h).
        #[repr(C)]
        struct LinkMap {
            base: u64,
        }
        let mut map: *const LinkMap = std::ptr::null();
        // SAFETY: a handle that is open; RTLD_DI_LINKMAP stores one pointer, which stays valid
        // until the handle is closed. The base is that of the first and only segment, in which the
        // words lie, 8-byte aligned.
        unsafe {
            let found = libc::dlinfo(self.handle, libc::RTLD_DI_LINKMAP, (&raw mut map).cast()) == 0 && !map.is_null();
            found.then(|| (((*map).base + WORDS) as *const [u64; N]).read())
        }
    }

    /// Unloads the library.
    pub fn close(self) {
        // SAFETY: a handle that is open, and whose library nobody refers to: its words were copied.
        unsafe { libc::dlclose(self.handle) };
    }
}

#[cfg(all(test, target_env = "gnu"))]
mod tests {
    use super::*;
    use crate::rt::sys::testing::in_child;

    fn absolute<'a>(name: &'a [u8], address: u64) -> GeneratedLibrary<'a> {
        GeneratedLibrary {
            symbols: vec![(name, Definition::Absolute(ExecutorAddr(address)))],
            ..GeneratedLibrary::default()
        }
    }

    #[test]
    fn its_symbols_can_be_read() {
        let bytes = absolute(b"some_name", 0x1234).bytes();
        let file = goblin::elf::Elf::parse(&bytes).unwrap();
        let names = file.dynsyms.iter().map(|symbol| (file.dynstrtab.get_at(symbol.st_name), symbol.st_value));
        assert_eq!(names.collect::<Vec<_>>(), [(Some(""), 0), (Some("some_name"), 0x1234)]);
    }

    #[test]
    fn it_is_as_long_as_its_layout_says() {
        let library = GeneratedLibrary { words: vec![elf::RelocationType(1); 3], ..absolute(b"name", 0) };
        assert_eq!(library.bytes().len() as u64, library.layout().size);
    }

    #[test]
    fn headers_have_the_sizes_that_are_counted_on() {
        assert_eq!(ENCODER.file_header_size() + ENCODER.program_header_size() * u64::from(PROGRAM_HEADERS), WORDS);
    }

    #[test]
    fn the_loader_finds_its_symbols() {
        let good = in_child(|| {
            let names: [&[u8]; 3] = [b"provided_one", b"provided_two", b"provided_three"];
            let symbols = names
                .iter()
                .enumerate()
                .map(|(n, &name)| (name, Definition::Absolute(ExecutorAddr(0x1000 + n as u64))));
            let library = GeneratedLibrary { symbols: symbols.collect(), ..GeneratedLibrary::default() };
            library.load(libc::RTLD_GLOBAL).unwrap();
            let found = names.map(|name| process::symbol(name, None));
            found == [0x1000, 0x1001, 0x1002].map(|address| Some(ExecutorAddr(address)))
        });
        assert!(good);
    }

    #[test]
    fn one_library_after_the_other_is_loaded() {
        let good = in_child(|| {
            let names: [&[u8]; 3] = [b"provided_first", b"provided_second", b"provided_third"];
            names.iter().all(|name| {
                absolute(name, 0x99).load(libc::RTLD_GLOBAL).unwrap();
                process::symbol(name, None) == Some(ExecutorAddr(0x99))
            })
        });
        assert!(good);
    }

    #[test]
    fn one_without_symbols_is_loaded() {
        assert!(in_child(|| GeneratedLibrary::default().load(libc::RTLD_LOCAL).is_ok()));
    }

    #[test]
    fn stacks_stay_as_they_are_unless_it_asks() {
        let good = in_child(|| {
            absolute(b"provided_quietly", 0x99).load(libc::RTLD_GLOBAL).unwrap();
            let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
            maps.lines().filter(|line| line.ends_with("[stack]")).all(|line| !line.contains("x"))
        });
        assert!(good);
    }

    #[test]
    fn the_loader_takes_it_for_one_with_thread_local_memory() {
        const ALIGN: u64 = 4096;
        let good = in_child(|| {
            // More than the loader keeps free for libraries that come late.
            let size = 1 << 20;
            let library = GeneratedLibrary {
                symbols: vec![(b"__thread_local_memory", Definition::ThreadLocalMemory)],
                thread_local_memory: size,
                thread_local_align: ALIGN,
                ..GeneratedLibrary::default()
            };
            let loaded = library.load(libc::RTLD_LOCAL).unwrap();
            // SAFETY: a C string and an open handle; the variable is asked for in the ordinary way,
            // and `size` bytes large.
            unsafe {
                let start = libc::dlsym(loaded.handle, c"__thread_local_memory".as_ptr()).cast::<u8>();
                !start.is_null()
                    && (start as u64).is_multiple_of(ALIGN)
                    && (start.read(), start.add(size as usize - 1).read()) == (0, 0)
            }
        });
        assert!(good);
    }
}
