//! Means of testing stores and backings.

pub mod compliance;
mod sim_fault;
mod sim_fs;

pub use sim_fault::SimFault;
pub use sim_fs::SimFs;
