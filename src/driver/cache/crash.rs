//! Crashes of programs from the cache. Nothing is kept for them while the program is well: to say what is where, the program is linked
//! once more, as its image was. Should that come out differently, because a file has changed meanwhile, addresses stay without names.

use super::build::{self, Linked, Read};
use super::record::Record;
use crate::base::ExecutorAddr;
use crate::cli::CommandLine;
use crate::lazy::Session;
use crate::observe::{LinkedCode, crash_report};
use crate::rt;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::sync::Arc;

/// Where an image comes from.
pub(super) struct Origin<'a> {
    /// What was linked.
    pub command: &'a CommandLine,
    /// The record that led to the image.
    pub record: &'a Path,
    /// The cache.
    pub directory: &'a Path,
}

impl Origin<'_> {
    /// Has crashes of the program, whose entry point is at `entry`, described on standard error, unless nobody wants that.
    pub fn watch_for_crashes(&self, entry: ExecutorAddr) {
        if !self.command.options.crash_backtrace {
            return;
        }
        let mut command = self.command.clone();
        // The process has crashed, so other threads are not to be trusted.
        command.options.num_threads = Some(0);
        let (record, directory) = (self.record.to_path_buf(), self.directory.to_path_buf());
        rt::catch_crashes(Box::new(move |crash| {
            let again = link_again(&command, &record, &directory, entry);
            let (session, moved) = match &again {
                Ok((session, moved)) => (Some(&**session), *moved),
                Err(error) => {
                    log::debug!("nothing is known of the image: {error:#}");
                    (None, 0)
                }
            };
            crash_report(LinkedCode { session, moved }, crash)
        }));
    }
}

/// Links the program of `command` as for its image; also says how far above that the program is, whose entry point is at `entry`.
///
/// Errors: that it cannot be linked any more, or has become another one.
fn link_again(
    command: &CommandLine,
    record: &Path,
    directory: &Path,
    entry: ExecutorAddr,
) -> Result<(Arc<Session>, u64)> {
    let before = Record::read(record, directory).and_then(|record| record.image).context("the image is gone")?;
    let Linked { session, program, recorder } = build::link_image(command, &Read::default())?;
    let (image, _) = recorder.finish(&session, &program, rt::page_size());
    if (&image.segments, &image.pointers, image.entry)
        != (&before.image.segments, &before.image.pointers, before.image.entry)
    {
        bail!("it is not what it was");
    }
    Ok((session, entry.0.wrapping_sub(program.entry.0)))
}
