//! A progress bar, for links that take long.

use crate::lazy::{HowFar, Progress, Step};
use crate::rt;
use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// Between two pictures.
const INTERVAL: Duration = Duration::from_millis(100);
/// Characters of the bar.
const WIDTH: u64 = 30;
/// Goes to the start of the line and clears it.
const CLEAR: &str = "\r\x1b[K";

/// Has `progress` shown on the terminal `out`, once `patience` is over, until the program begins to run; then the line is cleared.
/// Without a thread to be had, nothing is shown.
pub fn show_progress(progress: &Arc<Progress>, out: impl Write + Send + 'static, patience: Duration) {
    let (stop, stopped) = mpsc::channel::<()>();
    let (watched, mut out) = (progress.clone(), out);
    let show = move || {
        let mut shown = false;
        let mut wait = patience;
        while stopped.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
            // A terminal that went away is no reason to stop.
            write!(out, "{CLEAR}{}", picture(watched.how_far())).and_then(|()| out.flush()).ok();
            (shown, wait) = (true, INTERVAL);
        }
        if shown {
            write!(out, "{CLEAR}").and_then(|()| out.flush()).ok();
        }
    };
    if let Ok(thread) = rt::background_thread("progress", show) {
        progress.watch(Box::new(move || {
            drop(stop);
            thread.join().ok();
        }));
    }
}

fn picture(how_far: HowFar) -> String {
    match how_far.step {
        Step::FixUp => {
            let done = how_far.done.min(how_far.expected);
            let filled = (done * WIDTH).checked_div(how_far.expected).unwrap_or(0) as usize;
            let percent = (done * 100).checked_div(how_far.expected).unwrap_or(0);
            let megabytes = how_far.expected as f64 / f64::from(1 << 20);
            format!(
                "linking [{:-<width$}] {percent:3}% of {megabytes:.1} MiB",
                "#".repeat(filled),
                width = WIDTH as usize
            )
        }
        Step::Claim => format!("collecting what is needed: {} sections", how_far.done),
        _ => "resolving symbols".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn shown(patience: Duration, link_time: Duration) -> String {
        let screen = Screen::default();
        let progress = Arc::default();
        show_progress(&progress, screen.clone(), patience);
        std::thread::sleep(link_time);
        progress.end();
        String::from_utf8(screen.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn a_short_link_shows_nothing() {
        assert_eq!(shown(Duration::from_secs(100), Duration::from_millis(1)), "");
    }

    #[test]
    fn a_long_link_shows_a_line_that_is_gone_in_the_end() {
        let text = shown(Duration::from_millis(1), Duration::from_millis(250));
        assert!(text.contains("resolving symbols") && text.ends_with(CLEAR), "{text:?}");
    }

    #[test]
    fn the_bar_grows() {
        let at = |done, expected| picture(HowFar { step: Step::FixUp, done, expected });
        assert_eq!(at(0, 1 << 20), "linking [------------------------------]   0% of 1.0 MiB");
        assert_eq!(at(1 << 19, 1 << 20), "linking [###############---------------]  50% of 1.0 MiB");
        assert_eq!(at(9, 8), "linking [##############################] 100% of 0.0 MiB");
        assert_eq!(at(0, 0), "linking [------------------------------]   0% of 0.0 MiB");
    }
}
