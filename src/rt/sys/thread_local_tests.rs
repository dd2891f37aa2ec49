use super::reserve::{SIZE, cost, thread_pointer};
use super::*;

/// The `N` bytes of the calling thread at `offset`.
fn read<const N: usize>(offset: ExecutorAddr) -> [u8; N] {
    // SAFETY: an offset that the reserve or the loader gave for at least so many bytes.
    unsafe { (thread_pointer().wrapping_add(offset.0) as *const [u8; N]).read() }
}

fn in_new_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}

#[test]
fn this_thread_and_later_ones_have_initial_values() {
    let offset = ProcessThreadLocals.allocate(&[(4, 4)]).unwrap()[0];
    assert_eq!(read(offset), [0; 4]);
    let (ready, go) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
    std::thread::scope(|scope| {
        let earlier = scope.spawn(|| {
            ready.wait();
            go.wait();
            read::<4>(offset)
        });
        ready.wait();
        ProcessThreadLocals.initialize(ThreadLocalPlace::Offset(offset), b"abcd").unwrap();
        go.wait();
        assert_eq!(earlier.join().unwrap(), [0; 4]);
    });
    assert_eq!(read(offset), *b"abcd");
    assert_eq!(in_new_thread(|| read(offset)), *b"abcd");
}

#[test]
fn alignment_holds_in_every_thread() {
    for align in [1, 64, 4096] {
        let offset = ProcessThreadLocals.allocate(&[(1, align)]).unwrap()[0];
        let misaligned = || thread_pointer().wrapping_add(offset.0) % align;
        assert_eq!((misaligned(), in_new_thread(misaligned)), (0, 0));
    }
    let error = ProcessThreadLocals.allocate(&[(1, 8192)]).unwrap_err();
    assert!(matches!(error, ExecutorError::ThreadLocalAlign { wanted: 8192, most: 4096 }));
}

#[test]
fn values_outside_the_reserve_are_refused() {
    let table = reserve::table_offset().unwrap();
    for offset in [table - 1, table - SIZE as u64, 0] {
        let result = ProcessThreadLocals.initialize(ThreadLocalPlace::Offset(ExecutorAddr(offset)), b"xy");
        assert!(matches!(result, Err(ExecutorError::ThreadLocalTemplate { .. })));
    }
}

#[test]
#[cfg(target_env = "gnu")]
fn variables_of_libraries_have_the_offset_that_the_loader_says() {
    let Some(ThreadLocalPlace::Offset(offset)) = ask(b"errno") else {
        panic!("the C library's errno has a constant offset");
    };
    let check = || {
        crate::rt::sys::interrupts::errno().set(77);
        i32::from_ne_bytes(read(offset))
    };
    assert_eq!((check(), in_new_thread(check)), (77, 77));
}

#[test]
fn variables_that_no_library_has_are_nowhere() {
    assert_eq!(ask(b"no_such_variable"), None);
}

#[test]
fn small_stacks_grow_by_the_reserve() {
    extern "C" fn used(_: *mut c_void) -> *mut c_void {
        std::hint::black_box([1u8; 4096]);
        std::ptr::null_mut()
    }
    // SAFETY: attributes and threads as the C library makes them; the thread is joined.
    unsafe {
        let mut attributes = std::mem::zeroed();
        assert_eq!(libc::pthread_attr_init(&mut attributes), 0);
        assert_eq!(libc::pthread_attr_setstacksize(&mut attributes, 128 << 10), 0);
        let mut thread = std::mem::zeroed();
        assert_eq!(pthread_create(&mut thread, &attributes, used, std::ptr::null_mut()), 0);
        assert_eq!(libc::pthread_join(thread, std::ptr::null_mut()), 0);
        let mut size = 0;
        libc::pthread_attr_getstacksize(&with_larger_stack(&attributes).unwrap(), &mut size);
        assert_eq!(size, (128 << 10) + cost());
        libc::pthread_attr_setstacksize(&mut attributes, SMALL_STACK * cost());
        assert!(with_larger_stack(&attributes).is_none());
    }
}
