//! Options that do not go together, and those that are of no effect with others.
//!
//! Texts are llvm-jitlink's where it has them.

use crate::cli::CommandLine;
use anyhow::{Result, bail};

/// Refuses what contradicts itself, and warns of what will be ignored.
pub(super) fn check(command: &CommandLine) -> Result<()> {
    let options = &command.options;
    let lazy = command.plan.inputs.iter().any(|i| i.lazy);
    if options.oop_executor.is_some() || options.oop_executor_connect.is_some() {
        bail!(
            "-oop-executor and -oop-executor-connect are not supported yet; leave them out to run the program in this process"
        );
    }
    if options.vtune_support && !options.noexec {
        bail!("unsupported for Intel VTune; Linux perf is told of linked code with -perf-support");
    }
    if lazy && !command.harness.is_empty() {
        bail!("Lazy linking cannot be used with -harness mode");
    }
    if lazy && options.no_orc_runtime {
        bail!("Lazy linking requires the ORC runtime; leave out -no-orc-runtime");
    }
    if options.orc_runtime.is_some() && options.no_process_syms {
        bail!("-orc-runtime requires process symbols");
    }
    if lazy && options.no_process_syms {
        bail!("Lazy linking requires process symbols; leave out -no-process-syms");
    }
    if options.slab_address.is_some() && (options.slab_allocate.is_none() || !options.noexec) {
        bail!("-slab-address requires -slab-allocate and -noexec");
    }
    if options.slab_page_size.is_some() && options.slab_allocate.is_none() {
        bail!("-slab-page-size requires -slab-allocate");
    }
    if options.slab_address.is_some() && options.slab_page_size.is_none() {
        eprintln!("Warning: -slab-address used without -slab-page-size.");
    }
    if options.noexec && !command.program_args.is_empty() {
        eprintln!("Warning: --args passed to -noexec run will be ignored.");
    }
    Ok(())
}
