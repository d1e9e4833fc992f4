//! What [`Backing`] and [`Place`](crate::backing::Place) promise, one blob at a time.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;

use super::{
    Case, Need, case,
    check::{Verdict, ensure, refused, same},
    ground::Ground,
    poll::{all, at_once},
};
use crate::{
    backing::{Backing, Blob, Change, Expect, Outcome, Part, RecordCopy, Write},
    env::BoxFut,
    error::{Error, ErrorKind, Result},
    name::BlobName,
};

pub(super) const CASES: &[Case] = &[
    case!(absent_blobs_are_none_and_reading_makes_nothing),
    case!(blobs_of_every_size_come_back_whole),
    case!(blobs_that_are_all_head_come_back),
    case!(a_head_comes_without_its_value),
    case!(blobs_come_in_the_order_they_were_asked_for),
    case!(a_delete_says_whether_something_was_there),
    case!(keeping_changes_nothing),
    case!(a_commit_expects_absence),
    case!(a_commit_expects_a_check),
    case!(an_update_sees_the_blob_and_its_answer_is_done),
    case!(an_update_of_the_head_sees_no_value),
    case!(an_error_in_an_update_comes_back_and_nothing_changes),
    case!(updates_at_once_lose_no_blob),
    case!(heads_are_ascending_and_complete),
    case!(the_heads_of_nothing_end_at_once),
    case!(the_record_is_put_once),
    case!(of_many_records_one_is_put),
    case!(the_record_is_no_blob),
    case!(blobs_and_record_outlive_the_backing_being_closed),
    case!(a_destroyed_place_is_empty),
    case!(destroying_nothing_succeeds),
    case!(an_empty_place_is_not_opened_without_being_made),
    case!(operations_happen_in_the_order_of_their_calls).needs(Need::Ordered),
    case!(an_immediate_backing_is_ready_at_the_first_poll).needs(Need::Immediate),
    case!(two_backings_of_one_place_lose_nothing).needs(Need::Shared),
];

/// The name that begins with this number.
pub(super) fn name(n: u64) -> BlobName {
    let mut bytes = [0xa5; 16];
    for (to, from) in bytes.iter_mut().zip(n.to_be_bytes()) {
        *to = from;
    }
    BlobName::from_bytes(bytes)
}

/// A blob with this check, a meta section and a value of so many bytes.
pub(super) fn blob(check: u64, meta: usize, value: usize) -> Blob {
    let mut head = vec![0x81, 3, 0, 0];
    head.extend(u32::try_from(meta).unwrap_or(0).to_be_bytes());
    head.extend([0; 4]);
    head.extend(check.to_be_bytes());
    head.extend((0..meta).map(|at| at.to_le_bytes()[0]));
    let value: Vec<u8> = (0..value).map(|at| (at.wrapping_mul(7) ^ at >> 8).to_le_bytes()[0]).collect();
    Blob { head: head.into(), value: value.into() }
}

/// Commits one write, which must be done.
pub(super) async fn put(backing: &dyn Backing, n: u64, blob: Blob) -> Verdict {
    let write = Write { name: name(n), change: Change::Put(blob), expect: Expect::Anything };
    same("putting a blob", backing.commit(vec![write]).await?, Outcome::Done(vec![true]))
}

async fn delete(backing: &dyn Backing, n: u64) -> Result<Outcome> {
    backing.commit(vec![Write { name: name(n), change: Change::Delete, expect: Expect::Anything }]).await
}

pub(super) async fn read(backing: &dyn Backing, n: u64) -> Result<Option<Blob>> {
    Ok(backing.read(vec![name(n)], Part::All).await?.into_iter().next().flatten())
}

/// That the blob of this number is this one.
pub(super) async fn is(backing: &dyn Backing, n: u64, expected: Option<&Blob>) -> Verdict {
    same(&format!("blob {n}"), read(backing, n).await?.as_ref(), expected)
}

pub(super) async fn heads(backing: &dyn Backing) -> Result<Vec<(BlobName, Bytes)>> {
    let (mut heads, mut found) = (backing.heads(), Vec::new());
    while let Some(page) = heads.next().await? {
        for (name, head) in page {
            found.push((name, head?));
        }
    }
    Ok(found)
}

async fn absent_blobs_are_none_and_reading_makes_nothing(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    for part in [Part::Head, Part::All] {
        same("absent blobs", backing.read(vec![name(1), name(2)], part).await?, vec![None, None])?;
    }
    same("no blobs", backing.read(Vec::new(), Part::All).await?, Vec::new())?;
    same("the heads", heads(backing.as_ref()).await?, Vec::new())
}

async fn blobs_of_every_size_come_back_whole(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    let border = |whole: usize| [whole - 1, whole, whole + 1].map(|whole| (40, whole - 60));
    let mut sizes = vec![(0, 0), (0, 1), (1, 0), (70, 7), (3000, 5), (70_000, 0), (40, 307_200), (700_000, 700_000)];
    sizes.extend(border(2048).into_iter().chain(border(1 << 20)));
    sizes.extend([(2027, 1), (2028, 0), (2029, 0), (40, 1 << 20), (40, (1 << 20) + 1), (40, 5_000_000)]);
    for (n, (meta, value)) in (0..).zip(&sizes) {
        put(backing.as_ref(), n, blob(n, *meta, *value)).await?;
        // Every one also replaces one of another size.
        put(backing.as_ref(), 1000, blob(n, *meta, *value)).await?;
        is(backing.as_ref(), 1000, Some(&blob(n, *meta, *value))).await?;
    }
    for (n, (meta, value)) in (0..).zip(&sizes) {
        is(backing.as_ref(), n, Some(&blob(n, *meta, *value))).await?;
    }
    Ok(())
}

async fn blobs_that_are_all_head_come_back(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    let mut declares_more = blob(1, 100, 0);
    declares_more.head.truncate(80);
    for head in [Bytes::from_static(b"x"), Bytes::from_static(&[0; 19]), declares_more.head] {
        let cut = Blob { head, value: Bytes::new() };
        put(backing.as_ref(), 1, cut.clone()).await?;
        is(backing.as_ref(), 1, Some(&cut)).await?;
    }
    Ok(())
}

async fn a_head_comes_without_its_value(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    for value in [0, 10, 5000, 1_200_000] {
        let whole = blob(7, 50, value);
        put(backing.as_ref(), 1, whole.clone()).await?;
        let head = Blob { value: Bytes::new(), ..whole };
        same("the head", backing.read(vec![name(1)], Part::Head).await?, vec![Some(head)])?;
    }
    Ok(())
}

async fn blobs_come_in_the_order_they_were_asked_for(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    for n in [5, 1, 9] {
        put(backing.as_ref(), n, blob(n, 10, 10)).await?;
    }
    let asked = [9, 2, 1, 5, 1, 7];
    let found = backing.read(asked.map(name).to_vec(), Part::All).await?;
    let expected = asked.map(|n| [5, 1, 9].contains(&n).then(|| blob(n, 10, 10)));
    same("the blobs", found, expected.to_vec())
}

async fn a_delete_says_whether_something_was_there(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    for value in [10, 5000, 1_200_000] {
        same("deleting nothing", delete(backing.as_ref(), 1).await?, Outcome::Done(vec![false]))?;
        put(backing.as_ref(), 1, blob(1, 10, value)).await?;
        same("deleting a blob", delete(backing.as_ref(), 1).await?, Outcome::Done(vec![true]))?;
        is(backing.as_ref(), 1, None).await?;
        same("the heads", heads(backing.as_ref()).await?, Vec::new())?;
    }
    Ok(())
}

async fn keeping_changes_nothing(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    put(backing.as_ref(), 1, blob(1, 10, 10)).await?;
    for n in [1, 2] {
        let keep = Write { name: name(n), change: Change::Keep, expect: Expect::Anything };
        same("keeping", backing.commit(vec![keep]).await?, Outcome::Done(vec![true]))?;
        backing.update(name(n), Part::All, Box::new(|_| Ok(Change::Keep))).await?;
    }
    is(backing.as_ref(), 1, Some(&blob(1, 10, 10))).await?;
    is(backing.as_ref(), 2, None).await
}

async fn a_commit_expects_absence(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    let create = |n| Write { name: name(1), change: Change::Put(blob(n, 10, 10)), expect: Expect::Absent };
    same("where nothing is", backing.commit(vec![create(1)]).await?, Outcome::Done(vec![true]))?;
    same("where a blob is", backing.commit(vec![create(2)]).await?, Outcome::Conflict(name(1)))?;
    is(backing.as_ref(), 1, Some(&blob(1, 10, 10))).await
}

async fn a_commit_expects_a_check(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    let expecting = |n, change: Change| {
        let expect = blob(n, 0, 0).check().map_or(Expect::Absent, Expect::Check);
        vec![Write { name: name(1), change, expect }]
    };
    let conflict = Outcome::Conflict(name(1));
    let new = || Change::Put(blob(2, 10, 5000));
    same("where nothing is", backing.commit(expecting(1, new())).await?, conflict.clone())?;
    is(backing.as_ref(), 1, None).await?;
    put(backing.as_ref(), 1, blob(1, 10, 10)).await?;
    same("where another is", backing.commit(expecting(7, new())).await?, conflict.clone())?;
    same("another to delete", backing.commit(expecting(7, Change::Delete)).await?, conflict)?;
    is(backing.as_ref(), 1, Some(&blob(1, 10, 10))).await?;
    same("where it is", backing.commit(expecting(1, new())).await?, Outcome::Done(vec![true]))?;
    is(backing.as_ref(), 1, Some(&blob(2, 10, 5000))).await?;
    same("it, to delete", backing.commit(expecting(2, Change::Delete)).await?, Outcome::Done(vec![true]))?;
    is(backing.as_ref(), 1, None).await
}

async fn an_update_sees_the_blob_and_its_answer_is_done(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    let answers = [
        (None, Change::Put(blob(1, 10, 10))),
        (Some(blob(1, 10, 10)), Change::Put(blob(2, 10, 1_200_000))),
        (Some(blob(2, 10, 1_200_000)), Change::Keep),
        (Some(blob(2, 10, 1_200_000)), Change::Delete),
        (None, Change::Delete),
        (None, Change::Keep),
    ];
    for (expected, answer) in answers {
        let wrong = Error::new(ErrorKind::Backend, "the update saw another blob than the one that is there");
        let f = move |found: Option<&Blob>| {
            if found == expected.as_ref() { Ok(answer.clone()) } else { Err(wrong.clone()) }
        };
        backing.update(name(1), Part::All, Box::new(f)).await?;
    }
    is(backing.as_ref(), 1, None).await
}

async fn an_update_of_the_head_sees_no_value(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    for value in [10, 5000, 1_200_000] {
        put(backing.as_ref(), 1, blob(1, 30, value)).await?;
        let wrong = Error::new(ErrorKind::Backend, "the update saw a value, or another head");
        let f = move |found: Option<&Blob>| {
            let head_alone = found.is_some_and(|found| found.value.is_empty() && found.head == blob(1, 30, 0).head);
            if head_alone { Ok(Change::Keep) } else { Err(wrong.clone()) }
        };
        backing.update(name(1), Part::Head, Box::new(f)).await?;
        is(backing.as_ref(), 1, Some(&blob(1, 30, value))).await?;
    }
    backing.update(name(1), Part::Head, Box::new(|_| Ok(Change::Delete))).await?;
    is(backing.as_ref(), 1, None).await
}

async fn an_error_in_an_update_comes_back_and_nothing_changes(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    put(backing.as_ref(), 1, blob(1, 10, 10)).await?;
    for n in [1, 2] {
        let fail = |_: Option<&Blob>| Err(Error::new(ErrorKind::NotALog, "mine"));
        let updated = backing.update(name(n), Part::All, Box::new(fail)).await;
        same("the message", refused("the update", updated, ErrorKind::NotALog)?.message(), "mine")?;
    }
    is(backing.as_ref(), 1, Some(&blob(1, 10, 10))).await?;
    is(backing.as_ref(), 2, None).await
}

/// Makes the check of a blob one more.
fn count(backing: &dyn Backing) -> BoxFut<'static, Result<()>> {
    let f = |found: Option<&Blob>| {
        let check = found.and_then(Blob::check).and_then(|check| check.last_chunk().copied());
        Ok(Change::Put(blob(check.map_or(0, u64::from_be_bytes) + 1, 10, 10)))
    };
    backing.update(name(1), Part::All, Box::new(f))
}

async fn updates_at_once_lose_no_blob(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    let calls = (0..100).map(|_| count(backing.as_ref())).collect();
    all(calls).await.into_iter().collect::<Result<()>>()?;
    is(backing.as_ref(), 1, Some(&blob(100, 10, 10))).await
}

async fn heads_are_ascending_and_complete(ground: &Ground) -> Verdict {
    const MANY: u64 = 600;
    let backing = ground.backing().await?;
    backing.put_record(RecordCopy::First, None, Bytes::from_static(b"no blob")).await?;
    let numbers: Vec<_> = (0..MANY).map(|n| n * 7919 % MANY).collect();
    let put = |n: u64| {
        let size = usize::try_from(n).unwrap_or(0) * 8;
        backing.commit(vec![Write { name: name(n), change: Change::Put(blob(n, 20, size)), expect: Expect::Anything }])
    };
    for outcome in all(numbers.into_iter().map(put).collect()).await {
        same("putting a blob", outcome?, Outcome::Done(vec![true]))?;
    }
    let expected: Vec<_> = (0..MANY).map(|n| (name(n), blob(n, 20, 0).head)).collect();
    let found = heads(backing.as_ref()).await?;
    same("how many heads there are", found.len(), expected.len())?;
    ensure(found.is_sorted(), "heads come by ascending name")?;
    ensure(found == expected, "the heads are those that were put")
}

async fn the_heads_of_nothing_end_at_once(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    let mut heads = backing.heads();
    for _ in 0..3 {
        ensure(heads.next().await?.is_none(), "a listing that ended stays ended")?;
    }
    Ok(())
}

async fn the_record_is_put_once(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    same("the record at first", backing.record(RecordCopy::First).await?, None)?;
    let long = Bytes::from(vec![7; 5000]);
    same("whether it was put", backing.put_record(RecordCopy::First, None, long.clone()).await?, true)?;
    same("the record", backing.record(RecordCopy::First).await?, Some(long.clone()))?;
    same(
        "whether another was put",
        backing.put_record(RecordCopy::First, None, Bytes::from_static(b"x")).await?,
        false,
    )?;
    same("the record", backing.record(RecordCopy::First).await?, Some(long))
}

async fn of_many_records_one_is_put(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    let record = |n: u8| Bytes::from(vec![n; 100]);
    let mut put = Vec::new();
    for (n, created) in
        (0..).zip(all((0..10).map(|n| backing.put_record(RecordCopy::First, None, record(n))).collect()).await)
    {
        if created? {
            put.push(n);
        }
    }
    let [one] = put[..] else { return same("how many were put", put.len(), 1) };
    same("the record", backing.record(RecordCopy::First).await?, Some(record(one)))
}

async fn the_record_is_no_blob(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    backing.put_record(RecordCopy::First, None, blob(1, 10, 10).head).await?;
    same("the heads", heads(backing.as_ref()).await?, Vec::new())
}

async fn blobs_and_record_outlive_the_backing_being_closed(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    let record = Bytes::from_static(b"record");
    backing.put_record(RecordCopy::First, None, record.clone()).await?;
    for (n, value) in (0..).zip([0, 10, 5000, 1_200_000]) {
        put(backing.as_ref(), n, blob(n, 10, value)).await?;
    }
    let capability = backing.capability();
    ground.leave().await?;
    same("whether a store is there", ground.place().exists().await?, true)?;
    let backing = ground.backing().await?;
    same("the record", backing.record(RecordCopy::First).await?, Some(record))?;
    for (n, value) in (0..).zip([0, 10, 5000, 1_200_000]) {
        is(backing.as_ref(), n, Some(&blob(n, 10, value))).await?;
    }
    same("the capability", backing.capability(), capability)
}

async fn a_destroyed_place_is_empty(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    backing.put_record(RecordCopy::First, None, Bytes::from_static(b"record")).await?;
    put(backing.as_ref(), 1, blob(1, 10, 5000)).await?;
    ground.leave().await?;
    ground.place().destroy().await?;
    same("whether a store is there", ground.place().exists().await?, false)?;
    refused("opening it", ground.place().open(false).await.map(drop), ErrorKind::StoreNotFound)?;
    let backing = ground.backing().await?;
    same("the record", backing.record(RecordCopy::First).await?, None)?;
    same("the heads", heads(backing.as_ref()).await?, Vec::new())?;
    is(backing.as_ref(), 1, None).await
}

async fn destroying_nothing_succeeds(ground: &Ground) -> Verdict {
    ground.place().destroy().await?;
    ground.place().destroy().await?;
    same("whether a store is there", ground.place().exists().await?, false)
}

async fn an_empty_place_is_not_opened_without_being_made(ground: &Ground) -> Verdict {
    for _ in 0..2 {
        refused("opening it", ground.place().open(false).await.map(drop), ErrorKind::StoreNotFound)?;
        same("whether a store is there", ground.place().exists().await?, false)?;
    }
    Ok(())
}

async fn operations_happen_in_the_order_of_their_calls(ground: &Ground) -> Verdict {
    let backing = ground.backing().await?;
    let put = |n| {
        backing.commit(vec![Write { name: name(1), change: Change::Put(blob(n, 10, 10)), expect: Expect::Anything }])
    };
    let first = put(1);
    let read = backing.read(vec![name(1)], Part::All);
    let counted = count(backing.as_ref());
    let second = backing.read(vec![name(1)], Part::All);
    let last = put(9);
    // None of them was polled before all were called, and the last is awaited first.
    same("the last", last.await?, Outcome::Done(vec![true]))?;
    same("the second read", second.await?, vec![Some(blob(2, 10, 10))])?;
    counted.await?;
    same("the first read", read.await?, vec![Some(blob(1, 10, 10))])?;
    same("the first", first.await?, Outcome::Done(vec![true]))?;
    is(backing.as_ref(), 1, Some(&blob(9, 10, 10))).await
}

async fn an_immediate_backing_is_ready_at_the_first_poll(ground: &Ground) -> Verdict {
    let place = ground.place();
    let promise = "every future is ready at the first poll";
    let backing = at_once(place.open(true)).transpose()?;
    let Some(backing) = backing else { return ensure(false, promise) };
    let large = Write { name: name(2), change: Change::Put(blob(1, 10, 300_000)), expect: Expect::Absent };
    let committed = at_once(backing.commit(vec![large])).transpose()?;
    let updated = at_once(count(backing.as_ref())).transpose()?;
    let read = at_once(backing.read(vec![name(1), name(2)], Part::All)).transpose()?;
    let created = at_once(backing.put_record(RecordCopy::First, None, Bytes::from_static(b"x"))).transpose()?;
    let record = at_once(backing.record(RecordCopy::First)).transpose()?;
    let page = at_once(backing.heads().next()).transpose()?;
    let closed = at_once(backing.close()).transpose()?;
    let exists = at_once(place.exists()).transpose()?;
    let destroyed = at_once(place.destroy()).transpose()?;
    let ready = [
        committed.is_some(),
        updated.is_some(),
        read.is_some(),
        created.is_some(),
        record.is_some(),
        page.is_some(),
        closed.is_some(),
        exists.is_some(),
        destroyed.is_some(),
    ];
    same(promise, ready, [true; 9])
}

async fn two_backings_of_one_place_lose_nothing(ground: &Ground) -> Verdict {
    let one = ground.backing().await?;
    let other = ground.backing().await?;
    let calls = (0..50).flat_map(|_| [count(one.as_ref()), count(other.as_ref())]).collect();
    all(calls).await.into_iter().collect::<Result<()>>()?;
    is(one.as_ref(), 1, Some(&blob(100, 10, 10))).await?;
    let created = Arc::new(AtomicU64::new(0));
    let records = [&one, &other].map(|backing| backing.put_record(RecordCopy::First, None, Bytes::from_static(b"x")));
    for put in all(records.into_iter().collect()).await {
        created.fetch_add(put?.into(), Ordering::SeqCst);
    }
    same("how many records were put", created.load(Ordering::SeqCst), 1)
}
