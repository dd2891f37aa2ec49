//! `-stats`: how much of the program was given, linked and called, and how long that took.

use super::json;
use crate::lazy::{Census, FirstCall, Plugin};
use std::fmt::Write;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// What has to be noted while the program runs.
#[derive(Debug)]
pub struct Stats {
    start: Instant,
    main: OnceLock<Instant>,
    /// How long first calls took.
    latencies: Mutex<Vec<Duration>>,
}

impl Stats {
    /// Statistics of a process that began at `start`.
    pub fn new(start: Instant) -> Stats {
        Stats { start, main: OnceLock::new(), latencies: Mutex::default() }
    }

    /// The program's `main` is called now.
    pub fn main_begins(&self) {
        self.main.get_or_init(Instant::now);
    }

    /// The table, in lines; `mapped` are the bytes of input files in memory.
    pub fn table(&self, census: &Census, mapped: u64) -> String {
        let calls = self.first_calls();
        let mut text = String::from("rjitlink: statistics\n");
        let mut line = |name: &str, value: String| writeln!(text, "  {name:<14}{value}").unwrap_or(());
        line("files", format!("given {}, linked {}", census.files, census.files_linked));
        line(
            "functions",
            format!(
                "given {}, entry points {}, linked {}, first called {}",
                census.functions, census.entry_points, census.functions_linked, calls.count
            ),
        );
        line(
            "bytes",
            format!(
                "mapped {}, code and data {}, linked {}, never touched {}",
                mapped,
                census.bytes,
                census.bytes_linked,
                census.bytes - census.bytes_linked
            ),
        );
        line("time to main", self.time_to_main().map_or_else(|| "not run".into(), milliseconds));
        line(
            "first calls",
            format!(
                "p50 {}, p99 {}, longest {}, total {}",
                milliseconds(calls.median),
                milliseconds(calls.p99),
                milliseconds(calls.longest),
                milliseconds(calls.total)
            ),
        );
        text
    }

    /// The same as a JSON object; times are microseconds.
    pub fn json(&self, census: &Census, mapped: u64) -> String {
        let calls = self.first_calls();
        let microseconds = |time: Duration| format!("{:.3}", time.as_nanos() as f64 / 1e3);
        let numbers = |members: &[(&'static str, u64)]| json::object(members.iter().map(|&(n, v)| (n, v.to_string())));
        json::object([
            ("files", numbers(&[("given", census.files), ("linked", census.files_linked)])),
            (
                "functions",
                numbers(&[
                    ("given", census.functions),
                    ("entry_points", census.entry_points),
                    ("linked", census.functions_linked),
                    ("first_called", calls.count),
                ]),
            ),
            (
                "bytes",
                numbers(&[
                    ("mapped", mapped),
                    ("given", census.bytes),
                    ("linked", census.bytes_linked),
                    ("never_touched", census.bytes - census.bytes_linked),
                ]),
            ),
            ("time_to_main_us", self.time_to_main().map_or_else(|| "null".into(), microseconds)),
            (
                "first_call_us",
                json::object([
                    ("p50", microseconds(calls.median)),
                    ("p99", microseconds(calls.p99)),
                    ("max", microseconds(calls.longest)),
                    ("total", microseconds(calls.total)),
                ]),
            ),
        ])
    }

    fn time_to_main(&self) -> Option<Duration> {
        self.main.get().map(|main| main.duration_since(self.start))
    }

    fn first_calls(&self) -> FirstCalls {
        let mut latencies = self.latencies.lock().unwrap_or_else(PoisonError::into_inner).clone();
        latencies.sort_unstable();
        FirstCalls {
            count: latencies.len() as u64,
            median: percentile(&latencies, 50),
            p99: percentile(&latencies, 99),
            longest: percentile(&latencies, 100),
            total: latencies.iter().sum(),
        }
    }
}

impl Plugin for Stats {
    fn first_call(&self, call: &FirstCall) {
        let latency = call.end.duration_since(call.start);
        self.latencies.lock().unwrap_or_else(PoisonError::into_inner).push(latency);
    }
}

struct FirstCalls {
    count: u64,
    median: Duration,
    p99: Duration,
    longest: Duration,
    total: Duration,
}

/// The smallest of `sorted` that at least `percent` of a hundred are not longer than; zero if there are none.
fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let rank = (sorted.len() * percent).div_ceil(100);
    rank.checked_sub(1).map_or(Duration::ZERO, |index| sorted[index])
}

fn milliseconds(time: Duration) -> String {
    format!("{:.3} ms", time.as_nanos() as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occur() {
        let times: Vec<Duration> = (1..=200).map(Duration::from_micros).collect();
        for (percent, expected) in [(50, 100), (99, 198), (100, 200)] {
            assert_eq!(percentile(&times, percent), Duration::from_micros(expected));
        }
        assert_eq!(percentile(&times[..1], 50), Duration::from_micros(1));
        assert_eq!(percentile(&[], 99), Duration::ZERO);
    }
}
