//! Sections as compilers, assemblers and linkers write them, and what is found in them.

use super::*;

/// A section that is being written.
#[derive(Default)]
pub struct Section(Vec<u8>);

impl Section {
    /// Adds a record with `body` behind its length; says where it begins.
    fn record(&mut self, body: &[u8]) -> usize {
        let at = self.0.len();
        let padding = body.len().next_multiple_of(4) - body.len();
        self.0.extend_from_slice(&((body.len() + padding) as u32).to_le_bytes());
        self.0.extend_from_slice(body);
        self.0.extend(std::iter::repeat_n(0, padding));
        at
    }

    /// A common information entry of `version` with an augmentation and its data.
    pub fn common(&mut self, version: u8, augmentation: &str, data: &[u8]) -> usize {
        let mut body = vec![0, 0, 0, 0, version];
        body.extend_from_slice(augmentation.as_bytes());
        // Numbers of one byte and of two: alignments of code and data, and the return address's column.
        body.extend_from_slice(&[0, 1, 0xf8, 0x7f, 16]);
        if augmentation.starts_with('z') {
            body.push(data.len() as u8);
        }
        body.extend_from_slice(data);
        self.record(&body)
    }

    /// An entry for which `common` is the common one.
    pub fn frame(&mut self, common: usize, code: &[u8]) -> usize {
        let distance = (self.0.len() + 4 - common) as u32;
        let body: Vec<u8> = distance.to_le_bytes().into_iter().chain(code.iter().copied()).collect();
        self.record(&body)
    }

    pub fn finish(mut self) -> AddrRange {
        self.0.extend_from_slice(&[0; 4]);
        let bytes: &'static [u8] = self.0.leak();
        AddrRange::new(ExecutorAddr(bytes.as_ptr() as u64), bytes.len() as u64)
    }
}

pub fn code(start: u64, size: u64) -> AddrRange {
    AddrRange::new(ExecutorAddr(start), size)
}

#[test]
fn code_is_read_in_every_form_that_linkers_write() {
    let absolute8 = [0x1234_5678_9abc_u64.to_le_bytes(), 0x10_u64.to_le_bytes()].concat();
    let absolute4 = [0x8765_4321_u32.to_le_bytes(), 0x10_u32.to_le_bytes()].concat();
    let absolute2 = [0xfedc_u16.to_le_bytes(), 0x10_u16.to_le_bytes()].concat();
    type Case<'a> = (u8, &'a str, &'a [u8], &'a [u8], u64);
    let cases: [Case<'_>; 7] = [
        (1, "", &[], &absolute8, 0x1234_5678_9abc),
        (3, "", &[], &absolute8, 0x1234_5678_9abc),
        (1, "zR", &[0x04], &absolute8, 0x1234_5678_9abc),
        (1, "zR", &[0x03], &absolute4, 0x8765_4321),
        (1, "zRS", &[0x02], &absolute2, 0xfedc),
        (1, "zLR", &[0x1b, 0x0c], &absolute8, 0x1234_5678_9abc),
        // A personality of four bytes before.
        (1, "zPLR", &[0x9b, 1, 2, 3, 4, 0x1b, 0x03], &absolute4, 0x8765_4321),
    ];
    for (version, augmentation, data, pointer, start) in cases {
        let mut section = Section::default();
        let common = section.common(version, augmentation, data);
        let frame = section.frame(common, pointer);
        let section = section.finish();
        let frames: Vec<Frame> = Frames::new(section).collect();
        let record = section.start.offset(frame as u64);
        assert_eq!(frames, [Frame { record, code: code(start, 0x10) }], "{augmentation:?} {data:x?}");
    }
}

#[test]
fn distances_are_from_where_they_are() {
    for (form, distance) in [(0x1b, (-0x1000_i32).to_le_bytes().to_vec()), (0x1c, (-0x1000_i64).to_le_bytes().to_vec())]
    {
        let mut section = Section::default();
        let common = section.common(1, "zR", &[form]);
        let size = [&[0x20], &vec![0; distance.len() - 1][..]].concat();
        let frame = section.frame(common, &[distance, size].concat());
        let section = section.finish();
        let place = section.start.offset(frame as u64 + 8).0;
        assert_eq!(Frames::new(section).next().map(|frame| frame.code), Some(code(place - 0x1000, 0x20)));
    }
}

#[test]
fn what_is_not_understood_is_passed_over() {
    let mut section = Section::default();
    // Relative to data; indirect forms of LEB128; a vendor's augmentation; a length that leads out of the section.
    for (augmentation, data) in [("zR", &[0x3b][..]), ("zR", &[0x01]), ("armcc+", &[])] {
        let common = section.common(1, augmentation, data);
        section.frame(common, &[0x10; 16]);
    }
    let common = section.common(1, "zR", &[0x03]);
    section.frame(common, &[0, 0, 1, 0, 8, 0, 0, 0]);
    section.0.extend_from_slice(&0x4000_0000_u32.to_le_bytes());
    let found: Vec<AddrRange> = Frames::new(section.finish()).map(|frame| frame.code).collect();
    assert_eq!(found, [code(0x1_0000, 8)]);
}
