//! `-time-trace`: what the linker did when, on which thread, as a trace that Chrome (`about:tracing`), Perfetto and Speedscope show
//! ("Trace Event Format").
//!
//! Times are microseconds since the trace began. Events of one thread that lie within each other are shown so: a first call with its
//! batch, the batch with its steps.

use super::json;
use crate::lazy::{FirstCall, FixedUpGraph, Plugin, SessionError, Step, StepTime};
use crate::rt::thread_id;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What has happened so far.
#[derive(Debug)]
pub struct TimeTrace {
    start: Instant,
    main_thread: u64,
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    events: Vec<Event>,
    /// What batches have linked, by number.
    batches: BTreeMap<u32, Linked>,
}

/// What one batch has linked.
#[derive(Clone, Debug, Default)]
struct Linked {
    graphs: Vec<String>,
    bytes: u64,
}

#[derive(Debug)]
struct Event {
    name: String,
    category: &'static str,
    thread: u64,
    start: Instant,
    end: Instant,
    batch: Option<u32>,
    arguments: Vec<(&'static str, String)>,
}

impl TimeTrace {
    /// A trace that begins at `start`; the calling thread is the program's first.
    pub fn new(start: Instant) -> TimeTrace {
        TimeTrace { start, main_thread: thread_id(), noted: Mutex::default() }
    }

    /// Notes something that was not done by the session, on the calling thread.
    pub fn add(&self, name: &str, start: Instant, end: Instant) {
        self.note(name.to_string(), "driver", start, end, None, Vec::new());
    }

    /// Writes the trace.
    ///
    /// # Errors
    /// Those of writing.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        let noted = self.lock();
        let process = std::process::id().to_string();
        let name = |kind: &str, thread: u64, name: &str| {
            json::object([
                ("name", json::string(kind)),
                ("ph", json::string("M")),
                ("pid", process.clone()),
                ("tid", thread.to_string()),
                ("args", json::object([("name", json::string(name))])),
            ])
        };
        write!(out, "{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
        write!(
            out,
            "{},\n{}",
            name("process_name", self.main_thread, "rjitlink"),
            name("thread_name", self.main_thread, "main")
        )?;
        for event in &noted.events {
            let time = |time: Instant| format!("{:.3}", time.duration_since(self.start).as_nanos() as f64 / 1e3);
            let duration = format!("{:.3}", event.end.duration_since(event.start).as_nanos() as f64 / 1e3);
            let mut arguments = event.arguments.clone();
            if let Some(batch) = event.batch {
                arguments.push(("batch", batch.to_string()));
            }
            let json = json::object([
                ("name", json::string(&event.name)),
                ("cat", json::string(event.category)),
                ("ph", json::string("X")),
                ("ts", time(event.start)),
                ("dur", duration),
                ("pid", process.clone()),
                ("tid", event.thread.to_string()),
                ("args", json::object(arguments)),
            ]);
            write!(out, ",\n{json}")?;
        }
        writeln!(out, "]}}")?;
        out.flush()
    }

    fn note(
        &self,
        name: String,
        category: &'static str,
        start: Instant,
        end: Instant,
        batch: Option<u32>,
        arguments: Vec<(&'static str, String)>,
    ) {
        let thread = thread_id();
        self.lock().events.push(Event { name, category, thread, start, end, batch, arguments });
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Linked {
    fn arguments(&self) -> Vec<(&'static str, String)> {
        let graphs = self.graphs.iter().map(|name| json::string(name));
        vec![("linked", json::array(graphs)), ("bytes", self.bytes.to_string())]
    }
}

impl Plugin for TimeTrace {
    fn fixed_up(&self, graphs: &[FixedUpGraph<'_>]) -> Result<(), SessionError> {
        let mut linked = Linked::default();
        for graph in graphs {
            linked.bytes += graph.graph.blocks.iter().map(|block| block.size).sum::<u64>();
            if !graph.graph.name.is_empty() && !graph.graph.blocks.is_empty() {
                linked.graphs.push(graph.graph.name.clone());
            }
        }
        if let Some(first) = graphs.first() {
            self.lock().batches.insert(first.batch, linked);
        }
        Ok(())
    }

    fn step_done(&self, time: &StepTime) {
        let linked = match time.batch {
            Some(batch) if time.step == Step::Batch => self.lock().batches.get(&batch).cloned(),
            _ => None,
        };
        let arguments = linked.map_or_else(Vec::new, |linked| linked.arguments());
        self.note(time.step.name().to_string(), "link", time.start, time.end, time.batch, arguments);
    }

    fn first_call(&self, call: &FirstCall) {
        let thread = thread_id();
        let mut linked = Linked::default();
        {
            let noted = self.lock();
            // The batches of a first call are the latest on its thread.
            let recent = noted.events.iter().rev().filter(|event| event.thread == thread);
            for event in recent.take_while(|event| event.start >= call.start).filter(|e| e.name == Step::Batch.name()) {
                if let Some(batch) = event.batch.and_then(|batch| noted.batches.get(&batch)) {
                    linked.graphs.extend_from_slice(&batch.graphs);
                    linked.bytes += batch.bytes;
                }
            }
        }
        let mut arguments = vec![
            ("function", json::string(&call.entry_point)),
            ("body", json::string(&call.body)),
            ("dylib", json::string(&call.dylib)),
            ("latency_us", format!("{:.3}", call.end.duration_since(call.start).as_nanos() as f64 / 1e3)),
            ("linked_now", call.linked.to_string()),
        ];
        arguments.extend(linked.arguments());
        self.note(format!("first call of {}", call.entry_point), "call", call.start, call.end, None, arguments);
    }
}
