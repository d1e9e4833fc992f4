//! Metadata as JavaScript gets it.

use crate::{
    cbor::{Writer, tag},
    meta::{Meta, pairs},
};

/// One metadata as the CBOR map that JavaScript gets: `key`, `type`, `lastWrite`, `expires`, `size`, `digest`, and the user's entries.
pub(super) fn meta_map(meta: &Meta) -> Vec<u8> {
    let user = pairs(&meta.user);
    let mut out = Writer::new();
    out.map(5 + usize::from(meta.expires.is_some()) + user.len());
    out.text("key");
    out.raw(meta.key.as_cbor());
    out.text("type");
    out.text(meta.kind.as_str());
    out.text("lastWrite");
    date(&mut out, meta.last_write);
    if let Some(expires) = meta.expires {
        out.text("expires");
        date(&mut out, expires);
    }
    out.text("size");
    out.positive(meta.size);
    out.text("digest");
    out.bytes(&meta.digest);
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
