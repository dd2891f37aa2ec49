//! The build script: how the linker's own executable is linked.

mod executable;

fn main() {
    executable::fix_address();
}
