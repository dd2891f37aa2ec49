//! Builds the ORC runtime archives that are embedded in the linker: `liborc_rt-<arch>-<format>.a`.
//!
//! The archive for the machine that the linker itself is built for is a must, since without it nothing lazy runs (only
//! a build for another machine, a type check for instance, can do without). The others serve `-noexec` and executors elsewhere: they are made when some compiler on this machine can make them, and
//! left out without a word when none can. The sources include no system header, so any clang can.
//!
//! One compiler run an archive. The archives are written here rather than by `ar`, which need not know the foreign
//! object formats; they carry a symbol index and no times, so the same compiler gives the same bytes.

use crate::archive::{self, Member};
use std::collections::BTreeSet;
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the sources are, from the package's root.
const SOURCES: &str = "src/rt/orc";

/// Headers: no members, but a change of one is a change of the archives.
const HEADERS: &[&str] = &["asm.h", "runtime.h"];

/// An archive that may be built.
struct Runtime {
    /// As in the archive's file name, and as Cargo names the architecture.
    arch: &'static str,
    /// As in the archive's file name.
    format: archive::Format,
    /// What clang calls the target.
    clang_target: &'static str,
    /// A cross gcc's usual name, where there is such a thing.
    cross_gcc: Option<&'static str>,
    /// Sources and the names of their members.
    sources: &'static [(&'static str, &'static str)],
}

const X86_64_ELF: &[(&str, &str)] = &[
    ("reenter.x86-64.S", "reenter.o"),
    ("resolve.c", "resolve.o"),
    ("resolve_failed.c", "resolve_failed.o"),
    ("atexit.c", "atexit.o"),
    ("at_quick_exit.c", "at_quick_exit.o"),
    ("pthread_atfork.c", "pthread_atfork.o"),
    ("rust_allocator.c", "rust_allocator.o"),
    ("ehdr.c", "ehdr.o"),
];
const AARCH64_ELF: &[(&str, &str)] = &[
    ("reenter.aarch64.S", "reenter.o"),
    ("resolve.c", "resolve.o"),
    ("resolve_failed.c", "resolve_failed.o"),
    ("atexit.c", "atexit.o"),
    ("at_quick_exit.c", "at_quick_exit.o"),
    ("pthread_atfork.c", "pthread_atfork.o"),
    ("rust_allocator.c", "rust_allocator.o"),
    ("ehdr.c", "ehdr.o"),
    ("outline_atomics.aarch64.S", "outline_atomics.o"),
];
// What the others are for is exported by the C library on the systems that use Mach-O. So is atexit; but Mach-O code is also run
// where it is not.
const X86_64_MACHO: &[(&str, &str)] = &[
    ("reenter.x86-64.S", "reenter.o"),
    ("resolve.c", "resolve.o"),
    ("resolve_failed.c", "resolve_failed.o"),
    ("atexit.c", "atexit.o"),
    ("rust_allocator.c", "rust_allocator.o"),
];
const AARCH64_MACHO: &[(&str, &str)] = &[
    ("reenter.aarch64.S", "reenter.o"),
    ("resolve.c", "resolve.o"),
    ("resolve_failed.c", "resolve_failed.o"),
    ("atexit.c", "atexit.o"),
    ("rust_allocator.c", "rust_allocator.o"),
];

const RUNTIMES: &[Runtime] = &[
    Runtime {
        arch: "x86_64",
        format: archive::Format::Elf,
        clang_target: "x86_64-linux-gnu",
        cross_gcc: Some("x86_64-linux-gnu-gcc"),
        sources: X86_64_ELF,
    },
    Runtime {
        arch: "aarch64",
        format: archive::Format::Elf,
        clang_target: "aarch64-linux-gnu",
        cross_gcc: Some("aarch64-linux-gnu-gcc"),
        sources: AARCH64_ELF,
    },
    Runtime {
        arch: "x86_64",
        format: archive::Format::MachO,
        clang_target: "x86_64-apple-macos13",
        cross_gcc: None,
        sources: X86_64_MACHO,
    },
    Runtime {
        arch: "aarch64",
        format: archive::Format::MachO,
        clang_target: "arm64-apple-macos13",
        cross_gcc: None,
        sources: AARCH64_MACHO,
    },
];

/// Given after whatever flags the environment adds, since these are not a matter of taste: no runtime support that a
/// freestanding archive does not have, real object code, unwind tables, and nothing that asks for thread-local storage.
const FLAGS: &[&str] = &[
    "-c",
    "-O2",
    "-g0",
    "-std=gnu11",
    "-ffreestanding",
    "-fPIC",
    "-fno-stack-protector",
    "-fno-lto",
    "-fno-sanitize=all",
    "-ffunction-sections",
    "-fdata-sections",
    "-fasynchronous-unwind-tables",
    "-Wall",
];

/// Builds the archives, and the table of them that `src/rt/runtime_archive.rs` includes. Ends the build with a message if the one for the
/// machine that the linker is built for cannot be had.
pub fn embed() {
    let sources = RUNTIMES.iter().flat_map(|runtime| runtime.sources);
    let inputs: BTreeSet<&str> = sources.map(|(source, _)| *source).chain(HEADERS.iter().copied()).collect();
    for input in inputs {
        println!("cargo::rerun-if-changed={SOURCES}/{input}");
    }

    let out = PathBuf::from(env::var_os("OUT_DIR").expect("Cargo sets OUT_DIR"));
    let sources = env::current_dir().expect("the package's folder can be named").join(SOURCES);
    let host_arch = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let host_format = match env::var("CARGO_CFG_TARGET_VENDOR").as_deref() {
        Ok("apple") => archive::Format::MachO,
        _ => archive::Format::Elf,
    };

    // A type check for another machine needs no compiler for it.
    let cross = env::var_os("HOST") != env::var_os("TARGET");

    let clangs = clangs();
    let mut table = String::from("&[\n");
    for runtime in RUNTIMES {
        let is_host = runtime.arch == host_arch && runtime.format == host_format;
        let foreign = foreign_compilers(runtime, &clangs);
        let bytes = if is_host {
            match host_archive(runtime, &sources, &out, foreign) {
                Ok(bytes) => Some(bytes),
                Err(reason) if cross => {
                    println!("cargo::warning=no ORC runtime is built in, so nothing can be lazy: {reason}");
                    None
                }
                Err(reason) => {
                    eprintln!(
                        "error: the ORC runtime for {} cannot be built: {reason}\n\
                         A C compiler is needed: install gcc or clang, or name one in CC.",
                        runtime.clang_target
                    );
                    std::process::exit(1);
                }
            }
        } else {
            foreign.into_iter().find_map(|compiler| build(runtime, &sources, &out, compiler, Stdio::null()).ok())
        };
        let Some(bytes) = bytes else { continue };
        let name = format!("liborc_rt-{}-{}.a", runtime.arch, runtime.format.name());
        let path = out.join(&name);
        fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        writeln!(
            table,
            "    ({:?}, {:?}, {name:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), {:?}))),",
            runtime.arch,
            runtime.format.name(),
            format!("/{name}"),
        )
        .expect("a string takes any text");
    }
    table.push_str("]\n");
    fs::write(out.join("runtime_archives.rs"), table).expect("OUT_DIR can be written");
}

/// The archive for the machine that the linker is built for: by the compiler that Cargo's environment names, or by one of
/// `others`. Answers the first one's reason if none can.
fn host_archive(runtime: &Runtime, sources: &Path, out: &Path, others: Vec<Command>) -> Result<Vec<u8>, String> {
    build(runtime, sources, out, host_compiler(), Stdio::null()).or_else(|reason| {
        let others = others.into_iter().map(|compiler| build(runtime, sources, out, compiler, Stdio::null()));
        others.flatten().next().ok_or(reason)
    })
}

/// The compiler that Cargo's environment and the machine's habits name for the target of this build.
fn host_compiler() -> Command {
    cc::Build::new()
        .opt_level(2)
        .debug(false)
        .pic(true)
        .try_get_compiler()
        .map_or_else(|_| Command::new("cc"), |tool| tool.to_command())
}

/// Compilers that may know the target of `runtime`, the likeliest first.
fn foreign_compilers(runtime: &Runtime, clangs: &[PathBuf]) -> Vec<Command> {
    let clangs = clangs.iter().map(|clang| {
        let mut command = Command::new(clang);
        command.arg(format!("--target={}", runtime.clang_target));
        command
    });
    clangs.chain(runtime.cross_gcc.map(Command::new)).collect()
}

/// Every clang to be found: `clang` from PATH, then the versioned ones, the newest first.
fn clangs() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let mut versioned: Vec<(u32, PathBuf)> = Vec::new();
    let mut found: Vec<PathBuf> =
        folders.iter().map(|folder| folder.join("clang")).find(|clang| clang.is_file()).into_iter().collect();
    folders.extend(
        entries(Path::new("/usr/lib")).filter(|(name, _)| name.starts_with("llvm-")).map(|(_, path)| path.join("bin")),
    );
    for folder in folders {
        versioned.extend(
            entries(&folder).filter_map(|(name, path)| Some((name.strip_prefix("clang-")?.parse().ok()?, path))),
        );
    }
    versioned.sort_by(|a, b| b.cmp(a));
    versioned.dedup_by_key(|(version, _)| *version);
    found.extend(versioned.into_iter().map(|(_, path)| path));
    found
}

/// Names and paths of what is in `folder`; nothing if it cannot be read.
fn entries(folder: &Path) -> impl Iterator<Item = (String, PathBuf)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.file_name().into_string().ok()?, entry.path())))
}

/// Compiles the sources of `runtime` and returns the archive's bytes. `messages`: where the compiler's own go.
fn build(
    runtime: &Runtime,
    sources: &Path,
    out: &Path,
    mut compiler: Command,
    messages: Stdio,
) -> Result<Vec<u8>, String> {
    let folder = out.join(format!("{}-{}", runtime.arch, runtime.format.name()));
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    compiler.args(FLAGS).args(runtime.sources.iter().map(|(source, _)| sources.join(source)));
    let status = compiler
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(messages)
        .status()
        .map_err(|error| format!("{} does not start: {error}", compiler.get_program().display()))?;
    if !status.success() {
        return Err(format!("{} failed: {status}", compiler.get_program().display()));
    }
    let members = runtime.sources.iter().map(|&(source, name)| {
        let object = folder.join(source).with_extension("o");
        let bytes = fs::read(&object).map_err(|error| format!("{}: {error}", object.display()))?;
        Member::new(name, bytes)
    });
    Ok(archive::write(runtime.format, &members.collect::<Result<Vec<_>, _>>()?))
}
