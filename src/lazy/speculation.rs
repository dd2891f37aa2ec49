//! Speculation: linking functions before they are called, on a thread that has nothing else to do.
//!
//! The thread links one function at a time, as a first call would, and leaves the fork gate in between. The program waits for it only where
//! it calls the very function that is being linked, which is sooner than linking it anew. Nothing is said of functions that
//! cannot be linked: that is said when they are called.
//!
//! A program that calls functions in the very order in which they are linked would wait for each of them, and two threads would do
//! the work of one. So where the two meet, the thread goes some functions ahead, and leaves those between to the program.

use super::entry_points::{EntryPoints, Implementation};
use super::session::Session;
use super::symbol_instance::BODY_SUFFIX;
use super::symbol_table::Definition;
use crate::rt::{self, gate};
use std::sync::{Arc, Weak};

/// How many functions of an order the program is left where it is met: about as many as it links while as many more are linked for it.
const HEAD_START: usize = 32;

/// A function as orders of first calls name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LazyFunction {
    /// The name of its JITDylib.
    pub dylib: String,
    /// Its symbol, of the body or the entry point.
    pub symbol: String,
}

impl Session {
    /// Links lazy functions ahead from now on: first those of `order` in that order, then all whose stubs exist, in the order
    /// of their files. Those that are unknown, or cannot be linked, are left out. Does not wait for any of it. At most once.
    ///
    /// Errors: that there is no thread to be had.
    pub fn speculate(self: &Arc<Session>, order: Vec<LazyFunction>) -> std::io::Result<()> {
        let session = Arc::downgrade(self);
        rt::background_thread("speculation", move || work(&session, &order)).map(drop)
    }

    /// Stubs have been made.
    pub(super) fn stubs_were_made(&self) {
        if let Some(thread) = self.speculating.get() {
            thread.unpark();
        }
    }

    /// Links `function`; says whether the program was met there.
    fn link_ahead(&self, function: &LazyFunction) -> bool {
        let name = function.symbol.strip_suffix(BODY_SUFFIX).unwrap_or(&function.symbol);
        let found = {
            let tables = self.tables();
            let dylib = tables.dylibs.iter().position(|dylib| dylib.name == function.dylib);
            let entry = dylib.and_then(|d| tables.find(super::DylibId(d as u32), name.as_bytes()));
            entry.and_then(|entry| match tables.entries[tables.follow(entry).index()].definition {
                Definition::Unit { unit, symbol } => Some((tables.units[unit.index()].clone(), symbol)),
                _ => None,
            })
        };
        let Some((unit, symbol)) = found.filter(|(unit, symbol)| unit.is_entry_point(*symbol)) else {
            return false;
        };
        let owner = unit.place(symbol).and_then(|(section, _)| unit.owner(section));
        if owner.is_some_and(|batch| self.batches.is_under_way(batch)) {
            return true;
        }
        self.link_body(&unit, symbol).map_or_else(|error| log::debug!("speculation on {name}: {error}"), |_| ());
        self.batches.is_waited_for()
    }
}

fn work(session: &Weak<Session>, order: &[LazyFunction]) {
    let mut place = 0;
    while let Some(function) = order.get(place) {
        let Some(session) = session.upgrade() else { return };
        let _inside = gate::enter();
        place += if session.link_ahead(function) { HEAD_START } else { 1 };
    }
    let mut done = Vec::new();
    loop {
        let Some(alive) = session.upgrade() else { return };
        // Before it looks for stubs: those that are made later wake it.
        alive.speculating.get_or_init(std::thread::current);
        while let Some((number, points)) = next(&alive, &done) {
            done.resize(done.len().max(number + 1), false);
            done[number] = true;
            link_all(&alive, &points);
        }
        drop(alive);
        std::thread::park();
    }
}

/// The first entry points whose stubs are made and that are not `done`, and their number.
fn next(session: &Session, done: &[bool]) -> Option<(usize, Arc<EntryPoints>)> {
    let _inside = gate::enter();
    let tables = session.tables();
    let mut points = tables.entry_points.iter().enumerate();
    let (number, points) = points
        .find(|(number, points)| !done.get(*number).copied().unwrap_or(false) && !points.stubs.address().is_null())?;
    Some((number, points.clone()))
}

fn link_all(session: &Session, points: &EntryPoints) {
    for number in 0..points.count() {
        if let Implementation::Body { unit, symbol } = points.implementation(number) {
            let _inside = gate::enter();
            session.link_body(unit, symbol).map_or_else(|error| log::debug!("speculation: {error}"), |_| ());
        }
    }
}
