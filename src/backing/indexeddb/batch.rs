//! One transaction under way, and the operations it serves.

use std::rc::Rc;

use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, EventTarget, IdbRequest};

use super::{
    fault::fault,
    handle::Handle,
    image::Image,
    job::{Job, Work},
    row,
    transaction::Transaction,
};
use crate::{
    backing::{Blob, HeadPage},
    error::{Error, ErrorKind, Result},
    name::BlobName,
};

/// What the transaction is waiting for.
enum Stage {
    /// The rows of `m` that operations want to see, and others between them.
    #[cfg(feature = "full")]
    Ranges,
    /// The rows of `m` that they want to see, one by one.
    Heads,
    /// The rows of `v` that they want to see.
    Values,
    /// Names and rows of a page.
    Page([IdbRequest; 2]),
    /// Everything was asked for: only `complete` or `abort` is to come.
    Committing,
}

/// Where a batch stands after one of its events.
pub(super) enum Progress {
    /// More events will come.
    Waiting,
    /// Readers have what they wanted; whatever becomes of the transaction does not matter to them.
    Answered,
}

/// See the module's documentation.
pub(super) struct Batch {
    pub(super) transaction: Transaction,
    pub(super) writes: bool,
    pub(super) jobs: Vec<Job>,
    image: Image,
    stage: Stage,
    last: Option<IdbRequest>,
}

impl Batch {
    /// Begins a transaction for these operations, which come back with the error if it cannot begin.
    pub(super) fn begin(handle: Rc<Handle>, jobs: Vec<Job>) -> Result<Self, (Vec<Job>, JsValue)> {
        let writes = jobs.iter().any(Job::writes);
        match Transaction::begin(handle, writes) {
            Ok(transaction) => Ok(Self { writes, ..Self::over(transaction, jobs) }),
            Err(cause) => Err((jobs, cause)),
        }
    }

    /// These operations, which only read, in a transaction that has begun.
    pub(super) fn over(transaction: Transaction, jobs: Vec<Job>) -> Self {
        Self { transaction, writes: false, jobs, image: Image::default(), stage: Stage::Heads, last: None }
    }

    /// Asks for what the operations want to see. An error leaves the transaction to be [given up](Self::give_up).
    pub(super) fn start(&mut self) -> Result<Progress, JsValue> {
        if let [Job { work: Work::Page { after, .. }, .. }] = self.jobs.as_slice() {
            let requests = self.transaction.get_page(*after)?;
            let [_, last] = &requests;
            let last = last.clone();
            return Ok(self.wait(last, Stage::Page(requests)));
        }
        let Self { jobs, image, transaction, .. } = self;
        transaction.handle.with_large(|large| jobs.iter().for_each(|job| job.touch(image, large)));
        #[cfg(feature = "full")]
        if let Some(last) = image.ask_ranges(transaction)? {
            return Ok(self.wait(last, Stage::Ranges));
        }
        self.ask_heads()
    }

    fn ask_heads(&mut self) -> Result<Progress, JsValue> {
        match self.image.ask_heads(&self.transaction)? {
            Some(last) => Ok(self.wait(last, Stage::Heads)),
            None => self.take_heads(),
        }
    }

    /// The last request has ended. An error leaves the transaction to be given up.
    pub(super) fn advance(&mut self) -> Result<Progress, JsValue> {
        match &self.stage {
            #[cfg(feature = "full")]
            Stage::Ranges => {
                self.image.take_ranges(&self.transaction.handle.rows);
                self.ask_heads()
            }
            Stage::Heads => self.take_heads(),
            Stage::Values => self.take_values(),
            Stage::Page(requests) => {
                let page = page(requests);
                if let [Job { work: Work::Page { answer, .. }, .. }] = self.jobs.as_mut_slice() {
                    answer.prepare(page);
                }
                Ok(Progress::Answered)
            }
            Stage::Committing => Ok(Progress::Waiting),
        }
    }

    fn take_heads(&mut self) -> Result<Progress, JsValue> {
        self.image.take_heads();
        self.transaction.handle.with_large(|large| self.image.teach(large));
        match self.image.ask_values(&self.transaction)? {
            Some(last) => Ok(self.wait(last, Stage::Values)),
            None => self.take_values(),
        }
    }

    fn take_values(&mut self) -> Result<Progress, JsValue> {
        self.image.take_values();
        self.run()
    }

    fn wait(&mut self, last: IdbRequest, stage: Stage) -> Progress {
        self.transaction.handle.watch(&last);
        self.last = Some(last);
        self.stage = stage;
        Progress::Waiting
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
        self.image.put(&self.transaction)?;
        self.transaction.commit();
        Ok(Progress::Waiting)
    }

    /// The transaction is complete: what was done counts.
    pub(super) fn complete(self) {
        self.transaction.handle.with_large(|large| self.image.teach(large));
        self.jobs.into_iter().for_each(Job::done);
    }

    /// Whether `success` or `error` of this request is what it waits for.
    pub(super) fn waits_for(&self, request: &EventTarget) -> bool {
        self.last.as_ref().is_some_and(|last| **last == *request)
    }

    /// Whether this is its transaction.
    pub(super) fn is(&self, transaction: &EventTarget) -> bool {
        self.transaction.is(transaction)
    }

    /// Whether the event came from its connection.
    pub(super) fn is_of(&self, event: &Event) -> bool {
        self.transaction.handle.is_target_of(event)
    }

    /// Whether a request that fails now fails alone: nothing was written yet, so the others may go on.
    pub(super) fn may_fail_alone(&self) -> bool {
        !matches!(self.stage, Stage::Committing)
    }

    /// Why the transaction was aborted.
    pub(super) fn abort_cause(&self) -> JsValue {
        self.transaction.abort_cause()
    }

    /// Aborts what could not be finished, and gives the operations back.
    pub(super) fn give_up(self) -> Vec<Job> {
        self.transaction.abort();
        self.jobs
    }
}

/// The heads of a page, from its names and rows.
fn page([names, rows]: &[IdbRequest; 2]) -> Result<HeadPage> {
    let array = |request| {
        let found = row::result(request).map_err(|cause| fault("listing", cause))?;
        found.dyn_into::<Array>().map_err(|cause| fault("listing", cause))
    };
    let head = |found| {
        let gone = || Error::new(ErrorKind::Corrupt, "a listed row holds nothing");
        row::bytes(found)?.map(|whole| Blob::split(whole).head).ok_or_else(gone)
    };
    let entry = |(name, found): (JsValue, JsValue)| Some((BlobName::from_file_name(&name.as_string()?)?, head(found)));
    Ok(array(names)?.iter().zip(array(rows)?.iter()).filter_map(entry).collect())
}
