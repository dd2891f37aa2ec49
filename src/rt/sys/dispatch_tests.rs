use super::*;
use crate::rt::sys::testing::{in_child, lets_through};
use std::sync::Mutex;

const TAG: ExecutorAddr = ExecutorAddr(0x1234);

struct Handler<F>(F);

impl<F: Fn(&[u8]) -> DispatchResult + Send + Sync> DispatchHandler for Handler<F> {
    fn dispatch(&self, tag: ExecutorAddr, args: &[u8]) -> DispatchResult {
        assert_eq!(tag, TAG);
        (self.0)(args)
    }
}

fn context(handler: impl Fn(&[u8]) -> DispatchResult + Send + Sync + 'static) -> &'static Context {
    let context = Context::leaked();
    assert!(context.set_handler(Arc::new(Handler(handler))).is_ok());
    context
}

fn call(context: &'static Context, args: &[u8]) -> WrapperFunctionResult {
    // SAFETY: a context and a slice.
    unsafe { entry(context, TAG.0 as *const u8, args.as_ptr(), args.len()) }
}

/// The bytes or the error text, by the rules of the receiving side.
fn unpack(result: WrapperFunctionResult) -> DispatchResult {
    if result.size > 0 && result.size <= 8 {
        return Ok(result.word.to_ne_bytes()[..result.size as usize].to_vec());
    }
    if result.word == 0 {
        return Ok(Vec::new());
    }
    let at = result.word as *mut libc::c_char;
    // SAFETY: from malloc, with a NUL if the size is 0.
    unsafe {
        let answer = if result.size == 0 {
            Err(std::ffi::CStr::from_ptr(at).to_str().unwrap().to_string())
        } else {
            Ok(std::slice::from_raw_parts(at.cast::<u8>(), result.size as usize).to_vec())
        };
        libc::free(at.cast());
        answer
    }
}

#[test]
fn results_of_every_length_arrive() {
    let echo = context(|args| Ok(args.to_vec()));
    for length in 0..40 {
        let bytes: Vec<u8> = (1..=length).collect();
        assert_eq!(unpack(call(echo, &bytes)), Ok(bytes));
    }
}

#[test]
fn errors_arrive_out_of_band() {
    let failing = context(|_| Err("no\0 way".to_string()));
    assert_eq!(unpack(call(failing, b"")), Err("no way".to_string()));
}

#[test]
fn without_a_handler_the_call_fails() {
    assert!(unpack(call(Context::leaked(), b"")).is_err());
}

#[test]
fn a_second_handler_is_refused() {
    let context = context(|_| Ok(Vec::new()));
    assert!(context.set_handler(Arc::new(Handler(|_: &[u8]| Ok(Vec::new())))).is_err());
}

#[test]
fn errno_is_kept() {
    let context = context(|_| {
        interrupts::errno().set(libc::EBADF);
        Ok(Vec::new())
    });
    interrupts::errno().set(libc::ERANGE);
    call(context, b"");
    assert_eq!(interrupts::errno().get(), libc::ERANGE);
}

#[test]
fn signals_wait_while_the_linker_runs_but_not_for_program_code() {
    static SEEN: Mutex<Vec<[bool; 2]>> = Mutex::new(Vec::new());
    fn look() {
        SEEN.lock().unwrap().push([libc::SIGUSR1, libc::SIGSEGV].map(|signal| !lets_through(signal)));
    }
    let context = context(|_| {
        look();
        as_program(look);
        look();
        Ok(Vec::new())
    });
    call(context, b"");
    look();
    let expected = [[true, false], [false, false], [true, false], [false, false]];
    assert_eq!(*SEEN.lock().unwrap(), expected);
}

#[test]
fn signals_wait_while_a_thread_forks() {
    let seen = || [libc::SIGUSR1, libc::SIGSEGV].map(|signal| !lets_through(signal));
    before_fork();
    let meanwhile = seen();
    after_in_parent();
    assert_eq!([meanwhile, seen()], [[true, false], [false, false]]);
}

#[test]
fn a_first_call_works_on_a_16_kib_stack() {
    #[cfg(not(target_os = "linux"))]
    use libc::pthread_create;
    // What linked code calls under that name.
    #[cfg(target_os = "linux")]
    use crate::rt::sys::thread_local::pthread_create;
    extern "C" fn thread(context: *mut libc::c_void) -> *mut libc::c_void {
        // SAFETY: the context passed below.
        let context: &'static Context = unsafe { &*context.cast::<Context>() };
        call(context, b"").size as *mut libc::c_void
    }
    let context = context(|_| {
        let mut deep = [0u8; 200 << 10];
        std::hint::black_box(&mut deep);
        Ok(vec![1, 2, 3])
    });
    // SAFETY: a thread with attributes initialized here, joined here.
    let size = unsafe {
        let mut attributes = std::mem::zeroed();
        libc::pthread_attr_init(&mut attributes);
        assert_eq!(libc::pthread_attr_setstacksize(&mut attributes, libc::PTHREAD_STACK_MIN.max(16 << 10)), 0);
        let mut id = std::mem::zeroed();
        let argument = context.address().0 as *mut libc::c_void;
        assert_eq!(pthread_create(&mut id, &attributes, thread, argument), 0);
        let mut result = std::ptr::null_mut();
        libc::pthread_join(id, &mut result);
        result as usize
    };
    assert_eq!(size, 3);
}

#[test]
fn program_code_may_dispatch_again() {
    static INNER: OnceLock<&'static Context> = OnceLock::new();
    INNER.get_or_init(|| context(|args| Ok(args.to_vec())));
    let outer = context(|args| as_program(|| unpack(call(INNER.get().unwrap(), args))));
    assert_eq!(unpack(call(outer, b"0123456789")), Ok(b"0123456789".to_vec()));
}

#[test]
fn a_child_of_fork_can_dispatch_while_the_parent_is_busy() {
    let context = context(|args| {
        std::thread::sleep(std::time::Duration::from_micros(200));
        Ok(args.to_vec())
    });
    let busy = std::sync::atomic::AtomicBool::new(true);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while busy.load(std::sync::atomic::Ordering::Relaxed) {
                    call(context, b"x");
                }
            });
        }
        for _ in 0..5 {
            let answered = in_child(|| gate::forked() && unpack(call(context, b"child")) == Ok(b"child".to_vec()));
            assert!(answered);
        }
        busy.store(false, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(!gate::forked());
}

#[test]
fn program_code_inside_a_dispatch_may_fork() {
    let context = context(|_| {
        let child = as_program(|| in_child(gate::forked));
        Ok(vec![u8::from(child)])
    });
    assert_eq!(unpack(call(context, b"")), Ok(vec![1]));
}
