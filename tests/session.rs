//! The library as a program that embeds it uses it: sessions, lazy reexports, lookups, first calls.

#![cfg(target_os = "linux")]

use rjitlink::base::{Arch, ExecutorAddr, Format, Target};
use rjitlink::lazy::{
    BODY_SUFFIX, DylibId, FixedUpGraph, Granularity, LazyAlias, LazyObjectLinkingLayer, LazyReexport,
    ObjectLinkingLayer, Plugin, Session, SessionError, SessionErrorKind, SessionOptions, Step, StepTime,
    SymbolInstance,
};
use rjitlink::rt::{InProcess, runtime_archive};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use tempfile::TempDir;

/// The names of linked graphs, in order.
type Linked = Arc<Mutex<Vec<String>>>;

fn target() -> Target {
    Target::new(Arch::host().expect("tests run where the linker runs"), Format::Elf)
}

fn session() -> (Arc<Session>, Linked) {
    let linked = Linked::default();
    let names = linked.clone();
    let options =
        SessionOptions { on_link: Box::new(move |name| names.lock().unwrap().push(name.into())), ..Default::default() };
    (session_with(options), linked)
}

/// A session with the host's runtime.
fn session_with(options: SessionOptions) -> Arc<Session> {
    let session = Session::new(target(), Box::new(InProcess::new()), options).unwrap();
    let (name, runtime) = runtime_archive::embedded(target()).expect("the host's runtime");
    session.add_runtime(name, runtime).unwrap();
    session
}

/// `source`, compiled.
fn object(source: &str) -> &'static [u8] {
    let dir = TempDir::new().unwrap();
    let (c, o) = (dir.path().join("source.c"), dir.path().join("object.o"));
    std::fs::write(&c, source).unwrap();
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let status = Command::new(compiler).args(["-O1", "-ffunction-sections", "-c"]).arg(&c).arg("-o").arg(&o).status();
    assert!(status.expect("a C compiler").success());
    let bytes = std::fs::read(&o).unwrap();
    bytes.leak()
}

/// Calls `int f(int)`.
fn call(f: ExecutorAddr, argument: i32) -> i32 {
    // SAFETY: tests call addresses of functions of this type only, which the session has linked.
    let f: extern "C" fn(i32) -> i32 = unsafe { std::mem::transmute(f.0 as usize) };
    f(argument)
}

fn lazy(session: &Arc<Session>, dylib: DylibId, name: &str, source: &str) {
    let layer = LazyObjectLinkingLayer::new(session, Granularity::Function).unwrap();
    layer.add(dylib, name, object(source)).unwrap();
}

fn count(linked: &Linked, name: &str) -> usize {
    linked.lock().unwrap().iter().filter(|n| *n == name).count()
}

#[test]
fn a_lazy_file_is_linked_by_its_first_call() {
    let (session, linked) = session();
    let main = session.create_dylib("main");
    lazy(&session, main, "twice.o", "int twice(int a) { return 2 * a; }");
    let twice = session.lookup(main, "twice").unwrap();
    assert_eq!(count(&linked, "twice.o"), 0);
    assert_eq!((call(twice, 21), call(twice, 4)), (42, 8));
    assert_eq!(count(&linked, "twice.o"), 1);
}

#[test]
fn the_body_has_a_name_of_its_own() {
    let (session, _) = session();
    let main = session.create_dylib("main");
    lazy(&session, main, "next.o", "int next(int a) { return a + 1; }");
    let entry = session.lookup(main, "next").unwrap();
    let body = session.lookup(main, &format!("next{BODY_SUFFIX}")).unwrap();
    assert_ne!(entry, body);
    assert_eq!((call(entry, 1), call(body, 2)), (2, 3));
}

#[test]
fn an_alias_map_makes_entry_points_for_any_implementation() {
    let (session, linked) = session();
    let (main, library) = (session.create_dylib("main"), session.create_dylib("library"));
    let layer = ObjectLinkingLayer::new(&session);
    layer.add(library, "square.o", object("int square(int a) { return a * a; }")).unwrap();
    let alias = |name: &str| LazyAlias { entry_point: name.into(), dylib: library, implementation: "square".into() };
    session.lazy_reexports().define(&session, main, vec![alias("power"), alias("area")]).unwrap();
    let (power, area) = (session.lookup(main, "power").unwrap(), session.lookup(main, "area").unwrap());
    assert_eq!(count(&linked, "square.o"), 0);
    assert_eq!((call(power, 5), call(area, 6), call(power, 7)), (25, 36, 49));
    assert_eq!(count(&linked, "square.o"), 1);
}

#[test]
fn an_entry_point_is_defined_once() {
    let (session, _) = session();
    let main = session.create_dylib("main");
    ObjectLinkingLayer::new(&session).add(main, "f.o", object("int f(int a) { return a; }")).unwrap();
    let again = LazyAlias { entry_point: "f".into(), dylib: main, implementation: "f".into() };
    let error = session.lazy_reexports().define(&session, main, vec![again]).unwrap_err();
    assert!(matches!(error.kind(), SessionErrorKind::DuplicateDefinition { symbol, .. } if symbol == "f"));
}

#[test]
fn only_trampolines_are_reentry_addresses() {
    let (session, _) = session();
    let error = session.lazy_reexports().resolve(&session, ExecutorAddr(0x1234)).unwrap_err();
    assert_eq!(error.to_string(), "Reentry address 0x1234 not registered");
}

#[test]
fn a_reentry_address_is_known_by_what_it_stands_for() {
    let (session, _) = session();
    let main = session.create_dylib("main");
    lazy(&session, main, "name.o", "int name(int a) { return a; }");
    let entry = session.lookup(main, "name").unwrap();
    // Before the first call, the stub's pointer holds the trampoline: found by asking about every place it can be at.
    let near = (entry.0 - (1 << 20)..entry.0 + (1 << 20)).step_by(8).map(ExecutorAddr);
    let known: Vec<LazyReexport> = near.filter_map(|a| session.lazy_reexports().describe(&session, a).ok()).collect();
    let expected =
        LazyReexport { entry_point: "name".into(), body: format!("name{BODY_SUFFIX}"), dylib: "main".into() };
    assert_eq!(known, [expected]);
}

#[test]
fn a_lookup_can_complete_on_another_thread() {
    let (session, _) = session();
    let main = session.create_dylib("main");
    lazy(&session, main, "late.o", "int late(int a) { return -a; }");
    let (send, receive) = mpsc::channel();
    let body = SymbolInstance::new(&session, main, &format!("late{BODY_SUFFIX}"));
    body.lookup_async(move |result| send.send(result).unwrap());
    assert_eq!(call(receive.recv().unwrap().unwrap(), 3), -3);
}

#[test]
fn functions_called_by_many_threads_at_once_are_linked_once() {
    let (session, linked) = session();
    let main = session.create_dylib("main");
    for i in 0..20 {
        let next = (i + 1) % 20;
        let source = format!("int f{next}(int); int f{i}(int a) {{ return a > 0 ? f{next}(a - 1) + 1 : 0; }}");
        lazy(&session, main, &format!("f{i}.o"), &source);
    }
    std::thread::scope(|scope| {
        for i in 0..16 {
            let session = &session;
            scope.spawn(move || assert_eq!(call(session.lookup(main, &format!("f{i}")).unwrap(), 100), 100));
        }
    });
    for i in 0..20 {
        assert_eq!(count(&linked, &format!("f{i}.o")), 1, "f{i}.o");
    }
}

#[test]
fn without_a_runtime_nothing_is_lazy() {
    let session = Session::new(target(), Box::new(InProcess::new()), SessionOptions::default()).unwrap();
    let error = LazyObjectLinkingLayer::new(&session, Granularity::Object).unwrap_err();
    assert_eq!(error.to_string(), "Lazy linking requires the ORC runtime");
}

#[test]
fn a_failure_has_one_cause_for_everybody() {
    let (session, _) = session();
    let main = session.create_dylib("main");
    let layer = ObjectLinkingLayer::new(&session);
    layer.add(main, "a.o", object("int nowhere(int); int a(int x) { return nowhere(x); }")).unwrap();
    layer.add(main, "b.o", object("int a(int); int b(int x) { return a(x); }")).unwrap();
    let expected = "Symbols not found: [ nowhere ]\n  nowhere is referred to by a.o";
    assert_eq!(session.lookup(main, "a").unwrap_err().to_string(), expected);
    assert_eq!(session.lookup(main, "b").unwrap_err().to_string(), expected);
}

#[test]
fn linked_code_can_call_the_host_program() {
    extern "C" fn host(a: i32) -> i32 {
        a + 1000
    }
    let (session, _) = session();
    let main = session.create_dylib("main");
    session.define_absolute(main, "host", ExecutorAddr(host as extern "C" fn(i32) -> i32 as usize as u64)).unwrap();
    lazy(&session, main, "guest.o", "int host(int); int guest(int a) { return host(a) * 2; }");
    assert_eq!(call(session.lookup(main, "guest").unwrap(), 1), 2002);
}

/// An archive with an index, whose members are `sources`, compiled.
fn archive(sources: &[&str]) -> &'static [u8] {
    let dir = TempDir::new().unwrap();
    let members: Vec<String> = (0..sources.len()).map(|n| format!("{n}.o")).collect();
    for (name, source) in members.iter().zip(sources) {
        std::fs::write(dir.path().join(name), object(source)).unwrap();
    }
    let status = Command::new("ar").current_dir(&dir).args(["rcs", "helpers.a"]).args(&members).status();
    assert!(status.expect("ar").success());
    let bytes = std::fs::read(dir.path().join("helpers.a")).unwrap();
    bytes.leak()
}

#[test]
fn helper_archives_are_asked_once_and_last() {
    let asked = Arc::new(AtomicU32::new(0));
    let helpers = archive(&[
        "__attribute__((visibility(\"hidden\"))) int only_there(int a) { static int n; return a + 10 * ++n; }",
        "int abs(int a) { return 1000; }",
    ]);
    let count = asked.clone();
    let answer = move || {
        count.fetch_add(1, Ordering::Relaxed);
        vec![("damaged.a".into(), &b"!<arch>\nxxxx"[..]), ("helpers.a".into(), helpers)]
    };
    let options = SessionOptions { helper_archives: Box::new(answer), ..Default::default() };
    let session = Session::new(target(), Box::new(InProcess::new()), options).unwrap();
    let eager = ObjectLinkingLayer::new(&session);
    let dylibs = ["main", "library"].map(|name| session.create_dylib(name));
    let from_process = "int abs(int); int (*volatile p)(int) = abs; int f(int a) { return p(a); }";
    eager.add(dylibs[0], "process.o", object(from_process)).unwrap();
    assert_eq!(call(session.lookup(dylibs[0], "f").unwrap(), -7), 7);
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    for dylib in dylibs {
        eager.add(dylib, "user.o", object("int only_there(int); int g(int a) { return only_there(a); }")).unwrap();
        // Each JITDylib has a copy of its own, as each shared library would.
        let g = session.lookup(dylib, "g").unwrap();
        assert_eq!((call(g, 1), call(g, 1)), (11, 21));
    }
    eager.add(dylibs[0], "nobody.o", object("int nobody(int); int h(int a) { return nobody(a); }")).unwrap();
    let error = session.lookup(dylibs[0], "h").unwrap_err();
    assert!(matches!(error.kind(), SessionErrorKind::SymbolsNotFound(_)));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

/// Notes the words that sections called `.data` hold.
struct DataWords(Arc<Mutex<Vec<u64>>>);

impl Plugin for DataWords {
    fn fixed_up(&self, graphs: &[FixedUpGraph<'_>]) -> Result<(), SessionError> {
        for graph in graphs {
            for block in graph.graph.block_ids() {
                let section = graph.graph.blocks[block.index()].section;
                if graph.graph.sections[section.index()].name == b".data" {
                    let words = graph.content(block).chunks_exact(8);
                    self.0.lock().unwrap().extend(words.map(|w| u64::from_le_bytes(w.try_into().unwrap())));
                }
            }
        }
        Ok(())
    }
}

#[test]
fn plugins_see_bytes_after_fixups() {
    let words = Arc::new(Mutex::new(Vec::new()));
    let options = SessionOptions { plugins: vec![Box::new(DataWords(words.clone()))], ..Default::default() };
    let session = Session::new(target(), Box::new(InProcess::new()), options).unwrap();
    let main = session.create_dylib("main");
    let source = "char buffer[64]; char *pointer __attribute__((section(\".data\"))) = buffer + 5;";
    ObjectLinkingLayer::new(&session).add(main, "data.o", object(source)).unwrap();
    session.lookup(main, "pointer").unwrap();
    let buffer = session.lookup(main, "buffer").unwrap();
    assert_eq!(*words.lock().unwrap(), [buffer.0 + 5]);
}

/// Counts batches.
struct Batches(Arc<AtomicU32>);

impl Plugin for Batches {
    fn step_done(&self, step: &StepTime) {
        self.0.fetch_add((step.step == Step::Batch).into(), Ordering::Relaxed);
    }
}

#[test]
fn what_is_linked_is_looked_up_without_a_batch() {
    let batches = Arc::new(AtomicU32::new(0));
    let plugins: Vec<Box<dyn Plugin>> = vec![Box::new(Batches(batches.clone()))];
    let session = session_with(SessionOptions { plugins, ..Default::default() });
    let main = session.create_dylib("main");
    let source = "int plain(int a) { return a + 1; } int data = 1; __thread int of_thread = 2;
        static int body(int a) { return a; } static int (*choose(void))(int) { return body; }
        int chosen(int) __attribute__((ifunc(\"choose\")));";
    ObjectLinkingLayer::new(&session).add(main, "eager.o", object(source)).unwrap();
    session.define_alias(main, "alias", main, "plain").unwrap();
    lazy(&session, main, "lazy.o", "int lazy(int a) { return a; }");
    for (name, answered_at_once) in
        [("plain", true), ("alias", true), ("data", true), ("of_thread", false), ("chosen", false), ("lazy", false)]
    {
        let first = session.lookup(main, name).unwrap();
        let before = batches.load(Ordering::Relaxed);
        let again = session.lookup(main, name).unwrap();
        assert_eq!(first, again, "{name}");
        assert_eq!(batches.load(Ordering::Relaxed) == before, answered_at_once, "{name}");
    }
}
