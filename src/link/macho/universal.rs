//! Universal ("fat") files: one part for each architecture, big-endian headers with 32- or 64-bit offsets (mach-o/fat.h). A part is
//! an object, an archive or a library of its own; a universal file in a universal file means nothing.

use crate::base::{Arch, Format, Target};
use crate::link::error::{LinkError, Result};
use object::macho;
use object::read::macho::{FatArch, MachOFatFile32, MachOFatFile64};

/// The most parts a universal file can have. A class file of Java begins with the same magic number; what is the number of parts
/// here is a version there, and begins at 45.
const MOST_PARTS: u32 = 44;

/// Whether `data` begins as a universal file does.
pub fn is_universal(data: &[u8]) -> bool {
    let word = |at: usize| Some(u32::from_be_bytes(data.get(at..at + 4)?.try_into().ok()?));
    matches!(word(0), Some(macho::FAT_MAGIC | macho::FAT_MAGIC_64)) && word(4).is_some_and(|parts| parts <= MOST_PARTS)
}

/// A part of a universal file.
struct Part {
    cpu: macho::CpuType,
    subtype: macho::CpuSubtype,
    offset: u64,
    size: u64,
}

impl Part {
    /// What it is for; `None` for what the linker does not link for.
    fn target(&self) -> Option<Target> {
        let arch = match self.cpu {
            macho::CPU_TYPE_X86_64 => Arch::X86_64,
            macho::CPU_TYPE_ARM64 => Arch::Aarch64,
            _ => return None,
        };
        Some(Target { signed_pointers: self.is_arm64e(), ..Target::new(arch, Format::MachO) })
    }

    fn is_arm64e(&self) -> bool {
        self.cpu == macho::CPU_TYPE_ARM64 && self.subtype.0 & 0xff == macho::CPU_SUBTYPE_ARM64E.0 & 0xff
    }

    /// What Apple's tools call it.
    fn name(&self) -> String {
        match self.cpu {
            macho::CPU_TYPE_X86_64 => "x86_64".into(),
            macho::CPU_TYPE_ARM64 if self.is_arm64e() => "arm64e".into(),
            macho::CPU_TYPE_ARM64 => "arm64".into(),
            macho::CPU_TYPE_X86 => "i386".into(),
            macho::CPU_TYPE_ARM => "arm".into(),
            macho::CPU_TYPE_POWERPC => "ppc".into(),
            macho::CPU_TYPE_POWERPC64 => "ppc64".into(),
            other => format!("CPU type {:#x}", other.0),
        }
    }
}

fn parts(name: &str, data: &'static [u8]) -> Result<Vec<Part>> {
    fn listed<Fat: FatArch>(arches: &[Fat]) -> Vec<Part> {
        let part = |arch: &Fat| {
            let (offset, size) = arch.file_range();
            Part { cpu: arch.cputype(), subtype: arch.cpusubtype(), offset, size }
        };
        arches.iter().map(part).collect()
    }
    let wide = data.get(..4) == Some(&macho::FAT_MAGIC_64.to_be_bytes()[..]);
    let parts = if wide {
        MachOFatFile64::parse(data).map(|file| listed(file.arches()))
    } else {
        MachOFatFile32::parse(data).map(|file| listed(file.arches()))
    };
    parts.map_err(|error| LinkError::malformed(name, "universal file header", error))
}

/// The targets that the universal file `data` has parts for, in its order; those that cannot be linked for are left out. None if it
/// is damaged.
pub fn targets(data: &'static [u8]) -> Vec<Target> {
    let arches = parts("", data).unwrap_or_default();
    arches.iter().filter_map(Part::target).collect()
}

/// The part for `target` of the universal file `data`, called `name` in messages.
///
/// Errors: [`crate::link::LinkErrorKind::Unsuitable`] if it has none, [`crate::link::LinkErrorKind::Malformed`] if its header leaves the file.
pub fn part_for(name: &str, data: &'static [u8], target: Target) -> Result<&'static [u8]> {
    let parts = parts(name, data)?;
    let wanted = |part: &&Part| part.target() == Some(target);
    let Some(part) = parts.iter().find(wanted) else {
        let there = match parts.len() {
            0 => "nothing".to_string(),
            _ => parts.iter().map(Part::name).collect::<Vec<_>>().join(", "),
        };
        let other = target.other_pointers();
        let signed = !target.signed_pointers && parts.iter().any(|part| other.is_some() && part.target() == other);
        let why = if signed { "; code with signed pointers (arm64e) cannot be run, compile for arm64" } else { "" };
        let what = format!("is a universal file for {there}, and has no part for {target}{why}");
        return Err(LinkError::unsuitable(name, what));
    };
    let end = part.offset.checked_add(part.size).filter(|&end| end <= data.len() as u64);
    end.map(|end| &data[part.offset as usize..end as usize]).ok_or_else(|| {
        let (arch, offset, size) = (part.name(), part.offset, part.size);
        let what = format!("the part for {arch}, {size:#x} bytes at {offset:#x}, goes past the end of the file");
        LinkError::malformed(name, "universal file header", what)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARM64: (u32, u32) = (0x0100_000c, 0);
    const ARM64E: (u32, u32) = (0x0100_000c, 0x8000_0002);
    const X86_64: (u32, u32) = (0x0100_0007, 3);

    /// A universal file whose parts hold their own number as text.
    fn universal(wide: bool, parts: &[(u32, u32)]) -> &'static [u8] {
        let mut file = (if wide { 0xcafe_babf_u32 } else { 0xcafe_babe }).to_be_bytes().to_vec();
        file.extend((parts.len() as u32).to_be_bytes());
        let header = 8 + parts.len() * if wide { 32 } else { 20 };
        for (index, (cpu, subtype)) in parts.iter().enumerate() {
            file.extend(cpu.to_be_bytes());
            file.extend(subtype.to_be_bytes());
            let offset = (header + index) as u64;
            if wide {
                file.extend(offset.to_be_bytes());
                file.extend(1u64.to_be_bytes());
                file.extend([0; 8]);
            } else {
                file.extend((offset as u32).to_be_bytes());
                file.extend(1u32.to_be_bytes());
                file.extend([0; 4]);
            }
        }
        file.extend((0..parts.len()).map(|index| b'0' + index as u8));
        file.leak()
    }

    fn target(arch: Arch) -> Target {
        Target::new(arch, Format::MachO)
    }

    #[test]
    fn the_part_of_the_target_is_picked() {
        for wide in [false, true] {
            let file = universal(wide, &[ARM64E, X86_64, ARM64]);
            assert!(is_universal(file));
            assert_eq!(part_for("f", file, target(Arch::X86_64)).unwrap(), b"1");
            assert_eq!(part_for("f", file, target(Arch::Aarch64)).unwrap(), b"2");
            let signed = target(Arch::Aarch64).other_pointers().unwrap();
            assert_eq!(part_for("f", file, signed).unwrap(), b"0");
            assert_eq!(targets(file), [signed, target(Arch::X86_64), target(Arch::Aarch64)]);
        }
    }

    #[test]
    fn a_missing_part_is_an_error_that_lists_the_others() {
        let file = universal(false, &[ARM64E, X86_64]);
        let error = part_for("f", file, target(Arch::Aarch64)).unwrap_err().to_string();
        let expected = "f is a universal file for arm64e, x86_64, and has no part for arm64-apple-darwin; code with signed \
                        pointers (arm64e) cannot be run, compile for arm64";
        assert_eq!(error, expected);
        assert!(part_for("f", file, Target::new(Arch::X86_64, Format::Elf)).is_err());
    }

    #[test]
    fn a_part_outside_the_file_is_an_error() {
        for wide in [false, true] {
            let file = universal(wide, &[X86_64]);
            for length in 8..file.len() {
                assert!(part_for("f", &file[..length], target(Arch::X86_64)).is_err(), "{length}");
            }
        }
    }

    #[test]
    fn class_files_are_not_universal() {
        assert!(!is_universal(&[0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, 52]));
        assert!(!is_universal(&[0xca, 0xfe, 0xba, 0xbe]));
    }
}
