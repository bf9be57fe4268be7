//! What an ingest does again when something changed, and what a curator is told.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use cohort::{Dataset, SetAside};
use end_to_end::Workplace;
use schema::{Quarantined, Split};
use store::{ActionResult, Key, Store};
use walkdir::WalkDir;

/// The DICOM files of hospital A.
fn dicoms(place: &Workplace) -> Vec<PathBuf> {
    let walk = WalkDir::new(place.path().join("phantom/hospital-a")).sort_by_file_name();
    let files = walk.into_iter().filter_map(Result::ok).map(walkdir::DirEntry::into_path);
    files.filter(|path| path.extension().is_some_and(|extension| extension == "dcm")).collect()
}

/// Generated images, and a store whose secret is always the same: the secret decides which patients share a shard.
fn with_phantom() -> Workplace {
    let place = Workplace::new();
    let store = Store::open(place.path().join(".sga")).unwrap();
    fs_err::write(store.root().join("secret"), [7; 32]).unwrap();
    place.ok("phantom", &["path=phantom", "patients_a=60", "patients_b=24", "side=48"]);
    place
}

/// Reads hospital A with more words; returns the line that says what was done.
fn ingest(place: &Workplace, words: &[&str]) -> String {
    let all = ["dataset=phantom-a", "path=phantom/hospital-a", "size=48", "buckets=4"];
    let said = place.ok("ingest", &[&all, words].concat());
    said.lines().find(|line| line.starts_with("phantom-a: ")).unwrap().to_owned()
}

fn open(place: &Workplace) -> (Store, Dataset) {
    let store = Store::open(place.path().join(".sga")).unwrap();
    let dataset = Dataset::open(&store, "phantom-a").unwrap();
    (store, dataset)
}

/// Where the value of Patient ID (0010,0020) lies in a little-endian file, with or without VRs.
fn patient_id(bytes: &[u8]) -> Option<std::ops::Range<usize>> {
    let tag = bytes.windows(4).position(|window| window == b"\x10\x00\x20\x00")?;
    let length = if &bytes[tag + 4..tag + 6] == b"LO" { tag + 6 } else { tag + 4 };
    let length = u16::from_le_bytes([bytes[length], bytes[length + 1]]);
    Some(tag + 8..tag + 8 + usize::from(length))
}

/// How many shards were written, and how many there are.
fn shards(line: &str) -> (usize, usize) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let of = words.iter().position(|word| *word == "of").unwrap();
    (words[of - 1].parse().unwrap(), words[of + 1].parse().unwrap())
}

/// Gives the first image of some patients, each in its own name, the picture of the first one.
fn share_a_picture(place: &Workplace) -> usize {
    let mut seen = BTreeSet::new();
    let mut picture: Option<Vec<u8>> = None;
    for path in dicoms(place) {
        let bytes = fs_err::read(&path).unwrap();
        let Some(id) = patient_id(&bytes) else { continue };
        let patient = bytes[id].to_vec();
        if seen.len() < 10 && seen.insert(patient.clone()) {
            let mut copy = picture.get_or_insert(bytes).clone();
            let id = patient_id(&copy).unwrap();
            copy[id].copy_from_slice(&patient);
            fs_err::write(&path, copy).unwrap();
        }
    }
    seen.len()
}

#[test]
fn only_what_changed_is_decoded_and_written() {
    let place = with_phantom();
    let first = ingest(&place, &[]);
    let all = |line: &str| shards(line).0 == shards(line).1;
    assert!(all(&first) && first.contains(" 0 reused"), "{first}");
    let images = dicoms(&place).len();
    assert!(ingest(&place, &[]).contains("unchanged"));

    // One file with other bytes and the same picture: a comment behind the pixels would do as well.
    let files = dicoms(&place);
    let (one, other) = (fs_err::read(&files[0]).unwrap(), fs_err::read(&files[1]).unwrap());
    let mut changed = one.clone();
    changed[..128].copy_from_slice(&[7; 128]); // the preamble
    fs_err::write(&files[0], changed).unwrap();
    let line = ingest(&place, &[]);
    assert!(line.contains(&format!("1 read, {} reused; 1 of ", images - 1)), "{line}");

    // A file that is gone touches its shard, or takes it along; nothing is decoded.
    let (_, before) = shards(&line);
    fs_err::remove_file(&files[1]).unwrap();
    let line = ingest(&place, &[]);
    let (rebuilt, after) = shards(&line);
    assert!(line.contains(&format!("0 read, {} reused; ", images - 1)), "{line}");
    assert_eq!(rebuilt + before - after, 1, "{line}");
    fs_err::write(&files[1], other).unwrap();

    // Other splits and other buckets: every shard is another one, and no image is decoded again but the returned one.
    let line = ingest(&place, &["split_seed=7", "buckets=3"]);
    assert!(line.contains(&format!("1 read, {} reused; ", images - 1)) && all(&line), "{line}");
    // Another size needs the files.
    let line = ingest(&place, &["size=32"]);
    assert!(line.contains(&format!("{images} read, 0 reused")), "{line}");
}

#[test]
fn changed_labels_decode_nothing() {
    let place = with_phantom();
    ingest(&place, &[]);
    let images = dicoms(&place).len();
    let path = place.path().join("phantom/hospital-a/train_study_level.csv");
    let table = fs_err::read_to_string(&path).unwrap();
    let row = table.lines().find(|line| line.ends_with(",1,0,0,0")).unwrap();
    let relabelled = row.replace(",1,0,0,0", ",0,1,0,0");
    fs_err::write(&path, table.replace(row, &relabelled)).unwrap();
    let line = ingest(&place, &[]);
    assert!(line.contains(&format!("0 read, {images} reused; 1 of ")), "{line}");

    let said = place.ok("curate", &["do=diff", "data=phantom-a"]);
    let row = said.lines().find(|line| line.contains("phantom-a") && !line.contains("mean")).unwrap();
    assert!(said.contains("phantom-a.1 → phantom-a.2") && !row.is_empty(), "{said}");
    let (store, _) = open(&place);
    let history = cohort::History::of(&store, "phantom-a").unwrap();
    assert_eq!(history.names, ["phantom-a.1", "phantom-a.2"]);
    let [before, after] =
        [0, 1].map(|at| cohort::History::open(&store, &history.names[at]).unwrap().entries(&store).unwrap());
    let change = curation::change(&before, &after);
    assert!(change.values().map(|tally| tally.relabelled).sum::<u64>() > 0, "{change:?}");
    assert_eq!(change.values().map(|tally| tally.added + tally.removed + tally.moved_in).sum::<u64>(), 0);

    let ended = place.run("curate", &["do=diff", "before=phantom-a.1", "after=phantom-a.3"]);
    assert_eq!(ended.code, 2, "{}", ended.err);
    assert!(ended.err.contains("no ingest `phantom-a.3`; it has phantom-a.1, phantom-a.2"), "{}", ended.err);
}

#[test]
fn the_same_files_give_the_same_bytes_whatever_the_threads_and_the_order() {
    let one = with_phantom();
    let files = |root: &Path| -> Vec<PathBuf> {
        let walk = WalkDir::new(root).sort_by_file_name().into_iter().filter_map(Result::ok);
        walk.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
    };
    let other = Workplace::new();
    for path in files(&one.path().join("phantom")).into_iter().rev() {
        let to = other.path().join(path.strip_prefix(one.path()).unwrap());
        fs_err::create_dir_all(to.parent().unwrap()).unwrap();
        fs_err::copy(&path, &to).unwrap();
    }
    // The same secret, or every name differs.
    let [store, twin] = [&one, &other].map(|place| Store::open(place.path().join(".sga")).unwrap());
    store.secret().unwrap();
    fs_err::copy(store.root().join("secret"), twin.root().join("secret")).unwrap();
    let words = ["dataset=phantom-a", "path=phantom/hospital-a", "size=48", "buckets=4"];
    for (place, threads) in [(&one, 1), (&other, 4)] {
        let ended = place.run_on_threads("ingest", &words, threads);
        assert_eq!(ended.code, 0, "{}", ended.err);
    }
    let (one, other) = (open(&one).1.result, open(&other).1.result);
    assert!(one.outputs.len() > 20, "{:?}", one.outputs.keys());
    assert_eq!(one.outputs, other.outputs);
}

#[test]
fn a_killed_ingest_is_taken_up_where_it_was() {
    let place = Workplace::new();
    place.ok("phantom", &["path=phantom", "patients_a=200", "patients_b=10", "side=64"]);
    let words = ["dataset=phantom-a", "path=phantom/hospital-a", "size=64", "buckets=16", "split_seed=0"];
    let mut running = place.start("ingest", &words);
    let actions = place.path().join(".sga/actions");
    let published = || {
        let walk = WalkDir::new(&actions).into_iter().filter_map(Result::ok);
        walk.filter(|entry| entry.file_type().is_file()).count()
    };
    while published() == 0 && running.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    running.kill().unwrap();
    running.wait().unwrap();
    assert!(published() > 0, "it ended before it published a shard");
    let said = place.ok("ingest", &words);
    let line = said.lines().find(|line| line.starts_with("phantom-a: ")).unwrap();
    if line.contains("unchanged") {
        return; // it was done before the signal came
    }
    assert!(!line.contains(" 0 reused"), "{line}");
    assert_eq!(place.run("store", &["do=verify"]).code, 0);
}

#[test]
fn patients_with_one_picture_go_to_one_split() {
    let place = with_phantom();
    let sharing = share_a_picture(&place);
    ingest(&place, &[]);
    let (store, dataset) = open(&place);
    let mut splits: BTreeMap<String, BTreeSet<Split>> = BTreeMap::new();
    let mut images: BTreeMap<String, usize> = BTreeMap::new();
    for entry in dataset.entries(&store).unwrap() {
        *images.entry(entry.traits.pixel_digest.clone()).or_default() += 1;
        splits.entry(entry.traits.pixel_digest).or_default().insert(entry.split);
    }
    assert_eq!(images.values().max(), Some(&sharing));
    assert!(splits.values().all(|splits| splits.len() == 1), "a picture is in two splits");
    let joined = &dataset.manifest.joined;
    assert!(!joined.patients.is_empty() && joined.conflicts.is_empty());

    // The page lists every pair of them.
    let said = place.ok("curate", &["do=duplicates", "out=out"]);
    let pairs = sharing * (sharing - 1) / 2;
    let page = fs_err::read_to_string(place.path().join("out/duplicates.html")).unwrap();
    assert!(page.matches("the same pixels").count() >= pairs, "{said}");
    assert_eq!(page.matches("<img").count(), 2 * page.matches("<tr class").count());
    // It stays so when nothing but the buckets changes.
    ingest(&place, &["buckets=5"]);
    assert_eq!(open(&place).1.manifest.joined, *joined);
}

#[test]
fn an_old_patient_never_moves() {
    let place = with_phantom();
    ingest(&place, &[]);
    let (store, before) = open(&place);
    let splits = |dataset: &Dataset| -> BTreeMap<String, Split> {
        let entries = dataset.entries(&store).unwrap().into_iter();
        entries.map(|entry| (entry.patient_key.to_string(), entry.split)).collect()
    };
    share_a_picture(&place);
    ingest(&place, &[]);
    let (_, after) = open(&place);
    let splits = [&before, &after].map(splits);
    assert!(splits[1].iter().all(|(patient, split)| splits[0][patient] == *split));
    assert_eq!(after.manifest.joined.patients, before.manifest.joined.patients);
    // Of what would be in two splits now, what came later is set aside, at every ingest.
    let aside = |dataset: &Dataset| dataset.manifest.quarantined.get("in-two-splits").copied();
    assert!(aside(&after) > Some(0) && after.manifest.joined.conflicts.is_empty());
    let mut pictures: BTreeMap<String, BTreeSet<Split>> = BTreeMap::new();
    for entry in after.entries(&store).unwrap() {
        pictures.entry(entry.traits.pixel_digest).or_default().insert(entry.split);
    }
    assert!(pictures.values().all(|splits| splits.len() == 1), "a picture is in two splits");
    assert!(ingest(&place, &[]).contains("unchanged"));
    ingest(&place, &["buckets=5"]);
    assert_eq!(aside(&open(&place).1), aside(&after), "who has no other image stays where they were, too");
    let words = ["dataset=phantom-a", "path=phantom/hospital-a", "size=48", "buckets=5", "again=true"];
    let again = place.run("ingest", &words);
    assert!(again.err.contains("the same came out"), "{}{}", again.out, again.err);
}

/// Makes the last ingest of hospital A look like one of an earlier version; `change` what it made.
fn as_of_an_earlier_version(place: &Workplace, change: impl FnOnce(&Store, &mut ActionResult)) {
    let (store, dataset) = open(place);
    let mut result = dataset.result;
    result.document["version"] = 1.into();
    change(&store, &mut result);
    let key = Key::of(result.document.to_string().as_bytes());
    store.put_result(&key, &result).unwrap();
    store.set_ref("ingest", "phantom-a", &key, &result).unwrap();
}

#[test]
fn another_version_of_ingest_moves_nobody() {
    let place = with_phantom();
    let files: Vec<_> = dicoms(&place).into_iter().map(|path| (fs_err::read(&path).unwrap(), path)).collect();
    share_a_picture(&place);
    ingest(&place, &[]);
    let (store, before) = open(&place);
    assert!(!before.manifest.joined.patients.is_empty());
    as_of_an_earlier_version(&place, |_, _| ());
    // With their own pictures again, nothing but the earlier ingest holds these patients where they are.
    for (bytes, path) in files {
        fs_err::write(path, bytes).unwrap();
    }
    let splits = |dataset: &Dataset| -> BTreeMap<String, Split> {
        let entries = dataset.entries(&store).unwrap().into_iter();
        entries.map(|entry| (entry.patient_key.to_string(), entry.split)).collect()
    };
    ingest(&place, &[]);
    let (_, after) = open(&place);
    assert_eq!(splits(&before), splits(&after));
    assert_eq!(before.manifest.joined.patients, after.manifest.joined.patients);
}

#[test]
fn an_index_of_an_earlier_version_counts_as_unknown() {
    let place = with_phantom();
    ingest(&place, &[]);
    let images = dicoms(&place).len();
    as_of_an_earlier_version(&place, |store, result| {
        let unreadable = store.put_bytes(b"an index of other columns").unwrap();
        let indices = result.outputs.iter_mut().filter(|(name, _)| name.ends_with(".index.parquet"));
        indices.for_each(|(_, digest)| *digest = unreadable);
    });
    let line = ingest(&place, &["buckets=1"]);
    assert!(line.contains(&format!("{images} read, 0 reused")), "{line}");
}

#[test]
fn quarantine_and_splits_are_shown() {
    let place = with_phantom();
    let files = dicoms(&place);
    fs_err::write(&files[0], "not a radiograph").unwrap();
    let whole = fs_err::read(&files[1]).unwrap();
    fs_err::write(&files[1], &whole[..whole.len() / 2]).unwrap();
    let line = ingest(&place, &[]);
    assert!(line.contains("2 quarantined"), "{line}");
    let (store, dataset) = open(&place);
    let aside = dataset.quarantined(&store).unwrap();
    let broken = aside.iter().find(|file| file.transfer_syntax.is_some()).unwrap();
    let set_aside = SetAside::of(&store).unwrap();
    let path = |file: &Quarantined| set_aside.path("phantom-a", &file.image_id).unwrap().to_owned();
    assert!(files[1].ends_with(path(broken)) && broken.tool.starts_with("sga "), "{broken:?}");
    assert!(broken.photometric.as_deref().is_some_and(|kind| kind.starts_with("MONOCHROME")), "{broken:?}");
    let said = place.ok("curate", &["do=quarantine"]);
    assert!(aside.iter().all(|file| said.contains(&path(file)) && said.contains(&file.reason)), "{said}");

    // A broken file is not tried again when another file changes.
    let mut changed = fs_err::read(&files[2]).unwrap();
    changed[..128].copy_from_slice(&[7; 128]);
    fs_err::write(&files[2], changed).unwrap();
    let line = ingest(&place, &[]);
    assert!(line.contains("1 read") && line.contains("2 quarantined"), "{line}");

    let said = place.ok("curate", &["do=splits", "data=phantom-a"]);
    assert!(said.contains("chi-square") && said.contains("validation"), "{said}");
    let ended = place.run("curate", &["do=splits", "data=phantom-c"]);
    assert_eq!(ended.code, 2, "{}", ended.err);
}

#[test]
fn what_was_set_aside_is_tried_again_by_another_decoder() {
    let place = with_phantom();
    let files = dicoms(&place);
    let whole = fs_err::read(&files[0]).unwrap();
    fs_err::write(&files[0], &whole[..whole.len() / 2]).unwrap();
    ingest(&place, &[]);
    let no_shards = |store: &Store| {
        let of_shards = |result: &ActionResult| result.document["stage"] == "ingest-shard";
        let records = store.records().into_iter();
        records
            .filter(|record| of_shards(&record.result))
            .for_each(|record| fs_err::remove_file(record.path).unwrap());
    };
    as_of_an_earlier_version(&place, |store, _| no_shards(store));
    let line = ingest(&place, &["buckets=1"]);
    assert!(line.contains(" 0 read") && line.contains("1 quarantined"), "{line}");
    as_of_an_earlier_version(&place, |store, result| {
        no_shards(store);
        let (_, version) =
            result.document["parameters"]["codecs"].as_object_mut().unwrap().iter_mut().next().unwrap();
        *version = "0.0".into();
    });
    let line = ingest(&place, &["buckets=2"]);
    assert!(line.contains(&format!("{} read, 0 reused", files.len())), "{line}");
    assert!(line.contains("1 quarantined"), "{line}");
}

#[test]
fn a_new_secret_renames_all_and_moves_nobody() {
    let place = with_phantom();
    ingest(&place, &[]);
    let (store, before) = open(&place);
    let secret = store.secret().unwrap();
    place.ok("curate", &["do=rotate-secret"]);
    assert_eq!(store.secret().unwrap(), secret, "it only says what would be");
    place.ok("curate", &["do=rotate-secret", "dry_run=false"]);
    assert_ne!(store.secret().unwrap(), secret);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &fs_err::metadata(store.root().join("secret")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    let line = ingest(&place, &[]);
    assert!(line.contains(" 0 read") && shards(&line).0 == shards(&line).1, "{line}");
    let (_, after) = open(&place);
    let [old, new] = [&before, &after].map(|dataset| dataset.entries(&store).unwrap());
    let patients = |entries: &[schema::IndexEntry]| -> BTreeSet<String> {
        entries.iter().map(|entry| entry.patient_key.to_string()).collect()
    };
    assert!(patients(&old).is_disjoint(&patients(&new)));
    let places = |entries: &[schema::IndexEntry]| -> BTreeMap<String, Split> {
        entries.iter().map(|entry| (entry.source_digest.clone(), entry.split)).collect()
    };
    assert_eq!(places(&old), places(&new));
    assert_eq!(place.run("curate", &["do=diff", "data=phantom-a"]).code, 3);
}

#[test]
fn a_card_lies_beside_the_shards() {
    let place = with_phantom();
    ingest(&place, &[]);
    place.ok("curate", &["do=card", "data=phantom-a", "out=out"]);
    let folder = place.path().join("out/phantom-a");
    let card = fs_err::read_to_string(folder.join("README.md")).unwrap();
    assert!(card.starts_with("---\n"), "{card}");
    let (store, dataset) = open(&place);
    for shard in &dataset.manifest.shards {
        let name = format!("data/{}-{:04}.parquet", shard.split.name(), shard.bucket);
        let bytes = fs_err::read(folder.join(name)).unwrap();
        assert_eq!(bytes, store.read(&dataset.digest(shard).unwrap()).unwrap());
        let files = format!("  - split: {0}\n    path: data/{0}-*.parquet\n", shard.split.name());
        assert!(card.contains(&files), "{card}");
    }
    for count in &dataset.manifest.counts {
        assert!(card.contains(&format!("| {} | {} |", count.images, count.patients)), "{card}");
    }
}
