use super::*;
use crate::base::align_up;
use crate::rt::sys::page_size;
use crate::rt::sys::testing::{RETURN_42, call, in_child, peek, poke};

/// Writes a function into the first bytes of `view` and makes its page what `prot` says; answers its address.
fn place(view: &mut View, prot: MemProt) -> u64 {
    let mut page = view.take_front(page_size() as usize);
    page.as_mut()[..RETURN_42.len()].copy_from_slice(RETURN_42);
    let address = page.address();
    finish(address, page_size(), prot).unwrap();
    address
}

fn map(prot: MemProt, pages: u64) -> View {
    let backing = Backing::new(0, CodeMemory::Plain);
    backing.map(0, Extent::reserve(pages * page_size(), None).unwrap(), prot).unwrap()
}

#[test]
fn code_stays_what_it_is_while_more_is_written_beside_it() {
    let mut view = map(MemProt::ReadExec, 3);
    let first = place(&mut view, MemProt::ReadExec);
    assert_eq!(call(first), 42);
    let second = place(&mut view, MemProt::ReadExec);
    assert_eq!((call(first), call(second)), (42, 42));
    assert_eq!(align_up(second, page_size()), Some(first + page_size()));
}

#[test]
fn other_threads_run_code_while_more_is_written() {
    let mut view = map(MemProt::ReadExec, 65);
    let first = place(&mut view, MemProt::ReadExec);
    std::thread::scope(|scope| {
        let running = scope.spawn(move || (0..100_000).all(|_| call(first) == 42));
        for _ in 0..64 {
            assert_eq!(call(place(&mut view, MemProt::ReadExec)), 42);
        }
        assert!(running.join().unwrap());
    });
}

#[test]
fn code_that_was_written_in_place_runs() {
    let mut view = Extent::reserve(page_size(), None).unwrap().into_private().unwrap();
    assert_eq!(call(place(&mut view, MemProt::ReadExec)), 42);
}

#[test]
fn what_the_protection_forbids_kills() {
    for (prot, writable, executable) in
        [(MemProt::Read, false, false), (MemProt::ReadExec, false, true), (MemProt::ReadWrite, true, false)]
    {
        let address = place(&mut map(prot, 1), prot);
        assert_eq!(peek(address, RETURN_42.len()), RETURN_42, "{prot}");
        assert_eq!(in_child(|| poke(address, 1)), writable, "writing {prot}");
        assert_eq!(in_child(|| call(address) == 42), executable, "running {prot}");
    }
}
