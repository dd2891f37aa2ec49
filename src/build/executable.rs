//! Links the `rjitlink` command at a fixed address, where that can be done.
//!
//! A position-independent executable has thousands of pointers in its constants, which the dynamic loader relocates at each start, on three
//! dozen pages that have to be copied for that: a fifth of the time in which a small program is linked and run. An executable with
//! an address needs none of it, and its constants stay in the page cache. What is linked and what the program loads is where the system
//! puts it in either case.
//!
//! The address is the one that a position-independent executable gets where addresses are not randomized. So the low
//! 4 GiB stay free for programs that need them, the heap (`brk`) has as much room as ever, and tools that claim parts of the address
//! space (sanitizers, valgrind) expect an executable there.
//!
//! Linkers differ in how they are asked, and who builds may have named any linker. So a program of one line is linked
//! first; if no way works, the command is position-independent.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where executables for a target go. Other targets are left alone: on AArch64 it depends on the kernel how much of the address space there
/// is, and macOS executes nothing that is not position-independent.
const ADDRESSES: [(&str, u64); 1] = [("x86_64-unknown-linux-gnu", 0x5555_5555_4000)];

/// How linkers are told the address of the first byte of the file, by `=` and the address behind the last word: LLVM's linker and its likes;
/// gold; GNU ld, which otherwise puts addresses of more than 32 bits where they have no room.
const WAYS: [&[&str]; 3] = [&["--image-base"], &["-Ttext-segment"], &["--no-relax", "-Ttext-segment"]];

/// Has Cargo link the command at the address for its target, if the linker can.
pub fn fix_address() {
    for variable in ["RUSTFLAGS", "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    let target = env::var("TARGET").unwrap_or_default();
    let Some(&(_, address)) = ADDRESSES.iter().find(|known| known.0 == target) else {
        return;
    };
    // The compiler driver still takes this for a position-independent executable, and so adds start code that may be anywhere.
    let mut ways = WAYS.iter().map(|words| format!("-Wl,-no-pie,{}={address:#x}", words.join(",")));
    if let Some(argument) = ways.find(|argument| links_at(&target, argument, address)) {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}

/// Whether a program that is linked with `argument` is an executable of which the first byte is at `address`, and starts.
fn links_at(target: &str, argument: &str, address: u64) -> bool {
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo sets OUT_DIR"));
    let (source, program) = (folder.join("fixed_address.rs"), folder.join("fixed_address"));
    if fs::write(&source, "fn main() {}\n").is_err() || !compile(target, argument, &source, &program) {
        return false;
    }
    let at = fs::read(&program).ok().and_then(|file| address_of(&file));
    let starts = || Command::new(&program).status().is_ok_and(|status| status.success());
    at == Some(address) && (env::var_os("HOST") != env::var_os("TARGET") || starts())
}

/// Compiles `source` as Cargo will compile the command, as far as the linker can tell.
fn compile(target: &str, argument: &str, source: &Path, program: &Path) -> bool {
    let mut compiler = Command::new(env::var_os("RUSTC").expect("Cargo sets RUSTC"));
    compiler.args(["--target", target, "-o"]).arg(program).arg(source);
    if let Ok(linker) = env::var("RUSTC_LINKER") {
        compiler.arg(format!("-Clinker={linker}"));
    }
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    compiler.args(flags.split('\x1f').filter(|flag| !flag.is_empty()));
    compiler.arg(format!("-Clink-arg={argument}"));
    compiler.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    compiler.status().is_ok_and(|status| status.success())
}

/// The address of the first byte of the 64-bit little-endian ELF executable `file` with a fixed address (`ET_EXEC`).
fn address_of(file: &[u8]) -> Option<u64> {
    use object::elf::{ET_EXEC, FileHeader64, PT_LOAD};
    use object::read::elf::{FileHeader, ProgramHeader};
    let header = FileHeader64::<object::LittleEndian>::parse(file).ok()?;
    let endian = object::LittleEndian;
    let mut segments = header.program_headers(endian, file).ok()?.iter();
    let first = segments.find(|segment| segment.p_type(endian) == PT_LOAD)?;
    (header.e_type(endian) == ET_EXEC).then(|| first.p_vaddr(endian))
}
