//! Syncs of a folder, shared by all who wait for one.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

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
    /// How many syncs were asked for.
    asked: AtomicU64,
    /// How many of these one was made for that began after they were asked for.
    done: AtomicU64,
}

impl Syncs {
    /// Syncs, or waits for a sync of somebody else's that begins after this call: what was done before it is durable then.
    /// One that fails is the error of who made it; the others try for themselves.
    pub(super) async fn share<E>(&self, sync: impl AsyncFnOnce() -> Result<(), E>) -> Result<(), E> {
        let Shared { turns, asked, done } = &*self.0;
        let mine = asked.fetch_add(1, Ordering::SeqCst) + 1;
        let _turn = turns.lock(FOLDER, Mode::Exclusive).await;
        if done.load(Ordering::SeqCst) >= mine {
            return Ok(());
        }
        let covered = asked.load(Ordering::SeqCst);
        sync().await?;
        done.store(covered, Ordering::SeqCst);
        Ok(())
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

    use super::Syncs;

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
                Ok::<_, ()>(())
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
    fn a_sync_that_fails_is_made_again_for_the_others() {
        let syncs = Syncs::default();
        let mut context = Context::from_waker(Waker::noop());
        let mut failing = pin!(syncs.share(async || {
            later().await;
            Err("no")
        }));
        let mut other = pin!(syncs.share(async || Ok::<_, &str>(())));
        assert!(failing.as_mut().poll(&mut context).is_pending());
        assert!(other.as_mut().poll(&mut context).is_pending());
        assert_eq!(failing.as_mut().poll(&mut context), Poll::Ready(Err("no")));
        assert_eq!(other.as_mut().poll(&mut context), Poll::Ready(Ok(())));
    }
}
