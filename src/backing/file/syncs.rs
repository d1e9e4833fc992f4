//! Syncs of a folder, shared by all who wait for one.

use std::sync::{Arc, Mutex, PoisonError};

use super::fs::FsError;
use crate::{
    locks::{Locks, Mode},
    name::BlobName,
};

/// Locks are by name, and a folder has one.
const FOLDER: BlobName = BlobName::from_bytes([0; 16]);

/// Clones are the same.
#[derive(Clone, Default)]
pub(super) struct Syncs(Arc<Shared>);

#[derive(Default)]
struct Shared {
    turns: Locks,
    count: Mutex<Count>,
}

#[derive(Default)]
struct Count {
    /// How many syncs were asked for.
    asked: u64,
    /// How many of these one was made for that began after they were asked for.
    done: u64,
    /// How many of them had been asked for when the last one that failed ended, and why it did.
    failed: Option<(u64, FsError)>,
}

impl Syncs {
    /// Syncs, or waits for a sync of somebody else's that begins after this call: what was done before it is durable then.
    ///
    /// One that fails is the error of all who wait. The system may tell of a failure once and forget what it did not write, so
    /// that a second try would succeed without it.
    pub(super) async fn share(&self, sync: impl AsyncFnOnce() -> Result<(), FsError>) -> Result<(), FsError> {
        let mine = self.count(|count| {
            count.asked += 1;
            count.asked
        });
        let _turn = self.0.turns.lock(FOLDER, Mode::Exclusive).await;
        let (ended, covered) = self.count(|count| {
            let failed = count.failed.as_ref().filter(|(asked, _)| mine <= *asked).map(|(_, error)| Err(error.clone()));
            (failed.or((mine <= count.done).then_some(Ok(()))), count.asked)
        });
        if let Some(ended) = ended {
            return ended;
        }
        let ended = sync().await;
        self.count(|count| match &ended {
            Ok(()) => count.done = covered,
            Err(error) => count.failed = Some((count.asked, error.clone())),
        });
        ended
    }

    fn count<T>(&self, look: impl FnOnce(&mut Count) -> T) -> T {
        look(&mut self.0.count.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        future::{Future, poll_fn},
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use super::{FsError, Syncs};
    use crate::backing::file::fs::Fault;

    /// Ready at its second poll.
    async fn later() {
        let mut first = true;
        poll_fn(|_| if std::mem::take(&mut first) { Poll::Pending } else { Poll::Ready(()) }).await;
    }

    #[test]
    fn those_who_wait_share_the_next_sync_and_not_the_one_under_way() {
        let (syncs, made) = (Syncs::default(), Cell::new(0));
        let sync = || {
            syncs.share(async || {
                made.set(made.get() + 1);
                later().await;
                Ok(())
            })
        };
        let mut context = Context::from_waker(Waker::noop());
        let (mut first, mut second, mut third) = (pin!(sync()), pin!(sync()), pin!(sync()));
        assert!(first.as_mut().poll(&mut context).is_pending());
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert!(third.as_mut().poll(&mut context).is_pending());
        assert_eq!(made.get(), 1, "the others were asked for after it began");
        assert!(first.as_mut().poll(&mut context).is_ready());
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert_eq!(made.get(), 2);
        assert!(second.as_mut().poll(&mut context).is_ready());
        assert!(third.as_mut().poll(&mut context).is_ready());
        assert_eq!(made.get(), 2, "the second was for both");
    }

    #[test]
    fn a_sync_that_fails_is_the_error_of_all_who_wait_and_of_nobody_later() {
        let (syncs, made) = (Syncs::default(), Cell::new(0));
        let sync = |fails: bool| {
            let (syncs, made) = (&syncs, &made);
            syncs.share(async move || {
                made.set(made.get() + 1);
                later().await;
                if fails { Err(FsError::new(Fault::Other, "no")) } else { Ok(()) }
            })
        };
        let mut context = Context::from_waker(Waker::noop());
        let (mut first, mut second, mut third) = (pin!(sync(true)), pin!(sync(false)), pin!(sync(false)));
        assert!(first.as_mut().poll(&mut context).is_pending());
        assert!(second.as_mut().poll(&mut context).is_pending());
        assert!(matches!(first.as_mut().poll(&mut context), Poll::Ready(Err(_))));
        assert!(matches!(second.as_mut().poll(&mut context), Poll::Ready(Err(_))), "it waited while that failed");
        assert_eq!(made.get(), 1);
        assert!(third.as_mut().poll(&mut context).is_pending());
        assert!(matches!(third.as_mut().poll(&mut context), Poll::Ready(Ok(()))));
        assert_eq!(made.get(), 2);
    }
}
