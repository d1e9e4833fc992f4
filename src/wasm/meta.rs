//! Metadata as JavaScript gets it.

use crate::{
    cbor::{Writer, tag},
    meta::{Meta, pairs},
};

/// One metadata as the CBOR map that JavaScript gets: `key`, `type`, `lastWrite`, `expires`, `size`, `digest`, and the user's entries.
pub(super) fn meta_map(meta: &Meta) -> Vec<u8> {
    let user = pairs(&meta.user);
    let mut out = Writer::new();
    let known = [meta.expires.is_some(), meta.size.is_some(), meta.digest.is_some()];
    out.map(3 + known.into_iter().filter(|known| *known).count() + user.len());
    out.text("key");
    out.raw(meta.key.exact());
    out.text("type");
    out.text(meta.kind.as_str());
    out.text("lastWrite");
    date(&mut out, meta.last_write);
    if let Some(expires) = meta.expires {
        out.text("expires");
        date(&mut out, expires);
    }
    if let Some(size) = meta.size {
        out.text("size");
        out.positive(size);
    }
    if let Some(digest) = &meta.digest {
        out.text("digest");
        out.bytes(digest);
    }
    for (name, value) in user {
        out.raw(name);
        out.raw(value);
    }
    out.finish()
}

/// A date as tag 1 with seconds, which needs no calendar.
fn date(out: &mut Writer, ms: u64) {
    out.tag(tag::DATE_SECONDS);
    #[allow(clippy::cast_precision_loss, reason = "dates of JavaScript are floats of milliseconds")]
    if ms.is_multiple_of(1000) { out.positive(ms / 1000) } else { out.float(ms as f64 / 1000.0) }
}
