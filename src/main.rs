//! The `rjitlink` command: parse the command line, link, run.
#![cfg_attr(not(test), no_main)]

use rjitlink::rt::CrashSafeAllocator;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: CrashSafeAllocator = CrashSafeAllocator;

#[cfg(not(test))]
rjitlink::c_main!(run);

/// Does what `args` say; returns the exit status if no program was run.
#[cfg_attr(test, allow(dead_code))]
fn run(args: Vec<OsString>) -> i32 {
    let status = match rjitlink::driver::main(args.into_iter()) {
        Ok(status) => i32::from(status != ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("{}{error:#}", rjitlink::driver::error_prefix());
            1
        }
    };
    std::io::stdout().flush().ok();
    status
}
