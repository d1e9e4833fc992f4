//! hasch: how Clojure konserve makes a hash of a value, and of a key's hash the name of its blob.
//!
//! `hash(x) = SHA-512(C(x))`, where the [coercion](coerce) `C(x)` is a byte that says the kind and then the value: short
//! text, or the digest of what is inside. Values that Clojure takes for the same mostly hash alike: `42` and `42N`, `"a"`
//! and `\a`, a map and a sorted map; `1` and `1.0`, a list and a vector do not.

mod coercion;
mod older_java;

use sha2::{Digest, Sha512};

use crate::{
    error::{Error, ErrorKind, Result},
    name::BlobName,
};

use coercion::{Coercion, Java};

/// SHA-512 of the coercion of a value that is given as one CBOR item. `INVALID_KEY` names what hasch has no hash for:
/// ratios, moments finer than a millisecond, queues, regular expressions, URIs, arrays of numbers and the like.
pub fn hash(item: &[u8]) -> Result<[u8; 64]> {
    coerce(item).map(|coerced| digest(&coerced))
}

/// The name of the blob of a key that is given as one CBOR item. `INVALID_KEY` as for [`hash`].
pub fn name(item: &[u8]) -> Result<BlobName> {
    hash(item).map(|hash| name_of(&hash))
}

/// The [name] under which a key is written, and the one that Java before 19 gave it, where that prints a float inside
/// in another way: a blob may lie under either.
pub fn names(item: &[u8]) -> Result<(BlobName, Option<BlobName>)> {
    let mut coercion = Coercion::new(item, Java::Modern);
    coercion.whole()?;
    let has_floats = coercion.has_floats();
    let name = name_of(&digest(&coercion.finish()));
    if !has_floats {
        return Ok((name, None));
    }
    let mut coercion = Coercion::new(item, Java::Older);
    coercion.whole()?;
    let older = name_of(&digest(&coercion.finish()));
    Ok((name, Some(older).filter(|older| *older != name)))
}

/// In so many arrays of a key, the first ones, lists are looked for.
const MAX_LISTS: u32 = 6;

/// Whether this is the name of a key that came back from konserve's CBOR, where lists are arrays as vectors are.
pub fn is_name_with_lists(item: &[u8], name: BlobName) -> Result<bool> {
    let mut coercion = Coercion::new(item, Java::Modern);
    coercion.whole()?;
    for lists in 1..1 << coercion.arrays().min(MAX_LISTS) {
        for java in [Java::Modern, Java::Older] {
            let mut coercion = Coercion::new(item, java).with_lists(lists);
            coercion.whole()?;
            let has_floats = coercion.has_floats();
            if name_of(&digest(&coercion.finish())) == name {
                return Ok(true);
            }
            if !has_floats {
                break;
            }
        }
    }
    Ok(false)
}

/// The coercion of a value that is given as one CBOR item. `INVALID_KEY` as for [`hash`].
pub fn coerce(item: &[u8]) -> Result<Vec<u8>> {
    let mut coercion = Coercion::new(item, Java::Modern);
    coercion.whole()?;
    Ok(coercion.finish())
}

/// The hash of a vector whose elements are coerced already.
pub fn hash_of_vector(coerced: &[&[u8]]) -> [u8; 64] {
    let mut elements = Sha512::new();
    coerced.iter().for_each(|element| elements.update(element));
    Sha512::new().chain_update([coercion::VECTOR]).chain_update(elements.finalize()).finalize().into()
}

fn digest(bytes: &[u8]) -> [u8; 64] {
    Sha512::digest(bytes).into()
}

/// The first bytes of a hash as a UUID of version 5; its first two bits are cleared, for hasch counts its own versions
/// there.
fn name_of(hash: &[u8; 64]) -> BlobName {
    let mut name = [0; 16];
    name.iter_mut().zip(hash).for_each(|(to, from)| *to = *from);
    name[0] &= 0x3f;
    name[6] = name[6] & 0x0f | 0x50;
    name[8] = name[8] & 0x3f | 0x80;
    BlobName::from_bytes(name)
}

#[cold]
fn invalid(why: &str) -> Error {
    Error::new(ErrorKind::InvalidKey, format!("this key cannot be used in a store shared with Clojure: {why}"))
}
