//! What Mach-O recognizes by name.

/// Section names that nearly every file has, so that they need no memory of their own.
static COMMON: &[&str] = &[
    "__TEXT,__text",
    "__TEXT,__cstring",
    "__TEXT,__const",
    "__TEXT,__literal4",
    "__TEXT,__literal8",
    "__TEXT,__literal16",
    "__TEXT,__eh_frame",
    "__TEXT,__gcc_except_tab",
    "__TEXT,__StaticInit",
    "__LD,__compact_unwind",
    "__DATA,__data",
    "__DATA,__const",
    "__DATA,__bss",
    "__DATA,__common",
    "__DATA,__mod_init_func",
    "__DATA,__thread_vars",
    "__DATA,__thread_data",
    "__DATA,__thread_bss",
];

/// The name of a section: `segment,section`, from their two fields of 16 bytes.
///
/// It lives as long as the process, as the mapped files do that other names are borrowed from.
pub(super) fn section_name(segment: &[u8], section: &[u8]) -> &'static [u8] {
    let is = |name: &&&str| {
        let name = name.as_bytes();
        name.len() == segment.len() + 1 + section.len() && name.starts_with(segment) && name.ends_with(section)
    };
    match COMMON.iter().find(is) {
        Some(name) => name.as_bytes(),
        None => [segment, b",", section].concat().leak(),
    }
}

/// Whether a section that is writable in a file is written by relocations only, so that it can be read-only while the program
/// runs: what Apple's linker moves to `__DATA_CONST`.
pub(super) fn is_const_data(segment: &[u8], section: &[u8]) -> bool {
    const CONST: [&[u8]; 5] = [b"__const", b"__mod_init_func", b"__mod_term_func", b"__got", b"__nl_symbol_ptr"];
    segment == b"__DATA_CONST" || segment == b"__DATA" && CONST.contains(&section)
}

/// Whether a name belongs to a symbol that no other dynamic library may see, whatever its type says: the linker's own.
pub(super) fn is_linker_private(name: &[u8]) -> bool {
    name.starts_with(b"l")
}
