//! Recording an image: a program that is linked for any process of this machine, not for this one.
//!
//! The session links for an [`ImageProcess`], whose symbols' addresses mean nothing, and executes nothing. So linked code reaches
//! symbols of the process through pointers, or as variables at a distance; pointers into the image are listed, and everything else
//! is relative. Code that holds an address in another way cannot be recorded.

use super::dynamic_symbols::Interposed;
use super::error::SessionError;
use super::initializers::FunctionArrays;
use super::part::UNWIND_RECORDS;
use super::plugin::{FixedUpGraph, Plugin};
use super::program::LinkedProgram;
use super::session::Session;
use crate::base::{AddrRange, ExecutorAddr, MemProt};
use crate::link::arch::Architecture;
use crate::link::{BlockId, Edge, EdgeClass, LinkError, Symbol, SymbolId, SymbolPlace};
use crate::rt::image::{FunctionArrayRange, Image, ImagePlace, ImageSegment, Import, ImportPlace, ThreadLocalImage};
use crate::rt::image_process::{ImageProcess, ImportName};
use crate::rt::thread_local::Reserve;
use crate::rt::{ExecutorError, ExecutorProcessControl, ThreadLocalMemory, ThreadLocalPlace};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Records what a session links; its plugin and its thread-local memory. Clones record together.
#[derive(Clone, Debug)]
pub struct ImageRecorder {
    state: Arc<Mutex<State>>,
    process: ImageProcess,
    arch: &'static dyn Architecture,
    /// Where everything is linked.
    memory: AddrRange,
    reserve: Arc<Reserve>,
    /// Offset of the first thread-local variable.
    first_variable: ExecutorAddr,
}

#[derive(Debug, Default)]
struct State {
    image: Image,
    segments: FxHashMap<(u32, MemProt), Recorded>,
    imports: FxHashMap<ImportName, usize>,
    /// Addresses of pointers into the image.
    pointers: Vec<u64>,
    variables: Option<ThreadLocalImage>,
}

/// The memory of one protection of one batch.
#[derive(Debug)]
struct Recorded {
    start: u64,
    end: u64,
    /// Addresses and bytes of its blocks; what is in none of them is zero.
    pieces: Vec<(u64, Vec<u8>)>,
}

impl ImageRecorder {
    /// Records what a session links that runs on `process`, in code of `arch`.
    ///
    /// Errors: that the process has no memory, or no thread-local memory, to give.
    pub fn new(process: ImageProcess, arch: &'static dyn Architecture) -> Result<ImageRecorder, SessionError> {
        let first_variable = process.thread_locals().allocate(&[(0, 1)])?[0];
        let memory = process.memory().bounds(0, 0)?.all;
        Ok(ImageRecorder { state: Arc::default(), process, arch, memory, reserve: Arc::default(), first_variable })
    }

    /// The image of `program`, which `session` has linked with this recorder, and the bytes of its segments. `page_size` in bytes.
    pub fn finish(&self, session: &Session, program: &LinkedProgram, page_size: u64) -> (Image, Vec<Vec<u8>>) {
        let State { mut image, segments, pointers, variables, .. } = std::mem::take(&mut *self.state());
        let mut segments: Vec<_> = segments.into_iter().filter(|(_, recorded)| recorded.start < recorded.end).collect();
        segments.sort_by_key(|(_, recorded)| recorded.start);
        let base = segments.first().map_or(0, |(_, first)| first.start & !(page_size - 1));
        image.page_size = page_size;
        image.entry = program.entry.0 - base;
        let ranges = |arrays: &FunctionArrays| {
            arrays.ranges().into_iter().map(|r| FunctionArrayRange { address: r.address - base, ..r }).collect()
        };
        image.initializers = ranges(&program.initializers);
        image.finalizers = ranges(&program.finalizers);
        let definition =
            |(interposed, address): &(Interposed, ExecutorAddr)| (interposed.name.clone(), address.0 - base);
        image.definitions = program.interposed.iter().map(definition).collect();
        image.indirect_functions = session.indirect_pointers().iter().map(|(p, r)| (p - base, r - base)).collect();
        image.frames.0 = image.frames.0.saturating_sub(base);
        image.imports.iter_mut().flat_map(|i| &mut i.places).for_each(|place| place.address -= base);
        image.thread_locals = variables;
        let mut contents = Vec::with_capacity(segments.len());
        for ((_, prot), recorded) in segments {
            let (start, bytes) = recorded.content(page_size);
            image.segments.push(ImageSegment {
                prot: prot.into(),
                address: start - base,
                size: recorded.end.next_multiple_of(page_size) - start,
                content_size: bytes.len() as u64,
            });
            contents.push(bytes);
        }
        make_relative(&mut image, &mut contents, &pointers, base);
        (image, contents)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes where the libraries' thread-local variable `name` is, if it is one.
    fn expect_thread_local(&self, state: &mut State, name: &[u8]) {
        let known = state.image.library_thread_locals.iter().any(|(known, _)| known == name);
        if !known && let Some(place) = self.process.lookup_thread_local(name) {
            state.image.library_thread_locals.push((name.to_vec(), ImagePlace::from(place)));
        }
    }

    /// The symbol of the process that `symbol` of `graph` is, if it is one.
    fn import(&self, state: &mut State, graph: &FixedUpGraph<'_>, symbol: SymbolId) -> Option<ImportName> {
        let Symbol { name, place, .. } = &graph.graph.symbols[symbol.index()];
        match place {
            SymbolPlace::Absolute(address) if !address.is_null() => {
                let import = self.process.import_at(*address);
                if import.is_none() && !name.is_empty() {
                    self.expect_thread_local(state, name);
                }
                import
            }
            SymbolPlace::DynamicThreadLocal(_) => {
                self.expect_thread_local(state, name);
                None
            }
            SymbolPlace::Absolute(_) | SymbolPlace::Defined { .. } | SymbolPlace::External { .. } => None,
        }
    }

    fn record_edges(&self, state: &mut State, graph: &FixedUpGraph<'_>) -> Result<(), SessionError> {
        let symbols = (0..graph.graph.symbols.len() as u32).map(SymbolId);
        let imports: Vec<Option<ImportName>> = symbols.map(|id| self.import(state, graph, id)).collect();
        for id in graph.graph.block_ids() {
            let block = &graph.graph.blocks[id.index()];
            for edge in graph.graph.block_edges(id) {
                let class = self.arch.edge_kinds()[usize::from(edge.kind.0)].class;
                if class.is_thread_local() || matches!(class, EdgeClass::KeepAlive | EdgeClass::Size) {
                    continue;
                }
                let address = block.address.offset(u64::from(edge.offset)).0;
                let in_segment = !graph.graph.sections[block.section.index()].thread_local;
                let is_pointer = edge.kind == self.arch.pointer() && in_segment;
                let is_distance = edge.kind == self.arch.delta32() && in_segment;
                // The address of a thread-local variable is an offset, which stays the same.
                let linked = self.memory.contains(graph.address(edge.target));
                match &imports[edge.target.index()] {
                    Some(name) if is_pointer || is_distance => {
                        let place = ImportPlace { address, addend: edge.addend, is_distance };
                        state.refer(name, place);
                    }
                    None if linked && is_pointer => state.pointers.push(address),
                    // Both ends move, or neither does.
                    None if linked == self.arch.is_relative(edge.kind) => {}
                    _ => return Err(self.refuse(graph, id, edge)),
                }
            }
        }
        Ok(())
    }

    fn refuse(&self, graph: &FixedUpGraph<'_>, block: BlockId, edge: &Edge) -> SessionError {
        let section = &graph.graph.sections[graph.graph.blocks[block.index()].section.index()];
        let place = format_args!("section {}, offset {:#x}", String::from_utf8_lossy(section.name), edge.offset);
        let what = format_args!(
            "{} of {} cannot be moved",
            self.arch.edge_kinds()[usize::from(edge.kind.0)].name,
            String::from_utf8_lossy(graph.graph.symbols[edge.target.index()].name)
        );
        LinkError::malformed(&graph.graph.name, place, what).into()
    }
}

impl State {
    fn refer(&mut self, name: &ImportName, place: ImportPlace) {
        let imports = &mut self.image.imports;
        let number = *self.imports.entry(name.clone()).or_insert_with(|| {
            let (name, version) = name.clone();
            imports.push(Import { name, version, places: Vec::new() });
            imports.len() - 1
        });
        imports[number].places.push(place);
    }
}

/// Takes `base` off the pointers at the addresses `pointers`, and lists them in `image`.
fn make_relative(image: &mut Image, contents: &mut [Vec<u8>], pointers: &[u64], base: u64) {
    image.pointers = vec![Vec::new(); image.segments.len()];
    for &pointer in pointers {
        let address = pointer - base;
        let number = image.segments.partition_point(|s| s.address <= address) - 1;
        let offset = address - image.segments[number].address;
        if let Some(bytes) = contents[number].get_mut(offset as usize..offset as usize + 8) {
            let value = bytes.try_into().map(u64::from_le_bytes).unwrap_or_default();
            bytes.copy_from_slice(&value.wrapping_sub(base).to_le_bytes());
        }
        if offset.is_multiple_of(8) {
            let (word, bit) = ((offset / 512) as usize, offset / 8 % 64);
            let bits = &mut image.pointers[number];
            if bits.len() <= word {
                bits.resize(word + 1, 0);
            }
            bits[word] |= 1 << bit;
        } else {
            image.unaligned_pointers.push(address);
        }
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
    fn allocate(&self, pieces: &[(u64, u64)]) -> Result<Vec<ExecutorAddr>, ExecutorError> {
        // Whether a process has so much is seen when the image is loaded.
        let starts = self.reserve.take(pieces, u64::MAX)?;
        let mut state = self.state();
        let variables = state.variables.get_or_insert(ThreadLocalImage {
            offset: self.first_variable.0,
            size: 0,
            align: 1,
            values: Vec::new(),
        });
        for (start, (size, align)) in starts.iter().zip(pieces) {
            variables.size = variables.size.max(start + size);
            variables.align = variables.align.max(*align);
        }
        Ok(starts.into_iter().map(|start| self.first_variable.offset(start)).collect())
    }

    fn allocate_dynamic(&self, _size: u64, _align: u64) -> Result<u64, ExecutorError> {
        Err(ExecutorError::ThreadLocalUnsupported)
    }

    fn descriptor_resolver(&self) -> ExecutorAddr {
        ExecutorAddr::NULL
    }

    fn initialize(&self, place: ThreadLocalPlace, bytes: &[u8]) -> Result<(), ExecutorError> {
        let ThreadLocalPlace::Offset(offset) = place else {
            return Err(ExecutorError::ThreadLocalUnsupported);
        };
        if let Some(variables) = &mut self.state().variables {
            variables.values.push((offset.0, bytes.to_vec()));
        }
        Ok(())
    }
}
