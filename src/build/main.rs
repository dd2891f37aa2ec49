//! The build script: which systems the linker is built for, and how its own executable is linked.

mod executable;
mod target;

fn main() {
    if target::is_supported() {
        executable::fix_address();
    }
}
