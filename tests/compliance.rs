//! The compliance suite over every native backing: each test is one subject, and tells all promises it breaks.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{path::Path, sync::Arc};

use konserve::{
    Cache, Compressor, Config, Encryptor, LayoutName, Serializer, SerializerError, Tiers, Value, WritePolicy,
    backing::{Access, FilePlace, StdFs},
    blocking::wait,
    testing::{
        SimFs,
        compliance::{Case, Outcome, Report, Subject, backing_cases, cases, run, run_all},
    },
};
use tempfile::TempDir;

/// Prints what was skipped, and fails with everything that failed.
fn judge(subject: &str, reports: &[Report]) {
    let skipped = reports.iter().filter(|report| matches!(report.outcome, Outcome::Skipped(_)));
    skipped.clone().for_each(|report| println!("{subject}: {report}"));
    let failed: Vec<_> = reports.iter().filter(|report| report.outcome.is_failed()).map(Report::to_string).collect();
    let (skipped, failed_len) = (skipped.count(), failed.len());
    println!("{subject}: {} passed, {skipped} skipped", reports.len() - skipped - failed_len);
    assert!(failed.is_empty(), "{subject}: {failed_len} of {} failed\n{}", reports.len(), failed.join("\n"));
}

/// Runs all cases, each as a task of its own, on the threads of tokio.
async fn judge_side_by_side(name: &str, subject: Subject) {
    let mut tasks = tokio::task::JoinSet::new();
    for case in cases().into_iter().chain(backing_cases()) {
        let subject = subject.clone();
        tasks.spawn(async move { run(&subject, &case).await });
    }
    judge(name, &tasks.join_all().await);
}

/// A folder of real files that lie in memory where the system has such a place: every file system keeps the same promises, and
/// a disk makes this suite ten times slower. One subject, synced, stays on the disk.
fn scratch() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn std_file(folder: &Path, place: &str, sync: bool, access: Access) -> Config {
    Config::at(FilePlace::new(Arc::new(StdFs), folder.join(place)).sync_blob(sync).access(access))
}

fn simulated(fs: &SimFs, place: &str, access: Access) -> Config {
    Config::at(FilePlace::new(Arc::new(fs.clone()), place).access(access))
}

#[test]
fn every_promise_has_a_name_of_its_own() {
    let mut names: Vec<_> = cases().iter().chain(&backing_cases()).map(Case::name).collect();
    names.sort_unstable();
    println!("{} cases of stores, {} of backings", cases().len(), backing_cases().len());
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    assert!(count >= 120);
}

#[test]
fn memory() {
    let subject = wait(Subject::new(|place| Config::memory_named(format!("memory {place}")))).unwrap();
    judge("memory", &wait(run_all(&subject)));
}

/// Keeps values as CBOR turned round: as long as they are, and not to be read by whoever passes it by.
struct Backwards;

impl Serializer for Backwards {
    fn id(&self) -> u8 {
        255
    }

    fn name(&self) -> &'static str {
        "backwards"
    }

    fn encode(&self, value: &Value) -> Result<Vec<u8>, SerializerError> {
        Ok(value.to_cbor()?.into_iter().rev().collect())
    }

    fn decode(&self, bytes: &[u8]) -> Result<Value, SerializerError> {
        Ok(Value::from_cbor(&bytes.iter().rev().copied().collect::<Vec<_>>())?)
    }
}

/// All cases but one: a `Value` writes dates in one of the ways that CBOR has for them.
fn judge_own_serializer(name: &str, subject: &Subject) {
    let cases = cases().into_iter().filter(|case| case.name() != "values_of_every_kind_come_back_byte_for_byte");
    let reports: Vec<_> = cases.map(|case| wait(run(subject, &case))).collect();
    judge(name, &reports);
}

#[test]
fn memory_with_a_serializer_of_ones_own() {
    let config = |place: &str| Config::memory_named(format!("serialized {place}")).serializer(Backwards);
    judge_own_serializer("memory, own serializer", &wait(Subject::new(config)).unwrap());
}

#[test]
fn files_with_a_serializer_of_ones_own() {
    let folder = scratch();
    let path = folder.path().to_owned();
    let config = move |place: &str| std_file(&path, place, false, Access::Exclusive).serializer(Backwards);
    judge_own_serializer("files, own serializer", &wait(Subject::new(config)).unwrap());
}

/// In the layout of Clojure's konserve, whose serializers keep one form of each value.
fn judge_konserve_layout(name: &str, subject: &Subject) {
    println!("{name}: left out are {SEALED_ONLY:?}");
    let cases = cases().into_iter().filter(|case| !SEALED_ONLY.contains(&case.name()));
    let reports: Vec<_> = cases.map(|case| wait(run(subject, &case))).collect();
    judge(name, &reports);
}

/// Cases that speak of what the sealed layout alone has.
const SEALED_ONLY: &[&str] = &[
    // There is no record, so a store has no id and no beginning.
    "two_open_stores_are_one",
    "when_a_store_was_made_is_kept",
    "a_deleted_store_is_gone_with_all_it_held",
    "stores_in_two_places_know_nothing_of_each_other",
    // Values have the forms that Clojure gives them.
    "the_id_that_was_given_is_kept",
    "another_id_is_refused_and_harms_nothing",
    "values_of_every_kind_come_back_byte_for_byte",
    "a_map_stays_a_map_when_its_keys_become_texts",
    // Metadata has no size and no digest, nor has what is taken in.
    "a_binary_in_pieces_is_limited_only_where_it_is_held_in_memory",
    "a_binary_longer_than_the_limit_is_exported_and_imported",
    "a_binary_longer_than_the_limit_is_copied",
    "a_long_binary_that_was_changed_on_its_way_is_not_imported",
    "compressed_values_come_back_byte_for_byte",
    "a_value_longer_than_the_limit_is_refused",
    "a_compressed_binary_comes_back",
    "a_binary_has_metadata_of_its_type",
    "a_binary_is_written_and_read_in_pieces",
    "nothing_is_seen_of_a_binary_before_it_is_finished",
    "metadata_says_what_is_there",
    "metadata_changes_with_the_value",
    // It takes blobs by the names they have in the sealed layout.
    "a_damaged_binary_gives_no_byte",
    "a_damaged_value_is_told_and_the_rest_is_read",
    "a_damaged_head_is_told_and_the_rest_is_read",
    "a_value_that_was_cut_short_is_told",
    "a_head_that_was_cut_short_is_told",
    "the_blob_of_another_key_is_told",
    "damage_is_listed_after_the_rest",
    "damage_is_found_by_verify",
    "what_is_damaged_can_be_deleted",
    "what_is_damaged_can_be_replaced",
    "an_update_of_a_damaged_value_is_refused",
    "blobs_without_a_record_are_no_new_store",
    "a_damaged_blob_ends_an_export_and_is_named",
    "repair_sets_aside_what_is_damaged_and_nothing_else",
    "what_is_aside_does_not_come_back",
    "repair_sets_aside_again_what_is_damaged_again",
    "only_what_is_damaged_at_that_moment_is_set_aside",
    "a_batch_replaces_what_is_damaged",
    "a_batch_deletes_what_is_damaged",
    "what_was_there_is_not_told_where_it_is_damaged",
    "a_repair_is_told_with_the_key_it_took",
    "a_repair_is_told_without_a_key_that_cannot_be_read",
    "a_missing_element_is_told",
    "what_a_crash_left_of_an_append_is_overwritten",
    "orphans_are_told_and_swept",
    "what_a_crash_left_of_an_append_is_swept_once_its_log_is_gone",
    "where_something_is_damaged_no_element_is_swept",
    // Keys are those of hasch: 1 and 1.0 are two, ratios are none, dates have one form.
    "keys_of_every_kind_have_values_of_their_own",
    "numbers_that_are_equal_are_one_key",
    "equality_of_keys_goes_all_the_way_down",
    "metadata_names_the_key_as_it_is",
    // Entries of an export have no digest.
    "an_import_that_breaks_off_keeps_what_came_before",
];

#[test]
fn memory_in_konserve_s_layout() {
    let config = |place: &str| Config::memory_named(format!("konserve {place}")).layout(LayoutName::Konserve);
    judge_konserve_layout("memory, konserve's layout", &wait(Subject::new(config)).unwrap());
}

#[test]
fn files_in_konserve_s_layout_with_fressian() {
    let folder = scratch();
    let path = folder.path().to_owned();
    let config = move |place: &str| {
        let config = std_file(&path, place, false, Access::Exclusive);
        config.layout(LayoutName::Konserve).fressian().compressor(Compressor::Lz4)
    };
    judge_konserve_layout("files, konserve's layout, Fressian", &wait(Subject::new(config)).unwrap());
}

#[test]
fn shared_files_in_konserve_s_layout_encrypted() {
    let folder = scratch();
    let path = folder.path().to_owned();
    let config = move |place: &str| {
        let config = std_file(&path, place, false, Access::Shared);
        config.layout(LayoutName::Konserve).encryptor(Encryptor::aes("s3cr3t").unwrap())
    };
    judge_konserve_layout("files, konserve's layout, encrypted", &wait(Subject::new(config)).unwrap());
}

/// An encrypted store, opened with a key: a passphrase takes as long as it should, each time.
fn encrypted(config: Config) -> Config {
    config.encryptor(Encryptor::aes_blake3([7; 32]))
}

/// All cases but those of [`KEYLESS`].
fn judge_encrypted(name: &str, subject: &Subject) {
    println!("{name}: left out are {KEYLESS:?}");
    assert!(KEYLESS.iter().all(|keyless| cases().iter().any(|case| case.name() == *keyless)));
    let cases = cases().into_iter().filter(|case| !KEYLESS.contains(&case.name()));
    let reports: Vec<_> = cases.map(|case| wait(run(subject, &case))).collect();
    judge(name, &reports);
}

/// Cases that speak of what an encrypted store does not do. `tests/encryption.rs` has what it does instead.
const KEYLESS: &[&str] = &[
    // The digest is that of the value as it is stored: encrypted with a key of each write, these are other bytes each time.
    "metadata_changes_with_the_value",
    "a_copy_has_values_and_metadata",
    "a_binary_longer_than_the_limit_is_copied",
    // An export is imported where its keys are: another place is another store, with keys of its own.
    "an_export_is_imported_whole",
    "an_export_of_nothing_is_imported",
    "existing_keys_are_refused_kept_or_replaced",
    "an_import_can_be_done_again",
    "an_import_that_breaks_off_keeps_what_came_before",
    "what_has_expired_is_not_moved",
    "a_binary_longer_than_the_limit_is_exported_and_imported",
    "a_long_binary_is_refused_kept_or_replaced_where_its_key_exists",
    "a_long_binary_that_is_cut_short_is_not_imported",
    "what_is_too_long_to_be_held_is_refused_with_its_key",
    "an_import_is_told_with_the_keys_it_put",
];

#[test]
fn memory_encrypted() {
    let config = |place: &str| encrypted(Config::memory_named(format!("encrypted {place}")));
    judge_encrypted("memory, encrypted", &wait(Subject::new(config)).unwrap());
}

#[test]
fn files_encrypted() {
    let folder = scratch();
    let path = folder.path().to_owned();
    let config = move |place: &str| encrypted(std_file(&path, place, false, Access::Exclusive));
    judge_encrypted("files, encrypted", &wait(Subject::on_this_thread(config)).unwrap());
}

#[test]
fn files_shared_and_encrypted() {
    let folder = scratch();
    let path = folder.path().to_owned();
    let config = move |place: &str| encrypted(std_file(&path, place, false, Access::Shared));
    judge_encrypted("files, shared, encrypted", &wait(Subject::on_this_thread(config)).unwrap());
}

#[test]
fn memory_over_encrypted_files() {
    let folder = scratch();
    let path = folder.path().to_owned();
    let config = move |place: &str| encrypted(over_files(&path, place, WritePolicy::Behind));
    judge_encrypted("memory over files, encrypted", &wait(Subject::on_this_thread(config)).unwrap());
}

#[test]
fn encrypted_files_behind_a_cache() {
    let folder = scratch();
    let path = folder.path().to_owned();
    let config = move |place: &str| encrypted(cached(&path, place, 30));
    judge_encrypted("cached files, encrypted", &wait(Subject::on_this_thread(config)).unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_under_tokio() {
    let subject = Subject::new(|place| Config::memory_named(format!("tokio {place}"))).await.unwrap();
    judge_side_by_side("memory under tokio", subject).await;
}

fn files_on_this_thread(name: &str, sync: bool, access: Access) {
    let folder = if sync { tempfile::tempdir().unwrap() } else { scratch() };
    let path = folder.path().to_owned();
    let config = move |place: &str| std_file(&path, place, sync, access);
    judge(name, &wait(run_all(&wait(Subject::on_this_thread(config)).unwrap())));
}

#[test]
fn files_synced_on_this_thread() {
    files_on_this_thread("files, synced, blocking", true, Access::Exclusive);
}

#[test]
fn files_unsynced_on_this_thread() {
    files_on_this_thread("files, not synced, blocking", false, Access::Exclusive);
}

#[test]
fn files_shared_on_this_thread() {
    files_on_this_thread("files, shared, blocking", false, Access::Shared);
}

async fn files_under_tokio(name: &str, sync: bool, access: Access) {
    let folder = scratch();
    let path = folder.path().to_owned();
    let config = move |place: &str| std_file(&path, place, sync, access);
    judge_side_by_side(name, Subject::new(config).await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn files_synced_under_tokio() {
    files_under_tokio("files, synced, tokio", true, Access::Exclusive).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn files_unsynced_under_tokio() {
    files_under_tokio("files, not synced, tokio", false, Access::Exclusive).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn files_shared_under_tokio() {
    files_under_tokio("files, shared, tokio", false, Access::Shared).await;
}

#[test]
fn the_simulated_file_system() {
    let fs = SimFs::new();
    let config = move |place: &str| simulated(&fs, place, Access::Exclusive);
    judge("simulated files", &wait(run_all(&wait(Subject::on_this_thread(config)).unwrap())));
}

/// On one thread only: there a pause takes no time, so who waits for a lock of another thread would give up at once.
#[test]
fn the_simulated_file_system_shared() {
    let fs = SimFs::new();
    let config = move |place: &str| simulated(&fs, place, Access::Shared);
    judge("simulated files, shared", &wait(run_all(&wait(Subject::on_this_thread(config)).unwrap())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_simulated_file_system_under_tokio() {
    let fs = SimFs::new();
    let config = move |place: &str| simulated(&fs, place, Access::Exclusive);
    judge_side_by_side("simulated files, tokio", Subject::new(config).await.unwrap()).await;
}

/// Values in memory over files.
fn over_files(folder: &Path, place: &str, policy: WritePolicy) -> Config {
    let back = std_file(folder, place, false, Access::Exclusive);
    Config::tiered(Tiers::new(Config::memory(), back).write_policy(policy))
}

#[test]
fn memory_over_memory() {
    for policy in [WritePolicy::Through, WritePolicy::Behind, WritePolicy::Around] {
        let config = move |place: &str| {
            let back = Config::memory_named(format!("{policy:?} over memory {place}"));
            Config::tiered(Tiers::new(Config::memory(), back).write_policy(policy))
        };
        judge(&format!("memory over memory, {policy:?}"), &wait(run_all(&wait(Subject::new(config)).unwrap())));
    }
}

#[test]
fn memory_over_files_on_this_thread() {
    for policy in [WritePolicy::Through, WritePolicy::Behind, WritePolicy::Around] {
        let folder = scratch();
        let path = folder.path().to_owned();
        let subject = wait(Subject::on_this_thread(move |place| over_files(&path, place, policy))).unwrap();
        judge(&format!("memory over files, {policy:?}, blocking"), &wait(run_all(&subject)));
    }
}

async fn memory_over_files_under_tokio(policy: WritePolicy) {
    let folder = scratch();
    let path = folder.path().to_owned();
    let subject = Subject::new(move |place| over_files(&path, place, policy)).await.unwrap();
    judge_side_by_side(&format!("memory over files, {policy:?}, tokio"), subject).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_over_files_written_through_under_tokio() {
    memory_over_files_under_tokio(WritePolicy::Through).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn memory_over_files_written_behind_under_tokio() {
    memory_over_files_under_tokio(WritePolicy::Behind).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn files_over_files_under_tokio() {
    let folder = scratch();
    let path = folder.path().to_owned();
    let config = move |place: &str| {
        let front = std_file(&path, &format!("{place}_front"), false, Access::Exclusive);
        Config::tiered(Tiers::new(front, std_file(&path, place, false, Access::Exclusive)))
    };
    judge_side_by_side("files over files, tokio", Subject::new(config).await.unwrap()).await;
}

#[test]
fn memory_alone_in_front_of_nothing() {
    let config = |place: &str| {
        let front = Config::memory_named(format!("alone {place}"));
        let back = Config::memory_named(format!("nothing {place}"));
        Config::tiered(Tiers::new(front, back).write_policy(WritePolicy::FrontOnly))
    };
    judge("memory, front only", &wait(run_all(&wait(Subject::new(config)).unwrap())));
}

/// A cache that holds little, so that it forgets all the time.
fn cached(folder: &Path, place: &str, entries: usize) -> Config {
    std_file(folder, place, false, Access::Exclusive).cache(Cache { entries, bytes: 100_000 })
}

#[test]
fn cached_files_on_this_thread() {
    let folder = scratch();
    let path = folder.path().to_owned();
    let subject = wait(Subject::on_this_thread(move |place| cached(&path, place, 1000))).unwrap();
    judge("cached files, blocking", &wait(run_all(&subject)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cached_files_under_tokio() {
    let folder = scratch();
    let path = folder.path().to_owned();
    let subject = Subject::new(move |place| cached(&path, place, 3)).await.unwrap();
    judge_side_by_side("cached files, tokio", subject).await;
}
