//! The two ways files enter a JITDylib: ObjectLinkingLayer and LazyObjectLinkingLayer.

use super::error::SessionError;
use super::ids::DylibId;
use super::name_table::HashedFile;
use super::resolution::ArchiveOptions;
use super::session::Session;
use super::unit::Laziness;
use crate::link::archive::Archive;
use crate::link::{LinkError, ObjectFile, part_for, read_object};
use std::sync::Arc;

/// Adds files that are linked as soon as something refers to them.
#[derive(Clone, Debug)]
pub struct ObjectLinkingLayer {
    session: Arc<Session>,
}

impl ObjectLinkingLayer {
    /// The layer of `session`.
    pub fn new(session: &Arc<Session>) -> ObjectLinkingLayer {
        ObjectLinkingLayer { session: session.clone() }
    }

    /// Adds the relocatable object `data`, called `name`, to `dylib`; of a universal file the part for the session's target.
    ///
    /// Errors: that it is damaged, for another target, or defines a symbol that is defined already.
    pub fn add(&self, dylib: DylibId, name: &str, data: &'static [u8]) -> Result<(), SessionError> {
        self.add_file(dylib, read(&self.session, name, data)?)
    }

    /// Adds the archive `data`, called `name`, to `dylib`; members count once something refers to them.
    ///
    /// Errors: that the archive is damaged.
    pub fn add_archive(&self, dylib: DylibId, name: &str, data: &'static [u8]) -> Result<(), SessionError> {
        self.add_open_archive(
            dylib,
            Archive::parse(name, part_for(name, data, self.session.target())?)?,
            ArchiveOptions::default(),
        )
    }

    /// Adds an object that has been read, an [`ObjectFile`] or a [`HashedFile`], to `dylib`; otherwise as [`ObjectLinkingLayer::add`].
    pub fn add_file(&self, dylib: DylibId, file: impl Into<HashedFile>) -> Result<(), SessionError> {
        self.session.add_object(dylib, file.into(), Laziness::Eager)
    }

    /// Adds an archive that has been opened to `dylib`; otherwise as [`ObjectLinkingLayer::add_archive`].
    pub fn add_open_archive(
        &self,
        dylib: DylibId,
        archive: Archive,
        options: ArchiveOptions,
    ) -> Result<(), SessionError> {
        self.session.add_archive(dylib, archive, Laziness::Eager, options)
    }
}

/// How much the first call of a lazy function links.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Granularity {
    /// The section that the function is in and what that reaches.
    #[default]
    Function,
    /// The whole file, as LLVM does.
    Object,
}

/// Adds files whose functions are linked when they are first called.
///
/// Bodies are renamed (`name$orc_fnbody`) and the names become lazy reexports. Data is not lazy: it is linked with what refers
/// to it. Initializers run at program start, and link what they reach; the rest of their file stays lazy.
#[derive(Clone, Debug)]
pub struct LazyObjectLinkingLayer {
    session: Arc<Session>,
    laziness: Laziness,
}

impl LazyObjectLinkingLayer {
    /// The layer of `session`, which must have a runtime.
    ///
    /// Errors: [`crate::lazy::SessionErrorKind::NoRuntime`], [`crate::lazy::SessionErrorKind::LazinessUnsupported`], or what the runtime lacks.
    pub fn new(session: &Arc<Session>, granularity: Granularity) -> Result<LazyObjectLinkingLayer, SessionError> {
        session.enable_laziness()?;
        let laziness = match granularity {
            Granularity::Function => Laziness::Function,
            Granularity::Object => Laziness::Object,
        };
        Ok(LazyObjectLinkingLayer { session: session.clone(), laziness })
    }

    /// Adds the relocatable object `data`, called `name`, to `dylib`; of a universal file the part for the session's target.
    ///
    /// Errors: that it is damaged, for another target, or defines a symbol that is defined already.
    pub fn add(&self, dylib: DylibId, name: &str, data: &'static [u8]) -> Result<(), SessionError> {
        self.add_file(dylib, read(&self.session, name, data)?)
    }

    /// Adds the archive `data`, called `name`, to `dylib`; members count once something refers to them.
    ///
    /// Errors: that the archive is damaged.
    pub fn add_archive(&self, dylib: DylibId, name: &str, data: &'static [u8]) -> Result<(), SessionError> {
        self.add_open_archive(
            dylib,
            Archive::parse(name, part_for(name, data, self.session.target())?)?,
            ArchiveOptions::default(),
        )
    }

    /// Adds an object that has been read, an [`ObjectFile`] or a [`HashedFile`], to `dylib`; otherwise as [`LazyObjectLinkingLayer::add`].
    pub fn add_file(&self, dylib: DylibId, file: impl Into<HashedFile>) -> Result<(), SessionError> {
        self.session.add_object(dylib, file.into(), self.laziness)
    }

    /// Adds an archive that has been opened to `dylib`; otherwise as [`LazyObjectLinkingLayer::add_archive`].
    pub fn add_open_archive(
        &self,
        dylib: DylibId,
        archive: Archive,
        options: ArchiveOptions,
    ) -> Result<(), SessionError> {
        self.session.add_archive(dylib, archive, self.laziness, options)
    }
}

fn read(session: &Session, name: &str, data: &'static [u8]) -> Result<ObjectFile, SessionError> {
    let data = part_for(name, data, session.target())?;
    let unsuitable = || LinkError::unsuitable(name, "does not contain a relocatable object file");
    Ok(read_object(name, data)?.ok_or_else(unsuitable)?)
}
