//! Refuses to build for systems on which rjitlink cannot run, with one sentence instead of a hundred
//! errors of the compiler.

use std::env;

/// Returns whether the target of this build is one that rjitlink runs on; if not, fails the build with a
/// message that says which ones are.
pub fn is_supported() -> bool {
    let fact = |name: &str| env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    let (os, libc, arch) = (fact("OS"), fact("ENV"), fact("ARCH"));
    let lp64 = (fact("POINTER_WIDTH"), fact("ENDIAN")) == ("64".into(), "little".into());
    let system = matches!((&*os, &*libc), ("linux", "gnu") | ("macos", _));
    if system && lp64 && matches!(&*arch, "x86_64" | "aarch64") {
        return true;
    }
    // What linked code gets of its process comes from the dynamic loader, in ways that only glibc's was
    // tried with.
    let reason = if libc == "musl" { ", and relies on that library's dynamic loader" } else { "" };
    println!(
        "cargo::error=rjitlink does not run on {}: it runs on Linux with the GNU C library{reason}, and on macOS, \
         on x86-64 and aarch64. Files for other systems can be linked there with -noexec.",
        env::var("TARGET").unwrap_or_default()
    );
    false
}
