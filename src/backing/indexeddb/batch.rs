//! One transaction under way, and the operations it serves.

use std::{ops::Range, rc::Rc};

use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Event, EventTarget, IdbRequest};

#[cfg(feature = "full")]
use super::range;
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

/// So many operations are awaited together: while they run, the browser finds the rows of the next ones.
const GROUP: usize = 8;
/// At most so many groups, since each of them looks through the image.
const GROUPS: usize = 16;

/// What a group is waiting for.
enum Stage {
    /// The rows of `m` that its operations want to see, and others between them.
    #[cfg(feature = "full")]
    Ranges,
    /// The rows of `m` that they want to see, one by one.
    Heads,
    /// The rows of `v` that they want to see.
    Values,
    /// Names and rows of a page.
    Page([IdbRequest; 2]),
}

/// Neighbours in the queue, which run as soon as what they want to see is here and those before them have run.
struct Group {
    number: usize,
    jobs: Vec<Job>,
    /// The rows of the image that none before it touches.
    rows: Range<usize>,
    stage: Stage,
    /// The request that ends last; none when everything is here.
    last: Option<IdbRequest>,
}

impl Group {
    fn new(number: usize, jobs: Vec<Job>) -> Self {
        Self { number, jobs, rows: 0..0, stage: Stage::Heads, last: None }
    }

    /// Asks for what its operations want to see. The image knows all of it.
    fn start(&mut self, image: &mut Image, transaction: &Transaction) -> Result<(), JsValue> {
        if let [Job { work: Work::Page { after, .. }, .. }] = self.jobs.as_slice() {
            let requests = transaction.get_page(*after)?;
            let [_, last] = &requests;
            self.wait(last.clone(), transaction);
            self.stage = Stage::Page(requests);
            return Ok(());
        }
        #[cfg(feature = "full")]
        if let Some(last) = image.ask_ranges(transaction)? {
            self.wait(last, transaction);
            self.stage = Stage::Ranges;
            return Ok(());
        }
        self.ask_heads(image, transaction)
    }

    fn wait(&mut self, last: IdbRequest, transaction: &Transaction) {
        transaction.handle.watch(&last);
        self.last = Some(last);
    }

    fn ask_heads(&mut self, image: &mut Image, transaction: &Transaction) -> Result<(), JsValue> {
        self.stage = Stage::Heads;
        match image.ask_heads(&self.rows, transaction)? {
            Some(last) => self.wait(last, transaction),
            None => self.take_heads(image, transaction)?,
        }
        Ok(())
    }

    /// The last request has ended.
    fn advance(&mut self, image: &mut Image, transaction: &Transaction) -> Result<(), JsValue> {
        self.last = None;
        match &self.stage {
            #[cfg(feature = "full")]
            Stage::Ranges => {
                image.take_ranges(&transaction.handle.rows);
                self.ask_heads(image, transaction)?;
            }
            Stage::Heads => self.take_heads(image, transaction)?,
            Stage::Values => image.take_values(&self.rows),
            Stage::Page(requests) => {
                let page = page(requests);
                if let [Job { work: Work::Page { answer, .. }, .. }] = self.jobs.as_mut_slice() {
                    answer.prepare(page);
                }
            }
        }
        Ok(())
    }

    fn take_heads(&mut self, image: &mut Image, transaction: &Transaction) -> Result<(), JsValue> {
        image.take_heads(&self.rows);
        transaction.handle.with_large(|large| image.teach(&self.rows, large));
        self.stage = Stage::Values;
        match image.ask_values(&self.rows, transaction)? {
            Some(last) => self.wait(last, transaction),
            None => image.take_values(&self.rows),
        }
        Ok(())
    }

    fn waits_for(&self, request: &EventTarget) -> bool {
        self.last.as_ref().is_some_and(|last| **last == *request)
    }
}

/// See the module's documentation.
pub(super) struct Batch {
    pub(super) transaction: Transaction,
    pub(super) writes: bool,
    image: Image,
    /// In queue order.
    groups: Vec<Group>,
    /// How many of them have run.
    ran: usize,
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
        Self { transaction, writes: false, image: Image::default(), groups: grouped(jobs), ran: 0 }
    }

    /// Asks for what the operations want to see, and gives back those that have their answers. An error leaves the
    /// transaction to be [given up](Self::give_up).
    pub(super) fn start(&mut self) -> Result<Vec<Job>, JsValue> {
        let Self { transaction, image, groups, .. } = self;
        transaction.handle.with_large(|large| {
            for Group { number, jobs, rows, .. } in groups.iter_mut() {
                let first = image.len();
                jobs.iter().for_each(|job| job.touch(image, *number, large));
                *rows = first..image.len();
            }
        });
        for group in groups {
            group.start(image, transaction)?;
        }
        self.run()
    }

    /// The last request of a group has ended. As [`Self::start`].
    pub(super) fn advance(&mut self, request: &EventTarget) -> Result<Vec<Job>, JsValue> {
        let Self { transaction, image, groups, .. } = self;
        if let Some(group) = groups.iter_mut().find(|group| group.waits_for(request)) {
            group.advance(image, transaction)?;
        }
        self.run()
    }

    /// The groups whose rows are here run in queue order, and what no later one touches is put.
    fn run(&mut self) -> Result<Vec<Job>, JsValue> {
        let mut answered = Vec::new();
        while let Some(group) = self.groups.get_mut(self.ran)
            && group.last.is_none()
        {
            self.ran += 1;
            for job in &mut group.jobs {
                job.run(&mut self.image);
            }
            if self.writes {
                self.image.put(group.number, &self.transaction)?;
            } else {
                // Whatever becomes of the transaction does not matter to them.
                answered.append(&mut group.jobs);
            }
        }
        if self.writes && self.is_committing() {
            self.transaction.commit();
        }
        Ok(answered)
    }

    /// Whether everything was asked for: of what writes only `complete` or `abort` is to come, and nobody knows which.
    pub(super) fn is_committing(&self) -> bool {
        self.ran == self.groups.len()
    }

    /// Whether more events will come that matter.
    pub(super) fn is_waiting(&self) -> bool {
        self.writes || !self.is_committing()
    }

    /// The transaction is complete: what was done counts.
    pub(super) fn complete(self) {
        self.transaction.handle.with_large(|large| self.image.teach(&(0..self.image.len()), large));
        self.into_jobs().for_each(Job::done);
    }

    /// Whether `success` or `error` of this request is what one of its groups waits for.
    pub(super) fn waits_for(&self, request: &EventTarget) -> bool {
        self.groups.iter().any(|group| group.waits_for(request))
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
        self.ran == 0
    }

    /// Why the transaction was aborted.
    pub(super) fn abort_cause(&self) -> JsValue {
        self.transaction.abort_cause()
    }

    /// Aborts what could not be finished, and gives the operations back.
    pub(super) fn give_up(self) -> Vec<Job> {
        self.transaction.abort();
        self.into_jobs().collect()
    }

    /// The operations that have no answer yet, in queue order.
    pub(super) fn into_jobs(self) -> impl Iterator<Item = Job> {
        self.groups.into_iter().flat_map(|group| group.jobs)
    }
}

/// In groups, as long as there are not so many rows that ranges may be better.
fn grouped(mut jobs: Vec<Job>) -> Vec<Group> {
    #[cfg(feature = "full")]
    if jobs.iter().map(Job::rows).sum::<usize>() >= range::LEAST {
        return vec![Group::new(0, jobs)];
    }
    let len = GROUP.max(jobs.len().div_ceil(GROUPS));
    let mut groups = Vec::new();
    while !jobs.is_empty() {
        let rest = jobs.split_off(len.min(jobs.len()));
        groups.push(Group::new(groups.len(), jobs));
        jobs = rest;
    }
    groups
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
