//! The build script: the runtime that is embedded in the linker, and how the linker itself is linked.

mod archive;
mod executable;
mod runtime;

fn main() {
    runtime::embed();
    executable::fix_address();
}
