use super::*;
use std::path::PathBuf;
use tempfile::TempDir;

/// A page of code, a page of data with a pointer to the code and one to `malloc`.
fn image() -> (Image, Vec<Vec<u8>>) {
    let page_size = page_size();
    let segment = |prot, number: u64, content_size| ImageSegment {
        prot,
        address: number * page_size,
        size: page_size,
        content_size,
    };
    let place = ImportPlace { address: page_size + 8, addend: 3, is_distance: false };
    let image = Image {
        page_size,
        segments: vec![segment(ImageProt::ReadExec, 0, 16), segment(ImageProt::Read, 1, 16)],
        entry: 4,
        pointers: vec![Vec::new(), vec![1]],
        imports: vec![Import { name: b"malloc".to_vec(), version: None, places: vec![place] }],
        ..Image::default()
    };
    let mut data = vec![0; 16];
    data[0] = 4;
    (image, vec![vec![0xcc; 16], data])
}

/// A folder, which is removed when it is dropped, and the path of a file there that does not exist.
fn path() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("image");
    (folder, path)
}

#[test]
fn what_is_written_is_read() {
    let (image, contents) = image();
    let (_folder, path) = path();
    image.write(&path, &contents).unwrap();
    let file = ImageFile::open(&path).unwrap();
    assert_eq!(file.image, image);
    assert!(file.is_intact());
}

#[test]
fn every_damaged_byte_is_noticed() {
    let (image, contents) = image();
    let (_folder, path) = path();
    image.write(&path, &contents).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let page = page_size() as usize;
    let used = (0..whole.len()).filter(|at| at % page < 16 || *at < 32);
    for at in used {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        std::fs::write(&path, bytes).unwrap();
        let noticed = ImageFile::open(&path).map_or(true, |file| !file.is_intact());
        assert!(noticed, "byte {at}");
    }
}

#[test]
fn pointers_follow_the_image_and_its_imports() {
    let (image, contents) = image();
    let (_folder, path) = path();
    image.write(&path, &contents).unwrap();
    let file = ImageFile::open(&path).unwrap();
    let executor = crate::rt::InProcess::new();
    let loaded = file.load(&executor).unwrap();
    let pointers = executor.read_pointers(AddrRange::new(loaded.address(page_size()), 16));
    let malloc = executor.lookup(b"malloc", None).unwrap();
    assert_eq!(pointers, [loaded.entry(), malloc.offset(3)]);
}

#[test]
fn an_image_for_another_process_is_refused() {
    let (mut image, contents) = image();
    image.imports[0].name = b"no such symbol".to_vec();
    let (_folder, path) = path();
    image.write(&path, &contents).unwrap();
    let file = ImageFile::open(&path).unwrap();
    let error = file.load(&crate::rt::InProcess::new()).unwrap_err();
    assert!(matches!(error, ImageError::Unsuitable(_)), "{error}");
}

#[test]
fn tables_that_contradict_each_other_are_damage() {
    type Change = fn(&mut Image);
    let changes: [Change; 5] = [
        |image| image.entry = 1 << 40,
        |image| image.segments[1].address = 0,
        |image| image.pointers[1] = vec![1; 1000],
        |image| image.imports[0].places[0].address = 0,
        |image| image.frames = (u64::MAX, 8),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let (mut image, contents) = image();
        change(&mut image);
        let (_folder, path) = path();
        image.write(&path, &contents).unwrap();
        assert!(matches!(ImageFile::open(&path), Err(ImageError::Damaged(_))), "change {number}");
    }
}
