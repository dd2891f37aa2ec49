//! The `rjitlink` command: parse the command line, link, run.

use std::process::ExitCode;

fn main() -> ExitCode {
    match rjitlink::driver::main(std::env::args_os()) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("{}{error:#}", rjitlink::driver::error_prefix());
            ExitCode::FAILURE
        }
    }
}
