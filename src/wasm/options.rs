//! The config object of JavaScript.

#[cfg(feature = "full")]
use js_sys::Array;
use js_sys::Reflect;
use wasm_bindgen::JsValue;

#[cfg(feature = "clojure")]
use super::clojure;
#[cfg(feature = "encryption")]
use super::keys;
#[cfg(feature = "full")]
use super::serializer::JsSerializer;
#[cfg(feature = "full")]
use crate::{backing::ObjectPlace, codec::Compressor};
use crate::{
    cbor::quoted,
    error::{Error, ErrorKind, Result},
    name::Uuid,
    store::Config,
};

/// Which view opens the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Async,
    #[cfg(feature = "full")]
    Sync,
}

/// What an own backing is called in errors.
const OWN: &str = "of one's own";

/// What of the config matters here. The lean modules (without `full`) open databases, and know their options only: the package
/// takes them for nothing else.
struct Options {
    backend: String,
    /// A backing of the application's own.
    #[cfg(feature = "full")]
    object: Option<JsValue>,
    id: Option<String>,
    #[cfg(feature = "full")]
    path: Option<String>,
    #[cfg(feature = "full")]
    sync_blob: Option<bool>,
    #[cfg(feature = "full")]
    access: Option<String>,
    name: Option<String>,
    durability: Option<String>,
    #[cfg(feature = "full")]
    layout: Option<String>,
    serializer: Option<String>,
    /// A serializer of the application's own, to write with.
    #[cfg(feature = "full")]
    own_serializer: Option<JsValue>,
    /// Those to read with as well.
    #[cfg(feature = "full")]
    serializers: Array,
    #[cfg(feature = "full")]
    compressor: Option<String>,
    #[cfg(any(feature = "full", feature = "encryption"))]
    encryptor: Option<JsValue>,
}

impl Options {
    /// Reads the plain object.
    fn read(object: &JsValue) -> Result<Self> {
        let get = |name: &str| {
            let value =
                Reflect::get(object, &name.into()).map_err(|_| invalid("the config is no object".to_owned()))?;
            Ok(Some(value).filter(|value| !value.is_undefined() && !value.is_null()))
        };
        let wrong = |name: &str, kind: &str| invalid(format!("the option {name} is {kind}, or left out"));
        let text = |name: &str| match get(name)? {
            None => Ok(None),
            Some(value) => value.as_string().map(Some).ok_or_else(|| wrong(name, "a string")),
        };
        #[cfg(feature = "full")]
        let flag = |name: &str| match get(name)? {
            None => Ok(None),
            Some(value) => value.as_bool().map(Some).ok_or_else(|| wrong(name, "true or false")),
        };
        let object = get("backend")?.filter(JsValue::is_object);
        let own_serializer = get("serializer")?.filter(JsValue::is_object);
        let serializer = if own_serializer.is_some() { None } else { text("serializer")? };
        Ok(Self {
            backend: if object.is_some() { OWN.to_owned() } else { text("backend")?.unwrap_or_default() },
            #[cfg(feature = "full")]
            object,
            id: text("id")?,
            #[cfg(feature = "full")]
            path: text("path")?,
            #[cfg(feature = "full")]
            sync_blob: flag("syncBlob")?,
            #[cfg(feature = "full")]
            access: text("access")?,
            name: text("name")?,
            durability: text("durability")?,
            #[cfg(feature = "full")]
            layout: text("layout")?,
            serializer,
            #[cfg(feature = "full")]
            own_serializer,
            #[cfg(feature = "full")]
            serializers: get("serializers")?.map(|serializers| Array::from(&serializers)).unwrap_or_default(),
            #[cfg(feature = "full")]
            compressor: text("compressor")?,
            #[cfg(any(feature = "full", feature = "encryption"))]
            encryptor: get("encryptor")?,
        })
    }
}

/// The config that a plain object describes; whatever is wrong with it is `INVALID_CONFIG`.
pub(super) fn config(source: &JsValue, mode: Mode) -> Result<Config> {
    let options = Options::read(source)?;
    let config = match options.backend.as_str() {
        "indexeddb" => indexeddb(&options, mode)?,
        #[cfg(feature = "full")]
        OWN => own(&options)?,
        #[cfg(feature = "full")]
        "memory" => memory(&options)?,
        #[cfg(feature = "full")]
        "file" => file(&options, mode)?,
        #[cfg(feature = "full")]
        "tiered" => tiered(&options, source, mode)?,
        other => {
            return Err(invalid(format!(
                "there is no backend {}; use memory, file (Node), indexeddb (browsers) or tiered",
                quoted(other)
            )));
        }
    };
    let config = serializers(&options, named(&options, config)?)?;
    #[cfg(any(feature = "full", feature = "encryption"))]
    let config = codecs(&options, config)?;
    #[cfg(feature = "full")]
    let config = super::tiers::cached(source, config)?;
    Ok(config)
}

#[cfg(feature = "full")]
fn tiered(options: &Options, source: &JsValue, mode: Mode) -> Result<Config> {
    refuse_file(options)?;
    refuse_indexeddb(options)?;
    super::tiers::config(source, mode)
}

#[cfg(feature = "full")]
fn own(options: &Options) -> Result<Config> {
    refuse_file(options)?;
    refuse_indexeddb(options)?;
    let object = options.object.clone().unwrap_or_default();
    Ok(Config::at(ObjectPlace::new(object)))
}

#[cfg(feature = "full")]
fn memory(options: &Options) -> Result<Config> {
    refuse(options, &[("path", options.path.is_some()), ("name", options.name.is_some())])?;
    refuse_file(options)?;
    refuse_indexeddb(options)?;
    Ok(options.id.as_ref().map_or_else(Config::memory, Config::memory_named))
}

#[cfg(feature = "full")]
fn refuse_file(options: &Options) -> Result<()> {
    let given = [
        ("path", options.path.is_some()),
        ("syncBlob", options.sync_blob.is_some()),
        ("access", options.access.is_some()),
    ];
    refuse(options, &given)
}

#[cfg(feature = "full")]
fn refuse_indexeddb(options: &Options) -> Result<()> {
    refuse(options, &[("name", options.name.is_some()), ("durability", options.durability.is_some())])
}

#[cfg(feature = "full")]
fn refuse(options: &Options, given: &[(&str, bool)]) -> Result<()> {
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((option, _)) => {
            Err(invalid(format!("{option} is no option of the backend {}; leave it out", options.backend)))
        }
    }
}

#[cfg(feature = "node")]
fn file(options: &Options, mode: Mode) -> Result<Config> {
    use wasm_bindgen::JsCast;

    use super::host;
    use crate::backing::{Access, FilePlace, NodeFs};

    refuse_indexeddb(options)?;
    let path = options
        .path
        .as_deref()
        .filter(|path| !path.is_empty())
        .ok_or_else(|| invalid("the backend file needs a path".to_owned()))?;
    let access = match options.access.as_deref() {
        None | Some("exclusive") => Access::Exclusive,
        Some("shared") => Access::Shared,
        Some("read") => Access::Read,
        Some(other) => {
            return Err(invalid(format!("there is no access {}; use exclusive, shared or read", quoted(other))));
        }
    };
    let files = host::get().map(|host| if mode == Mode::Sync { host.fs_sync() } else { host.fs() });
    let files = files
        .filter(JsValue::is_object)
        .ok_or_else(|| invalid("the backend file is for Node; use indexeddb in a browser".to_owned()))?;
    let fs = std::sync::Arc::new(NodeFs::new(files.unchecked_into(), mode == Mode::Sync));
    Ok(Config::at(FilePlace::new(fs, path).sync_blob(options.sync_blob.unwrap_or(true)).access(access)))
}

#[cfg(all(feature = "full", not(feature = "node")))]
fn file(_: &Options, _: Mode) -> Result<Config> {
    Err(unsupported("the backend file is for Node; use indexeddb in a browser, or memory".to_owned()))
}

#[cfg(feature = "web")]
fn indexeddb(options: &Options, mode: Mode) -> Result<Config> {
    use crate::backing::{Durability, IndexedDbPlace};

    #[cfg(feature = "full")]
    refuse_file(options)?;
    if mode != Mode::Async {
        return Err(invalid(
            "the backend indexeddb is asynchronous only; use the functions that return promises".to_owned(),
        ));
    }
    let name = options
        .name
        .as_deref()
        .ok_or_else(|| invalid("the backend indexeddb needs a name for its database".to_owned()))?;
    let durability = match options.durability.as_deref() {
        None | Some("relaxed") => Durability::Relaxed,
        Some("strict") => Durability::Strict,
        Some(other) => return Err(invalid(format!("there is no durability {}; use relaxed or strict", quoted(other)))),
    };
    Ok(Config::at(IndexedDbPlace::new(name, durability)))
}

#[cfg(not(feature = "web"))]
fn indexeddb(_: &Options, _: Mode) -> Result<Config> {
    Err(unsupported("the backend indexeddb is for browsers; use file with a path in Node, or memory".to_owned()))
}

/// With the id of the store; that of a place in memory need not be one.
fn named(options: &Options, config: Config) -> Result<Config> {
    match options.id.as_deref().map(|id| (id, Uuid::parse(id))) {
        Some((_, Some(id))) => Ok(config.id(id)),
        Some((id, None)) if options.backend != "memory" => {
            Err(invalid(format!("the id {} is no UUID in lower case", quoted(id))))
        }
        _ => Ok(config),
    }
}

fn serializers(options: &Options, config: Config) -> Result<Config> {
    #[cfg(feature = "clojure")]
    let config = clojure::serializer(options.serializer.as_deref(), config)?;
    #[cfg(all(feature = "full", not(feature = "clojure")))]
    only("serializer", options.serializer.as_deref(), "cbor", &["fressian", "edn"])?;
    #[cfg(not(feature = "clojure"))]
    let config = if options.serializer.is_some() { config.cbor() } else { config };
    #[cfg(feature = "full")]
    let config = own_serializers(options, config);
    Ok(config)
}

#[cfg(feature = "full")]
fn own_serializers(options: &Options, config: Config) -> Config {
    let config = match options.own_serializer.clone() {
        Some(own) => config.writing(JsSerializer::of(own)),
        None => config,
    };
    options.serializers.iter().map(JsSerializer::of).fold(config, Config::reading)
}

/// What is there for stores shared with Clojure.
#[cfg(feature = "clojure")]
fn shared(options: &Options, encryptor: Option<&JsValue>, config: Config) -> Result<Config> {
    let config = clojure::layout(options.layout.as_deref(), config)?;
    match encryptor {
        Some(given) => clojure::encryptor(given, config),
        None => Ok(config),
    }
}

#[cfg(all(feature = "full", not(feature = "clojure")))]
fn shared(options: &Options, encryptor: Option<&JsValue>, config: Config) -> Result<Config> {
    if encryptor.is_some() {
        return Err(unsupported("this build does not have this encryptor".to_owned()));
    }
    only("layout", options.layout.as_deref(), "sealed", &["konserve"])?;
    Ok(config)
}

/// The encryptor is this project's own, or there is none.
#[cfg(all(feature = "encryption", not(feature = "full")))]
fn codecs(options: &Options, config: Config) -> Result<Config> {
    match &options.encryptor {
        Some(given) => keys::encrypted(given, config),
        None => Ok(config),
    }
}

#[cfg(feature = "full")]
fn codecs(options: &Options, config: Config) -> Result<Config> {
    let config = match &options.encryptor {
        #[cfg(feature = "encryption")]
        Some(given) if keys::is_ours(given) => keys::encrypted(given, shared(options, None, config)?)?,
        given => shared(options, given.as_ref(), config)?,
    };
    match options.compressor.as_deref() {
        None => Ok(config),
        Some("none") => Ok(config.compressor(Compressor::None)),
        Some("lz4") => Ok(config.compressor(Compressor::Lz4)),
        #[cfg(feature = "zstd")]
        Some("zstd") => Ok(config.compressor(Compressor::Zstd)),
        #[cfg(not(feature = "zstd"))]
        Some("zstd") => Err(unsupported("this build has no zstd; use lz4".to_owned())),
        Some(other) => Err(invalid(format!("there is no compressor {}; use none, lz4 or zstd", quoted(other)))),
    }
}

/// Of this option only `have` is here, and other builds have the `others`.
#[cfg(all(feature = "full", not(feature = "clojure")))]
fn only(option: &str, given: Option<&str>, have: &str, others: &[&str]) -> Result<()> {
    match given {
        None => Ok(()),
        Some(given) if given == have => Ok(()),
        Some(given) if others.contains(&given) => {
            Err(unsupported(format!("this build has no {option} {given}; use {have}")))
        }
        Some(other) => Err(invalid(format!("there is no {option} {}; use {have}", quoted(other)))),
    }
}

pub(super) fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidConfig, message)
}

#[cfg(all(feature = "full", not(all(feature = "web", feature = "node", feature = "zstd", feature = "clojure"))))]
fn unsupported(message: String) -> Error {
    Error::new(ErrorKind::Unsupported, message)
}
