//! The shared libraries of this process, as the loader has left them in memory: their segments, the symbols that they refer to,
//! and the places where the loader has written the addresses of those (System V gABI, "Dynamic Linking").

use std::ffi::{CStr, c_int, c_void};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{io, slice};

use super::page_size;

/// Relocation types that write a symbol's address: into a table that is read, into data, into a table that calls go through.
#[cfg(target_arch = "x86_64")]
const ADDRESS_TYPES: [u32; 3] = [6, 1, 7];
#[cfg(target_arch = "aarch64")]
const ADDRESS_TYPES: [u32; 3] = [1025, 257, 1026];

const DT_PLTRELSZ: u64 = 2;
const DT_HASH: u64 = 4;
const DT_STRTAB: u64 = 5;
const DT_SYMTAB: u64 = 6;
const DT_RELA: u64 = 7;
const DT_RELASZ: u64 = 8;
const DT_SYMBOLIC: u64 = 16;
const DT_JMPREL: u64 = 23;
const DT_GNU_HASH: u64 = 0x6fff_fef5;
/// How many relocations without a symbol its first table begins with: most of them.
const DT_RELACOUNT: u64 = 0x6fff_fff9;
const DT_FLAGS: u64 = 30;
const DF_SYMBOLIC: u64 = 2;
const STB_LOCAL: u8 = 0;
const STT_TLS: u8 = 6;

/// A loaded library, while the loader keeps it from being unloaded.
pub struct Library<'a> {
    /// What is added to the addresses in its file.
    base: u64,
    headers: &'a [libc::Elf64_Phdr],
    /// The program itself.
    pub is_host: bool,
}

/// A place of a library where the loader has written a symbol's address, or will write it at the first call.
pub struct Reference<'a> {
    /// The place: 8 bytes, aligned, in a writable segment.
    pub place: u64,
    /// What is added to the address.
    pub addend: u64,
    /// Whether only calls go through it.
    pub is_call: bool,
    /// The symbol's place in the library's table.
    pub index: usize,
    symbol: &'a libc::Elf64_Sym,
    strings: u64,
}

impl<'a> Reference<'a> {
    /// The symbol's name.
    pub fn name(&self) -> &'a [u8] {
        let name = (self.strings + u64::from(self.symbol.st_name)) as *const std::ffi::c_char;
        // SAFETY: the string table of a loaded library, of which the symbol table gives offsets; strings end in it.
        unsafe { CStr::from_ptr(name) }.to_bytes()
    }

    /// Whether another definition than the library's own may be meant.
    fn is_preemptible(&self, symbolic: bool) -> bool {
        let own = self.symbol.st_shndx != 0;
        self.symbol.st_info >> 4 != STB_LOCAL
            && self.symbol.st_info & 0xf != STT_TLS
            && self.symbol.st_other & 3 == 0
            && !(own && symbolic)
    }
}

impl<'a> Library<'a> {
    /// Its segment with `flags` that `address` is in.
    pub fn segment_with(&self, address: u64, flags: u32) -> Option<&'a libc::Elf64_Phdr> {
        self.headers.iter().find(|h| {
            let start = self.base.wrapping_add(h.p_vaddr);
            h.p_type == libc::PT_LOAD && h.p_flags & flags == flags && address.wrapping_sub(start) < h.p_memsz
        })
    }

    /// The pages of its tables that are read-only once it is loaded.
    fn read_only_after_loading(&self) -> Option<(u64, u64)> {
        let header = self.headers.iter().find(|h| h.p_type == libc::PT_GNU_RELRO)?;
        let start = self.base.wrapping_add(header.p_vaddr);
        let page = !(page_size() - 1);
        let (start, end) = (start & page, start.wrapping_add(header.p_memsz) & page);
        (start < end).then_some((start, end))
    }

    fn dynamic(&self) -> impl Fn(u64) -> Option<u64> + 'a {
        let header = self.headers.iter().find(|h| h.p_type == libc::PT_DYNAMIC);
        let entries: &'a [[u64; 2]] = header.map_or(&[], |header| {
            let start = self.base.wrapping_add(header.p_vaddr);
            // SAFETY: the header of a loaded library says where its dynamic section is: pairs of words.
            unsafe { slice::from_raw_parts(start as *const [u64; 2], header.p_memsz as usize / 16) }
        });
        |tag| entries.iter().take_while(|entry| entry[0] != 0).find(|entry| entry[0] == tag).map(|entry| entry[1])
    }

    /// The table at `address`, if it is in a segment. glibc writes addresses over the offsets in the file, where it can; other loaders
    /// do not.
    fn table(&self, address: u64) -> Option<u64> {
        let address = if address < self.base { address.wrapping_add(self.base) } else { address };
        self.segment_with(address, libc::PF_R).map(|_| address)
    }

    /// The definition in its symbol table whose address is `address`.
    pub fn symbol_at(&self, address: u64) -> Option<&'a libc::Elf64_Sym> {
        let (symbols, _) = self.symbol_tables()?;
        let value = address.wrapping_sub(self.base);
        let defines = |symbol: &&libc::Elf64_Sym| {
            symbol.st_value == value && symbol.st_shndx != 0 && symbol.st_info & 0xf != STT_TLS
        };
        // SAFETY: the symbol table of a loaded library, which has as many entries as its hash table says.
        let symbols = unsafe { slice::from_raw_parts(symbols as *const libc::Elf64_Sym, self.symbol_count()?) };
        symbols.iter().find(defines)
    }

    /// How many symbols its hash table knows of, those before them included; `None` without a table.
    fn symbol_count(&self) -> Option<usize> {
        let value = self.dynamic();
        // SAFETY: the words of a loaded library's hash table, as far as the table itself says that there are any.
        let word = |table: u64, index: usize| unsafe { *(table as *const u32).add(index) } as usize;
        if let Some(table) = value(DT_HASH).and_then(|table| self.table(table)) {
            // A symbol has a link in a chain.
            return Some(word(table, 1));
        }
        let table = value(DT_GNU_HASH).and_then(|table| self.table(table))?;
        let [buckets, first, filter] = [0, 1, 2].map(|index| word(table, index));
        let buckets_at = 4 + 2 * filter;
        let last = (0..buckets).map(|bucket| word(table, buckets_at + bucket)).max().filter(|&last| last >= first);
        let Some(mut last) = last else { return Some(first) };
        // The last of a chain is odd.
        while word(table, buckets_at + buckets + last - first) & 1 == 0 {
            last += 1;
        }
        Some(last + 1)
    }

    /// Where its symbols and their names are.
    fn symbol_tables(&self) -> Option<(u64, u64)> {
        let value = self.dynamic();
        self.table(value(DT_SYMTAB)?).zip(self.table(value(DT_STRTAB)?))
    }

    /// The symbols that it refers to, with the places for their addresses; without those that mean only its own definition.
    pub fn references(&self) -> impl Iterator<Item = Reference<'a>> + '_ {
        let value = self.dynamic();
        let symbolic = value(DT_SYMBOLIC).is_some() || value(DT_FLAGS).is_some_and(|flags| flags & DF_SYMBOLIC != 0);
        let tables = self.symbol_tables();
        let without_symbol = value(DT_RELACOUNT).unwrap_or(0);
        let tables_of_places = [(DT_RELA, DT_RELASZ, without_symbol), (DT_JMPREL, DT_PLTRELSZ, 0)];
        let relocations = tables_of_places.map(|(table, size, skipped)| {
            let Some((table, size)) = value(table).and_then(|t| self.table(t)).zip(value(size)) else {
                return &[][..];
            };
            let count = size as usize / size_of::<libc::Elf64_Rela>();
            // SAFETY: a table of a loaded library, in one of its segments.
            let table = unsafe { slice::from_raw_parts(table as *const libc::Elf64_Rela, count) };
            table.get(skipped as usize..).unwrap_or(&[])
        });
        let known =
            tables.into_iter().flat_map(move |tables| relocations.into_iter().flatten().map(move |r| (tables, r)));
        let reference = |((symbols, strings), rela): ((u64, u64), &libc::Elf64_Rela)| {
            let (symbol, kind) = (rela.r_info >> 32, rela.r_info as u32);
            if symbol == 0 || !ADDRESS_TYPES.contains(&kind) {
                return None;
            }
            let place = self.base.wrapping_add(rela.r_offset);
            let segment = self.segment_with(place, libc::PF_W)?;
            if !place.is_multiple_of(8) || segment.p_flags & libc::PF_X != 0 {
                return None;
            }
            let addend = if kind == ADDRESS_TYPES[1] { rela.r_addend as u64 } else { 0 };
            let index = symbol as usize;
            let symbol = symbols + symbol * size_of::<libc::Elf64_Sym>() as u64;
            // SAFETY: an entry of the library's symbol table, to which one of its relocations refers.
            let symbol = unsafe { &*(symbol as *const libc::Elf64_Sym) };
            Some(Reference { place, addend, is_call: kind == ADDRESS_TYPES[2], index, symbol, strings })
        };
        known.filter_map(reference).filter(move |r| r.is_preemptible(symbolic))
    }

    /// Writes words at places of [`Library::references`], also where tables are read-only once the library is loaded.
    ///
    /// # Errors
    /// What the operating system says of changing the protection of tables.
    pub fn change(&self, places: &[(u64, u64)]) -> io::Result<()> {
        let pages = self.read_only_after_loading();
        let pages = pages.filter(|&(start, end)| places.iter().any(|(place, _)| (start..end).contains(place)));
        let protect = |access: c_int| match pages {
            // SAFETY: whole pages of a loaded library's tables, which its loader has made readable only.
            Some((start, end))
                if unsafe { libc::mprotect(start as *mut c_void, (end - start) as usize, access) } != 0 =>
            {
                Err(io::Error::last_os_error())
            }
            _ => Ok(()),
        };
        protect(libc::PROT_READ | libc::PROT_WRITE)?;
        for &(place, value) in places {
            word_at(place).store(value, Ordering::Release);
        }
        protect(libc::PROT_READ)
    }
}

/// The word at an aligned address in writable memory that stays mapped while it is used.
pub fn word_at<'a>(address: u64) -> &'a AtomicU64 {
    debug_assert!(address.is_multiple_of(8));
    // SAFETY: callers give places in copies and in writable segments of loaded libraries.
    unsafe { &*(address as *const AtomicU64) }
}

/// Calls `work` for every loaded library; none is loaded or unloaded meanwhile.
pub fn for_each_library<F: FnMut(&Library<'_>)>(mut work: F) {
    struct State<'a, F>(&'a mut F, bool);
    extern "C" fn visit<F: FnMut(&Library<'_>)>(info: *mut libc::dl_phdr_info, _: usize, data: *mut c_void) -> c_int {
        // SAFETY: the loader's description of a library, valid during the call, and the state given below.
        let (info, state) = unsafe { (&*info, &mut *data.cast::<State<'_, F>>()) };
        // SAFETY: so many headers are there.
        let headers = unsafe { slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
        (state.0)(&Library { base: info.dlpi_addr, headers, is_host: std::mem::take(&mut state.1) });
        0
    }
    // The program itself comes first.
    let mut state = State(&mut work, true);
    // SAFETY: `visit` takes what it is called with; the state outlives the call.
    unsafe { libc::dl_iterate_phdr(Some(visit::<F>), (&raw mut state).cast()) };
}
