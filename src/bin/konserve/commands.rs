//! The commands.

use konserve::{
    BlobName, Damaged, Dumped, Error, ErrorKind, Kind, LayoutName, Prefix, Query, Secret, Value,
    backing::Access,
    blocking::{Store, connect_store, create_store, open_store, wait},
    edn,
};

use crate::{
    args::{Arguments, Command, Folder, Layout, Place},
    failure::{self, Failure},
    folder, input, moving,
    output::{self, Output},
    progress::Progress,
    secret,
};

/// Does what the command line says.
pub(crate) fn run(Arguments { json, command }: Arguments) -> Result<(), Failure> {
    let mut out = Output::new(json);
    match command {
        Command::Ls { store, long, prefix } => with(&reading(&store)?, |store| ls(store, long, prefix, &mut out)),
        Command::Get { store, path } => with(&reading(&store)?, |store| get(store, &path, &mut out)),
        Command::Put { store, path, value, create, shared } => {
            // What is wrong in the value must not make a store.
            let value = input::value(&value, path.edn)?;
            with(&writing(&store, create, shared)?, |store| put(store, &path, &value, &mut out))
        }
        Command::Rm { store, path, shared } => {
            with(&writing(&store, false, shared)?, |store| rm(store, &path, &mut out))
        }
        Command::Info { store, key: None, .. } => with(&reading(&store)?, |store| info(store, &mut out)),
        Command::Info { store, key: Some(key), edn } => {
            with(&reading(&store)?, |store| info_key(store, &key, edn, &mut out))
        }
        Command::Verify { store, repair, shared } => {
            let opened = if repair { writing(&store, false, shared) } else { reading(&store) };
            with(&opened?, |opened| verify(opened, folder::blobs(&store.folder), repair, &mut out))
        }
        Command::Export { store, file } => with(&reading(&store)?, |store| moving::export(store, &file, &mut out)),
        Command::Import { store, file, existing, create, layout, shared } => {
            let opened = if create { importing(&store, layout, shared) } else { writing(&store, false, shared) };
            with(&opened?, |store| moving::import(store, &file, existing, &mut out))
        }
        Command::Convert { from, key, to, target } => {
            let total = folder::blobs(&from);
            let from = connect_store(folder::config(&from, &key, Access::Read)?)?;
            with(&from, |from| {
                let to = create_store(folder::target(&to, &target)?)?;
                with(&to, |to| moving::convert(from, to, total, &mut out))
            })
        }
        Command::AddKey { store, key } => {
            let new = secret::of(key.files())?.ok_or_else(|| no_key("the new key", "--to-key-file"))?;
            with(&writing(&store, false, false)?, |store| Ok(wait(store.inner().add_key(&new))?))
        }
        Command::RemoveKey { store } => {
            let key = given(&store)?;
            with(&writing(&store, false, false)?, |store| Ok(wait(store.inner().remove_key(&key))?))
        }
        Command::Rekey { store, key } => {
            let key = secret::of(key.files())?.map_or_else(|| given(&store), Ok)?;
            let blobs = folder::blobs(&store.folder);
            with(&writing(&store, false, false)?, |store| rekey(store, key, blobs, &mut out))
        }
        Command::Dump { store, .. } => with(&dumping(&store)?, |store| dump(store, &mut out)),
    }?;
    out.finish()
}

/// The store, without a lock and without the means to change it.
fn reading(folder: &Folder) -> Result<Store, Failure> {
    Ok(connect_store(folder::config(&folder.folder, &folder.key, Access::Read)?)?)
}

/// The same; a folder without any blob that says so is a store of Clojure's, as it is for Clojure.
fn dumping(folder: &Folder) -> Result<Store, Failure> {
    match reading(folder) {
        Err(Failure::Store(error)) if error.kind() == ErrorKind::StoreNotFound => {
            let config = folder::config(&folder.folder, &folder.key, Access::Read)?;
            Ok(connect_store(config.layout(LayoutName::Konserve))?)
        }
        read => read,
    }
}

/// The store that is there, or a new one in this layout.
fn importing(folder: &Folder, layout: Layout, shared: bool) -> Result<Store, Failure> {
    let opened = writing(folder, false, shared);
    if !matches!(&opened, Err(Failure::Store(error)) if error.kind() == ErrorKind::StoreNotFound) {
        return opened;
    }
    let config = folder::config(&folder.folder, &folder.key, access(shared))?;
    Ok(open_store(config.layout(layout.name()))?)
}

fn access(shared: bool) -> Access {
    if shared { Access::Shared } else { Access::Exclusive }
}

fn writing(folder: &Folder, create: bool, shared: bool) -> Result<Store, Failure> {
    let config = folder::config(&folder.folder, &folder.key, access(shared))?;
    Ok(if create { open_store(config) } else { connect_store(config) }?)
}

/// Works with a store and closes it, whatever came of the work; the first error is the one to tell.
fn with(store: &Store, work: impl FnOnce(&Store) -> Result<(), Failure>) -> Result<(), Failure> {
    let done = work(store);
    let closed = store.close();
    done.and_then(|()| Ok(closed?))
}

/// The key that opens the store.
fn given(folder: &Folder) -> Result<Secret, Failure> {
    secret::of(folder.key.files())?.ok_or_else(|| no_key("the key of the store", "--key-file"))
}

fn no_key(what: &str, option: &str) -> Failure {
    Failure::Usage(format!("{what} is missing: say {option}, or the same with passphrase"))
}

fn rekey(store: &Store, key: Secret, blobs: u32, out: &mut Output) -> Result<(), Failure> {
    let mut progress = Progress::new(false);
    let shown = |seen| {
        progress.of(seen, blobs);
        Ok(())
    };
    let written = wait(store.inner().rekey(&[key], shown))?;
    drop(progress);
    out.line(&[&format!("{written} written anew")])
}

fn ls(store: &Store, long: bool, prefix: Option<String>, out: &mut Output) -> Result<(), Failure> {
    let query = Query { kind: None, prefix: prefix.map(Prefix::Text) };
    for meta in store.list_keys(query)? {
        let meta = meta?;
        let key = output::key(&meta.key)?.to_string();
        if out.is_json() {
            out.value(&output::meta(&meta, true)?)?;
        } else if long {
            let (size, written) = (
                meta.size.map_or_else(String::new, |size| size.to_string()),
                output::date(meta.last_write).to_string(),
            );
            out.line(&[meta.kind.as_str(), &size, &written, &key])?;
        } else {
            out.line(&[&key])?;
        }
    }
    Ok(())
}

fn get(store: &Store, place: &Place, out: &mut Output) -> Result<(), Failure> {
    let path = path(store, place)?;
    match store.get_in(&path)? {
        Some(value) => out.value(&value),
        None => Err(nothing(place)),
    }
}

fn put(store: &Store, place: &Place, value: &Value, out: &mut Output) -> Result<(), Failure> {
    let path = path(store, place)?;
    store.assoc_in(&path, value)?;
    said(out, "written", true)
}

fn rm(store: &Store, place: &Place, out: &mut Output) -> Result<(), Failure> {
    let path = path(store, place)?;
    let removed = store.dissoc_in(&path)?;
    said(out, "removed", removed)?;
    if removed { Ok(()) } else { Err(nothing(place)) }
}

/// The path of the words on the command line, which without `--edn` depends on what is there.
fn path(store: &Store, place: &Place) -> Result<Value, Failure> {
    let Some((key, words)) = place.path.split_first() else {
        return Err(Failure::Usage("a key is missing".into()));
    };
    let key = input::key(key, place.edn)?;
    let by_value = !place.edn && !words.is_empty();
    let value: Option<Value> = if by_value { store.get(&key)? } else { None };
    let mut path = vec![key];
    path.extend(input::steps(words, place.edn, value.as_ref())?);
    Ok(path.into())
}

fn nothing(place: &Place) -> Failure {
    Failure::No(format!("there is nothing at {}; konserve ls lists the keys", place.path.join(" ")))
}

/// What was done, for programs that ask for JSON.
fn said(out: &mut Output, what: &str, it: bool) -> Result<(), Failure> {
    if out.is_json() { out.value(&[(what, it)].into_iter().collect()) } else { Ok(()) }
}

fn info(store: &Store, out: &mut Output) -> Result<(), Failure> {
    let (mut keys, mut binaries, mut logs, mut size) = (0_u64, 0_u64, 0_u64, 0_u64);
    for meta in store.keys()? {
        let meta = meta?;
        keys += 1;
        binaries += u64::from(meta.kind == Kind::Binary);
        logs += u64::from(meta.kind == Kind::Log);
        size = size.saturating_add(meta.size.unwrap_or_default());
    }
    let counts = [("keys", keys.into()), ("binaries", binaries.into()), ("logs", logs.into())];
    let told = match store.inner().layout() {
        LayoutName::Sealed => vec![
            ("id", Value::Uuid(*store.inner().id().as_bytes())),
            ("layout", "sealed".into()),
            ("created", output::date(store.inner().created())),
        ],
        // It has no record that would say more.
        LayoutName::Konserve => vec![("layout", "konserve".into())],
    };
    let size = (store.inner().layout() == LayoutName::Sealed).then(|| ("size", size.into()));
    facts(out, told.into_iter().chain(counts).chain(size).collect())
}

fn facts(out: &mut Output, facts: Vec<(&str, Value)>) -> Result<(), Failure> {
    if out.is_json() {
        return out.value(&facts.into_iter().collect());
    }
    facts.iter().try_for_each(|(name, value)| out.line(&[name, &value.to_string()]))
}

fn info_key(store: &Store, word: &str, is_edn: bool, out: &mut Output) -> Result<(), Failure> {
    let key = input::key(word, is_edn)?;
    match store.get_meta(&key)? {
        Some(meta) => out.value(&output::meta(&meta, out.is_json())?),
        None => Err(Failure::No(format!("there is no key {word}; konserve ls lists the keys"))),
    }
}

fn verify(store: &Store, blobs: u32, repair: bool, out: &mut Output) -> Result<(), Failure> {
    let mut progress = Progress::new(false);
    let shown = |checked| progress.of(checked, blobs);
    let report = if repair { store.repair(shown) } else { store.verify(shown) }?;
    drop(progress);
    let orphans: Vec<_> = report.orphans.iter().map(BlobName::file_name).collect();
    let damage = |Damaged { name, error, set_aside }: &Damaged| {
        let renamed = if *set_aside { ".damaged.new" } else { "" };
        let file = name.file_name() + renamed;
        [("file", file), ("code", error.code().to_owned()), ("message", error.message().to_owned())]
    };
    let damaged: Vec<_> = report.corrupt.iter().map(damage).collect();
    let count = u64::try_from(damaged.len()).unwrap_or(u64::MAX);
    if out.is_json() {
        let corrupt: Value = damaged.into_iter().map(|facts| facts.into_iter().collect::<Value>()).collect();
        let orphans: Value = orphans.into_iter().map(Value::from).collect();
        let older = (report.older > 0).then(|| ("older", report.older.into()));
        let facts = [("checked", report.checked.into()), ("corrupt", corrupt), ("orphans", orphans)];
        out.value(&facts.into_iter().chain(older).collect())?;
    } else {
        damaged.iter().try_for_each(|[(_, file), (_, code), (_, message)]| out.line(&[file, code, message]))?;
        let what = "an element of a log that is gone; harmless, and deleted by a sweep";
        orphans.iter().try_for_each(|file| out.line(&[file, "orphan", what]))?;
        let orphans = if orphans.is_empty() { String::new() } else { format!(", {} orphans", orphans.len()) };
        let older = match report.older {
            0 => String::new(),
            older => format!(", {older} under an older key; konserve rekey writes them anew"),
        };
        out.line(&[&format!("{} checked, {count} damaged{orphans}{older}", report.checked)])?;
    }
    if count == 0 {
        return Ok(());
    }
    let advice = if report.corrupt.iter().all(|damaged| damaged.set_aside) {
        "they were renamed as said above; restore their keys from a backup"
    } else {
        "restore those files from a backup, or take them away with konserve verify --repair"
    };
    Err(Failure::No(format!("{count} of {} are damaged; {advice}", report.checked)))
}

fn dump(store: &Store, out: &mut Output) -> Result<(), Failure> {
    let (mut pages, mut progress, mut count, mut unread) = (store.inner().dump()?, Progress::new(true), 0_u64, 0_u64);
    while let Some(page) = wait(pages.next_page())? {
        for (name, dumped) in page {
            count += 1;
            progress.at(count);
            let file = name.file_name();
            let printed = match dumped {
                Ok(dumped) => columns(file.clone(), &dumped, out.is_json()),
                Err(error) => Err(error),
            };
            match printed {
                Ok(columns) => print(columns, out)?,
                Err(error) => {
                    unread += 1;
                    failure::tell(&format!("{file}: {error}"));
                }
            }
        }
    }
    if unread == 0 { Ok(()) } else { Err(Failure::Unread(unread, count)) }
}

/// The columns of a blob, each with its name.
fn columns(
    file: String,
    Dumped { meta, map, value }: &Dumped,
    json: bool,
) -> Result<Vec<(&'static str, Value)>, Error> {
    let about = if json { output::meta(meta, true)? } else { Value::from_cbor(map)? };
    let (key, value) = (output::key(&meta.key)?, Value::from_cbor(value)?);
    Ok(vec![
        ("file", file.into()),
        ("kind", output::kind(meta.kind).into()),
        ("key", key),
        ("value", value),
        ("meta", about),
    ])
}

fn print(columns: Vec<(&'static str, Value)>, out: &mut Output) -> Result<(), Failure> {
    if out.is_json() {
        return out.value(&columns.into_iter().collect());
    }
    let texts: Vec<_> = columns
        .iter()
        .map(|(name, column)| match column {
            Value::Text(plain) if matches!(*name, "file" | "kind") => plain.clone(),
            column => edn::dump(column),
        })
        .collect();
    out.line(&texts.iter().map(String::as_str).collect::<Vec<_>>())
}
