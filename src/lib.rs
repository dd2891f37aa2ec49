//! rjitlink: a lazy JIT linker for relocatable objects.
//!
//! Layers, each using only those above it: [`base`] (addresses, targets), [`link`] (one graph or one batch of graphs),
//! [`rt`] (memory and the process that runs the code), [`lazy`] (sessions: JITDylibs, lookup, lazy reexports), [`observe`] (debuggers,
//! profilers, reports), [`driver`] and `cli` (the command).
//!
//! # Lazy linking in a few lines
//!
//! ```
//! use rjitlink::base::{Arch, Format, Target};
//! use rjitlink::lazy::{Granularity, LazyObjectLinkingLayer, Session, SessionOptions};
//! use rjitlink::rt::{self, InProcess};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let Some(arch) = Arch::host() else { return Ok(()) };
//! let target = Target::new(arch, Format::Elf);
//! let session = Session::new(target, Box::new(InProcess::new()), SessionOptions::default())?;
//! if let Some((name, runtime)) = rt::runtime_archive::embedded(target) {
//!     session.add_runtime(name, runtime)?;
//! }
//! let program = session.create_dylib("main");
//! let lazily = LazyObjectLinkingLayer::new(&session, Granularity::Function)?;
//! # let Some(object) = example_object() else { return Ok(()) };
//! lazily.add(program, "add.o", object)?; // int add(int a, int b) { return a + b; }
//!
//! let add = session.lookup(program, "add")?; // an entry point: add is linked when it is first called
//! assert_eq!(call(add, 20, 22), 42);
//! # Ok(())
//! # }
//! # fn call(f: rjitlink::base::ExecutorAddr, a: i32, b: i32) -> i32 {
//! #     let f: extern "C" fn(i32, i32) -> i32 = unsafe { std::mem::transmute(f.0 as usize) };
//! #     f(a, b)
//! # }
//! # fn example_object() -> Option<&'static [u8]> {
//! #     let dir = std::env::temp_dir().join(format!("rjitlink-doc-{}", std::process::id()));
//! #     std::fs::create_dir_all(&dir).ok()?;
//! #     let (source, object) = (dir.join("add.c"), dir.join("add.o"));
//! #     std::fs::write(&source, "int add(int a, int b) { return a + b; }").ok()?;
//! #     std::process::Command::new("cc").arg("-c").arg(&source).arg("-o").arg(&object).status().ok()?;
//! #     let bytes = std::fs::read(&object).ok()?;
//! #     std::fs::remove_dir_all(&dir).ok()?;
//! #     bytes.starts_with(b"\x7fELF").then(|| &*bytes.leak())
//! # }
//! ```

pub mod base;
mod cli;
pub mod driver;
pub mod lazy;
pub mod link;
pub mod observe;
pub mod rt;
