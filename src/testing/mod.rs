//! Means of testing stores and backings.

pub mod compliance;
mod sim_fs;

pub use sim_fs::{SimFault, SimFs};
