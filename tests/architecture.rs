//! Imports go one way. Each module of the crate may use those that stand in its row, and nothing else.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// A row may name only modules of the rows above it. (One exception: an error shows its key as text.)
const ALLOWED: &[(&str, &[&str])] = &[
    ("error", &["cbor"]),
    ("argon2_module", &[]),
    ("env", &["error"]),
    ("cbor", &["env", "error"]),
    ("name", &["error"]),
    ("locks", &["name"]),
    ("openings", &[]),
    ("value", &["cbor", "error", "name"]),
    ("key", &["cbor", "error", "name"]),
    ("hasch", &["cbor", "error", "name", "value"]),
    ("meta", &["cbor", "error", "key", "name"]),
    // The keys of encrypted stores; ciphers.
    ("keyring", &["env", "error", "key", "name"]),
    // Names and whole blobs: never values, keys, codecs or layouts.
    ("backing", &["env", "error", "locks", "name", "openings"]),
    ("codec", &["cbor", "env", "error", "hasch", "meta", "name", "value"]),
    ("encryptor", &["codec", "error", "keyring", "value"]),
    ("layout", &["backing", "cbor", "codec", "env", "error", "hasch", "key", "keyring", "meta", "name", "value"]),
    ("record", &["cbor", "codec", "error", "keyring", "layout", "meta", "name"]),
    (
        "store",
        &[
            "backing",
            "cbor",
            "codec",
            "encryptor",
            "env",
            "error",
            "key",
            "keyring",
            "layout",
            "locks",
            "meta",
            "name",
            "openings",
            "record",
            "value",
        ],
    ),
    ("blocking", &["backing", "cbor", "env", "error", "key", "meta", "store", "value"]),
    (
        "testing",
        &[
            "backing",
            "blocking",
            "cbor",
            "codec",
            "encryptor",
            "env",
            "error",
            "hasch",
            "key",
            "keyring",
            "meta",
            "name",
            "store",
            "value",
        ],
    ),
    // The boundary: it converts, calls the store once, and converts back.
    (
        "wasm",
        &[
            "backing",
            "blocking",
            "cbor",
            "codec",
            "encryptor",
            "env",
            "error",
            "key",
            "keyring",
            "meta",
            "name",
            "store",
            "testing",
        ],
    ),
];

#[test]
fn imports_go_one_way() {
    let exports = exports();
    let mut wrong = Vec::new();
    for (module, file) in modules() {
        let Some((_, allowed)) = ALLOWED.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("module {module} has no row in ALLOWED"));
            continue;
        };
        for import in imports(&fs::read_to_string(&file).unwrap()) {
            let import = exports.get(&import).unwrap_or(&import);
            if *import != module && !allowed.contains(&import.as_str()) {
                wrong.push(format!("{} uses {import}, which {module} may not", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_table_has_no_circle() {
    for (row, (module, allowed)) in ALLOWED.iter().enumerate() {
        let above = |name: &str| ALLOWED.iter().take(row).any(|(known, _)| *known == name);
        for import in allowed.iter().filter(|import| **import != "cbor" || *module != "error") {
            assert!(above(import), "{module} may use {import}, which is no row above it");
        }
    }
}

#[test]
fn imports_are_found_in_every_form() {
    let text = "
        //! Not in a comment: crate::store.
        use crate::error::Result;
        use crate::{cbor::{self, Reader}, name::BlobName, Key};
        fn f() -> crate::meta::Meta {}
        #[cfg(test)]
        mod tests {
            use crate::wasm;
        }";
    let expected = ["Key", "cbor", "error", "meta", "name"].map(String::from);
    assert_eq!(imports(text), BTreeSet::from(expected));
}

/// The source files, each with the module of the crate that it belongs to. `lib.rs` and programs belong to none.
fn modules() -> Vec<(String, PathBuf)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    let module = |file: &PathBuf| {
        let first = file.strip_prefix(&src).unwrap().components().next().unwrap();
        first.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned()
    };
    let named = files.into_iter().map(|file| (module(&file), file));
    named.filter(|(name, _)| name != "lib" && name != "bin").collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The names that `lib.rs` re-exports, with the module that each comes from.
fn exports() -> BTreeMap<String, String> {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let mut exports = BTreeMap::new();
    for statement in lib.split(';') {
        let Some((_, path)) = statement.split_once("pub use ") else { continue };
        let Some((module, names)) = path.split_once("::") else { continue };
        for name in names.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|name| !name.is_empty()) {
            exports.insert(name.to_owned(), module.to_owned());
        }
    }
    exports
}

/// The first names of all paths that start with `crate::`, in code that is neither comment nor test.
fn imports(text: &str) -> BTreeSet<String> {
    let lines = text.lines().map(str::trim_start).filter(|line| !line.starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    let code = code.split("#[cfg(test)]\nmod ").next().unwrap();
    let mut found = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        match rest.strip_prefix('{') {
            Some(list) => found.extend(first_names(list)),
            None => found.extend(first_name(rest)),
        }
    }
    found
}

/// The first name of each path in a list in braces, whose opening brace is gone.
fn first_names(list: &str) -> Vec<String> {
    let mut depth = 0;
    let mut names = Vec::new();
    let mut item = String::new();
    for c in list.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.extend(first_name(&std::mem::take(&mut item))),
            _ => {}
        }
        if c != ',' || depth > 0 {
            item.push(c);
        }
    }
    names.extend(first_name(&item));
    names
}

fn first_name(path: &str) -> Option<String> {
    let name: String = path.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}
