//! One operation in the queue.

use std::{cell::RefCell, rc::Rc};

use super::{
    answer::Answer,
    image::{Becomes, Image},
    large::Large,
    row::{Row, Stored, Value},
};
#[cfg(feature = "full")]
use crate::backing::JudgeFn;
use crate::{
    backing::{Blob, Expect, HeadPage, Outcome, Part, UpdateFn},
    error::{Error, Result},
    name::BlobName,
};

/// The bytes of values that share a transaction; what is larger shares it with reads only.
pub(super) const MAX_SHARED: usize = 1 << 20;

/// What is to be done, and who waits for it.
pub(super) enum Work {
    Read {
        rows: Vec<Row>,
        part: Part,
        answer: Answer<Vec<Option<Stored>>>,
    },
    Commit {
        writes: Vec<RowWrite>,
        answer: Answer<Outcome>,
    },
    Update {
        row: Row,
        part: Part,
        f: Rc<RefCell<UpdateFn>>,
        loaded: Option<Blob>,
        answer: Answer<Tried<()>>,
    },
    #[cfg(feature = "full")]
    SetAside {
        name: BlobName,
        is_damaged: Rc<RefCell<JudgeFn>>,
        loaded: Option<Blob>,
        answer: Answer<Tried<bool>>,
    },
    Page {
        after: Option<BlobName>,
        answer: Answer<HeadPage>,
    },
}

/// One part of a commit.
pub(super) struct RowWrite {
    pub(super) name: BlobName,
    pub(super) becomes: Becomes,
    pub(super) expect: Expect,
}

/// How an operation ended that needs the bytes of a row.
pub(super) enum Tried<T> {
    Done(T),
    /// Nothing happened: the bytes are not in memory. They are to be loaded first.
    Unloaded(Stored),
}

/// One operation in the queue.
pub(super) struct Job {
    pub(super) work: Work,
    /// It shares its transaction with none.
    pub(super) alone: bool,
    /// How often it was begun and failed.
    pub(super) tries: u8,
}

impl Job {
    pub(super) fn new(work: Work) -> Self {
        let alone = matches!(work, Work::Page { .. });
        Self { work, alone, tries: 0 }
    }

    pub(super) fn writes(&self) -> bool {
        !matches!(self.work, Work::Read { .. } | Work::Page { .. })
    }

    /// Whether it may go on in a transaction that is under way. Heads may not: a batch reads them to tell what was there, and
    /// its commit, which follows at once, has to share their transaction.
    pub(super) fn may_hurry(&self) -> bool {
        matches!(self.work, Work::Read { part: Part::All, .. } | Work::Page { .. })
    }

    /// How many bytes it will write, as far as that is known before.
    pub(super) fn weight(&self) -> usize {
        let Work::Commit { writes, .. } = &self.work else { return 0 };
        let weight = |write: &RowWrite| match &write.becomes {
            Becomes::Now(Stored { head, value: Value::Bytes(value) }) => head.len() + value.len(),
            Becomes::Now(_) => MAX_SHARED + 1,
            Becomes::Same | Becomes::Nothing => 0,
        };
        writes.iter().map(weight).sum()
    }

    /// How many rows it touches at most.
    #[cfg(feature = "full")]
    pub(super) fn rows(&self) -> usize {
        match &self.work {
            Work::Read { rows, .. } => rows.len(),
            Work::Commit { writes, .. } => writes.len(),
            Work::SetAside { .. } => 2,
            Work::Update { .. } => 1,
            Work::Page { .. } => 0,
        }
    }

    /// Says which rows it needs, as one of this group.
    pub(super) fn touch(&self, image: &mut Image, group: usize, large: &Large) {
        match &self.work {
            Work::Read { rows, part, .. } => rows.iter().for_each(|row| image.touch(*row, Some(*part), group, large)),
            Work::Commit { writes, .. } => {
                for write in writes {
                    // A blind put is the only write that needs not know what was there.
                    let blind = matches!((&write.becomes, write.expect), (Becomes::Now(_), Expect::Anything));
                    image.touch(Row::Blob(write.name), (!blind).then_some(Part::Head), group, large);
                }
            }
            Work::Update { row, part, .. } => image.touch(*row, Some(*part), group, large),
            #[cfg(feature = "full")]
            Work::SetAside { name, .. } => {
                image.touch(Row::Blob(*name), Some(Part::All), group, large);
                image.touch(Row::Aside(*name), Some(Part::Head), group, large);
            }
            Work::Page { .. } => {}
        }
    }

    /// Does it in the image, and prepares the answer. JavaScript of the user's may run inside.
    pub(super) fn run(&mut self, image: &mut Image) {
        match &mut self.work {
            Work::Read { rows, part, answer } => {
                answer.prepare(rows.iter().map(|row| image.see(*row, *part)).collect());
            }
            Work::Commit { writes, answer } => answer.prepare(commit(writes, image)),
            Work::Update { row, part, f, loaded, answer } => {
                answer.prepare(update(*row, *part, &mut f.borrow_mut(), loaded.as_ref(), image));
            }
            #[cfg(feature = "full")]
            Work::SetAside { name, is_damaged, loaded, answer } => {
                answer.prepare(set_aside(*name, &mut is_damaged.borrow_mut(), loaded.as_ref(), image));
            }
            Work::Page { .. } => {}
        }
    }

    /// Sends the prepared answer.
    pub(super) fn done(mut self) {
        match &mut self.work {
            Work::Read { answer, .. } => answer.send_ready(),
            Work::Commit { answer, .. } => answer.send_ready(),
            Work::Update { answer, .. } => answer.send_ready(),
            #[cfg(feature = "full")]
            Work::SetAside { answer, .. } => answer.send_ready(),
            Work::Page { answer, .. } => answer.send_ready(),
        }
    }

    /// Answers with the error, whatever was prepared.
    pub(super) fn fail(mut self, error: Error) {
        match &mut self.work {
            Work::Read { answer, .. } => answer.send(Err(error)),
            Work::Commit { answer, .. } => answer.send(Err(error)),
            Work::Update { answer, .. } => answer.send(Err(error)),
            #[cfg(feature = "full")]
            Work::SetAside { answer, .. } => answer.send(Err(error)),
            Work::Page { answer, .. } => answer.send(Err(error)),
        }
    }
}

fn commit(writes: &[RowWrite], image: &mut Image) -> Result<Outcome> {
    for write in writes {
        let row = Row::Blob(write.name);
        let holds = match write.expect {
            Expect::Anything => true,
            Expect::Absent => image.see(row, Part::Head)?.is_none(),
            Expect::Check(check) => {
                image.see(row, Part::Head)?.and_then(|blob| Blob::check_of(&blob.head)) == Some(check)
            }
        };
        if !holds {
            return Ok(Outcome::Conflict(write.name));
        }
    }
    let done = writes.iter().map(|write| image.change(Row::Blob(write.name), &write.becomes));
    Ok(Outcome::Done(done.collect()))
}

fn update(row: Row, part: Part, f: &mut UpdateFn, loaded: Option<&Blob>, image: &mut Image) -> Result<Tried<()>> {
    let old = match image.see(row, part)?.map(|old| in_memory(old, loaded)) {
        None => None,
        Some(Tried::Done(old)) => Some(old),
        Some(Tried::Unloaded(old)) => return Ok(Tried::Unloaded(old)),
    };
    let change = f(old.as_ref())?;
    image.change(row, &change.into());
    Ok(Tried::Done(()))
}

#[cfg(feature = "full")]
fn set_aside(
    name: BlobName,
    is_damaged: &mut JudgeFn,
    loaded: Option<&Blob>,
    image: &mut Image,
) -> Result<Tried<bool>> {
    let Some(stored) = image.see(Row::Blob(name), Part::All)? else { return Ok(Tried::Done(false)) };
    let damaged = match in_memory(stored.clone(), loaded) {
        Tried::Done(blob) => is_damaged(&blob),
        Tried::Unloaded(stored) => return Ok(Tried::Unloaded(stored)),
    };
    if damaged {
        image.change(Row::Aside(name), &Becomes::Now(stored));
        image.change(Row::Blob(name), &Becomes::Nothing);
    }
    Ok(Tried::Done(damaged))
}

/// A blob with the bytes of its value, if these are in memory or were loaded before. A head has a digest of the value, so
/// what was loaded is this value, if the heads are the same.
fn in_memory(stored: Stored, loaded: Option<&Blob>) -> Tried<Blob> {
    match (stored, loaded) {
        (Stored { head, value: Value::Bytes(value) }, _) => Tried::Done(Blob { head, value }),
        (stored, Some(loaded)) if loaded.head == stored.head => Tried::Done(loaded.clone()),
        (stored, _) => Tried::Unloaded(stored),
    }
}
