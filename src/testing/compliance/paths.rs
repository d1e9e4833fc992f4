//! Reading, writing and removing inside a value.

use super::{
    Case, case,
    check::{Verdict, refused, same},
    ground::Ground,
    item::{array, boolean, bytes, filled, float, int, key, map, names, null, object, path, set, text},
    talk::{holds, is_absent, lacks, meta_of, put, remove},
};
use crate::{
    error::ErrorKind,
    key::{Key, Path},
};

pub(super) const CASES: &[Case] = &[
    case!(a_path_reads_what_is_inside),
    case!(a_path_that_ends_early_reads_as_absent),
    case!(writing_inside_keeps_the_rest),
    case!(missing_levels_are_made),
    case!(a_path_through_null_makes_a_level),
    case!(an_index_replaces_an_element_or_appends_one),
    case!(an_index_beyond_the_end_is_refused),
    case!(a_path_through_what_has_no_members_is_refused),
    case!(a_path_may_hold_large_values),
    case!(removing_inside_keeps_the_rest),
    case!(removing_an_element_moves_up_those_behind_it),
    case!(removing_what_is_not_there_changes_nothing),
    case!(an_empty_path_is_refused),
    case!(a_path_of_the_key_alone_is_the_value),
];

/// What most cases here begin with.
fn user() -> bytes::Bytes {
    object(&[
        ("name", text("Ada")),
        ("tags", array(&[text("math"), object(&[("n", int(1))])])),
        ("address", object(&[("city", text("London"))])),
        ("nothing", null()),
    ])
}

async fn a_path_reads_what_is_inside(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("u"), &user()).await?;
    holds(&store, &names(&["u", "name"])?, &text("Ada")).await?;
    holds(&store, &names(&["u", "address", "city"])?, &text("London")).await?;
    holds(&store, &path(&[text("u"), text("tags"), int(0)])?, &text("math")).await?;
    holds(&store, &path(&[text("u"), text("tags"), float(1.0), text("n")])?, &int(1)).await?;
    holds(&store, &names(&["u", "nothing"])?, &null()).await
}

async fn a_path_that_ends_early_reads_as_absent(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("u"), &user()).await?;
    let ends = [
        names(&["none"])?,
        names(&["none", "name"])?,
        names(&["u", "none"])?,
        names(&["u", "none", "deeper"])?,
        names(&["u", "name", "length"])?,
        names(&["u", "nothing", "deeper"])?,
        names(&["u", "tags", "length"])?,
        names(&["u", "__proto__"])?,
        path(&[text("u"), int(0)])?,
        path(&[text("u"), text("tags"), int(2)])?,
        path(&[text("u"), text("tags"), int(-1)])?,
        path(&[text("u"), text("tags"), float(0.5)])?,
        path(&[text("u"), text("tags"), text("0")])?,
    ];
    for end in ends {
        lacks(&store, &end).await?;
    }
    holds(&store, &key("u"), &user()).await
}

async fn writing_inside_keeps_the_rest(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("u"), &user()).await?;
    put(&store, &names(&["u", "address", "zip"])?, &int(7)).await?;
    put(&store, &names(&["u", "name"])?, &text("Augusta")).await?;
    let expected = object(&[
        ("name", text("Augusta")),
        ("tags", array(&[text("math"), object(&[("n", int(1))])])),
        ("address", object(&[("city", text("London")), ("zip", int(7))])),
        ("nothing", null()),
    ]);
    holds(&store, &key("u"), &expected).await?;
    holds(&ground.reopen().await?, &key("u"), &expected).await
}

async fn missing_levels_are_made(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &names(&["new", "a", "b"])?, &int(1)).await?;
    holds(&store, &key("new"), &object(&[("a", object(&[("b", int(1))]))])).await?;
    put(&store, &names(&["new", "a", "c", "d"])?, &int(2)).await?;
    holds(&store, &key("new"), &object(&[("a", object(&[("b", int(1)), ("c", object(&[("d", int(2))]))]))])).await
}

async fn a_path_through_null_makes_a_level(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &null()).await?;
    put(&store, &names(&["k", "a"])?, &int(1)).await?;
    holds(&store, &key("k"), &object(&[("a", int(1))])).await
}

async fn an_index_replaces_an_element_or_appends_one(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &array(&[int(0), int(1)])).await?;
    put(&store, &path(&[text("k"), int(0)])?, &text("zero")).await?;
    put(&store, &path(&[text("k"), int(2)])?, &int(2)).await?;
    put(&store, &path(&[text("k"), float(3.0)])?, &int(3)).await?;
    holds(&store, &key("k"), &array(&[text("zero"), int(1), int(2), int(3)])).await?;
    put(&store, &key("empty"), &array(&[])).await?;
    for n in 0..30 {
        put(&store, &path(&[text("empty"), int(n)])?, &int(n)).await?;
    }
    let expected: Vec<_> = (0..30).map(int).collect();
    holds(&store, &key("empty"), &array(&expected)).await
}

async fn an_index_beyond_the_end_is_refused(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    let value = array(&[int(0), int(1)]);
    put(&store, &key("k"), &value).await?;
    for step in [int(3), int(-1), float(0.5), text("0"), text("length"), null()] {
        let at = path(&[text("k"), step])?;
        refused("a wrong index", put(&store, &at, &int(9)).await, ErrorKind::InvalidPath)?;
        holds(&store, &key("k"), &value).await?;
    }
    Ok(())
}

async fn a_path_through_what_has_no_members_is_refused(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for value in [int(1), float(0.5), text("x"), boolean(true), bytes(&[1]), set(&[text("a")])] {
        put(&store, &key("k"), &value).await?;
        for at in [names(&["k", "a"])?, names(&["k", "a", "b"])?, path(&[text("k"), int(0)])?] {
            let error = refused("a step into it", put(&store, &at, &int(9)).await, ErrorKind::InvalidPath)?;
            same("the key of the error", error.key(), Some(at.key.as_cbor()))?;
        }
        holds(&store, &key("k"), &value).await?;
    }
    Ok(())
}

async fn a_path_may_hold_large_values(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    for size in [100, 307_200, 1_200_000, 10] {
        put(&store, &names(&["k", "large"])?, &filled(size)).await?;
        put(&store, &names(&["k", "size"])?, &text(&size.to_string())).await?;
        holds(&store, &names(&["k", "large"])?, &filled(size)).await?;
        holds(&store, &names(&["k", "size"])?, &text(&size.to_string())).await?;
    }
    Ok(())
}

async fn removing_inside_keeps_the_rest(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("u"), &user()).await?;
    same("whether it was there", remove(&store, &names(&["u", "address", "city"])?).await?, true)?;
    same("whether it was there", remove(&store, &names(&["u", "nothing"])?).await?, true)?;
    let tags = array(&[text("math"), object(&[("n", int(1))])]);
    let expected = object(&[("name", text("Ada")), ("tags", tags), ("address", map(&[]))]);
    holds(&store, &key("u"), &expected).await?;
    same("the second time", remove(&store, &names(&["u", "nothing"])?).await?, false)
}

async fn removing_an_element_moves_up_those_behind_it(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("k"), &array(&[int(0), int(1), int(2)])).await?;
    same("whether it was there", remove(&store, &path(&[text("k"), int(1)])?).await?, true)?;
    holds(&store, &key("k"), &array(&[int(0), int(2)])).await?;
    same("beyond the end", remove(&store, &path(&[text("k"), int(2)])?).await?, false)?;
    holds(&store, &key("k"), &array(&[int(0), int(2)])).await
}

async fn removing_what_is_not_there_changes_nothing(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &key("u"), &user()).await?;
    let before = meta_of(&store, &key("u")).await?;
    for at in
        [&["u", "none"][..], &["u", "none", "deeper"], &["u", "nothing", "x"], &["u", "name", "x"], &["none", "x"]]
    {
        same("whether it was there", remove(&store, &names(at)?).await?, false)?;
    }
    same("the metadata", meta_of(&store, &key("u")).await?, before)?;
    holds(&store, &key("u"), &user()).await?;
    is_absent(&store, &key("none")).await
}

async fn an_empty_path_is_refused(ground: &Ground) -> Verdict {
    ground.open().await?;
    refused("an empty path", path(&[]), ErrorKind::InvalidPath)?;
    refused("no array", Path::from_cbor(&text("k")), ErrorKind::InvalidPath)?;
    refused("an array that is cut short", Path::from_cbor(&[0x82, 0x00]), ErrorKind::InvalidPath)?;
    refused("bytes after the array", Path::from_cbor(&[0x81, 0x00, 0x00]), ErrorKind::InvalidPath).map(drop)
}

async fn a_path_of_the_key_alone_is_the_value(ground: &Ground) -> Verdict {
    let store = ground.open().await?;
    put(&store, &names(&["k"])?, &int(1)).await?;
    holds(&store, &Key::from("k").into(), &int(1)).await?;
    same("whether it was there", remove(&store, &names(&["k"])?).await?, true)?;
    is_absent(&store, &key("k")).await
}
