//! The queue of one connection, and when its transactions begin and end.
//!
//! No borrow of a cell lives while a function of the user's runs or a waiting future is woken: both may call the store
//! again.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::{Rc, Weak},
};

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::spawn_local;
use web_sys::{DomException, Event, EventTarget, IdbRequest};

use super::{
    Durability,
    answer::{Answer, Reply, answer},
    batch::Batch,
    database::{self, Found, Opened},
    fault::{fault, is_lost_connection},
    handle::Handle,
    job::{Job, MAX_SHARED, Work},
    transaction::Transaction,
};
use crate::error::{Error, ErrorKind, Result};

/// How often an operation is begun before its error counts.
const MAX_TRIES: u8 = 3;

enum Link {
    Open(Rc<Handle>),
    /// Given up to another tab, or taken by the browser. The next operation opens it again.
    Lost,
    Opening,
    Closed,
}

/// One connection, shared by the backing and the handlers of its events.
pub(super) struct Shared {
    name: String,
    durability: Durability,
    link: RefCell<Link>,
    queue: RefCell<VecDeque<Job>>,
    running: RefCell<Vec<Batch>>,
    /// A flush will come.
    scheduled: Cell<bool>,
    /// The transaction of the last answered reads. Until the browser has run what they woke it takes more requests.
    warm: RefCell<Option<Transaction>>,
    /// A writing transaction is under way: what is queued waits behind it, so that what it must try again keeps its place.
    writing: Cell<bool>,
    /// Who waits for the end of everything.
    closing: RefCell<Option<Answer<()>>>,
    /// While operations are under way the connection holds itself, also if the store was dropped.
    itself: RefCell<Option<Rc<Shared>>>,
    weak: Weak<Shared>,
}

impl Shared {
    pub(super) fn new(name: String, durability: Durability, opened: Opened) -> Rc<Self> {
        Rc::new_cyclic(|weak| Self {
            link: RefCell::new(Link::Open(Rc::new(Handle::new(opened, durability, weak)))),
            name,
            durability,
            queue: RefCell::default(),
            running: RefCell::default(),
            warm: RefCell::new(None),
            scheduled: Cell::new(false),
            writing: Cell::new(false),
            closing: RefCell::new(None),
            itself: RefCell::new(None),
            weak: weak.clone(),
        })
    }

    /// Queues an operation. Its place is fixed by this call; the future is only the acknowledgement.
    pub(super) fn push<T>(self: &Rc<Self>, work: impl FnOnce(Answer<T>) -> Work) -> Reply<T> {
        let (mut sender, reply) = answer();
        if self.closing.borrow().is_some() || matches!(*self.link.borrow(), Link::Closed) {
            sender.send(Err(Error::new(ErrorKind::Closed, "the store was closed; open it again")));
            return reply;
        }
        let mut jobs = vec![Job::new(work(sender))];
        if self.is_still() && jobs.iter().all(Job::may_hurry) {
            // It need not wait for the flush, which is there to gather others: they follow in one of their own.
            match self.go_on(jobs) {
                Some(back) => jobs = back,
                None => return reply,
            }
        }
        self.queue.borrow_mut().extend(jobs);
        self.schedule();
        reply
    }

    /// Nothing waits, and nothing writes.
    fn is_still(&self) -> bool {
        !self.scheduled.get() && !self.writing.get() && self.queue.borrow().is_empty()
    }

    fn schedule(self: &Rc<Self>) {
        if !self.scheduled.replace(true) {
            let shared = self.clone();
            spawn_local(async move { shared.flush() });
        }
    }

    /// Begins transactions for what waits, as far as may be now.
    fn flush(self: &Rc<Self>) {
        self.scheduled.set(false);
        while let Some(handle) = self.handle() {
            let Some(jobs) = self.take() else { break };
            self.begin(handle, jobs);
        }
        self.settle();
    }

    /// The open connection. If it was lost and something waits, it is opened again, and a flush follows.
    fn handle(self: &Rc<Self>) -> Option<Rc<Handle>> {
        let mut link = self.link.borrow_mut();
        match &*link {
            Link::Open(handle) => return Some(handle.clone()),
            Link::Lost if !self.queue.borrow().is_empty() => {
                *link = Link::Opening;
                let shared = self.clone();
                spawn_local(async move { shared.reopen().await });
            }
            Link::Lost | Link::Opening | Link::Closed => {}
        }
        None
    }

    async fn reopen(self: Rc<Self>) {
        match database::open(&self.name).await.and_then(Found::ours) {
            Ok(opened) => {
                let handle = Handle::new(opened, self.durability, &self.weak);
                *self.link.borrow_mut() = Link::Open(Rc::new(handle));
            }
            Err(error) => {
                *self.link.borrow_mut() = Link::Lost;
                for job in self.queue.take() {
                    job.fail(error.clone());
                }
            }
        }
        self.flush();
    }

    /// The operations that the next transaction serves.
    fn take(&self) -> Option<Vec<Job>> {
        if self.writing.get() {
            return None;
        }
        let mut queue = self.queue.borrow_mut();
        let (mut count, mut weight, mut writes) = (0, 0, false);
        for job in &*queue {
            weight += job.weight();
            let heavy = weight > MAX_SHARED;
            // Reads share the transaction of a heavy write that follows them: a batch asks so what was there.
            if count > 0 && job.alone || writes && heavy {
                break;
            }
            count += 1;
            writes |= job.writes();
            if job.alone || heavy {
                break;
            }
        }
        (count > 0).then(|| queue.drain(..count).collect())
    }

    fn begin(self: &Rc<Self>, handle: Rc<Handle>, jobs: Vec<Job>) {
        let Some(jobs) = self.go_on(jobs) else { return };
        let mut batch = match Batch::begin(handle, jobs) {
            Ok(batch) => batch,
            Err((jobs, cause)) => return self.lost(jobs, &cause),
        };
        self.writing.set(batch.writes);
        let progress = batch.start();
        self.proceed(batch, progress);
    }

    /// Reads that follow on reads go on in their transaction, which saves a quarter of their time. Gives back what needs one
    /// of its own.
    fn go_on(self: &Rc<Self>, jobs: Vec<Job>) -> Option<Vec<Job>> {
        let warm = self.warm.take();
        let Some(transaction) = warm.filter(|_| !jobs.iter().any(Job::writes)).filter(Transaction::may_go_on) else {
            return Some(jobs);
        };
        let mut batch = Batch::over(transaction, jobs);
        match batch.start() {
            Ok(answered) => self.proceed(batch, Ok(answered)),
            // It had ended.
            Err(_) => return Some(batch.into_jobs().collect()),
        }
        None
    }

    /// After `batch` did something, and answered these operations: it waits on, or is over, or is given up.
    fn proceed(self: &Rc<Self>, batch: Batch, progress: Result<Vec<Job>, JsValue>) {
        match progress {
            Ok(answered) => {
                if batch.is_waiting() {
                    self.running.borrow_mut().push(batch);
                    self.itself.borrow_mut().get_or_insert_with(|| self.clone());
                } else {
                    *self.warm.borrow_mut() = Some(batch.transaction);
                }
                answered.into_iter().for_each(Job::done);
            }
            Err(cause) => {
                self.ended(&batch);
                let jobs = batch.give_up();
                self.again(jobs, &cause);
            }
        }
    }

    fn ended(&self, batch: &Batch) {
        if batch.writes {
            self.writing.set(false);
        }
    }

    /// Takes a batch out of those under way.
    fn pick(&self, is: impl Fn(&Batch) -> bool) -> Option<Batch> {
        let mut running = self.running.borrow_mut();
        let at = running.iter().position(is)?;
        Some(running.swap_remove(at))
    }

    /// The connection would not begin a transaction.
    fn lost(self: &Rc<Self>, jobs: Vec<Job>, cause: &JsValue) {
        let link = self.link.replace(Link::Lost);
        drop(link);
        self.again(jobs, cause);
    }

    /// Operations whose transaction failed are tried again: after a lost connection, or alone if they shared it.
    fn again(self: &Rc<Self>, jobs: Vec<Job>, cause: &JsValue) {
        let retry = jobs.len() > 1 || is_lost_connection(cause);
        for mut job in jobs.into_iter().rev() {
            job.tries += 1;
            if retry && job.tries < MAX_TRIES {
                job.alone = true;
                self.queue.borrow_mut().push_front(job);
            } else {
                job.fail(fault("writing", cause.clone()));
            }
        }
        self.schedule();
    }

    pub(super) fn on_success(self: &Rc<Self>, event: &Event) {
        if let Some(request) = event.target() {
            self.advance(&request);
        }
    }

    /// The last request of a group has ended.
    fn advance(self: &Rc<Self>, request: &EventTarget) {
        if let Some(mut batch) = self.pick(|batch| batch.waits_for(request)) {
            let progress = batch.advance(request);
            self.proceed(batch, progress);
            self.settle();
        }
    }

    /// A request failed. While only reading, the others may go on; else the transaction is aborted and `abort` follows.
    pub(super) fn on_error(self: &Rc<Self>, event: &Event) {
        let Some(request) = event.target() else { return };
        let request: IdbRequest = request.unchecked_into();
        let (Some(transaction), Ok(Some(error))) = (request.transaction(), request.error()) else { return };
        if DomException::name(&error) == "AbortError" {
            return;
        }
        if self.running.borrow().iter().any(|batch| batch.is(&transaction) && batch.may_fail_alone()) {
            event.prevent_default();
            self.advance(&request);
        }
    }

    pub(super) fn on_complete(self: &Rc<Self>, event: &Event) {
        let Some(transaction) = event.target() else { return };
        if let Some(batch) = self.pick(|batch| batch.is(&transaction)) {
            self.ended(&batch);
            batch.complete();
            self.schedule_or_settle();
        }
    }

    pub(super) fn on_abort(self: &Rc<Self>, event: &Event) {
        let Some(transaction) = event.target() else { return };
        if let Some(batch) = self.pick(|batch| batch.is(&transaction)) {
            self.ended(&batch);
            let cause = batch.abort_cause();
            self.again(batch.into_jobs().collect(), &cause);
        }
    }

    /// The browser closed the connection. Transactions that got no `abort` before will get none.
    pub(super) fn on_close(self: &Rc<Self>, event: &Event) {
        self.let_go(event);
        while let Some(batch) = self.pick(|batch| batch.is_of(event)) {
            self.ended(&batch);
            if batch.is_committing() {
                let unknown = "the browser closed the database while this was written; read it to see whether it was";
                let error = Error::new(ErrorKind::Backend, unknown);
                for job in batch.give_up() {
                    job.fail(error.clone());
                }
            } else {
                self.again(batch.give_up(), &JsValue::NULL);
            }
        }
        self.schedule();
    }

    /// Another tab wants to delete or upgrade the database: it gets the way, and the next operation opens it again.
    pub(super) fn let_go(self: &Rc<Self>, event: &Event) {
        let open = match &*self.link.borrow() {
            Link::Open(handle) => handle.clone(),
            Link::Lost | Link::Opening | Link::Closed => return,
        };
        if open.is_target_of(event) {
            *self.link.borrow_mut() = Link::Lost;
            open.close();
        }
    }

    fn schedule_or_settle(self: &Rc<Self>) {
        if self.queue.borrow().is_empty() { self.settle() } else { self.schedule() }
    }

    fn is_idle(&self) -> bool {
        self.queue.borrow().is_empty() && self.running.borrow().is_empty() && !self.scheduled.get()
    }

    /// With nothing left to do, whoever waits for the end is answered, and the connection lets go of itself.
    fn settle(&self) {
        if !self.is_idle() {
            return;
        }
        let closing = self.closing.borrow_mut().take();
        if let Some(mut closing) = closing {
            self.warm.take();
            let link = self.link.replace(Link::Closed);
            drop(link);
            closing.send(Ok(()));
        }
        let itself = self.itself.borrow_mut().take();
        drop(itself);
    }

    /// Finishes what is queued and closes the connection.
    pub(super) fn close(&self) -> Reply<()> {
        let (mut sender, reply) = answer();
        if matches!(*self.link.borrow(), Link::Closed) {
            sender.send(Ok(()));
        } else {
            *self.closing.borrow_mut() = Some(sender);
            self.settle();
        }
        reply
    }
}
