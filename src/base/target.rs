//! Which processor and which object format the linked code is for.

use std::fmt;

/// A processor architecture, little-endian and 64-bit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub enum Arch {
    /// AMD64 / Intel 64, LP64.
    X86_64,
    /// Arm A64, LP64, little-endian.
    Aarch64,
    /// RISC-V 64: recognized so that it can be refused by name.
    Riscv64,
}

impl Arch {
    /// The name used in triples and messages.
    pub fn name(self) -> &'static str {
        match self {
            Arch::X86_64 => "x86_64",
            Arch::Aarch64 => "aarch64",
            Arch::Riscv64 => "riscv64",
        }
    }

    /// The architecture this linker itself runs on; `None` if it is none that it links for.
    pub fn host() -> Option<Arch> {
        if cfg!(target_arch = "x86_64") {
            Some(Arch::X86_64)
        } else if cfg!(target_arch = "aarch64") {
            Some(Arch::Aarch64)
        } else {
            None
        }
    }
}

/// An object file format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Format {
    /// System V ABI.
    Elf,
    /// Apple's.
    MachO,
}

impl Format {
    /// The format of the system that this linker itself runs on.
    pub fn host() -> Format {
        if cfg!(target_vendor = "apple") { Format::MachO } else { Format::Elf }
    }

    /// The name used in triples and messages.
    pub fn name(self) -> &'static str {
        match self {
            Format::Elf => "elf",
            Format::MachO => "macho",
        }
    }

    /// What the format puts before a C name to make a linker-level one.
    pub fn symbol_prefix(self) -> &'static str {
        match self {
            Format::Elf => "",
            Format::MachO => "_",
        }
    }
}

/// What the linked code is for: processor and format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Target {
    /// The processor.
    pub arch: Arch,
    /// The object format.
    pub format: Format,
    /// Whether pointers to code are signed, as Apple's arm64e has them: another ABI, of the same instructions. Such code can be
    /// linked, but not run.
    pub signed_pointers: bool,
}

impl Target {
    /// A target whose pointers are plain addresses.
    pub fn new(arch: Arch, format: Format) -> Target {
        Target { arch, format, signed_pointers: false }
    }

    /// The one whose pointers are signed if this one's are not, and the other way round; `None` where there is only one.
    pub fn other_pointers(self) -> Option<Target> {
        let two = self.arch == Arch::Aarch64 && self.format == Format::MachO;
        two.then_some(Target { signed_pointers: !self.signed_pointers, ..self })
    }
}

impl fmt::Display for Target {
    /// As llvm-jitlink prints a session's triple: no vendor, no operating system for ELF.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.format, self.arch) {
            (Format::Elf, arch) => write!(f, "{}--", arch.name()),
            (Format::MachO, Arch::Aarch64) if self.signed_pointers => write!(f, "arm64e-apple-darwin"),
            (Format::MachO, Arch::Aarch64) => write!(f, "arm64-apple-darwin"),
            (Format::MachO, arch) => write!(f, "{}-apple-darwin", arch.name()),
        }
    }
}
