//! The process that an image is linked for: like this one, but with its symbols nowhere in particular.

use super::executor::{DispatchHandler, ExecutorError, ExecutorProcessControl, JitDispatch, ProcessObject, Rebinding};
use super::in_process::InProcess;
use super::memory::MemoryManager;
use super::program::ProgramSymbols;
use super::thread_local::{ThreadLocalMemory, ThreadLocalPlace};
use crate::base::{AddrRange, ExecutorAddr, Format};
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::sync::{Arc, Mutex, PoisonError};

/// Where functions of the process are said to be: out of reach of everything.
const FAR: u64 = 1 << 46;

/// Answers lookups as this process does, but with made-up addresses, each of which says whose it is.
///
/// Code reaches functions through pointers, which are easily found and changed. Variables are said to be near: code that was compiled
/// for being linked with a program has them in reach (a static linker would copy them into the program), and so it will.
#[derive(Clone, Debug)]
pub struct ImageProcess(Arc<State>);

#[derive(Debug)]
struct State {
    process: InProcess,
    symbols: Mutex<Symbols>,
}

/// A name and a version.
pub type ImportName = (Vec<u8>, Option<Vec<u8>>);

#[derive(Debug)]
struct Symbols {
    addresses: FxHashMap<ImportName, ExecutorAddr>,
    names: FxHashMap<ExecutorAddr, (ImportName, ExecutorAddr)>,
    next_near: u64,
    next_far: u64,
}

impl ImageProcess {
    /// One whose linked code is in `memory` and whose variables are at `near` and behind it.
    pub fn new(memory: Box<dyn MemoryManager>, near: ExecutorAddr) -> ImageProcess {
        let symbols =
            Symbols { addresses: FxHashMap::default(), names: FxHashMap::default(), next_near: near.0, next_far: FAR };
        ImageProcess(Arc::new(State { process: InProcess::with_memory(memory), symbols: Mutex::new(symbols) }))
    }

    /// Whose address `address` is.
    pub fn import_at(&self, address: ExecutorAddr) -> Option<ImportName> {
        let symbols = self.0.symbols.lock().unwrap_or_else(PoisonError::into_inner);
        symbols.names.get(&address).map(|(name, _)| name.clone())
    }
}

impl ExecutorProcessControl for ImageProcess {
    fn memory(&self) -> &dyn MemoryManager {
        self.0.process.memory()
    }

    fn thread_locals(&self) -> &dyn ThreadLocalMemory {
        self.0.process.thread_locals()
    }

    fn lookup(&self, name: &[u8], version: Option<&[u8]>) -> Option<ExecutorAddr> {
        let real = self.0.process.lookup(name, version)?;
        let near = matches!(self.0.process.describe(real), Some(ProcessObject::Data { .. }));
        let name = (name.to_vec(), version.map(<[u8]>::to_vec));
        let mut symbols = self.0.symbols.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(&address) = symbols.addresses.get(&name) {
            return Some(address);
        }
        let next = if near { &mut symbols.next_near } else { &mut symbols.next_far };
        let address = ExecutorAddr(*next);
        *next += 16;
        symbols.names.insert(address, (name.clone(), real));
        symbols.addresses.insert(name, address);
        Some(address)
    }

    /// Nothing: what a process provides is in itself, and an image outlives it.
    fn provided(&self, _format: Format, _name: &[u8]) -> Option<ExecutorAddr> {
        None
    }

    fn lookup_thread_local(&self, name: &[u8]) -> Option<ThreadLocalPlace> {
        self.0.process.lookup_thread_local(name)
    }

    fn describe(&self, address: ExecutorAddr) -> Option<ProcessObject> {
        let real = self.0.symbols.lock().unwrap_or_else(PoisonError::into_inner).names.get(&address)?.1;
        self.0.process.describe(real)
    }

    fn stand_in(&self, function: ExecutorAddr) -> ExecutorAddr {
        function
    }

    fn rebind(&self, _rebindings: &[Rebinding]) -> Result<(), ExecutorError> {
        Ok(())
    }

    fn load_library(&self, path: &OsStr) -> Result<(), ExecutorError> {
        self.0.process.load_library(path)
    }

    fn load_library_for(&self, path: &OsStr, program_has: &dyn Fn(&[u8]) -> bool) -> Result<(), ExecutorError> {
        self.0.process.load_library_for(path, program_has)
    }

    fn library_references(&self, wanted: &mut dyn FnMut(&[u8]) -> bool) -> Vec<Vec<u8>> {
        self.0.process.library_references(wanted)
    }

    /// Nothing: nothing of the program is in this process.
    fn publish_program(
        &self,
        _program: Arc<dyn ProgramSymbols>,
        _definitions: &BTreeMap<Vec<u8>, ExecutorAddr>,
    ) -> Result<(), ExecutorError> {
        Ok(())
    }

    /// Refused: an image does not say it.
    fn make_stacks_executable(&self) -> Result<(), ExecutorError> {
        Err(ExecutorError::ExecutableStack("a kept program does without".into()))
    }

    fn write_pointer(&self, at: ExecutorAddr, value: ExecutorAddr) {
        self.0.process.write_pointer(at, value);
    }

    fn read_pointers(&self, range: AddrRange) -> Vec<ExecutorAddr> {
        self.0.process.read_pointers(range)
    }

    fn register_frames(&self, eh_frame: AddrRange, code: AddrRange) -> Result<(), ExecutorError> {
        self.0.process.register_frames(eh_frame, code)
    }

    fn call_resolver(&self, f: ExecutorAddr) -> ExecutorAddr {
        self.0.process.call_resolver(f)
    }

    fn set_arguments(&self, args: &[OsString]) {
        self.0.process.set_arguments(args);
    }

    fn run_initializers(&self, functions: &[ExecutorAddr]) {
        self.0.process.run_initializers(functions);
    }

    fn run_at_exit(&self, functions: Vec<ExecutorAddr>) {
        self.0.process.run_at_exit(functions);
    }

    fn run_as_main(&self, entry: ExecutorAddr) -> i32 {
        self.0.process.run_as_main(entry)
    }

    fn exit(&self, status: i32) -> ! {
        self.0.process.exit(status)
    }

    fn jit_dispatch(&self) -> JitDispatch {
        self.0.process.jit_dispatch()
    }

    fn set_dispatch_handler(&self, handler: Arc<dyn DispatchHandler>) -> Result<(), ExecutorError> {
        self.0.process.set_dispatch_handler(handler)
    }
}
