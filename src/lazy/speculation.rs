//! Speculation: linking functions before they are called, on a thread that has nothing else to do.
//!
//! The thread links one function at a time, as a first call would, and leaves the fork gate in between. The program waits for it only where
//! it calls the very function that is being linked, which is sooner than linking it anew. Nothing is said of functions that
//! cannot be linked: that is said when they are called.

use super::entry_points::{EntryPoints, Implementation};
use super::session::Session;
use super::symbol_instance::BODY_SUFFIX;
use super::symbol_table::Definition;
use crate::rt::{self, gate};
use std::sync::{Arc, Weak};

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

    fn link_ahead(&self, function: &LazyFunction) {
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
        if let Some((unit, symbol)) = found.filter(|(unit, symbol)| unit.is_entry_point(*symbol)) {
            self.link_body(&unit, symbol).map_or_else(|error| log::debug!("speculation on {name}: {error}"), |_| ());
        }
    }
}

fn work(session: &Weak<Session>, order: &[LazyFunction]) {
    for function in order {
        let Some(session) = session.upgrade() else { return };
        let _inside = gate::enter();
        session.link_ahead(function);
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
