//! The encryptors of stores shared with Clojure: of meta and value sections, each by itself, after compression.

mod konserve_aes;
mod konserve_gcm;

pub use konserve_aes::KonserveAes;
pub use konserve_gcm::{KonserveGcm, Section};
