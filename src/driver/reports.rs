//! What is written when the process ends, however the program ends it: by returning, or by `exit` on any thread. A signal and `_exit`
//! leave no time for it.

use crate::cli::StatsArg;
use crate::lazy::Session;
use crate::observe::{LazyOrder, Phase, PhaseTimes, Stats, TimeTrace};
use crate::rt;
use std::fs::File;
use std::io::{BufWriter, Result, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Reports that were asked for; without any, everything here does nothing.
#[derive(Clone, Default)]
pub(super) struct Reports {
    state: Option<Arc<Mutex<State>>>,
}

#[derive(Default)]
struct State {
    times: Option<PhaseTimes>,
    stats: Option<Arc<Stats>>,
    stats_form: Option<StatsArg>,
    stats_file: Option<File>,
    trace: Option<(Arc<TimeTrace>, File)>,
    order: Option<(Arc<LazyOrder>, File)>,
    phase: Option<(Phase, Instant)>,
}

impl Reports {
    /// Prints the time spent in phases.
    pub fn show_times(&mut self) {
        self.change(|state| state.times = Some(PhaseTimes::new()));
    }

    /// Prints `stats` in this form, if any, and writes them to this file.
    pub fn show_stats(&mut self, stats: Arc<Stats>, form: Option<StatsArg>, file: Option<File>) {
        self.change(|state| (state.stats, state.stats_form, state.stats_file) = (Some(stats), form, file));
    }

    /// Writes `trace` to `file`.
    pub fn write_trace(&mut self, trace: Arc<TimeTrace>, file: File) {
        self.change(|state| state.trace = Some((trace, file)));
    }

    /// Writes `order` to `file`.
    pub fn write_order(&mut self, order: Arc<LazyOrder>, file: File) {
        self.change(|state| state.order = Some((order, file)));
    }

    fn change(&mut self, change: impl FnOnce(&mut State)) {
        let state = self.state.get_or_insert_default();
        change(&mut state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The command enters `phase`.
    pub fn enter(&self, phase: Phase) {
        if let Some(state) = &self.state {
            state.lock().unwrap_or_else(PoisonError::into_inner).enter(Some(phase));
        }
    }

    /// Does `work`, as a part of the current phase.
    pub fn span<R>(&self, name: &str, work: impl FnOnce() -> R) -> R {
        let start = Instant::now();
        let result = work();
        if let Some(state) = &self.state
            && let Some((trace, _)) = &state.lock().unwrap_or_else(PoisonError::into_inner).trace
        {
            trace.add(name, start, Instant::now());
        }
        result
    }

    /// Has everything written at exit; `session` is what is reported on.
    pub fn write_at_exit(&self, session: &Arc<Session>) {
        let Some(state) = self.state.clone() else { return };
        let session = session.clone();
        rt::at_exit_of_this_process(Box::new(move || {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            state.enter(None);
            if let Err(error) = state.write(&session) {
                eprintln!("rjitlink: error: cannot write a report: {error}");
            }
        }));
    }
}

impl State {
    fn enter(&mut self, phase: Option<Phase>) {
        if let Some(times) = &mut self.times {
            times.enter(phase);
        }
        if let Some(stats) = self.stats.as_ref().filter(|_| phase == Some(Phase::Execute)) {
            stats.main_begins();
        }
        let now = Instant::now();
        let before = std::mem::replace(&mut self.phase, phase.map(|phase| (phase, now)));
        if let (Some((trace, _)), Some((before, start))) = (&self.trace, before) {
            trace.add(before.short_name(), start, now);
        }
    }

    fn write(&mut self, session: &Session) -> Result<()> {
        let mut text = String::new();
        if let Some(stats) = &self.stats {
            let (census, mapped) = (session.census(), rt::mapped_bytes());
            match self.stats_form {
                Some(StatsArg::Table) => text.push_str(&stats.table(&census, mapped)),
                Some(StatsArg::Json) => text.push_str(&format!("{}\n", stats.json(&census, mapped))),
                None => {}
            }
            if let Some(file) = &mut self.stats_file {
                writeln!(file, "{}", stats.json(&census, mapped))?;
            }
        }
        if let Some(times) = &self.times {
            text.push_str(&times.table());
        }
        std::io::stderr().write_all(text.as_bytes())?;
        if let Some((trace, file)) = &self.trace {
            trace.write(BufWriter::new(file))?;
        }
        if let Some((order, file)) = &self.order {
            order.write(BufWriter::new(file))?;
        }
        Ok(())
    }
}
