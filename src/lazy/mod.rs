//! Sessions: JITDylibs, lookup, linking on request, lazy reexports.
//!
//! [`Session`] holds everything. Files enter through a layer ([`ObjectLinkingLayer`], [`LazyObjectLinkingLayer`]) and become
//! materialization units (`unit`); their symbols enter the JITDylibs' tables (`symbol_table`), and archive members follow as they
//! are needed (`resolution`),
//! last of all those of the helper archives of static links (`helpers`); then files get their order (`link_order`). A request is answered by one batch (`batch`): it claims what is not linked yet (`claims`,
//! `closure`, `references`), links it, and waits for other batches where they link what it refers to (`batch_table`).
//!
//! Entry points of lazy files are made by the [`LazyReexportsManager`] out of [`ReentryTrampolines`] and stubs of the
//! [`RedirectableSymbolManager`]; they are ordinary graphs in ordinary batches.
//!
//! Thread-local variables are placed and initialized apart from everything else (`thread_locals`).
//!
//! Deliberately absent: removal of linked code (it may be on some thread's stack), and a lock around linking.
#![forbid(unsafe_code)]

mod archive_names;
mod batch;
mod batch_table;
mod branch_targets;
mod canonical;
mod census;
mod claims;
mod closure;
mod common_symbols;
mod definitions;
mod describe;
mod digest;
mod dynamic_symbols;
mod entry_points;
mod error;
mod far_data;
mod fetch;
mod fragments;
mod helpers;
mod hints;
mod ids;
mod image;
mod initializer_callees;
mod initializers;
mod inner_places;
mod inspection;
mod lazy_reexports;
mod link_order;
mod local_functions;
mod lookup;
mod member_reader;
mod name_table;
mod number_map;
mod object_layer;
mod part;
mod placement;
mod plugin;
mod process_symbols;
mod program;
mod progress;
mod rank;
mod read_ahead;
mod redirectable;
mod references;
mod resolution;
mod rust_allocator;
mod scratch;
mod session;
mod speculation;
mod state;
mod symbol_instance;
mod symbol_table;
mod synthesized;
mod thread_local_places;
mod thread_locals;
mod threads;
mod trampolines;
mod unit;
mod unkept_edges;
mod whole_file;
mod write;

pub use census::Census;
pub use describe::{CodePlace, FilePlace};
pub use entry_points::LazyAlias;
pub use error::{MissingSymbol, SessionError, SessionErrorKind};
pub use ids::DylibId;
pub use image::ImageRecorder;
pub use lazy_reexports::{LazyReexport, LazyReexportsManager};
pub use name_table::HashedFile;
pub use object_layer::{Granularity, LazyObjectLinkingLayer, ObjectLinkingLayer};
pub use plugin::{FirstCall, FixedUpGraph, Plugin, Step, StepTime};
pub use program::LinkedProgram;
pub use progress::{HowFar, Progress};
pub use redirectable::{RedirectableStubs, RedirectableSymbolManager};
pub use resolution::ArchiveOptions;
pub use session::{ArchiveLoader, FileLoader, GraphOptions, Session, SessionOptions};
pub use speculation::LazyFunction;
pub use state::{DylibState, SymbolProgress, SymbolState};
pub use symbol_instance::{BODY_SUFFIX, SymbolInstance};
pub use trampolines::ReentryTrampolines;
