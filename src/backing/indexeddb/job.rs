//! One operation in the queue.

use super::{answer::Answer, image::Image, large::Large, row::Row};
use crate::{
    backing::{Blob, Change, Expect, HeadPage, JudgeFn, Outcome, Part, UpdateFn, Write},
    error::{Error, Result},
    name::BlobName,
};

/// What is to be done, and who waits for it.
pub(super) enum Work {
    Read { rows: Vec<Row>, part: Part, answer: Answer<Vec<Option<Blob>>> },
    Commit { writes: Vec<Write>, answer: Answer<Outcome> },
    Update { row: Row, part: Part, f: UpdateFn, answer: Answer<()> },
    SetAside { name: BlobName, is_damaged: JudgeFn, answer: Answer<bool> },
    Page { after: Option<BlobName>, answer: Answer<HeadPage> },
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
        matches!(self.work, Work::Commit { .. } | Work::Update { .. } | Work::SetAside { .. })
    }

    /// Whether it may go on in a transaction that is under way. Heads may not: a batch reads them to tell what was there, and
    /// its commit, which follows at once, has to share their transaction.
    pub(super) fn may_hurry(&self) -> bool {
        matches!(self.work, Work::Read { part: Part::All, .. } | Work::Page { .. })
    }

    /// How many bytes it will write, as far as that is known before.
    pub(super) fn weight(&self) -> usize {
        let Work::Commit { writes, .. } = &self.work else { return 0 };
        let weight = |write: &Write| match &write.change {
            Change::Put(blob) => blob.head.len() + blob.value.len(),
            Change::Keep | Change::Delete => 0,
        };
        writes.iter().map(weight).sum()
    }

    /// Says which rows it needs.
    pub(super) fn touch(&self, image: &mut Image, large: &Large) {
        match &self.work {
            Work::Read { rows, part, .. } => rows.iter().for_each(|row| image.touch(*row, Some(*part), large)),
            Work::Commit { writes, .. } => {
                for write in writes {
                    // A blind put is the only write that needs not know what was there.
                    let blind = matches!((&write.change, write.expect), (Change::Put(_), Expect::Anything));
                    image.touch(Row::Blob(write.name), (!blind).then_some(Part::Head), large);
                }
            }
            Work::Update { row, part, .. } => image.touch(*row, Some(*part), large),
            Work::SetAside { name, .. } => {
                image.touch(Row::Blob(*name), Some(Part::All), large);
                image.touch(Row::Aside(*name), Some(Part::Head), large);
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
            Work::Update { row, part, f, answer } => answer.prepare(update(*row, *part, f, image)),
            Work::SetAside { name, is_damaged, answer } => answer.prepare(set_aside(*name, is_damaged, image)),
            Work::Page { .. } => {}
        }
    }

    /// Sends the prepared answer.
    pub(super) fn done(mut self) {
        match &mut self.work {
            Work::Read { answer, .. } => answer.send_ready(),
            Work::Commit { answer, .. } => answer.send_ready(),
            Work::Update { answer, .. } => answer.send_ready(),
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
            Work::SetAside { answer, .. } => answer.send(Err(error)),
            Work::Page { answer, .. } => answer.send(Err(error)),
        }
    }
}

fn commit(writes: &[Write], image: &mut Image) -> Result<Outcome> {
    for write in writes {
        let row = Row::Blob(write.name);
        let holds = match write.expect {
            Expect::Anything => true,
            Expect::Absent => image.see(row, Part::Head)?.is_none(),
            Expect::Check(check) => image.see(row, Part::Head)?.and_then(|blob| blob.check()) == Some(check),
        };
        if !holds {
            return Ok(Outcome::Conflict(write.name));
        }
    }
    let done = writes.iter().map(|write| image.change(Row::Blob(write.name), &write.change));
    Ok(Outcome::Done(done.collect()))
}

fn update(row: Row, part: Part, f: &mut UpdateFn, image: &mut Image) -> Result<()> {
    let old = image.see(row, part)?;
    let change = f(old.as_ref())?;
    image.change(row, &change);
    Ok(())
}

fn set_aside(name: BlobName, is_damaged: &mut JudgeFn, image: &mut Image) -> Result<bool> {
    match image.see(Row::Blob(name), Part::All)? {
        Some(blob) if is_damaged(&blob) => {
            image.change(Row::Aside(name), &Change::Put(blob));
            Ok(image.change(Row::Blob(name), &Change::Delete))
        }
        _ => Ok(false),
    }
}
