use super::*;
use crate::rt::sys::testing::{RETURN_42, call, in_child, peek, poke, set_limit};

const SMALL: u64 = 64 << 20;

fn request(prot: MemProt, size: u64, align: u64) -> SegmentRequest {
    SegmentRequest { prot, content_size: size, size, align }
}

fn one(memory: &InProcessMemoryManager, request: SegmentRequest) -> Segment {
    memory.allocate(&[request], None).unwrap().remove(0)
}

/// Start, end and permissions of every mapping of this process.
fn maps() -> Vec<(u64, u64, String)> {
    let text = std::fs::read_to_string("/proc/self/maps").unwrap();
    let parse = |line: &str| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let hex = |s| u64::from_str_radix(s, 16).ok();
        Some((hex(start)?, hex(end)?, rest.get(..3)?.to_string()))
    };
    text.lines().filter_map(parse).collect()
}

#[cfg(target_arch = "x86_64")]
fn permissions(address: u64) -> String {
    let found = maps().into_iter().find(|&(start, end, _)| start <= address && address < end);
    found.map(|found| found.2).unwrap_or_default()
}

fn mappings_in(range: AddrRange) -> usize {
    let inside = |&(start, end, _): &(u64, u64, String)| start < range.end.0 && range.start.0 < end;
    maps().iter().filter(|map| inside(map)).count()
}

fn code(memory: &InProcessMemoryManager) -> Segment {
    let mut segment = one(memory, request(MemProt::ReadExec, RETURN_42.len() as u64, 16));
    segment.working_memory().copy_from_slice(RETURN_42);
    memory.finalize(std::slice::from_mut(&mut segment)).unwrap();
    segment
}

#[test]
fn every_alignment_is_kept() {
    let memory = InProcessMemoryManager::with_size(SMALL);
    for shift in 0..22 {
        for prot in MemProt::ALL {
            let segment = one(&memory, request(prot, 5, 1 << shift));
            assert_eq!(segment.address.0 % (1 << shift), 0, "{prot} 2^{shift}");
        }
    }
}

#[test]
fn what_the_protection_forbids_kills() {
    let memory = InProcessMemoryManager::with_size(SMALL);
    for (prot, writable, executable) in
        [(MemProt::Read, false, false), (MemProt::ReadExec, false, true), (MemProt::ReadWrite, true, false)]
    {
        let mut segment = one(&memory, request(prot, RETURN_42.len() as u64, 16));
        segment.working_memory().copy_from_slice(RETURN_42);
        memory.finalize(std::slice::from_mut(&mut segment)).unwrap();
        let address = segment.address.0;
        assert_eq!(in_child(|| poke(address, 1)), writable, "writing {prot}");
        assert_eq!(in_child(|| call(address) == 42), executable, "running {prot}");
    }
}

#[test]
#[cfg(target_arch = "x86_64")] // An emulator's /proc/self/maps joins neighbours of different protection.
fn memory_has_the_protection_asked_for() {
    let memory = InProcessMemoryManager::with_size(SMALL);
    for (prot, wanted) in [(MemProt::Read, "r--"), (MemProt::ReadExec, "r-x"), (MemProt::ReadWrite, "rw-")] {
        let mut segment = one(&memory, request(prot, 100, 16));
        assert_eq!(permissions(segment.address.0), wanted);
        memory.finalize(std::slice::from_mut(&mut segment)).unwrap();
        assert_eq!(permissions(segment.address.0), wanted);
    }
}

#[test]
fn nothing_is_ever_writable_and_executable() {
    let memory = InProcessMemoryManager::with_size(SMALL);
    code(&memory);
    // Not asked of what an emulator maps for itself: only of this session's memory and its views, which are nowhere else.
    let all = memory.bounds(0, 0).unwrap().all;
    let both = maps().into_iter().filter(|(start, _, permissions)| {
        permissions.contains('w') && permissions.contains('x') && all.contains(ExecutorAddr(*start))
    });
    assert_eq!(both.count(), 0);
}

#[test]
fn what_is_written_to_working_memory_appears_at_the_address() {
    let memory = InProcessMemoryManager::with_size(SMALL);
    for prot in MemProt::ALL {
        let mut segment = one(&memory, request(prot, 3, 1));
        assert_eq!(segment.working_memory(), [0, 0, 0]);
        segment.working_memory().copy_from_slice(b"abc");
        assert_eq!(peek(segment.address.0, 3), b"abc", "{prot}");
    }
}

#[test]
fn code_runs() {
    let memory = InProcessMemoryManager::with_size(SMALL);
    assert_eq!(call(code(&memory).address.0), 42);
}

#[test]
fn small_batches_share_mappings() {
    let memory = InProcessMemoryManager::with_size(SMALL);
    let all = memory.bounds(0, 0).unwrap().all;
    for _ in 0..1000 {
        memory.allocate(&MemProt::ALL.map(|prot| request(prot, 40, 8)), None).unwrap();
    }
    let count = mappings_in(all);
    assert!(count <= 5, "{count} mappings");
}

#[test]
fn threads_never_get_the_same_bytes() {
    let memory = InProcessMemoryManager::with_size(SMALL);
    let work = |thread: u8| {
        let mut mine = Vec::new();
        for n in 0..300u64 {
            for mut segment in
                memory.allocate(&MemProt::ALL.map(|prot| request(prot, 1 + n * 7 % 500, 1 << (n % 6))), None).unwrap()
            {
                segment.working_memory().fill(thread);
                mine.push((segment.range(), thread));
            }
        }
        mine
    };
    let mut given: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=8).map(|thread| scope.spawn(move || work(thread))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    given.sort_by_key(|(range, _)| range.start);
    for pair in given.windows(2) {
        assert!(pair[0].0.end <= pair[1].0.start, "{pair:?}");
    }
    for (range, thread) in given {
        let bytes = peek(range.start.0, range.size() as usize);
        assert!(bytes.iter().all(|&byte| byte == thread), "{range:?}");
    }
}

#[test]
fn a_child_of_fork_does_not_write_what_the_parent_sees() {
    let memory = InProcessMemoryManager::with_size(SMALL);
    let before: Vec<_> = MemProt::ALL.map(|prot| one(&memory, request(prot, 64, 16))).into();
    let child_works = in_child(|| {
        for prot in MemProt::ALL {
            one(&memory, request(prot, 0x4000, 16)).working_memory().fill(0xcc);
        }
        call(code(&memory).address.0) == 42
    });
    assert!(child_works);
    for segment in before {
        let mut next = one(&memory, request(segment.prot, 0x4000, 16));
        assert!(next.working_memory().iter().all(|&byte| byte == 0), "{segment:?}");
        let seen = peek(segment.address.0, 64);
        assert!(seen.iter().all(|&byte| byte == 0), "{segment:?}");
    }
}

#[test]
fn a_child_of_fork_sees_what_was_linked_before() {
    let memory = InProcessMemoryManager::with_size(SMALL);
    let function = code(&memory).address.0;
    assert!(in_child(|| {
        let own = code(&memory).address.0;
        call(function) == 42 && call(own) == 42
    }));
}

#[test]
fn a_child_that_may_have_no_file_has_memory() {
    let memory = InProcessMemoryManager::with_size(SMALL);
    let before = code(&memory).address.0;
    for what in [libc::RLIMIT_NOFILE, libc::RLIMIT_FSIZE] {
        assert!(in_child(|| {
            set_limit(what, 0);
            let own = code(&memory).address.0;
            let fresh = code(&InProcessMemoryManager::with_size(SMALL)).address.0;
            [before, own, fresh].map(call) == [42; 3]
        }));
    }
}

#[test]
fn low_memory_is_below_2_gib() {
    let memory = InProcessMemoryManager::with_size(SMALL);
    memory.place(Placement::Low).unwrap();
    assert!(memory.bounds(1, 1).unwrap().all.end.0 <= 1 << 31);
    for prot in MemProt::ALL {
        assert!(one(&memory, request(prot, 8, 8)).range().end.0 <= 1 << 31);
    }
    assert_eq!(call(code(&memory).address.0), 42);
}

#[test]
fn what_comes_first_of_a_tiny_program_is_close_together() {
    let memory = InProcessMemoryManager::with_size(SMALL);
    let shares = crate::rt::memory::tiny_shares([100_000, 300_000, 200_000]).unwrap();
    memory.place(Placement::Tiny(shares)).unwrap();
    let segments = [(MemProt::Read, 100_000), (MemProt::ReadExec, 300_000), (MemProt::ReadWrite, 200_000)]
        .map(|(prot, size)| one(&memory, request(prot, size, 64)).range());
    let (first, last) = (segments.iter().map(|s| s.start).min(), segments.iter().map(|s| s.end).max());
    assert!(last.unwrap().0 - first.unwrap().0 <= 1 << 20, "{segments:?}");
    // More than was said is elsewhere.
    let bounds = memory.bounds(1 << 20, 0).unwrap();
    assert!(bounds.all.contains(one(&memory, request(MemProt::ReadExec, 1 << 20, 64)).address));
    assert_eq!(call(code(&memory).address.0), 42);
}

#[test]
fn placing_low_after_the_first_allocation_is_an_error() {
    let memory = InProcessMemoryManager::with_size(SMALL);
    one(&memory, request(MemProt::Read, 8, 8));
    assert!(memory.place(Placement::Anywhere).is_ok());
    assert!(matches!(memory.place(Placement::Low), Err(MemoryError::AlreadyPlaced { .. })));
}

#[test]
fn everything_reaches_the_c_library() {
    let memory = InProcessMemoryManager::with_size(SMALL);
    let all = memory.bounds(1, 1).unwrap().all;
    let library = sys::near_address();
    assert!(library.abs_diff(all.start.0) < 1 << 31 && library.abs_diff(all.end.0) < 1 << 31, "{all:?} {library:#x}");
}

#[test]
fn a_giant_zero_fill_costs_addresses_only() {
    let memory = InProcessMemoryManager::new();
    // Low, so as not to take the place next to the libraries from other tests.
    memory.place(Placement::Low).unwrap();
    let bounds = memory.bounds(0x1000, 1_600_000_000).unwrap();
    let giant = SegmentRequest { prot: MemProt::ReadWrite, content_size: 16, size: 1_600_000_000, align: 64 };
    let mut segment = memory.allocate(&[giant], Some(&bounds)).unwrap().remove(0);
    assert_eq!(segment.working_memory().len(), 16);
    assert_eq!(peek(segment.range().end.0 - 8, 8), [0; 8]);
    let function = code(&memory).address.0;
    assert!(function.abs_diff(segment.address.0) < 1 << 31);
}

#[test]
fn more_than_there_is_is_an_error_that_says_how_much() {
    let memory = InProcessMemoryManager::with_size(SMALL);
    // It may be less than was asked for: other tests take addresses near the libraries too.
    let there_is = memory.bounds(1, 1).unwrap().all.size();
    let error = memory.allocate(&[request(MemProt::ReadWrite, there_is + 1, 1)], None).unwrap_err();
    let says =
        matches!(error, MemoryError::Exhausted { wanted, span, .. } if wanted == there_is + 1 && span == there_is);
    assert!(says, "{error}");
    assert!(memory.bounds(u64::MAX, u64::MAX).is_err());
    assert!(memory.allocate(&[request(MemProt::Read, 8, 8)], None).is_ok());
}

#[test]
fn code_bounds_hold_what_is_allocated_under_them() {
    let memory = InProcessMemoryManager::with_size(SMALL);
    let narrow = memory.bounds(1 << 20, 0).unwrap();
    assert_ne!(narrow.code, narrow.all);
    let piece = request(MemProt::ReadExec, 1 << 20, 16);
    let mut moved = false;
    for _ in 0..40 {
        match memory.allocate(&[piece], Some(&narrow)) {
            Ok(segments) => assert!(narrow.code.contains(segments[0].address)),
            Err(MemoryError::BoundsMoved { .. }) => moved = true,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(moved);
    let wide = memory.bounds(1 << 20, 0).unwrap();
    assert_eq!(wide.code, wide.all);
    assert!(memory.allocate(&[piece], Some(&wide)).is_ok());
}

#[test]
fn far_memory_is_no_part_of_the_reservation() {
    let manager = InProcessMemoryManager::with_size(SMALL);
    let all = manager.bounds(0, 0).unwrap().all;
    for (content, size, align) in [(16, 8 << 30, 64), (0, 1, 1 << 21), (5, 5, 1)] {
        let mut far = manager.allocate_far(content, size, align).unwrap();
        assert!(!all.contains(far.address) && far.address.0.is_multiple_of(align));
        assert_eq!(far.working_memory().len() as u64, content);
    }
    assert!(manager.allocate_far(0, 1 << 60, 1).is_err());
    assert!(manager.allocate_far(2, 1, 1).is_err());
}

#[test]
fn the_extent_begins_with_bytes_that_can_be_read() {
    let manager = InProcessMemoryManager::with_size(SMALL);
    for _ in 0..2 {
        let extent = manager.extent().unwrap();
        assert_eq!(extent.start, manager.bounds(0, 0).unwrap().all.start);
        peek(extent.start.0, 1);
    }
}

#[test]
fn large_code_and_constants_have_pages_of_their_own() {
    let memory = InProcessMemoryManager::with_size(SMALL);
    let before = code(&memory);
    let size = LARGE_SEGMENT + 100;
    let requests = [request(MemProt::ReadExec, size, 64), request(MemProt::Read, size, 64)];
    let mut large = memory.allocate(&requests, None).unwrap();
    let page = sys::page_size();
    for segment in &mut large {
        assert!(segment.own_pages && segment.address.0.is_multiple_of(page));
        segment.working_memory()[..RETURN_42.len()].copy_from_slice(RETURN_42);
    }
    let after = code(&memory);
    let last = large[0].range();
    assert!(after.address >= last.end || after.range().end <= last.start);
    memory.finalize(&mut large).unwrap();
    for (segment, executable) in large.iter().zip([true, false]) {
        let (address, end) = (segment.address.0, segment.range().end.0 - 1);
        assert!(!in_child(|| poke(address, 1)) && !in_child(|| poke(end, 1)), "writing {}", segment.prot);
        assert_eq!(in_child(|| call(address) == 42), executable, "running {}", segment.prot);
    }
    assert!([before, after].iter().all(|small| in_child(|| call(small.address.0) == 42)));
}

#[test]
fn large_code_is_in_reach_of_small_code() {
    let memory = InProcessMemoryManager::with_size(SMALL);
    let bounds = memory.bounds(2 * LARGE_SEGMENT, 0).unwrap();
    let request = [request(MemProt::ReadExec, LARGE_SEGMENT, 16)];
    for _ in 0..2 {
        let segment = memory.allocate(&request, Some(&bounds)).unwrap().remove(0);
        assert!(bounds.code.contains(segment.address) && bounds.code.contains(segment.range().end.offset(u64::MAX)));
    }
}

/// A manager whose reservation has `before` bytes below a multiple of 4 GiB and `behind` above it.
fn across_boundary(before: u64, behind: u64, placement: Placement) -> (InProcessMemoryManager, ExecutorAddr) {
    let reserve = |n: u64| Some((n << 32, Extent::reserve(before + behind, Some((n << 32) - before)).ok()?));
    let (boundary, free) = (256..1024).find_map(reserve).unwrap();
    let memory = InProcessMemoryManager::new();
    let region = Region::of(free, placement, CodeMemory::Plain).unwrap();
    *memory.state.lock().unwrap() = State { placement, region: Some(region) };
    (memory, ExecutorAddr(boundary))
}

#[test]
fn no_code_lies_across_a_multiple_of_4_gib() {
    const MIB: u64 = 1 << 20;
    for placement in [Placement::Anywhere, Placement::Low] {
        for before in (0..=512).step_by(32) {
            let (memory, boundary) = across_boundary(before * MIB, (512 - before) * MIB, placement);
            // Aligned so much that it is not written to before it is used.
            let piece = request(MemProt::ReadExec, 40 * MIB, 0x1_0000);
            let next = || memory.allocate(&[piece], None).ok();
            let mut found: Vec<_> = std::iter::from_fn(next).map(|segments| segments[0].range()).collect();
            // The last one may fit on no side.
            found.pop();
            assert!(found.len() > 5 && !found.iter().any(|code| code.contains(boundary)), "{before}: {found:?}");
        }
    }
}

#[test]
fn code_that_fits_on_no_side_of_a_multiple_of_4_gib_lies_across_it() {
    let (memory, boundary) = across_boundary(300 << 20, 200 << 20, Placement::Anywhere);
    assert!(one(&memory, request(MemProt::ReadExec, 350 << 20, 0x1_0000)).range().contains(boundary));
}

#[test]
fn promised_bounds_hold_next_to_a_multiple_of_4_gib() {
    for before in [1, 100, 128, 200, 400].map(|mib| mib << 20) {
        let (memory, _) = across_boundary(before, (512 << 20) - before, Placement::Anywhere);
        let bounds = memory.bounds(90 << 20, 0).unwrap();
        let code = memory.allocate(&[request(MemProt::ReadExec, 90 << 20, 0x1_0000)], Some(&bounds)).unwrap().remove(0);
        assert!(bounds.code.contains(code.address), "{code:?} {bounds:?}");
    }
}
