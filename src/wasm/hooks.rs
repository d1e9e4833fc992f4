//! What a store tells of its writes.

use std::sync::Arc;

use js_sys::Function;
use wasm_bindgen::JsValue;

use super::{calls::bytes, host::to_js};
use crate::{
    cbor::Writer,
    key::Key,
    store::{Detail, Event, Store, TELLS_VALUES},
};

/// Calls `f`, which never throws, with each write as a CBOR map; without `f` no more.
pub(super) fn hook(store: &Store, id: &str, values: bool, f: Option<Function>) -> Result<(), JsValue> {
    let Some(f) = f else {
        store.remove_write_hook(id);
        return Ok(());
    };
    let detail = if values { Detail::Values } else { Detail::Keys };
    let listener = Arc::new(move |event: &Event| {
        _ = f.call1(&JsValue::UNDEFINED, &bytes(Some(&event_map(event, values))));
    });
    store.listen(id, detail, listener).map_err(|error| to_js(&error))
}

/// `op`, and `key` or `keys`; with values also `path`, `value`, `oldValue`, `kvs` and `meta`, where there is such.
fn event_map(event: &Event, values: bool) -> Vec<u8> {
    let mut entries = vec![("op", written(|out| out.text(event.op.as_str())))];
    let mut add = |name, write: &dyn Fn(&mut Writer)| entries.push((name, written(write)));
    match event.keys.first() {
        Some(key) if !event.op.is_batch() => add("key", &|out| out.raw(key.as_cbor())),
        _ => add("keys", &|out| array(out, &event.keys, Key::as_cbor)),
    }
    if TELLS_VALUES && values {
        if let ([key], false) = (event.keys.as_slice(), event.steps.is_empty()) {
            let path: Vec<&[u8]> =
                std::iter::once(key.as_cbor()).chain(event.steps.iter().map(AsRef::as_ref)).collect();
            add("path", &|out| array(out, &path, |step| step));
        }
        match event.values.as_slice() {
            [] => {}
            [value] if !event.op.is_batch() => add("value", &|out| out.raw(value)),
            all => add("kvs", &|out| {
                out.array(all.len());
                for (key, value) in event.keys.iter().zip(all) {
                    array(out, &[key.as_cbor(), value], |item| item);
                }
            }),
        }
        if let Some(old) = &event.old_value {
            add("oldValue", &|out| out.raw(old));
        }
        if !event.meta.is_empty() {
            add("meta", &|out| out.raw(&event.meta));
        }
    }
    written(|out| {
        out.map(entries.len());
        for (name, value) in &entries {
            out.text(name);
            out.raw(value);
        }
    })
}

fn written(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
    let mut out = Writer::new();
    write(&mut out);
    out.finish()
}

fn array<T>(out: &mut Writer, items: &[T], bytes: impl Fn(&T) -> &[u8]) {
    out.array(items.len());
    items.iter().for_each(|item| out.raw(bytes(item)));
}
