//! Sections that ELF recognizes by name where their type does not say it all.

use crate::link::object_file::{InitializerOrder, SectionKind};

/// The initializer or finalizer kind that a section name stands for, if any.
///
/// `.init_array.N` and `.ctors.N` carry priorities, counted in opposite directions: crtstuff runs `.ctors` from the end,
/// so compilers write `65535 - priority` into the name (GNU ld's `SORT_BY_INIT_PRIORITY` undoes it in the same way).
pub(super) fn initializer_kind(name: &[u8]) -> Option<SectionKind> {
    // Most names are told from all of these by their second character.
    if !matches!(name.get(1), Some(b'i' | b'f' | b'c' | b'd' | b'p')) {
        return None;
    }
    let order = |phase, priority, backwards| InitializerOrder { phase, priority, backwards };
    let numbered = |prefix: &[u8]| -> Option<Option<u32>> {
        let rest = name.strip_prefix(prefix)?;
        if rest.is_empty() {
            return Some(None);
        }
        let digits = rest.strip_prefix(b".")?;
        // A name such as .init_array.foo sorts with those that have no priority.
        Some(std::str::from_utf8(digits).ok().and_then(|d| d.parse::<u16>().ok()).map(u32::from))
    };
    let forward = |n: Option<u32>| n.unwrap_or(InitializerOrder::DEFAULT_PRIORITY);
    let reversed = |n: Option<u32>| n.map_or(InitializerOrder::DEFAULT_PRIORITY, |n| 65535 - n);
    match name {
        b".init" => return Some(SectionKind::InitializerCode),
        b".fini" => return Some(SectionKind::FinalizerCode),
        _ => {}
    }
    if name == b".preinit_array" {
        return Some(SectionKind::Initializers(order(0, 0, false)));
    }
    if let Some(n) = numbered(b".init_array") {
        return Some(SectionKind::Initializers(order(2, forward(n), false)));
    }
    if let Some(n) = numbered(b".ctors") {
        return Some(SectionKind::Initializers(order(2, reversed(n), true)));
    }
    if let Some(n) = numbered(b".fini_array") {
        return Some(SectionKind::Finalizers(order(2, forward(n), false)));
    }
    if let Some(n) = numbered(b".dtors") {
        return Some(SectionKind::Finalizers(order(2, reversed(n), true)));
    }
    None
}

/// Whether a writable section is written by relocations only, so that it can be read-only while the program runs
/// (what `PT_GNU_RELRO` covers in a static program).
pub(super) fn is_relro(name: &[u8]) -> bool {
    name == b".data.rel.ro"
        || name.starts_with(b".data.rel.ro.")
        || name.starts_with(b".gnu.linkonce.d.rel.ro.")
        || initializer_kind(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn priority(name: &str) -> Option<(u32, bool)> {
        match initializer_kind(name.as_bytes())? {
            SectionKind::Initializers(o) | SectionKind::Finalizers(o) => Some((o.priority, o.backwards)),
            _ => None,
        }
    }

    #[test]
    fn priorities_count_alike_in_both_spellings() {
        for n in [0u32, 101, 1000, 65535] {
            assert_eq!(priority(&format!(".init_array.{n:05}")), Some((n, false)));
            assert_eq!(priority(&format!(".ctors.{:05}", 65535 - n)), Some((n, true)));
        }
    }

    #[test]
    fn sections_without_priority_come_last() {
        assert_eq!(priority(".init_array"), Some((65536, false)));
        assert_eq!(priority(".init_array.x"), Some((65536, false)));
        assert_eq!(priority(".ctors"), Some((65536, true)));
    }

    #[test]
    fn other_names_are_no_initializers() {
        for name in [".init_arrays", ".ctorsx", ".text.init_array", ".init"] {
            assert_eq!(priority(name), None, "{name}");
        }
    }
}
