//! A key-value and document store: atomic updates by path, one checked format in Rust, Node and the browser.

#![cfg_attr(
    all(target_arch = "wasm32", feature = "argon2"),
    allow(dead_code, unused_imports, reason = "a module with one function of its own")
)]
#![cfg_attr(
    not(feature = "clojure"),
    allow(
        unused_variables,
        clippy::infallible_destructuring_match,
        clippy::unnecessary_wraps,
        clippy::unused_async,
        reason = "what two layouts need, one alone may not"
    )
)]

#[cfg(all(target_arch = "wasm32", feature = "argon2"))]
mod argon2_module;
pub mod backing;
pub mod blocking;
pub mod cbor;
mod codec;
mod encryptor;
pub mod env;
mod error;
#[cfg(feature = "clojure")]
mod hasch;
mod key;
#[cfg_attr(not(feature = "encryption"), allow(dead_code, unreachable_code, reason = "there are no keys"))]
mod keyring;
mod layout;
mod locks;
mod meta;
mod name;
mod openings;
mod record;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(any(not(target_arch = "wasm32"), feature = "clojure"))]
pub mod value;
#[cfg(all(target_arch = "wasm32", not(feature = "argon2")))]
mod wasm;

#[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
pub use backing::{ReadPolicy, WritePolicy};
pub use codec::Compressor;
#[cfg(not(target_arch = "wasm32"))]
pub use codec::{Serializer, SerializerError};
pub use encryptor::Encryptor;
pub use error::{Error, ErrorKind, Result, Source};
pub use key::{Key, Path};
pub use keyring::Secret;
pub use meta::{Kind, Meta};
pub use name::{BlobName, Uuid};
pub use store::{
    Answer, BatchEntry, BinaryReader, BinaryWriter, Config, Damaged, Elements, Entries, Event, Existing, Export,
    Import, Imported, Keys, LayoutName, LeafFn, Op, Prefix, Query, Report, Span, Store, Sweep, Sweeping, Unreferenced,
    WriteOptions, connect_store, create_store, delete_store, open_store, store_exists,
};
#[cfg(any(not(target_arch = "wasm32"), feature = "full"))]
pub use store::{Cache, SyncPolicy, Tier, Tiers, Walk};
#[cfg(all(feature = "clojure", not(target_arch = "wasm32")))]
pub use store::{Dump, DumpPage, Dumped};
#[cfg(not(target_arch = "wasm32"))]
pub use value::{AsRecord, FromCbor, Record, ToCbor, Value, as_record, edn};

/// The examples of the documentation are tests.
#[cfg(doctest)]
mod documentation {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../docs/logs.md")]
    struct Logs;
    #[doc = include_str!("../docs/records.md")]
    struct Records;
    #[doc = include_str!("../docs/serializers.md")]
    struct Serializers;
    #[doc = include_str!("../docs/values.md")]
    struct Values;
}
