//! The executor that is this very process.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::executor::{DispatchHandler, ExecutorError, ExecutorProcessControl, JitDispatch, ProcessObject, Rebinding};
use super::in_process_memory::InProcessMemoryManager;
use super::memory::MemoryManager;
use super::program::ProgramSymbols;
use super::sys::dispatch::{self, Context, as_program};
use super::sys::process::{self, Arguments};
use super::sys::thread_local::{self, ProcessThreadLocals};
use super::sys::{self, test_result};
use super::thread_local::{ThreadLocalMemory, ThreadLocalPlace};
use crate::base::{AddrRange, ExecutorAddr, Format};

/// Runs linked code in this process. Making one does nothing with the operating system; memory is reserved when it is first
/// needed, forks are guarded once a dispatch handler is set.
pub struct InProcess {
    memory: Arc<dyn MemoryManager>,
    context: &'static Context,
    arguments: Mutex<Option<Arguments>>,
    /// Whether linked code may use symbols of the process.
    symbols: bool,
}

impl InProcess {
    /// With memory of this process.
    pub fn new() -> InProcess {
        Self::with_memory(Box::new(InProcessMemoryManager::new()))
    }

    /// With other memory: a [`super::SlabMemoryManager`] when nothing is to run.
    pub fn with_memory(memory: Box<dyn MemoryManager>) -> InProcess {
        InProcess { memory: memory.into(), context: Context::leaked(), arguments: Mutex::new(None), symbols: true }
    }

    /// The same, but linked code finds no symbols of the process.
    pub fn without_symbols(self) -> InProcess {
        InProcess { symbols: false, ..self }
    }

    fn arguments(&self) -> Arguments {
        let mut arguments = self.arguments.lock().unwrap_or_else(PoisonError::into_inner);
        *arguments.get_or_insert_with(|| Arguments::leak(&[]))
    }
}

impl Default for InProcess {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").field("memory", &self.memory).finish_non_exhaustive()
    }
}

impl ExecutorProcessControl for InProcess {
    fn memory(&self) -> &dyn MemoryManager {
        &*self.memory
    }

    fn thread_locals(&self) -> &dyn ThreadLocalMemory {
        &ProcessThreadLocals
    }

    fn lookup(&self, name: &[u8], version: Option<&[u8]>) -> Option<ExecutorAddr> {
        if !self.symbols {
            return test_result::function(name);
        }
        let symbol = || {
            let found = as_program(|| process::symbol(name, version))?;
            Some(sys::loader::stand_in(sys::rebind::current(found)))
        };
        let replaced = thread_local::replacement(name).or_else(|| sys::crash::replacement(name));
        replaced.or_else(symbol).or_else(|| test_result::function(name))
    }

    fn provided(&self, format: Format, name: &[u8]) -> Option<ExecutorAddr> {
        if self.symbols { sys::provided(format, name) } else { None }
    }

    fn lookup_thread_local(&self, name: &[u8]) -> Option<ThreadLocalPlace> {
        if self.symbols { thread_local::ask(name) } else { None }
    }

    fn describe(&self, address: ExecutorAddr) -> Option<ProcessObject> {
        sys::rebind::describe(address)
    }

    fn stand_in(&self, function: ExecutorAddr) -> ExecutorAddr {
        sys::loader::stand_in(function)
    }

    fn rebind(&self, rebindings: &[Rebinding]) -> Result<(), ExecutorError> {
        sys::rebind::rebind(rebindings).map_err(ExecutorError::Rebind)
    }

    fn load_library(&self, path: &OsStr) -> Result<(), ExecutorError> {
        process::load_library(path)
            .map_err(|reason| ExecutorError::Library { path: path.to_string_lossy().into_owned(), reason })
    }

    fn load_library_for(&self, path: &OsStr, program_has: &dyn Fn(&[u8]) -> bool) -> Result<(), ExecutorError> {
        let provide = |name: &[u8]| program_has(name).then(sys::provider::too_early);
        let mut tried = BTreeSet::new();
        loop {
            let Err(reason) = process::load_library(path) else { return Ok(()) };
            if !sys::provider::provide_missing(&reason, &mut tried, &provide) {
                return Err(ExecutorError::Library { path: path.to_string_lossy().into_owned(), reason });
            }
        }
    }

    fn library_references(&self, wanted: &mut dyn FnMut(&[u8]) -> bool) -> Vec<Vec<u8>> {
        sys::interpose::references(wanted)
    }

    fn publish_program(
        &self,
        program: Arc<dyn ProgramSymbols>,
        definitions: &BTreeMap<Vec<u8>, ExecutorAddr>,
    ) -> Result<(), ExecutorError> {
        let name = self.arguments().name();
        sys::loader::publish(sys::loader::Program { symbols: program, name });
        sys::interpose::bind(definitions).map_err(ExecutorError::Interpose)
    }

    fn make_stacks_executable(&self) -> Result<(), ExecutorError> {
        sys::provider::make_stacks_executable().map_err(|error| ExecutorError::ExecutableStack(error.to_string()))
    }

    fn write_pointer(&self, at: ExecutorAddr, value: ExecutorAddr) {
        process::write_pointer(at, value);
    }

    fn read_pointers(&self, range: AddrRange) -> Vec<ExecutorAddr> {
        (0..range.size() / 8).map(|index| process::read_pointer(range.start.offset(index * 8))).collect()
    }

    fn register_frames(&self, eh_frame: AddrRange, code: AddrRange) -> Result<(), ExecutorError> {
        if eh_frame.size() == 0 { Ok(()) } else { sys::register_frames(eh_frame, code) }
    }

    fn call_resolver(&self, f: ExecutorAddr) -> ExecutorAddr {
        process::call_resolver(f)
    }

    fn set_arguments(&self, args: &[OsString]) {
        let arguments = Arguments::leak(args);
        arguments.name_program();
        *self.arguments.lock().unwrap_or_else(PoisonError::into_inner) = Some(arguments);
    }

    fn run_initializers(&self, functions: &[ExecutorAddr]) {
        process::call_initializers(functions, self.arguments());
    }

    fn run_at_exit(&self, functions: Vec<ExecutorAddr>) {
        process::at_exit(functions);
    }

    fn run_as_main(&self, entry: ExecutorAddr) -> i32 {
        let status = process::call_main(entry, self.arguments());
        test_result::main_has_returned();
        status
    }

    fn exit(&self, status: i32) -> ! {
        process::exit(status)
    }

    fn jit_dispatch(&self) -> JitDispatch {
        JitDispatch { function: dispatch::entry_address(), context: self.context.address() }
    }

    fn set_dispatch_handler(&self, handler: Arc<dyn DispatchHandler>) -> Result<(), ExecutorError> {
        self.context.set_handler(handler).map_err(|_| ExecutorError::HandlerSet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::MemProt;
    use crate::rt::memory::SegmentRequest;
    use crate::rt::sys::testing::in_child;
    use std::sync::atomic::{AtomicU64, Ordering};

    fn with_memory() -> InProcess {
        InProcess::with_memory(Box::new(InProcessMemoryManager::with_size(64 << 20)))
    }

    fn address(function: *const ()) -> ExecutorAddr {
        ExecutorAddr(function as u64)
    }

    #[test]
    fn symbols_of_the_process_are_found() {
        let executor = InProcess::new();
        for (name, there) in [
            (&b"malloc"[..], true),
            (b"cosf", true),
            (b"__register_frame", true),
            (b"no such symbol", false),
            (b"malloc\0", false),
            (b"", false),
        ] {
            let found = executor.lookup(name, None);
            assert_eq!(found.is_some(), there, "{}", String::from_utf8_lossy(name));
        }
    }

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn a_version_must_exist() {
        let executor = InProcess::new();
        let version: &[u8] = if cfg!(target_arch = "x86_64") { b"GLIBC_2.2.5" } else { b"GLIBC_2.17" };
        assert!(executor.lookup(b"malloc", Some(version)).is_some());
        assert!(executor.lookup(b"malloc", Some(b"GLIBC_0.0")).is_none());
    }

    #[test]
    fn a_library_that_is_not_there_is_an_error_with_the_loaders_words() {
        let error = InProcess::new().load_library(OsStr::new("/no/such/library.so")).unwrap_err();
        assert!(error.to_string().contains("/no/such/library.so: cannot open"), "{error}");
    }

    #[test]
    fn pointers_written_are_read() {
        let executor = with_memory();
        let request = SegmentRequest { prot: MemProt::ReadWrite, content_size: 0, size: 24, align: 8 };
        let range = executor.memory().allocate(&[request], None).unwrap()[0].range();
        executor.write_pointer(range.start.offset(8), ExecutorAddr(0x1234));
        let expected = [0, 0x1234, 0].map(ExecutorAddr);
        assert_eq!(executor.read_pointers(range), expected);
    }

    extern "C" fn last_argument(argc: i32, argv: *const *const libc::c_char, envp: *const *const libc::c_char) -> i32 {
        let (last, after, first_variable) = crate::rt::sys::testing::arguments(argc, argv, envp);
        assert!(after && first_variable);
        last.parse().unwrap()
    }

    #[test]
    fn main_gets_its_arguments() {
        let executor = InProcess::new();
        executor.set_arguments(&["name".into(), "x".into(), "77".into()]);
        assert_eq!(executor.run_as_main(address(last_argument as *const ())), 77);
    }

    #[test]
    fn initializers_run_in_order_with_the_arguments() {
        static SEEN: AtomicU64 = AtomicU64::new(0);
        extern "C" fn first(argc: i32) {
            SEEN.store(argc as u64, Ordering::SeqCst);
        }
        extern "C" fn second(argc: i32) {
            SEEN.store(SEEN.load(Ordering::SeqCst) * 10 + argc as u64, Ordering::SeqCst);
        }
        let executor = InProcess::new();
        executor.set_arguments(&["a".into(), "b".into()]);
        executor.run_initializers(&[address(first as *const ()), address(second as *const ())]);
        assert_eq!(SEEN.load(Ordering::SeqCst), 22);
    }

    #[test]
    fn resolvers_choose() {
        extern "C" fn resolver(hwcap: u64, capabilities: *const u64) -> u64 {
            if cfg!(all(target_arch = "aarch64", target_os = "linux")) {
                assert!(hwcap & (1 << 62) != 0);
                assert_eq!(crate::rt::sys::testing::peek(capabilities as u64, 1), [24]);
            }
            0x77
        }
        assert_eq!(InProcess::new().call_resolver(address(resolver as *const ())), ExecutorAddr(0x77));
    }

    #[test]
    fn exit_handlers_run_in_order_after_later_ones() {
        static SEEN: AtomicU64 = AtomicU64::new(0);
        extern "C" fn note<const DIGIT: u64>() {
            SEEN.store(SEEN.load(Ordering::SeqCst) * 10 + DIGIT, Ordering::SeqCst);
            if DIGIT == 2 {
                let good = SEEN.load(Ordering::SeqCst) == 312;
                crate::rt::sys::testing::leave(i32::from(!good));
            }
        }
        let good = in_child(|| {
            let executor = InProcess::new();
            executor.run_at_exit(vec![address(note::<1> as *const ()), address(note::<2> as *const ())]);
            executor.run_at_exit(vec![address(note::<3> as *const ())]);
            executor.exit(9)
        });
        assert!(good);
    }

    #[test]
    fn registered_frames_unwind() {
        // A CIE and an FDE for made-up code, then the terminator: the unwinder finds the FDE by an address in it.
        let executor = with_memory();
        let request = |prot, size| SegmentRequest { prot, content_size: size, size, align: 16 };
        let requests = [request(MemProt::ReadExec, 64), request(MemProt::Read, 64)];
        let mut segments = executor.memory().allocate(&requests, None).unwrap();
        let code = segments[0].address.0;
        let mut table: Vec<u8> = Vec::new();
        // CIE: length, id, version, augmentation "", code and data alignment, return register, padding.
        table.extend(16u32.to_le_bytes());
        table.extend([0, 0, 0, 0, 1, 0, 1, 0x78, 16, 0, 0, 0, 0, 0, 0, 0]);
        // FDE: length, distance to the CIE, start, size (both absolute, the default encoding).
        table.extend(20u32.to_le_bytes());
        table.extend(24u32.to_le_bytes());
        table.extend(code.to_le_bytes());
        table.extend(64u64.to_le_bytes());
        table.extend([0; 4]);
        segments[1].working_memory()[..table.len()].copy_from_slice(&table);
        executor.memory().finalize(&mut segments).unwrap();
        let tables = segments[1].range();
        assert!(!crate::rt::sys::testing::unwinder_knows(&executor, code + 1));
        executor.register_frames(AddrRange::new(tables.start, table.len() as u64), segments[0].range()).unwrap();
        assert!(crate::rt::sys::testing::unwinder_knows(&executor, code + 1));
    }
}
