//! One transaction under way, and the operations it serves.

use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{EventTarget, IdbKeyRange, IdbRequest};

use super::{
    PAGE_LEN,
    fault::fault,
    handle::{Handle, Transaction},
    image::Image,
    job::{Job, Work},
    row::{self, Row, Rows},
};
use crate::{
    backing::{Blob, HeadPage},
    error::{Error, ErrorKind, Result},
    name::BlobName,
};

/// What the transaction is waiting for.
enum Stage {
    Heads,
    Values,
    /// Names and rows of a page.
    Page([IdbRequest; 2]),
    /// Everything was asked for: only `complete` or `abort` is to come.
    Committing,
}

/// Where a batch stands after one of its events.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// More events will come.
    Waiting,
    /// Readers have what they wanted; whatever becomes of the transaction does not matter to them.
    Answered,
    /// The operations must begin again, with what was learned.
    Again,
}

/// See the module's documentation.
pub(super) struct Batch {
    handle: Rc<Handle>,
    transaction: Transaction,
    rows: Rows,
    pub(super) writes: bool,
    pub(super) jobs: Vec<Job>,
    image: Image,
    stage: Stage,
    last: Option<IdbRequest>,
    /// No request may follow.
    committed: bool,
}

impl Batch {
    /// Begins a transaction for these operations, which come back with the error if it cannot begin.
    pub(super) fn begin(handle: Rc<Handle>, jobs: Vec<Job>) -> Result<Self, (Vec<Job>, JsValue)> {
        let writes = jobs.iter().any(Job::writes);
        let (transaction, rows) = match handle.begin(writes) {
            Ok(begun) => begun,
            Err(cause) => return Err((jobs, cause)),
        };
        let image = Image::default();
        Ok(Self { handle, transaction, rows, writes, jobs, image, stage: Stage::Heads, last: None, committed: false })
    }

    /// Asks for what the operations want to see. An error leaves the transaction to be [given up](Self::give_up).
    pub(super) fn start(&mut self) -> Result<Progress, JsValue> {
        if let [Job { work: Work::Page { after, .. }, .. }] = self.jobs.as_slice() {
            let requests = ask_page(*after, &self.rows)?;
            let [_, last] = &requests;
            self.handle.watch(last);
            self.last = Some(last.clone());
            self.stage = Stage::Page(requests);
            self.commit();
            return Ok(Progress::Waiting);
        }
        self.handle.with_large(|large| self.jobs.iter().for_each(|job| job.touch(&mut self.image, large)));
        let Some(last) = self.image.ask_heads(&self.rows)? else { return self.run() };
        if !self.writes && !self.image.may_want_values() {
            self.commit();
        }
        self.wait(last, Stage::Heads)
    }

    /// The last request has ended. An error leaves the transaction to be given up.
    pub(super) fn advance(&mut self) -> Result<Progress, JsValue> {
        match &self.stage {
            Stage::Heads => self.heads_are_here(),
            Stage::Values => {
                self.image.take_values();
                self.run()
            }
            Stage::Page(requests) => {
                let page = take_page(requests);
                if let [Job { work: Work::Page { answer, .. }, .. }] = self.jobs.as_mut_slice() {
                    answer.prepare(page);
                }
                Ok(Progress::Answered)
            }
            Stage::Committing => Ok(Progress::Waiting),
        }
    }

    fn heads_are_here(&mut self) -> Result<Progress, JsValue> {
        if !self.image.take_heads() {
            return self.run();
        }
        self.handle.with_large(|large| self.image.teach(large));
        if self.committed {
            return Ok(Progress::Again);
        }
        match self.image.ask_values(&self.rows)? {
            Some(last) => self.wait(last, Stage::Values),
            None => self.run(),
        }
    }

    fn wait(&mut self, last: IdbRequest, stage: Stage) -> Result<Progress, JsValue> {
        self.handle.watch(&last);
        self.last = Some(last);
        self.stage = stage;
        Ok(Progress::Waiting)
    }

    /// Everything that was wanted is here: the operations run in queue order, then their last states are put.
    fn run(&mut self) -> Result<Progress, JsValue> {
        self.last = None;
        for job in &mut self.jobs {
            job.run(&mut self.image);
        }
        if !self.writes {
            return Ok(Progress::Answered);
        }
        self.stage = Stage::Committing;
        self.image.put(&self.rows)?;
        self.commit();
        Ok(Progress::Waiting)
    }

    /// No request will follow. The browser commits anyway, but sooner so: where `commit` is missing or fails, nothing is lost.
    fn commit(&mut self) {
        self.committed = self.transaction.commit().is_ok();
    }

    /// The transaction is complete: what was done counts.
    pub(super) fn complete(self) {
        self.handle.with_large(|large| self.image.teach(large));
        self.jobs.into_iter().for_each(Job::done);
    }

    /// Whether `success` or `error` of this request is what it waits for.
    pub(super) fn waits_for(&self, request: &EventTarget) -> bool {
        self.last.as_ref().is_some_and(|last| **last == *request)
    }

    /// Whether this is its transaction.
    pub(super) fn is(&self, transaction: &EventTarget) -> bool {
        **self.transaction == *transaction
    }

    /// Whether a request that fails now fails alone: nothing was written yet, so the others may go on.
    pub(super) fn may_fail_alone(&self) -> bool {
        !matches!(self.stage, Stage::Committing)
    }

    /// Why the transaction was aborted.
    pub(super) fn abort_cause(&self) -> JsValue {
        self.transaction.error().map_or(JsValue::NULL, JsValue::from)
    }

    /// Aborts what could not be finished, and gives the operations back.
    pub(super) fn give_up(self) -> Vec<Job> {
        // It may be over already; then there is nothing to abort.
        _ = self.transaction.abort();
        self.jobs
    }
}

/// The names after this one, and their rows.
fn ask_page(after: Option<BlobName>, rows: &Rows) -> Result<[IdbRequest; 2], JsValue> {
    let lower = after.map_or(JsValue::from_str("0"), |name| Row::Blob(name).key());
    // Names begin with a hexadecimal digit, the record does not.
    let range = IdbKeyRange::bound_with_lower_open_and_upper_open(&lower, &JsValue::from_str("g"), true, true)?;
    Ok([
        rows.heads.get_all_keys_with_key_and_limit(&range, PAGE_LEN)?,
        rows.heads.get_all_with_key_and_limit(&range, PAGE_LEN)?,
    ])
}

fn take_page([names, rows]: &[IdbRequest; 2]) -> Result<HeadPage> {
    let array = |request| {
        let found = row::result(request).map_err(|cause| fault("listing", cause))?;
        found.dyn_into::<Array>().map_err(|cause| fault("listing", cause))
    };
    let head = |found| {
        let lost = || Error::new(ErrorKind::Corrupt, "a listed row is gone");
        row::bytes(found)?.map(|whole| Blob::split(whole).head).ok_or_else(lost)
    };
    let named = |(name, found): (JsValue, JsValue)| Some((BlobName::from_file_name(&name.as_string()?)?, head(found)));
    Ok(array(names)?.iter().zip(array(rows)?.iter()).filter_map(named).collect())
}
