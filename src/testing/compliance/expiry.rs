//! Values with a time to live. The clock is the case's own: nothing here waits.

use super::{
    Case, case,
    check::{Verdict, same, same_item},
    ground::{Ground, Hands},
    item::{int, key, names, object, text},
    talk::{count, entries, holds, is_absent, keys, lacks, meta_of, one_more, put, put_with, remove, update},
};
use crate::{
    key::Path,
    store::{Answer, Query, Store, WriteOptions},
};

pub(super) const CASES: &[Case] = &[
    case!(a_value_is_there_until_it_expires),
    case!(an_expired_value_is_absent_everywhere),
    case!(an_update_of_an_expired_value_sees_nothing),
    case!(a_late_answer_replaces_an_expired_value),
    case!(a_new_value_takes_the_place_of_an_expired_one),
    case!(updates_keep_the_expiry_unless_they_say_another),
    case!(a_new_value_without_an_expiry_stays),
    case!(nothing_can_be_removed_from_an_expired_value),
    case!(expired_values_are_still_verified),
    case!(an_expiry_in_the_past_is_absent_at_once),
];

/// When the values of these cases expire.
const END: u64 = 2_000_000;

/// A store at a time before, and its clock.
async fn opened(ground: &Ground) -> Verdict<(Store, Hands)> {
    let hands = Hands::at(1_000_000);
    let store = ground.open_with(ground.config().clock(hands.clone())).await?;
    Ok((store, hands))
}

fn mortal() -> WriteOptions {
    WriteOptions::default().expires(END)
}

async fn put_mortal(store: &Store, at: &Path) -> Verdict {
    let options = mortal().meta_cbor(&object(&[("by", text("ada"))]))?;
    Ok(put_with(store, at, &object(&[("n", int(1))]), options).await?)
}

async fn a_value_is_there_until_it_expires(ground: &Ground) -> Verdict {
    let (store, hands) = opened(ground).await?;
    put_mortal(&store, &key("k")).await?;
    same("when it expires", meta_of(&store, &key("k")).await?.expires, Some(END))?;
    hands.set(END - 1);
    holds(&store, &names(&["k", "n"])?, &int(1)).await?;
    same("the keys", keys(&store, Query::default()).await?.len(), 1)?;
    hands.set(END);
    is_absent(&store, &key("k")).await
}

async fn an_expired_value_is_absent_everywhere(ground: &Ground) -> Verdict {
    let (store, hands) = opened(ground).await?;
    put_mortal(&store, &key("k")).await?;
    put(&store, &key("stays"), &int(1)).await?;
    hands.set(END + 1);
    is_absent(&store, &key("k")).await?;
    lacks(&store, &names(&["k", "n"])?).await?;
    same("the entries", entries(&store, Query::default()).await?, vec![(key("stays").key, int(1))])?;
    same("whether deleting it found something", remove(&store, &key("k")).await?, false)?;
    is_absent(&store, &key("k")).await
}

async fn an_update_of_an_expired_value_sees_nothing(ground: &Ground) -> Verdict {
    let (store, hands) = opened(ground).await?;
    put_mortal(&store, &key("k")).await?;
    hands.set(END);
    count(&store, &key("k")).await?;
    holds(&store, &key("k"), &int(1)).await?;
    let meta = meta_of(&store, &key("k")).await?;
    same("when the new one expires", meta.expires, None)?;
    same_item("its entries", Some(&meta.user), Some(&[]))
}

async fn a_late_answer_replaces_an_expired_value(ground: &Ground) -> Verdict {
    let (store, hands) = opened(ground).await?;
    put_mortal(&store, &key("k")).await?;
    hands.set(END);
    update(&store, &key("k"), |old| {
        let new = one_more(old)?;
        Ok(Answer::Later(Box::pin(async move { Ok(new) })))
    })
    .await?;
    holds(&store, &key("k"), &int(1)).await
}

async fn a_new_value_takes_the_place_of_an_expired_one(ground: &Ground) -> Verdict {
    let (store, hands) = opened(ground).await?;
    put_mortal(&store, &key("k")).await?;
    put_mortal(&store, &key("inside")).await?;
    hands.set(END);
    put(&store, &key("k"), &int(2)).await?;
    holds(&store, &key("k"), &int(2)).await?;
    put(&store, &names(&["inside", "m"])?, &int(3)).await?;
    holds(&store, &key("inside"), &object(&[("m", int(3))])).await
}

async fn updates_keep_the_expiry_unless_they_say_another(ground: &Ground) -> Verdict {
    let (store, hands) = opened(ground).await?;
    put_mortal(&store, &key("k")).await?;
    count(&store, &names(&["k", "n"])?).await?;
    same("when it expires", meta_of(&store, &key("k")).await?.expires, Some(END))?;
    let longer = WriteOptions::default().expires(END + 10);
    put_with(&store, &names(&["k", "n"])?, &int(5), longer).await?;
    hands.set(END + 9);
    holds(&store, &names(&["k", "n"])?, &int(5)).await?;
    hands.set(END + 10);
    is_absent(&store, &key("k")).await
}

async fn a_new_value_without_an_expiry_stays(ground: &Ground) -> Verdict {
    let (store, hands) = opened(ground).await?;
    put_mortal(&store, &key("k")).await?;
    put(&store, &key("k"), &int(2)).await?;
    hands.set(END * 2);
    holds(&store, &key("k"), &int(2)).await
}

async fn nothing_can_be_removed_from_an_expired_value(ground: &Ground) -> Verdict {
    let (store, hands) = opened(ground).await?;
    put_mortal(&store, &key("k")).await?;
    hands.set(END);
    same("whether it was there", remove(&store, &names(&["k", "n"])?).await?, false)?;
    is_absent(&store, &key("k")).await
}

async fn expired_values_are_still_verified(ground: &Ground) -> Verdict {
    let (store, hands) = opened(ground).await?;
    put_mortal(&store, &key("k")).await?;
    put(&store, &key("stays"), &int(1)).await?;
    hands.set(END);
    let report = store.verify(|_| {}).await?;
    same("how many were checked, and were damaged", (report.checked, report.corrupt.len()), (2, 0))
}

async fn an_expiry_in_the_past_is_absent_at_once(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for at in [0, 1] {
        put_with(&store, &key("k"), &int(1), WriteOptions::default().expires(at)).await?;
        is_absent(&store, &key("k")).await?;
    }
    is_absent(&ground.reopen().await?, &key("k")).await
}
