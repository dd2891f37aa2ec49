//! Micro-benchmarks of the phases of a link: `cargo bench -p rjitlink-micro`.
//!
//! What a whole program costs, and how rjitlink compares, is `benches/run`'s question; this one tells which phase a change made faster. Objects are
//! compiled when the benchmarks start. Names are replaced in a compiled object to make many, as `benches/run` does.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rjitlink::base::{Arch, ExecutorAddr, Format, Target};
use rjitlink::lazy::{
    DylibId, Granularity, LazyAlias, LazyObjectLinkingLayer, ObjectLinkingLayer, Session, SessionOptions,
};
use rjitlink::link::{
    BlockId, Content, Edge, LinkGraph, Linkage, ObjectFile, OptionalSymbol, Scope, Symbol, SymbolId, SymbolPlace, arch,
    archive, fixup, layout, read_object,
};
use rjitlink::rt::{InProcess, runtime_archive};
use std::fmt::Write;
use std::hint::black_box;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Functions of the generated objects, if nothing else is said.
const FUNCTIONS: usize = 10;
/// Entry points called in one session.
const CALLS: usize = 1000;

fn target() -> Target {
    Target::new(Arch::host().expect("benchmarks run where the linker runs"), Format::Elf)
}

/// Runs `program` in a fresh folder that holds `files`, and answers what it writes to `output` there.
fn made_by(program: &[&str], files: &[(String, Vec<u8>)], output: &str) -> &'static [u8] {
    let folder = TempDir::new().unwrap();
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    let status = Command::new(program[0]).current_dir(&folder).args(&program[1..]).status();
    assert!(status.is_ok_and(|status| status.success()), "{program:?}");
    let bytes = std::fs::read(folder.path().join(output)).unwrap();
    bytes.leak()
}

fn compile(source: String) -> &'static [u8] {
    let flags = ["cc", "-O1", "-fPIE", "-ffunction-sections", "-c", "source.c", "-o", "object.o"];
    made_by(&flags, &[("source.c".into(), source.into_bytes())], "object.o")
}

/// An object of `functions` small functions `f0000000_N`; with `calls`, each calls those of the next object, `g0000000_N`.
fn small_object(functions: usize, calls: bool) -> &'static [u8] {
    let mut source = String::new();
    for k in 0..functions {
        if calls {
            writeln!(source, "int g0000000_{k}(int); int f0000000_{k}(int n) {{ return g0000000_{k}(n) + {k}; }}")
                .unwrap();
        } else {
            writeln!(source, "int f0000000_{k}(int n) {{ return n + {k}; }}").unwrap();
        }
    }
    compile(source)
}

/// Object `number` made of `template`: `f0000000` is named after it, `g0000000` after the next of `count`.
fn numbered(template: &[u8], number: usize, count: usize) -> Vec<u8> {
    let names = [(b'f', number), (b'g', (number + 1) % count)];
    let mut bytes = template.to_vec();
    for (letter, number) in names {
        let (old, new) = ([&[letter][..], b"0000000"].concat(), format!("f{number:07}"));
        let mut at = 0;
        while let Some(found) = bytes[at..].windows(8).position(|window| window == old) {
            at += found;
            bytes[at..at + 8].copy_from_slice(new.as_bytes());
            at += 8;
        }
    }
    bytes
}

fn read(data: &'static [u8]) -> ObjectFile {
    read_object("object.o", data).unwrap().unwrap()
}

/// Reading an object's tables, and opening an archive.
fn parse(c: &mut Criterion) {
    let mut group = c.benchmark_group("parse");
    let object = small_object(1000, true);
    group.throughput(Throughput::Elements(2000));
    group.bench_function("object of 2,000 symbols", |b| b.iter(|| read(black_box(object))));

    let template = small_object(FUNCTIONS, false);
    let members: Vec<_> = (0..1000).map(|n| (format!("{n}.o"), numbered(template, n, 1000))).collect();
    let words: Vec<&str> = ["ar", "rcs", "all.a"].into_iter().chain(members.iter().map(|m| m.0.as_str())).collect();
    let archive = made_by(&words, &members, "all.a");
    group.throughput(Throughput::Elements(1000));
    group.bench_function("archive of 1,000 members", |b| {
        b.iter(|| archive::Archive::parse("all.a", black_box(archive)).unwrap());
    });
    group.finish();
}

/// A graph of `file`, every section a block, every symbol that the file does not define at an address near `base`.
fn graph_of(file: &ObjectFile, base: u64) -> LinkGraph {
    let mut graph = LinkGraph::new("object.o".into(), target());
    let mut blocks = Vec::new();
    for section in file.sections.iter() {
        let id = graph.add_section(section.name, section.prot);
        let content = if section.is_zero_fill() { Content::ZeroFill } else { Content::Borrowed(section.content) };
        blocks.push(graph.add_block(id, content, section.size, section.align));
    }
    for index in 0..file.symbols.len() {
        let place = SymbolPlace::Absolute(ExecutorAddr(base + 16 * index as u64));
        let symbol = Symbol {
            name: b"",
            place,
            size: 8,
            linkage: Linkage::Strong,
            scope: Scope::Default,
            stub_target: OptionalSymbol::NONE,
        };
        graph.add_symbol(symbol);
    }
    for (section, &block) in blocks.iter().enumerate() {
        let mut edges = Vec::new();
        file.edges(section as u32, &mut edges).unwrap();
        let edges = edges.into_iter().map(|edge| Edge {
            offset: edge.offset,
            kind: edge.kind,
            target: SymbolId(edge.symbol),
            addend: edge.addend,
        });
        graph.set_edges(block, edges);
    }
    graph
}

/// Laying out graphs whose sections are known.
fn lay_out(c: &mut Criterion) {
    let object = small_object(100, false);
    let graphs: Vec<LinkGraph> = (0..200).map(|_| graph_of(&read(object), 0)).collect();
    let graphs: Vec<(u32, &LinkGraph)> = (0..).zip(&graphs).collect();
    let mut group = c.benchmark_group("layout");
    group.throughput(Throughput::Elements(graphs.iter().map(|(_, graph)| graph.blocks.len() as u64).sum()));
    group.bench_function("200 graphs", |b| b.iter(|| layout::lay_out(black_box(&graphs)).unwrap()));
    group.finish();
}

/// Copying a section's bytes and applying its relocations.
fn apply(c: &mut Criterion) {
    const BASE: u64 = 0x5000_0000;
    let mut source = String::new();
    let names: Vec<String> = (0..100).map(|n| format!("callee_{n}")).collect();
    names.iter().for_each(|name| writeln!(source, "void {name}(void);").unwrap());
    let calls: String = (0..10_000).map(|n| format!("{}();", names[n * 7 % 100])).collect();
    let pointers: String = (0..10_000).map(|n| format!("{},", names[n * 7 % 100])).collect();
    writeln!(source, "void calls(void) {{ {calls} }}").unwrap();
    writeln!(source, "void (*const pointers[])(void) = {{ {pointers} }};").unwrap();
    let file = read(compile(source));
    let mut graph = graph_of(&file, BASE);
    for block in &mut graph.blocks {
        block.address = ExecutorAddr(BASE + (1 << 20));
    }
    let arch = arch::of(target().arch).unwrap();
    let addresses: Vec<ExecutorAddr> = fixup::symbol_addresses(&graph, |_| ExecutorAddr::NULL).collect();
    let mut group = c.benchmark_group("fixup");
    for (title, prefix) in [("calls", &b".text.calls"[..]), ("pointers", b".data.rel")] {
        let is_it =
            |block: &BlockId| graph.sections[graph.blocks[block.index()].section.index()].name.starts_with(prefix);
        let block = graph.block_ids().find(is_it).expect("the section is there");
        let edges = graph.block_edges(block).len();
        assert_eq!(edges, 10_000, "{title}");
        let mut memory = vec![0; graph.blocks[block.index()].size as usize];
        group.throughput(Throughput::Elements(edges as u64));
        group.bench_function(format!("10,000 {title}"), |b| {
            b.iter(|| {
                fixup::write_block(arch, &graph, block, &addresses, ExecutorAddr(BASE), black_box(&mut memory)).unwrap()
            });
        });
    }
    group.finish();
}

fn session() -> (Arc<Session>, DylibId) {
    let session = Session::new(target(), Box::new(InProcess::new()), SessionOptions::default()).unwrap();
    let (name, runtime) = runtime_archive::embedded(target()).expect("the host's runtime");
    session.add_runtime(name, runtime).unwrap();
    let main = session.create_dylib("main");
    (session, main)
}

fn add_lazily(session: &Arc<Session>, dylib: DylibId, objects: &[&'static [u8]]) {
    let layer = LazyObjectLinkingLayer::new(session, Granularity::Function).unwrap();
    for (number, object) in objects.iter().enumerate() {
        layer.add(dylib, &format!("{number}.o"), object).unwrap();
    }
}

/// Symbol resolution: adding files to a JITDylib and resolving all their references, with one entry point made.
fn resolve_symbols(c: &mut Criterion) {
    let template = small_object(FUNCTIONS, true);
    let objects: Vec<&'static [u8]> = (0..500).map(|n| &*numbered(template, n, 500).leak()).collect();
    let mut group = c.benchmark_group("symbol resolution");
    group.throughput(Throughput::Elements((objects.len() * FUNCTIONS) as u64));
    let add = |(session, dylib): (Arc<Session>, DylibId)| {
        add_lazily(&session, dylib, &objects);
        session.lookup(dylib, "f0000000_0").unwrap();
        session
    };
    group.bench_function("500 lazy objects of 10 functions", |b| {
        b.iter_batched(session, add, BatchSize::PerIteration);
    });
    group.finish();
}

/// First calls: from the call of an entry point to the return of its function.
fn resolve_first_calls(c: &mut Criterion) {
    let mut group = c.benchmark_group("resolve");
    let object = small_object(CALLS, false);
    let linked_by_it = |session: &Arc<Session>, dylib| {
        add_lazily(session, dylib, &[object]);
        (0..CALLS).map(|n| session.lookup(dylib, &format!("f0000000_{n}")).unwrap()).collect()
    };
    group.bench_function("first call of a small function", |b| b.iter_custom(|n| first_calls(n, linked_by_it)));
    // Entry points that all stand for one function: what a first call costs beyond linking.
    let linked_before = |session: &Arc<Session>, dylib| {
        ObjectLinkingLayer::new(session).add(dylib, "object.o", object).unwrap();
        session.lookup(dylib, "f0000000_0").unwrap();
        let alias = |n| LazyAlias { entry_point: format!("alias_{n}"), dylib, implementation: "f0000000_0".into() };
        session.lazy_reexports().define(session, dylib, (0..CALLS).map(alias).collect()).unwrap();
        (0..CALLS).map(|n| session.lookup(dylib, &format!("alias_{n}")).unwrap()).collect()
    };
    group.bench_function("first call of a linked function", |b| b.iter_custom(|n| first_calls(n, linked_before)));
    group.finish();
}

/// The time of `count` first calls of the entry points that `entries` makes, [`CALLS`] in each session.
fn first_calls(count: u64, entries: impl Fn(&Arc<Session>, DylibId) -> Vec<ExecutorAddr>) -> Duration {
    let mut taken = Duration::ZERO;
    let mut left = count as usize;
    while left > 0 {
        let (session, dylib) = session();
        let entries = entries(&session, dylib);
        let called = &entries[..CALLS.min(left)];
        let start = Instant::now();
        for &entry in called {
            black_box(call(entry, 1));
        }
        taken += start.elapsed();
        left -= called.len();
    }
    taken
}

/// Calls `int f(int)`.
fn call(f: ExecutorAddr, argument: i32) -> i32 {
    // SAFETY: only addresses of functions of this type, which the session has linked, are called.
    let f: extern "C" fn(i32) -> i32 = unsafe { std::mem::transmute(f.0 as usize) };
    f(argument)
}

criterion_group! {
    name = phases;
    config = Criterion::default().sample_size(20).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(2));
    targets = parse, resolve_symbols, lay_out, apply, resolve_first_calls
}
criterion_main!(phases);
