//! Batches: one buffer of CBOR each way, however many keys there are.

use bytes::Bytes;
use wasm_bindgen::JsValue;

use super::calls::{Options, bytes};
use crate::{
    cbor::{Head, Reader, Writer},
    error::{Error, Result},
    key::Key,
    store::{BatchEntry, Store, WriteOptions},
};

/// `get`, from an array of keys: an array with `[value]` or `[]` for each. `dissoc`, from an array of keys: an array of
/// booleans. `assoc`: the same, from an array of the metadata and the end that all have in common, then key, value,
/// metadata and end of each entry, `undefined` where nothing is said.
pub(super) async fn batch(store: Store, op: String, given: Vec<u8>) -> Result<JsValue> {
    Ok(match op.as_str() {
        "get" => values(&store.multi_get_cbor(&keys_of(&given)?).await?),
        "dissoc" => booleans(&store.multi_dissoc_cbor(&keys_of(&given)?).await?),
        _ => {
            let (common, entries) = entries_of(&given)?;
            booleans(&store.multi_assoc_cbor(entries, common).await?)
        }
    })
}

fn values(found: &[Option<Bytes>]) -> JsValue {
    let mut out = Writer::new();
    out.array(found.len());
    for value in found {
        out.array(value.iter().len());
        value.iter().for_each(|value| out.raw(value));
    }
    bytes(Some(&out.finish()))
}

fn booleans(answers: &[bool]) -> JsValue {
    let mut out = Writer::new();
    out.array(answers.len());
    answers.iter().for_each(|answer| out.bool(*answer));
    bytes(Some(&out.finish()))
}

fn keys_of(array: &[u8]) -> Result<Vec<Key>> {
    items(array).into_iter().map(key).collect()
}

fn key(item: &[u8]) -> Result<Key> {
    Key::from_cbor(item).map_err(|error| error.at_key(item))
}

fn entries_of(array: &[u8]) -> Result<(WriteOptions, Vec<BatchEntry>)> {
    let items = items(array);
    let (common, items) = items.split_at_checked(2).unwrap_or_default();
    let mut entries = Vec::with_capacity(items.len() / 4);
    for entry in items.chunks(4) {
        let &[name, value, ref said @ ..] = entry else { break };
        let key = key(name)?;
        let options = options(said).map_err(|error: Error| error.at_key(key.as_cbor()))?;
        // A copy: stored as a part of the whole it would keep all of it in memory.
        entries.push(BatchEntry { key, value: value.to_vec().into(), options });
    }
    Ok((options(common)?, entries))
}

/// From metadata and an end.
fn options(said: &[&[u8]]) -> Result<WriteOptions> {
    let said = |at| said.get(at).copied().filter(|item| *item != [0xf7]);
    let expires = said(1).map(|item| match Reader::new(item).head() {
        #[allow(clippy::cast_precision_loss, reason = "beyond 2^53 it is no date anyway")]
        Ok(Head::Positive(n)) => n as f64,
        Ok(Head::Float(n)) => n,
        _ => f64::NAN,
    });
    Options { meta: said(0).map(<[u8]>::to_vec), expires, compressor: None }.read()
}

/// The items of an array that JavaScript's encoder wrote.
fn items(array: &[u8]) -> Vec<&[u8]> {
    let mut reader = Reader::new(array);
    let Ok(Head::Array(len)) = reader.head() else { return Vec::new() };
    (0..len).map_while(|_| reader.item().ok()).collect()
}
