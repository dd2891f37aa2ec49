//! What the command says about itself: help and completions. All of it goes to stdout, and nothing else is done then.

use super::options::{self, Options};
use std::io::Write;

/// Prints what `options` ask for and exits, if they do.
pub(super) fn answer(options: &Options) {
    let all = options.help_hidden || options.help_list_hidden;
    if let Some(shell) = options.completions {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut options::shown(), "rjitlink", &mut script);
        print(&script);
    } else if all || options.help || options.help_list {
        let mut command = options::shown();
        if all {
            command = command.mut_args(|arg| arg.hide(false));
        }
        print(command.render_help().to_string().as_bytes());
    }
}

fn print(text: &[u8]) -> ! {
    // A reader that went away has seen enough.
    std::io::stdout().write_all(text).ok();
    std::process::exit(0)
}
