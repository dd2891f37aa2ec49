//! Files read from copies of their tables, beside the same files read where they are.

use super::*;
use crate::link::{read_object, read_object_through};

/// Objects of two architectures by two compilers.
const FILES: [&[u8]; 4] = [
    include_bytes!("../../../Inputs/robustness/x86_64-gcc.o"),
    include_bytes!("../../../Inputs/robustness/x86_64-clang.o"),
    include_bytes!("../../../Inputs/robustness/aarch64-gcc.o"),
    include_bytes!("../../../Inputs/robustness/aarch64-clang.o"),
];

/// Copies the tables of `file`; says whether it could.
fn copy(copies: &mut TableCopies, file: &[u8]) -> bool {
    copies.read(file.len(), 4, &|copy, offset| {
        let part = file.get(offset..).and_then(|rest| rest.get(..copy.len()));
        part.is_some_and(|part| {
            copy.copy_from_slice(part);
            true
        })
    })
}

/// What is read of `file` through `copies`, and where it is; nothing of the former if there are no copies.
fn both(copies: &mut TableCopies, file: &[u8]) -> (Option<String>, String) {
    let file: &'static [u8] = file.to_vec().leak();
    let copied = copy(copies, file).then(|| format!("{:?}", read_object_through("file.o", copies.view(file))));
    (copied, format!("{:?}", read_object("file.o", file)))
}

#[test]
fn what_is_read_from_copies_is_what_is_in_the_file() {
    let mut copies = TableCopies::default();
    for file in FILES.into_iter().chain(FILES.into_iter().rev()) {
        let (copied, direct) = both(&mut copies, file);
        assert_eq!(copied.expect("nothing is in the way"), direct);
    }
}

#[test]
fn what_is_kept_is_in_the_file() {
    let mut copies = TableCopies::default();
    for file in FILES {
        assert!(copy(&mut copies, file));
        let object = read_object_through("file.o", copies.view(file)).unwrap().unwrap();
        let parts = object.symbols.iter().map(|symbol| symbol.name);
        let parts = parts.chain(object.sections.iter().flat_map(|section| [section.name, section.content]));
        for part in parts.filter(|part| !part.is_empty() && *part != b".common") {
            assert!(file.as_ptr_range().contains(&part.as_ptr()), "{}", String::from_utf8_lossy(part));
        }
    }
}

#[test]
fn only_tables_are_copied() {
    // Everything else is gone, if it is not among the first bytes or close behind a table.
    let file = FILES[1];
    let mut read = vec![false; file.len()];
    let mut copies = TableCopies::default();
    copy(&mut copies, file);
    copies.pieces.iter().for_each(|piece| read[piece.range.clone()].fill(true));
    let emptied: Vec<u8> = file.iter().zip(&read).map(|(&byte, &read)| if read { byte } else { 0 }).collect();
    assert!(read.contains(&false), "a file that is copied whole tests nothing");
    let (copied, direct) = both(&mut copies, &emptied);
    assert_eq!(copied.expect("nothing is in the way"), direct);
}

#[test]
fn damaged_files_are_read_alike_or_not_from_copies() {
    let mut copies = TableCopies::default();
    let (mut read, mut left) = (0, 0);
    for file in FILES {
        let cuts = (0..file.len()).map(|length| file[..length].to_vec());
        let flips = (0..2000).map(|n| {
            let mut damaged = file.to_vec();
            damaged[n * 7919 % file.len()] ^= [0x01, 0xff, 0x80, 0x10, 0x7f, 0x04, 0x40][n % 7];
            damaged
        });
        for damaged in cuts.chain(flips) {
            let (copied, direct) = both(&mut copies, &damaged);
            match copied {
                Some(copied) => {
                    assert_eq!(copied, direct);
                    read += 1;
                }
                None => left += 1,
            }
        }
    }
    assert!(read > 100 && left > 100, "{read} {left}");
}

#[test]
fn neighbours_are_copied_together() {
    let far = 100 + 2 * GAP;
    assert_eq!(joined(vec![far..far + 9, 50..60, 0..40, 60..70, 100..101]), [0..101, far..far + 9]);
    assert_eq!(
        joined(vec![0..100, 20..30, 100 + GAP..200 + GAP, 300 + 3 * GAP..999 + 3 * GAP]).first(),
        Some(&(0..200 + GAP))
    );
    assert_eq!(joined(vec![101 + GAP..102 + GAP, 0..100]), [0..100, 101 + GAP..102 + GAP]);
}
