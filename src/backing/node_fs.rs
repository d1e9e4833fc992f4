//! Node's files: a JavaScript object of functions, synchronous ones or such that give promises.

use std::{future::ready, path::Path, sync::Arc};

use bytes::Bytes;
use js_sys::{Array, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::{Blob, Fault, Fs, FsError, FsFile, FsFut, Kind, Process};
use crate::env::JsCause;

#[wasm_bindgen]
extern "C" {
    /// The object of functions that `node-fs.js` makes.
    #[derive(Clone)]
    pub type NodeFiles;

    #[wasm_bindgen(method, structural, catch)]
    fn read(this: &NodeFiles, path: &str, first: Option<f64>) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn create(this: &NodeFiles, path: &str, bytes: Uint8Array, durable: bool) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn open(this: &NodeFiles, path: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn begin(this: &NodeFiles, path: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, catch, js_name = lengthOf)]
    fn length_of(this: &NodeFiles, file: f64) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, catch, js_name = readAt)]
    fn read_at(this: &NodeFiles, file: f64, at: f64, length: f64) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, catch, js_name = writeAt)]
    fn write_at(this: &NodeFiles, file: f64, at: f64, bytes: Uint8Array) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn sync(this: &NodeFiles, file: f64) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn close(this: &NodeFiles, file: f64) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn rename(this: &NodeFiles, from: &str, to: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn link(this: &NodeFiles, from: &str, to: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn unlink(this: &NodeFiles, path: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn list(this: &NodeFiles, folder: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn mkdir(this: &NodeFiles, folder: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn rmdir(this: &NodeFiles, folder: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, catch, js_name = syncDir)]
    fn sync_dir(this: &NodeFiles, folder: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn kind(this: &NodeFiles, path: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, catch, js_name = self)]
    fn process(this: &NodeFiles) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn alive(this: &NodeFiles, pid: u32, started: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(method, structural, catch)]
    fn pause(this: &NodeFiles, milliseconds: u32) -> Result<JsValue, JsValue>;
}

/// Node's files.
pub struct NodeFs {
    files: NodeFiles,
    immediate: bool,
}

impl NodeFs {
    /// Over this object; `immediate` if its functions give their results, not promises.
    pub fn new(files: NodeFiles, immediate: bool) -> Self {
        Self { files, immediate }
    }
}

impl Fs for NodeFs {
    fn immediate(&self) -> bool {
        self.immediate
    }

    #[allow(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
    fn read(&self, path: &Path, first: Option<usize>) -> FsFut<Option<Bytes>> {
        let found = self.files.read(text(path), first.map(|first| first as f64));
        answer(found, |value| optional(value, |bytes| Some(bytes.dyn_ref::<Uint8Array>()?.to_vec().into())))
    }

    fn create(&self, path: &Path, content: &Blob, durable: bool) -> FsFut<()> {
        answer(self.files.create(text(path), joined(content), durable), nothing)
    }

    fn open(&self, path: &Path) -> FsFut<Option<Box<dyn FsFile>>> {
        let (files, opening) =
            (self.files.clone(), answer(self.files.open(text(path)), |value| optional(value, number)));
        Box::pin(async move { Ok(opening.await?.map(|file| opened(files, file))) })
    }

    fn begin(&self, path: &Path) -> FsFut<Box<dyn FsFile>> {
        let (files, opening) = (self.files.clone(), answer(self.files.begin(text(path)), number));
        Box::pin(async move { Ok(opened(files, opening.await?)) })
    }

    fn rename(&self, from: &Path, to: &Path) -> FsFut<()> {
        answer(self.files.rename(text(from), text(to)), nothing)
    }

    fn link(&self, from: &Path, to: &Path) -> FsFut<bool> {
        answer(self.files.link(text(from), text(to)), JsValue::as_bool)
    }

    fn unlink(&self, path: &Path) -> FsFut<bool> {
        answer(self.files.unlink(text(path)), JsValue::as_bool)
    }

    fn list(&self, folder: &Path) -> FsFut<Option<Vec<String>>> {
        answer(self.files.list(text(folder)), |value| optional(value, names))
    }

    fn mkdir(&self, folder: &Path) -> FsFut<()> {
        answer(self.files.mkdir(text(folder)), nothing)
    }

    fn rmdir(&self, folder: &Path) -> FsFut<bool> {
        answer(self.files.rmdir(text(folder)), JsValue::as_bool)
    }

    fn sync_dir(&self, folder: &Path) -> FsFut<()> {
        answer(self.files.sync_dir(text(folder)), nothing)
    }

    fn kind(&self, path: &Path) -> FsFut<Option<Kind>> {
        answer(self.files.kind(text(path)), |value| {
            optional(value, |kind| {
                Some(match kind.as_string()?.as_str() {
                    "dir" => Kind::Folder,
                    "file" => Kind::File,
                    _ => Kind::Other,
                })
            })
        })
    }

    fn process(&self) -> FsFut<Process> {
        answer(self.files.process(), process)
    }

    fn alive(&self, pid: u32, started: &str) -> FsFut<bool> {
        answer(self.files.alive(pid, started), JsValue::as_bool)
    }

    fn pause(&self, milliseconds: u32) -> FsFut<()> {
        answer(self.files.pause(milliseconds), nothing)
    }
}

/// A file that Node has open, by its number.
struct NodeFile {
    files: NodeFiles,
    file: f64,
    open: bool,
}

fn opened(files: NodeFiles, file: f64) -> Box<dyn FsFile> {
    Box::new(NodeFile { files, file, open: true })
}

#[allow(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
impl FsFile for NodeFile {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "lengths are whole numbers below 2^53")]
    fn len(&self) -> FsFut<u64> {
        answer(self.files.length_of(self.file), |length| Some(length.as_f64()? as u64))
    }

    fn read(&self, at: u64, len: usize) -> FsFut<Bytes> {
        answer(self.files.read_at(self.file, at as f64, len as f64), |bytes| {
            Some(bytes.dyn_ref::<Uint8Array>()?.to_vec().into())
        })
    }

    fn write(&self, at: u64, bytes: Bytes) -> FsFut<()> {
        answer(self.files.write_at(self.file, at as f64, Uint8Array::from(&*bytes)), nothing)
    }

    fn sync(&self) -> FsFut<()> {
        answer(self.files.sync(self.file), nothing)
    }

    fn close(mut self: Box<Self>) -> FsFut<()> {
        self.open = false;
        answer(self.files.close(self.file), nothing)
    }
}

impl Drop for NodeFile {
    fn drop(&mut self) {
        if self.open {
            // Nobody is left to tell of an error.
            drop(answer(self.files.close(self.file), nothing));
        }
    }
}

/// Paths come from JavaScript strings, so they are text.
fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

/// Head and value as one array of JavaScript's own: memory of wasm may move while the file is written.
/// Small ones are joined here, where it costs less than a call.
fn joined(Blob { head, value }: &Blob) -> Uint8Array {
    if value.len() < 64 * 1024 {
        return Uint8Array::from(&*[&head[..], &value[..]].concat());
    }
    let [middle, end] = [head.len(), head.len() + value.len()].map(|at| u32::try_from(at).unwrap_or(u32::MAX));
    let bytes = Uint8Array::new_with_length(end);
    bytes.subarray(0, middle).copy_from(head);
    bytes.subarray(middle, end).copy_from(value);
    bytes
}

/// The answer of a call, now or when its promise is settled.
fn answer<T: 'static>(called: Result<JsValue, JsValue>, read: fn(&JsValue) -> Option<T>) -> FsFut<T> {
    match called.map(JsCast::dyn_into::<Promise>) {
        Ok(Ok(promise)) => {
            let settled = JsFuture::from(promise);
            Box::pin(async move { result(settled.await, read) })
        }
        Ok(Err(value)) => Box::pin(ready(result(Ok(value), read))),
        Err(error) => Box::pin(ready(result(Err(error), read))),
    }
}

fn result<T>(given: Result<JsValue, JsValue>, read: fn(&JsValue) -> Option<T>) -> Result<T, FsError> {
    let value = given.map_err(|error| FsError { fault: fault(&error), source: Arc::new(JsCause(error)) })?;
    read(&value).ok_or_else(|| FsError::new(Fault::Other, "the object of file functions gave a wrong answer"))
}

/// What Node's `error.code` means.
fn fault(error: &JsValue) -> Fault {
    let code = Reflect::get(error, &"code".into()).ok().and_then(|code| code.as_string()).unwrap_or_default();
    match code.as_str() {
        "EEXIST" => Fault::Exists,
        "ENOENT" => Fault::NotFound,
        "ENOTDIR" => Fault::NotAFolder,
        "ELOOP" => Fault::Link,
        "EFBIG" => Fault::TooLong,
        "ENOSPC" | "EDQUOT" => Fault::NoSpace,
        "EACCES" | "EPERM" | "EROFS" => Fault::Denied,
        _ => Fault::Other,
    }
}

#[allow(clippy::unnecessary_wraps, reason = "a reader of answers, like the others")]
fn nothing(_: &JsValue) -> Option<()> {
    Some(())
}

/// `undefined` is `Some(None)`, what cannot be read is `None`.
#[allow(clippy::option_option, reason = "absence and a wrong answer are two things")]
fn optional<T>(value: &JsValue, read: fn(&JsValue) -> Option<T>) -> Option<Option<T>> {
    if value.is_undefined() { Some(None) } else { read(value).map(Some) }
}

fn number(value: &JsValue) -> Option<f64> {
    value.as_f64()
}

/// A name that is not well-formed text is not of ours.
fn names(list: &JsValue) -> Option<Vec<String>> {
    Some(list.dyn_ref::<Array>()?.iter().filter_map(|name| name.as_string()).collect())
}

fn process(value: &JsValue) -> Option<Process> {
    let field = |name: &str| Reflect::get(value, &name.into()).ok();
    Some(Process {
        pid: field("pid")?.as_f64()?.to_string().parse().ok()?,
        host: field("host")?.as_string()?,
        started: field("started")?.as_string()?,
    })
}
