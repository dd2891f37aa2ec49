//! Stand-in for the library's root while its parts are written apart: only what archives need.
/// The link layer's part that stands by itself.
pub mod link {
    #[path = "archive.rs"]
    pub mod archive;
    #[path = "error.rs"]
    mod error;
    pub use error::{LinkError, Result};
}
