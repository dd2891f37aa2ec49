//! Recording an image: a program that is linked for any process of this machine, not for this one.
//!
//! The session links it at a fixed address, far from everything of the process, and executes nothing. So linked code reaches symbols
//! of the process only through pointers, and those are what another process must change. Code that holds such an address in
//! another way cannot be recorded.

use super::error::SessionError;
use super::part::UNWIND_RECORDS;
use super::plugin::{FixedUpGraph, Plugin};
use super::program::LinkedProgram;
use super::session::Session;
use crate::base::{ExecutorAddr, MemProt};
use crate::link::arch::Architecture;
use crate::link::{EdgeClass, LinkError, SymbolId, SymbolPlace};
use crate::rt::image::{Image, ImagePlace, ImageSegment, Import, ThreadLocalImage};
use crate::rt::thread_local::Reserve;
use crate::rt::{ExecutorError, ExecutorProcessControl, ThreadLocalMemory};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Records what a session links; its plugin and its thread-local memory. Clones record together.
#[derive(Clone, Debug)]
pub struct ImageRecorder {
    state: Arc<Mutex<State>>,
    /// Answers what the process has, without being changed.
    process: Arc<dyn ExecutorProcessControl>,
    arch: &'static dyn Architecture,
    reserve: Arc<Reserve>,
    /// Offset of the first thread-local variable.
    first_variable: ExecutorAddr,
}

#[derive(Debug, Default)]
struct State {
    image: Image,
    segments: FxHashMap<(u32, MemProt), Recorded>,
    imports: FxHashMap<Name, usize>,
    variables: Option<ThreadLocalImage>,
}

/// A name and a version.
type Name = (Vec<u8>, Option<Vec<u8>>);

/// The memory of one protection of one batch.
#[derive(Debug)]
struct Recorded {
    start: u64,
    end: u64,
    /// Addresses and bytes of its blocks; what is in none of them is zero.
    pieces: Vec<(u64, Vec<u8>)>,
}

/// What an absolute symbol is to another process.
enum Meaning {
    /// A constant.
    Constant,
    /// A symbol of the process.
    Import(Name),
}

impl ImageRecorder {
    /// Records for processes like that of `process`, which runs code of `arch`.
    ///
    /// Errors: that the process has no thread-local memory to give.
    pub fn new(
        process: Arc<dyn ExecutorProcessControl>,
        arch: &'static dyn Architecture,
    ) -> Result<ImageRecorder, ExecutorError> {
        let first_variable = process.thread_locals().allocate(0, 1)?;
        Ok(ImageRecorder { state: Arc::default(), process, arch, reserve: Arc::default(), first_variable })
    }

    /// The image of `program`, which `session` has linked with this recorder, and the bytes of its segments. `page_size` in bytes.
    pub fn finish(&self, session: &Session, program: &LinkedProgram, page_size: u64) -> (Image, Vec<Vec<u8>>) {
        let mut state = std::mem::take(&mut *self.state());
        let mut image = std::mem::take(&mut state.image);
        image.page_size = page_size;
        image.entry = program.entry.0;
        image.initializers = program.initializers.ranges();
        image.finalizers = program.finalizers.ranges();
        image.indirect_functions = session.indirect_pointers();
        image.thread_locals = state.variables;
        let mut segments: Vec<_> = state.segments.into_iter().collect();
        segments.sort_by_key(|(_, recorded)| recorded.start);
        let mut contents = Vec::with_capacity(segments.len());
        for ((_, prot), recorded) in segments {
            let (start, bytes) = recorded.content(page_size);
            let end = recorded.end.next_multiple_of(page_size);
            image.segments.push(ImageSegment {
                prot: prot.into(),
                address: start,
                size: end - start,
                content_size: bytes.len() as u64,
            });
            contents.push(bytes);
        }
        (image, contents)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the absolute `symbol` of `graph` means.
    fn meaning(&self, state: &mut State, graph: &FixedUpGraph<'_>, symbol: SymbolId) -> Meaning {
        let name = graph.graph.symbols[symbol.index()].name;
        let address = graph.address(symbol);
        if name.is_empty() || address.is_null() {
            return Meaning::Constant;
        }
        let (plain, version) = super::closure::split_version(name);
        if self.process.lookup(plain, version) == Some(address) {
            return Meaning::Import((plain.to_vec(), version.map(<[u8]>::to_vec)));
        }
        self.expect_thread_local(state, name);
        Meaning::Constant
    }

    /// Notes where the libraries' thread-local variable `name` is, if it is one.
    fn expect_thread_local(&self, state: &mut State, name: &[u8]) {
        let known = state.image.library_thread_locals.iter().any(|(known, _)| known == name);
        if !known && let Some(place) = self.process.lookup_thread_local(name) {
            state.image.library_thread_locals.push((name.to_vec(), ImagePlace::from(place)));
        }
    }

    fn record_edges(&self, state: &mut State, graph: &FixedUpGraph<'_>) -> Result<(), SessionError> {
        let kinds = self.arch.edge_kinds();
        let mut meanings: FxHashMap<SymbolId, Meaning> = FxHashMap::default();
        for (index, symbol) in graph.graph.symbols.iter().enumerate() {
            match symbol.place {
                SymbolPlace::Absolute(_) => {
                    let id = SymbolId(index as u32);
                    meanings.insert(id, self.meaning(state, graph, id));
                }
                SymbolPlace::DynamicThreadLocal { .. } => self.expect_thread_local(state, symbol.name),
                SymbolPlace::Defined { .. } | SymbolPlace::External { .. } => {}
            }
        }
        for id in graph.graph.block_ids() {
            let block = &graph.graph.blocks[id.index()];
            for edge in graph.graph.block_edges(id) {
                let Some(Meaning::Import(name)) = meanings.get(&edge.target) else { continue };
                let info = &kinds[usize::from(edge.kind.0)];
                if info.class == EdgeClass::KeepAlive {
                    continue;
                }
                let in_segment = !graph.graph.sections[block.section.index()].thread_local;
                if edge.kind != self.arch.pointer() || !in_segment {
                    let section = String::from_utf8_lossy(graph.graph.sections[block.section.index()].name);
                    let place = format_args!("section {section}, offset {:#x}", edge.offset);
                    let what = format_args!(
                        "{} of {} holds the address of a shared library's symbol, which another process loads elsewhere",
                        info.name,
                        String::from_utf8_lossy(&name.0)
                    );
                    return Err(LinkError::malformed(&graph.graph.name, place, what).into());
                }
                let place = (block.address.offset(u64::from(edge.offset)).0, edge.addend);
                let imports = &mut state.image.imports;
                let number = *state.imports.entry(name.clone()).or_insert_with(|| {
                    let (name, version) = name.clone();
                    imports.push(Import { name, version, places: Vec::new() });
                    imports.len() - 1
                });
                imports[number].places.push(place);
            }
        }
        Ok(())
    }
}

impl Plugin for ImageRecorder {
    fn fixed_up(&self, graphs: &[FixedUpGraph<'_>]) -> Result<(), SessionError> {
        let mut state = self.state();
        for graph in graphs {
            self.record_edges(&mut state, graph)?;
            for id in graph.graph.block_ids() {
                let block = &graph.graph.blocks[id.index()];
                let section = &graph.graph.sections[block.section.index()];
                if section.thread_local {
                    continue;
                }
                if block.contiguous == Some(UNWIND_RECORDS) {
                    let frames = &mut state.image.frames;
                    let end = (block.address.0 + block.size).max(frames.0 + frames.1);
                    let start = if frames.1 == 0 { block.address.0 } else { frames.0.min(block.address.0) };
                    *frames = (start, end - start);
                }
                let recorded = state.segments.entry((graph.batch, section.prot)).or_insert_with(Recorded::new);
                recorded.add(block.address.0, block.size, graph.content(id));
            }
        }
        Ok(())
    }
}

impl Recorded {
    fn new() -> Recorded {
        Recorded { start: u64::MAX, end: 0, pieces: Vec::new() }
    }

    fn add(&mut self, address: u64, size: u64, content: &[u8]) {
        self.start = self.start.min(address);
        self.end = self.end.max(address + size);
        if !content.is_empty() {
            self.pieces.push((address, content.to_vec()));
        }
    }

    /// The address of the first page, and all bytes from there on.
    fn content(&self, page_size: u64) -> (u64, Vec<u8>) {
        let start = self.start & !(page_size - 1);
        let end = self.pieces.iter().map(|(address, bytes)| address - start + bytes.len() as u64).max().unwrap_or(0);
        let mut content = vec![0; end as usize];
        for (address, bytes) in &self.pieces {
            let at = (address - start) as usize;
            content[at..at + bytes.len()].copy_from_slice(bytes);
        }
        (start, content)
    }
}

impl ThreadLocalMemory for ImageRecorder {
    fn allocate(&self, size: u64, align: u64) -> Result<ExecutorAddr, ExecutorError> {
        // Whether a process has so much is seen when the image is loaded.
        let start = self.reserve.take(size, align, u64::MAX)?;
        let mut state = self.state();
        let variables = state.variables.get_or_insert(ThreadLocalImage {
            offset: self.first_variable.0,
            size: 0,
            align: 1,
            values: Vec::new(),
        });
        variables.size = variables.size.max(start + size);
        variables.align = variables.align.max(align);
        Ok(self.first_variable.offset(start))
    }

    fn initialize(&self, offset: ExecutorAddr, bytes: &[u8]) -> Result<(), ExecutorError> {
        if let Some(variables) = &mut self.state().variables {
            variables.values.push((offset.0, bytes.to_vec()));
        }
        Ok(())
    }
}
