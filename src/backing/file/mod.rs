//! A folder as store: one file per blob, over a small trait [`Fs`].
//!
//! A put writes a temporary file, syncs it, renames it over the blob, and syncs the folder. So a blob is the old one or
//! the new one, whatever happens, and what was acknowledged is there after a power cut.

mod backing;
mod batch;
mod files;
mod folder;
mod fs;
mod heads;
mod lock;
mod names;
mod place;
#[cfg(not(target_arch = "wasm32"))]
mod process;
#[cfg(not(target_arch = "wasm32"))]
mod std_fs;
mod stream;
mod syncs;

pub use fs::{Fault, Fs, FsError, FsFile, FsFut, Kind, Process};
pub use lock::Access;
pub use place::FilePlace;
#[cfg(not(target_arch = "wasm32"))]
pub use std_fs::StdFs;
