use super::*;

fn at(module: u64, offset: u64) -> u64 {
    // SAFETY: blocks made by the test, and offsets in them.
    unsafe { tls_get_addr(&Index { module, offset }) }
}

fn read<const N: usize>(module: u64, offset: u64) -> [u8; N] {
    // SAFETY: as `at`.
    unsafe { (at(module, offset) as *const [u8; N]).read() }
}

fn in_new_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}

#[test]
fn every_thread_has_its_copy_with_initial_values() {
    let module = allocate(100_000, 16).unwrap();
    initialize(module, 70_000, b"abcd").unwrap();
    let change = || {
        let before: [u8; 8] = read(module, 69_998);
        // SAFETY: inside the calling thread's block.
        unsafe { (at(module, 70_000) as *mut u8).write(b'x') };
        (before, read::<1>(module, 70_000), at(module, 0))
    };
    let (here, there) = (change(), in_new_thread(change));
    assert_eq!((here.0, here.1), (*b"\0\0abcd\0\0", [b'x']));
    assert_eq!((there.0, there.1), (here.0, here.1));
    assert_ne!(here.2, there.2);
    assert_eq!(at(module, 5), here.2 + 5);
}

#[test]
fn values_that_come_later_reach_copies_that_are_there() {
    let module = allocate(64, 8).unwrap();
    let (ready, go) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
    std::thread::scope(|scope| {
        let earlier = scope.spawn(|| {
            at(module, 0);
            ready.wait();
            go.wait();
            read::<4>(module, 8)
        });
        ready.wait();
        initialize(module, 8, b"late").unwrap();
        go.wait();
        assert_eq!(earlier.join().unwrap(), *b"late");
    });
    assert_eq!(read(module, 8), *b"late");
}

#[test]
fn any_alignment_can_be_had() {
    for align in [1, 4096, 1 << 20] {
        let module = allocate(10, align).unwrap();
        assert_eq!(at(module, 0) % align, 0, "{align:#x}");
        in_new_thread(|| assert_eq!(at(module, 0) % align, 0, "{align:#x}"));
    }
}

#[test]
fn a_table_grows() {
    let first = allocate(8, 8).unwrap();
    let before = at(first, 0);
    let mut last = first;
    for _ in 0..600 {
        last = allocate(8, 8).unwrap();
    }
    assert_ne!(at(last, 0), before);
    assert_eq!(at(first, 0), before);
}

#[test]
fn blocks_go_with_their_thread() {
    let module = allocate(8, 8).unwrap();
    let copies = || modules()[(module & !AT_THREAD_POINTER) as usize].copies.len();
    in_new_thread(|| {
        at(module, 0);
        assert_eq!(copies(), 1);
    });
    // A scope ends when the threads' functions have returned, which is before the threads end.
    for _ in 0..1000 {
        if copies() == 0 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("the copy is still there");
}

#[test]
fn module_zero_is_around_the_thread_pointer() {
    assert_eq!(at(AT_THREAD_POINTER, 24), thread_pointer() + 24);
}

#[test]
fn values_outside_a_block_are_refused() {
    let module = allocate(8, 8).unwrap();
    for (module, offset) in [(module, 5), (module, u64::MAX), (AT_THREAD_POINTER | 1 << 40, 0)] {
        assert_eq!(initialize(module, offset, b"abcd").unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}

#[test]
fn descriptors_answer_the_distance_from_the_thread_pointer() {
    let module = allocate(4096, 8).unwrap();
    let index = Index { module, offset: 40 };
    let descriptor = [0, &raw const index as u64];
    for _ in 0..2 {
        let offset = super::super::thread_local_descriptor::tests::call(&descriptor);
        assert_eq!(thread_pointer().wrapping_add(offset), at(module, 40));
    }
}
