//! `-show-times`: llvm-jitlink's table of processor and wall time, as LLVM's timers print it.

use crate::rt::processor_times;
use std::fmt::Write;
use std::time::Instant;

/// A phase of the command.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// Reading inputs and their symbol tables.
    Add,
    /// Linking what the program needs to start.
    Link,
    /// The program, with the linking that its first calls make.
    Execute,
}

impl Phase {
    /// A word for it.
    pub fn short_name(self) -> &'static str {
        match self {
            Phase::Add => "add inputs",
            Phase::Link => "prepare program",
            Phase::Execute => "run",
        }
    }
}

const PHASES: [(Phase, &str); 3] = [
    (Phase::Add, "time to load/add object files"),
    (Phase::Link, "time to link object files"),
    (Phase::Execute, "time to execute jitlink'd code"),
];

const RULE: &str = "===-------------------------------------------------------------------------===";

/// User, system and wall time in seconds.
type Times = [f64; 3];

/// The value of a column.
type Column = fn(&Times) -> f64;

/// Time spent in phases so far.
#[derive(Debug)]
pub struct PhaseTimes {
    start: Instant,
    spent: [Times; 3],
    current: Option<(Phase, Times)>,
}

impl PhaseTimes {
    /// No time, in no phase.
    pub fn new() -> PhaseTimes {
        PhaseTimes { start: Instant::now(), spent: [[0.0; 3]; 3], current: None }
    }

    /// `phase` begins, and with it what was before ends.
    pub fn enter(&mut self, phase: Option<Phase>) {
        let (user, system) = processor_times();
        let now = [user, system, self.start.elapsed().as_secs_f64()];
        if let Some((before, since)) = self.current.take() {
            let spent = &mut self.spent[before as usize];
            for (sum, (now, since)) in spent.iter_mut().zip(now.iter().zip(since)) {
                *sum += now - since;
            }
        }
        self.current = phase.map(|phase| (phase, now));
    }

    /// LLVM's table.
    pub fn table(&self) -> String {
        table(&self.spent)
    }
}

impl Default for PhaseTimes {
    fn default() -> Self {
        Self::new()
    }
}

fn table(spent: &[Times; 3]) -> String {
    let total: Times = std::array::from_fn(|column| spent.iter().map(|times| times[column]).sum());
    let mut rows: Vec<(&str, Times)> = PHASES.iter().map(|(phase, name)| (*name, spent[*phase as usize])).collect();
    rows.sort_by(|a, b| b.1[2].total_cmp(&a.1[2]));
    rows.push(("Total", total));
    let mut text = format!("{RULE}\n                         timers for llvm-jitlink phases\n{RULE}\n");
    writeln!(text, "  Total Execution Time: {:.4} seconds ({:.4} wall clock)\n", total[0] + total[1], total[2])
        .unwrap_or(());
    // Columns without any time are left out, as in LLVM.
    let columns: [(&str, Column); 4] = [
        ("   ---User Time---", |times| times[0]),
        ("   --System Time--", |times| times[1]),
        ("   --User+System--", |times| times[0] + times[1]),
        ("   ---Wall Time---", |times| times[2]),
    ];
    let columns: Vec<_> = columns.into_iter().filter(|(_, value)| value(&total) > 0.0).collect();
    text.extend(columns.iter().map(|(title, _)| *title));
    text.push_str("  --- Name ---\n");
    for (name, times) in rows {
        for (_, value) in &columns {
            write!(text, "   {:.4} ({:5.1}%)", value(&times), 100.0 * value(&times) / value(&total)).unwrap_or(());
        }
        writeln!(text, "  {name}").unwrap_or(());
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_by_wall_time_and_leaves_out_empty_columns() {
        let text = table(&[[0.25, 0.0, 0.5], [0.5, 0.0, 1.0], [0.25, 0.0, 2.5]]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[3], "  Total Execution Time: 1.0000 seconds (4.0000 wall clock)");
        assert_eq!(lines[5], "   ---User Time---   --User+System--   ---Wall Time---  --- Name ---");
        assert_eq!(lines[6], "   0.2500 ( 25.0%)   0.2500 ( 25.0%)   2.5000 ( 62.5%)  time to execute jitlink'd code");
        assert_eq!(lines[9], "   1.0000 (100.0%)   1.0000 (100.0%)   4.0000 (100.0%)  Total");
    }
}
