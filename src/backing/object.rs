//! Blobs in an object of JavaScript's. What an application lends is wrapped by `own.js`, which takes turns, checks
//! expectations and answers, and makes all methods of the three that the application wrote. Here they are only called.

use std::{cell::RefCell, future::ready, rc::Rc, sync::Arc};

use bytes::Bytes;
use js_sys::{Array, Function, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::{
    Backing, Blob, Capability, Change, Expect, HeadPage, Heads, JudgeFn, Outcome, Part, Place, RecordCopy, UpdateFn,
    Write,
};
use crate::{
    env::{BoxFut, JsCause},
    error::{Error, ErrorKind, Result},
    name::BlobName,
};

/// The wrapped object: a place, and open or not the backing of it.
#[derive(Clone)]
pub struct ObjectPlace {
    object: JsValue,
    capability: Capability,
}

impl ObjectPlace {
    /// Over what `own.js` made.
    pub fn new(object: JsValue) -> Self {
        let can = |name: &str| Reflect::get(&object, &name.into()).is_ok_and(|said| said.is_truthy());
        let capability = Capability {
            ordered: false,
            immediate: can("sync"),
            atomic_batches: can("atomicBatches"),
            shared: can("shared"),
            persistent: can("persistent"),
            streams: false,
            copies: false,
        };
        Self { object, capability }
    }

    /// Calls a method, and reads its answer now or when its promise is settled.
    fn call<T: 'static>(
        &self,
        method: &str,
        argument: &JsValue,
        read: fn(&JsValue) -> Option<T>,
    ) -> BoxFut<'static, Result<T>> {
        let called = self.begin(method, argument, &JsValue::UNDEFINED);
        Box::pin(async move { read(&called.await?).ok_or_else(strange) })
    }

    fn begin(&self, method: &str, first: &JsValue, second: &JsValue) -> BoxFut<'static, Result<JsValue>> {
        let called = Reflect::get(&self.object, &method.into())
            .and_then(|method| method.unchecked_into::<Function>().call2(&self.object, first, second));
        match called {
            Ok(answer) if answer.is_instance_of::<Promise>() => {
                let settled = JsFuture::from(answer.unchecked_into::<Promise>());
                Box::pin(async move { settled.await.map_err(|thrown| failed(&thrown)) })
            }
            now => Box::pin(ready(now.map_err(|thrown| failed(&thrown)))),
        }
    }
}

fn strange() -> Error {
    Error::new(ErrorKind::Backend, "the backing gave an answer that is none")
}

/// What `own.js` throws: an error with a code of ours, and what the application's method threw as its cause.
fn failed(thrown: &JsValue) -> Error {
    let field = |name: &str| Reflect::get(thrown, &name.into()).unwrap_or(JsValue::UNDEFINED);
    let kind = kind_of(&field("code").as_string().unwrap_or_default());
    let error = Error::new(kind, field("message").as_string().unwrap_or_default());
    let cause = field("cause");
    if cause.is_undefined() { error } else { error.caused_by(Arc::new(JsCause(cause))) }
}

fn kind_of(code: &str) -> ErrorKind {
    match code {
        "STORE_LOCKED" => ErrorKind::StoreLocked,
        "CONFLICT" => ErrorKind::Conflict,
        // Only what the package itself lends has these: a database that is shared with Clojure.
        #[cfg(feature = "clojure")]
        "STORE_NOT_FOUND" => ErrorKind::StoreNotFound,
        #[cfg(feature = "clojure")]
        "INVALID_CONFIG" => ErrorKind::InvalidConfig,
        #[cfg(feature = "clojure")]
        "UNSUPPORTED" => ErrorKind::Unsupported,
        #[cfg(feature = "clojure")]
        "QUOTA_EXCEEDED" => ErrorKind::QuotaExceeded,
        #[cfg(feature = "clojure")]
        "PERMISSION_DENIED" => ErrorKind::PermissionDenied,
        #[cfg(feature = "clojure")]
        "BLOCKED" => ErrorKind::Blocked,
        _ => ErrorKind::Backend,
    }
}

impl Place for ObjectPlace {
    fn exists(&self) -> BoxFut<'static, Result<bool>> {
        self.call("exists", &JsValue::UNDEFINED, JsValue::as_bool)
    }

    fn open(&self, create: bool) -> BoxFut<'static, Result<Arc<dyn Backing>>> {
        let this = self.clone();
        Box::pin(async move {
            if !this.call("open", &create.into(), JsValue::as_bool).await? {
                let message = "this backing holds no store; create it first, or open it with openStore";
                return Err(Error::new(ErrorKind::StoreNotFound, message));
            }
            #[allow(
                clippy::arc_with_non_send_sync,
                reason = "a backing is an Arc on every target; wasm has one thread"
            )]
            Ok(Arc::new(this) as Arc<dyn Backing>)
        })
    }

    fn destroy(&self) -> BoxFut<'static, Result<()>> {
        self.call("destroy", &JsValue::UNDEFINED, |_| Some(()))
    }
}

impl Backing for ObjectPlace {
    fn capability(&self) -> Capability {
        self.capability
    }

    fn read(&self, names: Vec<BlobName>, part: Part) -> BoxFut<'static, Result<Vec<Option<Blob>>>> {
        let names: Array = names.iter().map(|name| JsValue::from_str(&name.file_name())).collect();
        let read = match part {
            Part::Head => |found: &JsValue| blobs(found, Part::Head),
            Part::All => |found: &JsValue| blobs(found, Part::All),
        };
        let is_head = JsValue::from_bool(part == Part::Head);
        let reading = self.begin("read", &names, &is_head);
        Box::pin(async move { read(&reading.await?).ok_or_else(strange) })
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFut<'static, Result<Outcome>> {
        let write = |Write { name, change: to, expect }: &Write| {
            Array::of3(&name.file_name().into(), &change(to), &expected(expect))
        };
        let writes: Array = writes.iter().map(write).collect();
        // What tells two states of a blob apart is not always bytes 8 to 19, as it is in the sealed layout.
        #[cfg(feature = "clojure")]
        let check_of = Closure::<dyn FnMut(JsValue) -> JsValue>::new(|found: JsValue| {
            let head = blob(&found, Part::Head).flatten().map(|blob| blob.head);
            head.and_then(|head| Blob::check_of(&head))
                .map_or(JsValue::UNDEFINED, |check| Uint8Array::from(&check[..]).into())
        });
        #[cfg(feature = "clojure")]
        let committed = self.begin("commit", &writes, check_of.as_ref());
        #[cfg(not(feature = "clojure"))]
        let committed = self.begin("commit", &writes, &JsValue::UNDEFINED);
        Box::pin(async move {
            let answer = committed.await;
            // It was lent until here.
            #[cfg(feature = "clojure")]
            drop(check_of);
            outcome(&answer?).ok_or_else(strange)
        })
    }

    fn update(&self, name: BlobName, part: Part, mut f: UpdateFn) -> BoxFut<'static, Result<()>> {
        let refused = Rc::new(RefCell::new(None));
        let tell = refused.clone();
        let step = Closure::<dyn FnMut(JsValue) -> JsValue>::new(move |found: JsValue| {
            f(blob(&found, part).flatten().as_ref()).map_or_else(
                |error| {
                    *tell.borrow_mut() = Some(error);
                    change(&Change::Keep)
                },
                |said| change(&said),
            )
        });
        let updated = self.begin("update", &name.file_name().into(), step.as_ref());
        Box::pin(async move {
            let updated = updated.await;
            // It was lent until here.
            drop(step);
            match refused.take() {
                Some(error) => Err(error),
                None => updated.map(drop),
            }
        })
    }

    fn set_aside(&self, name: BlobName, mut is_damaged: JudgeFn) -> BoxFut<'static, Result<bool>> {
        let judge = Closure::<dyn FnMut(JsValue) -> JsValue>::new(move |found: JsValue| {
            blob(&found, Part::All).flatten().is_some_and(|blob| is_damaged(&blob)).into()
        });
        let taken = self.begin("setAside", &name.file_name().into(), judge.as_ref());
        Box::pin(async move {
            let taken = taken.await?.as_bool();
            // It was lent until here.
            drop(judge);
            taken.ok_or_else(strange)
        })
    }

    fn heads(&self) -> Box<dyn Heads> {
        Box::new(Pages { place: self.clone(), after: JsValue::from_str("") })
    }

    fn record(&self, copy: RecordCopy) -> BoxFut<'static, Result<Option<Bytes>>> {
        self.call("record", &is_second(copy), bytes)
    }

    fn put_record(&self, copy: RecordCopy, there: Option<Bytes>, record: Bytes) -> BoxFut<'static, Result<bool>> {
        let there = there.map_or(JsValue::UNDEFINED, |there| Uint8Array::from(&*there).into());
        let given = Array::of3(&Uint8Array::from(&*record), &is_second(copy), &there);
        self.call("putRecord", &given, JsValue::as_bool)
    }

    fn close(&self) -> BoxFut<'static, Result<()>> {
        self.call("close", &JsValue::UNDEFINED, |_| Some(()))
    }
}

fn is_second(copy: RecordCopy) -> JsValue {
    (copy == RecordCopy::Second).into()
}

/// The name that did not hold what was expected, or for each write whether it did something.
fn outcome(answer: &JsValue) -> Option<Outcome> {
    if let Some(file) = answer.as_string() {
        return BlobName::from_file_name(&file).map(Outcome::Conflict);
    }
    let done: Option<Vec<bool>> = answer.dyn_ref::<Array>()?.iter().map(|done| done.as_bool()).collect();
    done.map(Outcome::Done)
}

/// What the object is told of a change: `false` to keep what is there, `null` to delete it, or bytes.
fn change(change: &Change) -> JsValue {
    match change {
        Change::Keep => JsValue::FALSE,
        Change::Delete => JsValue::NULL,
        Change::Put(Blob { head, value }) => Uint8Array::from(&*[&head[..], &value[..]].concat()).into(),
    }
}

/// `undefined` for anything, `null` for nothing, or the check.
fn expected(expect: &Expect) -> JsValue {
    match expect {
        Expect::Anything => JsValue::UNDEFINED,
        Expect::Absent => JsValue::NULL,
        Expect::Check(check) => Uint8Array::from(&check[..]).into(),
    }
}

/// `undefined` is no blob; what is neither that nor bytes is no answer.
#[allow(clippy::option_option, reason = "absence and a wrong answer are two things")]
fn bytes(found: &JsValue) -> Option<Option<Bytes>> {
    if found.is_undefined() { Some(None) } else { Some(Some(found.dyn_ref::<Uint8Array>()?.to_vec().into())) }
}

#[allow(clippy::option_option, reason = "as above")]
fn blob(found: &JsValue, part: Part) -> Option<Option<Blob>> {
    let cut = |whole: Bytes| {
        let Blob { head, value } = Blob::split(whole);
        Blob { head, value: if part == Part::Head { Bytes::new() } else { value } }
    };
    Some(bytes(found)?.map(cut))
}

fn blobs(found: &JsValue, part: Part) -> Option<Vec<Option<Blob>>> {
    found.dyn_ref::<Array>()?.iter().map(|found| blob(&found, part)).collect()
}

/// A listing, page by page.
struct Pages {
    place: ObjectPlace,
    /// The last name of the page before.
    after: JsValue,
}

impl Heads for Pages {
    /// The object answers `[name, blob, name, blob…, last name]`, or `undefined` after the last page.
    fn next(&mut self) -> BoxFut<'_, Result<Option<HeadPage>>> {
        Box::pin(async move {
            let page = self.place.begin("page", &self.after, &JsValue::UNDEFINED).await?;
            if page.is_undefined() {
                return Ok(None);
            }
            let page: Array = page.dyn_into().map_err(|_| strange())?;
            self.after = page.pop();
            let head = |at: u32| {
                let name = BlobName::from_file_name(&page.get(at).as_string()?)?;
                Some((name, Ok(blob(&page.get(at + 1), Part::Head)??.head)))
            };
            Ok(Some((0..page.length()).step_by(2).filter_map(head).collect()))
        })
    }
}
