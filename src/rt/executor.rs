//! The seam between the session and the process that runs the linked code: [`ExecutorProcessControl`].

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::sync::Arc;

use super::memory::MemoryManager;
use super::program::ProgramSymbols;
use super::thread_local::{ThreadLocalMemory, ThreadLocalPlace};
use crate::base::{AddrRange, ExecutorAddr, Format};

/// What an executor cannot do.
#[derive(Debug, thiserror::Error)]
pub enum ExecutorError {
    /// A shared library could not be loaded.
    #[error("cannot load {path}: {reason}")]
    Library {
        /// The library as it was asked for.
        path: String,
        /// What the dynamic loader says.
        reason: String,
    },
    /// The process lacks something that linked code needs.
    #[error("this process has no {what}, needed {why}")]
    Missing {
        /// The symbol.
        what: &'static str,
        /// For what.
        why: &'static str,
    },
    /// Thread-local variables do not fit.
    #[error(
        "{wanted:#x} bytes of thread-local memory are needed, but of the reserve of {total:#x} bytes in each thread only \
         {left:#x} are left; make it larger with -tls-reserve=SIZE"
    )]
    ThreadLocalReserve {
        /// Bytes asked for.
        wanted: u64,
        /// Bytes left, before alignment.
        left: u64,
        /// Bytes there are.
        total: u64,
    },
    /// A thread-local variable is to be aligned more than threads' memory is.
    #[error("thread-local memory aligned to {wanted:#x} bytes is needed; at most {most:#x} can be had")]
    ThreadLocalAlign {
        /// The alignment asked for.
        wanted: u64,
        /// The greatest there is.
        most: u64,
    },
    /// The linker is part of a library whose thread-local memory has no constant place.
    #[error(
        "thread-local variables cannot be linked, because the linker is part of a shared library that was loaded while the \
         program ran; link it into the program, or load the library when the program starts"
    )]
    ThreadLocalDynamic,
    /// The process cannot start again with a larger reserve.
    #[error("cannot enlarge the reserve of thread-local memory: {what}: {reason}")]
    ThreadLocalRestart {
        /// What was tried.
        what: &'static str,
        /// What the operating system says.
        reason: std::io::Error,
    },
    /// This process has no thread-local memory for linked code.
    #[error("thread-local variables are not supported on this operating system")]
    ThreadLocalUnsupported,
    /// New threads' initial values could not be set.
    #[error("cannot set initial values of thread-local variables: {reason}")]
    ThreadLocalTemplate {
        /// What the operating system says.
        reason: std::io::Error,
    },
    /// The tables of shared libraries could not be changed.
    #[error(
        "cannot give symbols of shared libraries addresses below 2 GiB: {0}; compile the program with -fPIE or -fPIC"
    )]
    Rebind(std::io::Error),
    /// Shared libraries could not be made to use definitions of the program.
    #[error("cannot make shared libraries use the program's definitions: {0}")]
    Interpose(std::io::Error),
    /// Code on the stack cannot be run.
    #[error(
        "the program has code on its stack (a function in a function, of which it takes the address), but stacks cannot be made executable: {0}"
    )]
    ExecutableStack(String),
    /// A second dispatch handler was given to an executor.
    #[error("this executor already has a dispatch handler")]
    HandlerSet,
}

/// What a dispatched call answers: the bytes of its result, or the text of an *out-of-band* error, for a call that could
/// not be understood. A call that was understood and failed answers in band, with bytes that say so.
pub type DispatchResult = Result<Vec<u8>, String>;

/// Answers calls that linked code makes through `__orc_rt_jit_dispatch`.
pub trait DispatchHandler: Send + Sync {
    /// Answers the call with tag address `tag` and argument bytes `args`.
    ///
    /// Runs on a linker stack with signals blocked, on the thread that called, any number of threads at once and nested.
    fn dispatch(&self, tag: ExecutorAddr, args: &[u8]) -> DispatchResult;
}

/// What `__orc_rt_jit_dispatch` and `__orc_rt_jit_dispatch_ctx` are bound to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JitDispatch {
    /// `__orc_rt_jit_dispatch`: a C function `(ctx, tag, args, size) -> result buffer`.
    pub function: ExecutorAddr,
    /// `__orc_rt_jit_dispatch_ctx`: the *address* of that symbol is the context.
    pub context: ExecutorAddr,
}

/// What a symbol of the process is, to code that takes its address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProcessObject {
    /// Code.
    Function,
    /// A variable or constant.
    Data {
        /// Its size in bytes.
        size: u64,
        /// Alignment in bytes, a power of two.
        align: u64,
    },
}

/// A symbol of the process that gets another address; see [`ExecutorProcessControl::rebind`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rebinding {
    /// The address it had.
    pub from: ExecutorAddr,
    /// For data as much linked `rw-` memory, zero; for a function a stub that goes to [`ExecutorProcessControl::stand_in`].
    pub to: ExecutorAddr,
    /// What it is, as [`ExecutorProcessControl::describe`] said.
    pub object: ProcessObject,
}

/// A process that runs linked code.
///
/// Methods that take an address trust it: the session gives only addresses of what it linked or looked up, of the kind the
/// method names. Methods that run program code or ask the dynamic loader, which may run some, must be called with no lock held; they
/// leave the fork gate ([`super::gate`]) meanwhile.
pub trait ExecutorProcessControl: Send + Sync + fmt::Debug {
    /// Its memory.
    fn memory(&self) -> &dyn MemoryManager;

    /// Its thread-local memory.
    fn thread_locals(&self) -> &dyn ThreadLocalMemory;

    /// The address of a symbol of the process itself or of a library loaded into it; with `version`, of that version only.
    ///
    /// Names are as C writes them. `None` if there is no such symbol, and for one whose address is null.
    fn lookup(&self, name: &[u8], version: Option<&[u8]>) -> Option<ExecutorAddr>;

    /// What linked code of `format` gets for the C name `name` instead of what [`ExecutorProcessControl::lookup`] answers: if the process
    /// is of a system with another format, what that format's system calls so.
    fn provided(&self, format: Format, name: &[u8]) -> Option<ExecutorAddr>;

    /// Where the thread-local variable `name` of a loaded library is, `None` if there is none. Finding it gives it a constant offset
    /// if the dynamic loader can, which is more likely the earlier it is asked.
    fn lookup_thread_local(&self, name: &[u8]) -> Option<ThreadLocalPlace>;

    /// What is at `address`, which [`ExecutorProcessControl::lookup`] has answered; `None` for what cannot get another address.
    fn describe(&self, address: ExecutorAddr) -> Option<ProcessObject>;

    /// The function that linked code has to call instead of the process's `function` where symbols get other addresses: one that
    /// looks symbols up must answer those. Mostly `function` itself.
    fn stand_in(&self, function: ExecutorAddr) -> ExecutorAddr;

    /// Gives symbols of the process other addresses, before any linked code that uses those runs: data is copied, and the
    /// libraries that are loaded are made to use the new addresses. So does [`ExecutorProcessControl::lookup`] from then on.
    ///
    /// # Errors
    /// [`ExecutorError::Rebind`].
    fn rebind(&self, rebindings: &[Rebinding]) -> Result<(), ExecutorError>;

    /// Loads a shared library whose symbols [`ExecutorProcessControl::lookup`] then finds; it stays loaded.
    ///
    /// # Errors
    /// [`ExecutorError::Library`].
    fn load_library(&self, path: &OsStr) -> Result<(), ExecutorError>;

    /// As [`ExecutorProcessControl::load_library`], for a library that may refer to symbols of the program, which is not linked yet: those for which
    /// `program_has` answers true are promised to [`ExecutorProcessControl::publish_program`].
    ///
    /// # Errors
    /// [`ExecutorError::Library`].
    fn load_library_for(&self, path: &OsStr, program_has: &dyn Fn(&[u8]) -> bool) -> Result<(), ExecutorError>;

    /// The names that the loaded libraries refer to and for which `wanted` holds, each once.
    fn library_references(&self, wanted: &mut dyn FnMut(&[u8]) -> bool) -> Vec<Vec<u8>>;

    /// Makes `program` known: before any of it runs, once it is linked. The libraries that are loaded use its `definitions` (address by name) from then on, those
    /// loaded later what `program` answers; so do `dlsym` and its relatives, which see the first program of the process.
    ///
    /// # Errors
    /// [`ExecutorError::Interpose`].
    fn publish_program(
        &self,
        program: Arc<dyn ProgramSymbols>,
        definitions: &BTreeMap<Vec<u8>, ExecutorAddr>,
    ) -> Result<(), ExecutorError>;

    /// Makes the contents of stacks executable, for a program that asks for it: those of all threads, also of those that start later.
    ///
    /// # Errors
    /// [`ExecutorError::ExecutableStack`].
    fn make_stacks_executable(&self) -> Result<(), ExecutorError>;

    /// Stores a pointer in linked `rw-` memory (8-byte aligned), at once for all threads; what was written to memory
    /// before is seen by whoever sees the new pointer.
    fn write_pointer(&self, at: ExecutorAddr, value: ExecutorAddr);

    /// The pointers in `range` (8-byte aligned) of linked memory.
    fn read_pointers(&self, range: AddrRange) -> Vec<ExecutorAddr>;

    /// Makes the unwind tables of an `.eh_frame` section, a zero terminator included, known to the unwinder. They cover `code` only.
    ///
    /// # Errors
    /// [`ExecutorError::Missing`] when there is no unwinder.
    fn register_frames(&self, eh_frame: AddrRange, code: AddrRange) -> Result<(), ExecutorError>;

    /// Calls the resolver of an indirect function and returns the implementation it chose.
    fn call_resolver(&self, f: ExecutorAddr) -> ExecutorAddr;

    /// Sets what initializers find as `argv`, and `main` too: initializers are called first. They are kept for good. Without: no
    /// arguments, not even a name.
    fn set_arguments(&self, args: &[OsString]);

    /// Calls each function as the C library calls initializers: `(argc, argv, envp)`.
    fn run_initializers(&self, functions: &[ExecutorAddr]);

    /// Registers functions to be called, in the order given, when the program exits; after all that is registered later.
    fn run_at_exit(&self, functions: Vec<ExecutorAddr>);

    /// Calls `int main(argc, argv, envp)` on this thread, with the arguments set.
    fn run_as_main(&self, entry: ExecutorAddr) -> i32;

    /// Ends the process as `exit` does: exit handlers run, streams are flushed.
    fn exit(&self, status: i32) -> !;

    /// How linked code calls back.
    fn jit_dispatch(&self) -> JitDispatch;

    /// Chooses who answers calls of linked code. Once per executor.
    ///
    /// # Errors
    /// [`ExecutorError::HandlerSet`].
    fn set_dispatch_handler(&self, handler: Arc<dyn DispatchHandler>) -> Result<(), ExecutorError>;
}
