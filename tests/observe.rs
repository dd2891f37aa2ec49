//! What a session tells those who watch it: first calls and steps, what is at an address, what is linked; and linking ahead.

#![cfg(target_os = "linux")]

use rjitlink::base::{Arch, ExecutorAddr, Format, Target};
use rjitlink::lazy::{
    BODY_SUFFIX, DylibId, FirstCall, Granularity, LazyFunction, LazyObjectLinkingLayer, Plugin, Session,
    SessionOptions, Step, StepTime,
};
use rjitlink::rt::{InProcess, runtime_archive};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Notes what it is told.
#[derive(Default)]
struct Notes {
    calls: Mutex<Vec<FirstCall>>,
    steps: Mutex<Vec<StepTime>>,
    all_first_calls: bool,
}

impl Plugin for Notes {
    fn step_done(&self, step: &StepTime) {
        self.steps.lock().unwrap().push(*step);
    }

    fn first_call(&self, call: &FirstCall) {
        self.calls.lock().unwrap().push(call.clone());
    }

    fn wants_all_first_calls(&self) -> bool {
        self.all_first_calls
    }
}

/// Two functions in one section, the first of which calls the second, and one that nobody calls.
const SOURCE: &str = "#define TOGETHER __attribute__((noinline, section(\".text.together\")))
    TOGETHER int outer(int);
    TOGETHER int inner(int);
    int outer(int a) { return 2 * inner(a); }
    int inner(int a) { return a + 1; }
    int idle(int a) { return a; }";

/// A session with a lazy file, and what `notes` are told.
fn session(notes: &Arc<Notes>) -> (Arc<Session>, DylibId) {
    let target = Target::new(Arch::host().expect("tests run where the linker runs"), Format::Elf);
    let options = SessionOptions { plugins: vec![Box::new(notes.clone())], ..Default::default() };
    let session = Session::new(target, Box::new(InProcess::new()), options).unwrap();
    let (name, runtime) = runtime_archive::embedded(target).expect("the host's runtime");
    session.add_runtime(name, runtime).unwrap();
    let main = session.create_dylib("main");
    let layer = LazyObjectLinkingLayer::new(&session, Granularity::Function).unwrap();
    layer.add(main, "lazy.o", object()).unwrap();
    (session, main)
}

fn object() -> &'static [u8] {
    let dir = TempDir::new().unwrap();
    let (source, object) = (dir.path().join("lazy.c"), dir.path().join("lazy.o"));
    std::fs::write(&source, SOURCE).unwrap();
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let status =
        Command::new(compiler).args(["-O1", "-ffunction-sections", "-c"]).arg(&source).arg("-o").arg(&object).status();
    assert!(status.expect("a C compiler").success());
    let bytes = std::fs::read(&object).unwrap();
    bytes.leak()
}

/// Calls `int f(int)`.
fn call(f: ExecutorAddr, argument: i32) -> i32 {
    // SAFETY: tests call addresses of functions of this type only, which the session has linked.
    let f: extern "C" fn(i32) -> i32 = unsafe { std::mem::transmute(f.0 as usize) };
    f(argument)
}

fn called(notes: &Notes) -> Vec<String> {
    notes.calls.lock().unwrap().iter().map(|call| call.entry_point.clone()).collect()
}

#[test]
fn first_calls_are_told_with_names_and_times() {
    let notes = Arc::new(Notes::default());
    let (session, main) = session(&notes);
    let outer = session.lookup(main, "outer").unwrap();
    let before = Instant::now();
    assert_eq!((call(outer, 1), call(outer, 2)), (4, 6));
    let calls = notes.calls.lock().unwrap();
    let [first] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!((&*first.entry_point, &*first.body, &*first.dylib), ("outer", "outer$orc_fnbody", "main"));
    assert!(first.linked && before <= first.start && first.start <= first.end);
}

#[test]
fn who_wants_all_first_calls_is_told_of_functions_that_came_along() {
    for (all_first_calls, expected) in [(false, vec!["outer"]), (true, vec!["outer", "inner"])] {
        let notes = Arc::new(Notes { all_first_calls, ..Notes::default() });
        let (session, main) = session(&notes);
        let [outer, inner] = ["outer", "inner"].map(|name| session.lookup(main, name).unwrap());
        assert_eq!((call(outer, 1), call(inner, 1)), (4, 2));
        assert_eq!(called(&notes), expected);
    }
}

#[test]
fn steps_of_a_batch_lie_within_it() {
    let notes = Arc::new(Notes::default());
    let (session, main) = session(&notes);
    session.lookup(main, "outer").unwrap();
    let steps = notes.steps.lock().unwrap();
    let batch = steps.iter().find(|time| time.step == Step::Batch).expect("a batch");
    for step in [Step::Claim, Step::Tables, Step::Allocate, Step::FixUp, Step::Finalize] {
        let time = steps.iter().find(|time| time.step == step && time.batch == batch.batch).expect("a step");
        assert!(batch.start <= time.start && time.end <= batch.end, "{step:?}");
    }
}

#[test]
fn an_address_is_described_once_something_is_linked_there() {
    let (session, main) = session(&Arc::default());
    let idle = session.lookup(main, "idle").unwrap();
    assert_eq!(session.describe(idle).unwrap().symbol, "idle (stub)");
    let body = session.lookup(main, &format!("idle{BODY_SUFFIX}")).unwrap();
    let place = session.describe(body.offset(2)).unwrap();
    assert_eq!((&*place.symbol, place.offset), ("idle", 2));
    let file = place.file.unwrap();
    assert_eq!((&*file.file, &*file.section, file.offset), ("lazy.o", ".text.idle", 2));
    assert!(session.describe(ExecutorAddr(16)).is_none());
}

#[test]
fn a_census_counts_what_is_linked() {
    let (session, main) = session(&Arc::default());
    assert_eq!((session.census().functions, session.census().functions_linked), (3, 0));
    session.lookup(main, &format!("outer{BODY_SUFFIX}")).unwrap();
    let census = session.census();
    assert_eq!((census.files, census.files_linked, census.entry_points, census.functions_linked), (1, 1, 3, 2));
    assert!(0 < census.bytes_linked && census.bytes_linked < census.bytes);
}

#[test]
fn speculation_links_what_the_order_names_and_skips_what_is_unknown() {
    let (session, _) = session(&Arc::default());
    let order = ["nobody", "idle$orc_fnbody"].map(|name| LazyFunction { dylib: "main".into(), symbol: name.into() });
    session.speculate(order.to_vec()).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while session.census().functions_linked == 0 {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(1));
    }
    // Nobody has asked for the other functions: they have no stubs.
    assert_eq!(session.census().functions_linked, 1);
}

#[test]
fn speculation_follows_stubs_that_are_made() {
    let (session, main) = session(&Arc::default());
    session.speculate(Vec::new()).unwrap();
    let outer = session.lookup(main, "outer").unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while session.census().functions_linked < 3 {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(call(outer, 1), 4);
}
