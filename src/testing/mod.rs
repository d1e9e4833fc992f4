//! Means of testing stores and backings.

pub mod compliance;
mod sim_fault;
mod sim_fs;
#[cfg(all(test, feature = "encryption"))]
mod unverified;

#[cfg(feature = "clojure")]
pub use crate::codec::encryptor;
#[cfg(not(target_arch = "wasm32"))]
pub use crate::codec::{edn, fressian, konserve_cbor};
pub use sim_fault::SimFault;
pub use sim_fs::SimFs;

/// The names of Clojure's keys.
#[cfg(feature = "clojure")]
pub mod hasch {
    pub use crate::hasch::{coerce, hash, name, names};
}
