//! Means of testing stores and backings.

mod sim_fs;

pub use sim_fs::{SimFault, SimFs};
