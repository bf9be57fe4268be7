//! Which results saw whom, where results come from, and that a patient who withdraws consent leaves nothing behind.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::{Path, PathBuf},
};

use cohort::{Dataset, History};
use end_to_end::{Workplace, dicom_of};
use schema::{ImageId, IndexEntry, PatientId, PatientKey, Secret, Split};
use serde_json::{Value, json};
use store::{ActionResult, Digest, Key, Store};
use walkdir::WalkDir;

const INGEST: &[&str] =
    &["dataset=folder", "path=h", "name=hospital-c", "role=iid", "size=native", "buckets=2"];

/// Two images of each of these patients.
const PATIENTS: u64 = 30;

fn open(place: &Workplace) -> Store {
    Store::open(place.path().join(".sga")).unwrap()
}

/// A hospital whose patients are known by the headers of their files, and one whose patients stand in a table.
fn hospital() -> Workplace {
    let place = Workplace::new();
    let mut table = "path,label,patient\n".to_owned();
    for patient in 0..PATIENTS {
        for image in 0..2 {
            let class = if patient % 2 == 0 { "negative" } else { "covid" };
            let seed = patient * 2 + image;
            place.put(&format!("h/{class}/{seed}.dcm"), dicom_of(&format!("PID{patient}"), 24, seed));
            place.put(&format!("t/{seed}.dcm"), dicom_of("", 24, 1000 + seed));
            writeln!(table, "{seed}.dcm,{class},PID{patient}").unwrap();
        }
    }
    place.put("t/images.csv", table);
    fs_err::write(open(&place).root().join("secret"), [7; 32]).unwrap();
    place
}

fn ingest(place: &Workplace) -> String {
    let said = place.ok("ingest", INGEST);
    said.lines().find(|line| line.starts_with("hospital-c: ")).unwrap().to_owned()
}

fn ingest_table(place: &Workplace) -> String {
    place.ok("ingest", &["dataset=csv", "path=t", "name=table", "role=ood", "size=native", "buckets=2"])
}

fn entries(place: &Workplace, name: &str) -> Vec<IndexEntry> {
    let store = open(place);
    History::open(&store, name).unwrap().entries(&store).unwrap()
}

fn key_of(source: &str, id: &str) -> PatientKey {
    Secret::new([7; 32]).patient(source, &PatientId::new(id).unwrap())
}

/// The first patient of this split.
fn patient_in(place: &Workplace, split: Split) -> String {
    let here: BTreeSet<PatientKey> = entries(place, "hospital-c")
        .into_iter()
        .filter(|entry| entry.split == split)
        .map(|entry| entry.patient_key)
        .collect();
    let ids = (0..PATIENTS).map(|patient| format!("PID{patient}"));
    ids.into_iter().find(|id| here.contains(&key_of("hospital-c", id))).unwrap()
}

fn images_of(place: &Workplace, ingest: &str, id: &str) -> Vec<ImageId> {
    let key = key_of("hospital-c", id);
    let own = entries(place, ingest).into_iter().filter(|entry| entry.patient_key == key);
    own.map(|entry| entry.image_id).collect()
}

/// The digests of a split's shards: those that hold the patient, and the others.
fn shards(place: &Workplace, split: Split, id: &str) -> (Vec<Digest>, Vec<Digest>) {
    let (store, images) = (open(place), images_of(place, "hospital-c", id));
    let dataset = Dataset::open(&store, "hospital-c").unwrap();
    let shards = dataset.shards(split).unwrap().into_iter();
    shards.partition(|shard| {
        let rows = schema::read_shard(&store.object_path(shard), schema::Pixels::Skip).unwrap();
        rows.iter().any(|row| images.contains(&row.image_id))
    })
}

/// Publishes a result as a stage would, and returns the digests of its files by name.
fn publish(
    place: &Workplace,
    name: &str,
    inputs: &[(&str, &[Digest])],
    outputs: &[(&str, &[u8])],
) -> BTreeMap<String, Digest> {
    let store = open(place);
    let (stage, short) = name.split_once('/').unwrap();
    let named = |digests: &[Digest]| Digest::of(format!("{digests:?}").as_bytes());
    let document = json!({
        "stage": stage,
        "version": 1,
        "parameters": {"name": short},
        "inputs": inputs.iter().map(|(name, digests)| (*name, named(digests))).collect::<BTreeMap<_, _>>(),
    });
    let put = |(name, bytes): &(&str, &[u8])| ((*name).to_owned(), store.put_bytes(bytes).unwrap());
    let result = ActionResult {
        stage: stage.to_owned(),
        document: document.clone(),
        inputs: inputs.iter().map(|(name, digests)| ((*name).to_owned(), digests.to_vec())).collect(),
        outputs: outputs.iter().map(put).collect(),
        provenance: json!({"device": "cpu"}),
    };
    let key = Key::of(document.to_string().as_bytes());
    store.put_result(&key, &result).unwrap();
    store.set_ref(stage, short, &key, &result).unwrap();
    result.outputs
}

/// What would be made after an ingest: a model that was trained on the patient and one that was not, their evaluations,
/// maps and pictures, and a page.
fn stages(place: &Workplace, id: &str) {
    let (with, without) = shards(place, Split::Train, id);
    assert!(!with.is_empty() && !without.is_empty());
    let (store, dataset) = (open(place), Dataset::open(&open(place), "hospital-c").unwrap());
    let [validation, test] = [Split::Validation, Split::Test].map(|split| dataset.shards(split).unwrap());
    for (name, train) in [("saw", &with), ("did-not", &without)] {
        let model = publish(
            place,
            &format!("train/{name}"),
            &[("train", train), ("validation", &validation)],
            &[("model.safetensors", name.as_bytes()), ("training.json", format!("of {name}").as_bytes())],
        );
        let weights = model["model.safetensors"];
        let text = format!("figures of {name}");
        let inputs: &[(&str, &[Digest])] = &[("model", &[weights]), ("test", &test)];
        publish(place, &format!("eval/{name}"), inputs, &[("evaluation.json", text.as_bytes())]);
    }
    let image = entries(place, "hospital-c").into_iter().find(|entry| entry.split == Split::Test).unwrap();
    let picture = format!("test-covid-{}.png", image.image_id);
    publish(place, "gallery/all", &[("test", &test)], &[(&picture, b"a picture")]);
    let ingested: Vec<Digest> = dataset.result.outputs.values().copied().collect();
    publish(place, "report/all", &[("ingest/hospital-c", &ingested)], &[("report.html", b"the page")]);
    fs_err::create_dir_all(place.path().join("results/explain")).unwrap();
    place.put("results/report.html", b"the page");
    place.put(&format!("results/explain/{picture}"), b"a picture");
    assert!(store.verify(|_| {}).unwrap().damage.is_empty());
}

fn refs(place: &Workplace) -> Vec<String> {
    let store = open(place);
    let stages = store.stages().unwrap().into_iter();
    stages
        .flat_map(|stage| {
            let names = store.refs_of(&stage).unwrap().into_iter();
            names.map(|name| format!("{stage}/{name}")).collect::<Vec<_>>()
        })
        .collect()
}

/// Every file of the store with its content.
fn snapshot(place: &Workplace) -> BTreeMap<PathBuf, Vec<u8>> {
    let walk = WalkDir::new(place.path().join(".sga")).into_iter().filter_map(Result::ok);
    let files = walk.filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path);
    files.map(|path| (path.clone(), fs_err::read(path).unwrap())).collect()
}

fn outputs(place: &Workplace, name: &str) -> BTreeMap<String, Digest> {
    Dataset::open(&open(place), name).unwrap().result.outputs
}

fn words<'a>(id: &'a str, more: &[&'a str]) -> Vec<String> {
    let own = ["do=forget".to_owned(), format!("patient={id}"), "source=hospital-c".to_owned()];
    own.into_iter().chain(more.iter().map(|word| (*word).to_owned())).collect()
}

fn forget(place: &Workplace, id: &str, more: &[&str]) -> end_to_end::Ended {
    let words = words(id, more);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    place.run("curate", &words)
}

fn lineage(place: &Workplace, words: &[&str]) -> Value {
    serde_json::from_str(&place.ok("curate", &[&["do=lineage", "json=true"], words].concat())).unwrap()
}

/// What an ingest into an empty store with the same secret and the same list gives.
fn afresh(place: &Workplace, name: &str) -> BTreeMap<String, Digest> {
    let fresh = Workplace::new();
    for folder in ["h", "t"] {
        std::os::unix::fs::symlink(place.path().join(folder), fresh.path().join(folder)).unwrap();
    }
    let root = open(&fresh).root().to_owned();
    for file in ["secret", "withdrawn"] {
        fs_err::copy(place.path().join(".sga").join(file), root.join(file)).unwrap();
    }
    if name == "table" {
        ingest_table(&fresh);
    } else {
        ingest(&fresh);
    }
    outputs(&fresh, name)
}

#[test]
fn what_saw_a_patient_goes_and_nothing_else() {
    let place = hospital();
    ingest(&place);
    ingest_table(&place);
    let id = patient_in(&place, Split::Train);
    let images = images_of(&place, "hospital-c", &id);
    stages(&place, &id);
    let store = open(&place);
    let (key, model) = store.resolve("train", "saw").unwrap().unwrap();
    store.set_ref(store::PIN, "mine", &key, &model).unwrap();
    let elsewhere = outputs(&place, "table");
    let before = snapshot(&place);
    let ended = forget(&place, &id, &[]);
    assert_eq!(ended.code, 0, "{}", ended.err);
    assert!(ended.out.contains("Nothing was changed"), "{}", ended.out);
    assert!(
        ended.out.contains("pin/mine, train/saw") && ended.out.contains("trained on them"),
        "{}",
        ended.out
    );
    assert!(!ended.out.contains("did-not"), "{}", ended.out);
    assert_eq!(snapshot(&place), before);

    let ended = forget(&place, &id, &["yes=true"]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("nothing left"), "{}", ended.out);
    assert!(ended.out.contains("results/report.html") && !ended.out.contains("explain/"), "{}", ended.out);
    assert!(!(ended.out + &ended.err).contains(&id), "a patient's number is never shown");
    let left: Vec<String> = refs(&place).into_iter().filter(|name| !name.starts_with("ingest")).collect();
    assert_eq!(left, ["eval/did-not", "gallery/all", "train/did-not"]);
    let store = open(&place);
    assert!(!store.has(&Digest::of(b"saw")) && !store.has(&Digest::of(b"the page")));
    assert!(store.has(&Digest::of(b"did-not")) && store.has(&Digest::of(b"a picture")));
    assert!(store.verify(|_| {}).unwrap().damage.is_empty());
    for (path, bytes) in snapshot(&place) {
        let private = path.ends_with("withdrawn");
        let key = key_of("hospital-c", &id).to_string();
        let found = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(private || !found(&key), "{}", path.display());
        assert!(!found(&id) && !images.iter().any(|image| found(image.as_str())), "{}", path.display());
    }
    for name in ["hospital-c", "hospital-c.1", "hospital-c.2"] {
        assert!(images_of(&place, name, &id).is_empty(), "{name}");
        assert_eq!(entries(&place, name).len() as u64, 2 * PATIENTS - 2, "{name}");
    }

    // The files are still in the folder; no ingest brings them back.
    let after = outputs(&place, "hospital-c");
    assert!(ingest(&place).contains("unchanged"));
    assert_eq!(outputs(&place, "hospital-c"), after);
    assert_eq!(History::of(&store, "hospital-c").unwrap().names.len(), 2);
    assert_eq!(afresh(&place, "hospital-c"), after);
    assert!(place.ok("ingest", INGEST).contains("left out: 1 patient withdrew consent, 2 images"));
    assert!(ingest_table(&place).contains("table: unchanged"), "the same number elsewhere is somebody else");
    assert_eq!(outputs(&place, "table"), elsewhere);
    let ended = forget(&place, &id, &["yes=true"]);
    assert!(ended.out.contains("nothing left"), "{}{}", ended.out, ended.err);

    // New files of theirs stay out, too, and so do all of them under another secret.
    place.put("h/covid/new.dcm", dicom_of(&id, 24, 77));
    assert!(place.ok("ingest", INGEST).contains("1 patient withdrew consent, 3 images"));
    place.ok("curate", &["do=rotate-secret", "dry_run=false"]);
    let line = ingest(&place);
    assert!(line.contains(&format!("{} images", 2 * PATIENTS - 2)), "{line}");
}

#[test]
fn patients_of_a_table_are_forgotten_with_files_that_were_set_aside() {
    let place = hospital();
    place.put("t/0.dcm", "not a radiograph");
    ingest_table(&place);
    place.put("ids", "PID0\n PID1 \n\n");
    let words = ["do=forget", "patients=ids", "source=table", "yes=true", "json=true"];
    let done: Value = serde_json::from_str(&place.ok("curate", &words)).unwrap();
    assert_eq!((&done["plan"]["images"], &done["plan"]["set_aside"]), (&json!(3), &json!(1)), "{done:#}");
    assert_eq!(done["scan"]["found"], json!([]));
    let said = ingest_table(&place);
    assert!(said.contains("table: unchanged; 56 images, 0 quarantined"), "{said}");
    assert!(said.contains("2 patients withdrew consent, 4 images"), "{said}");
    assert_eq!(afresh(&place, "table"), outputs(&place, "table"));
    // The source folder may be gone as well.
    fs_err::remove_dir_all(place.path().join("t")).unwrap();
    let words = ["do=forget", "patient=PID2", "source=table", "yes=true"];
    assert!(place.ok("curate", &words).contains("nothing left"));
}

#[test]
fn models_of_an_earlier_ingest_saw_who_was_in_it() {
    let place = hospital();
    ingest(&place);
    let id = patient_in(&place, Split::Train);
    stages(&place, &id);
    let key = key_of("hospital-c", &id);
    let files: BTreeSet<String> = entries(&place, "hospital-c")
        .into_iter()
        .filter(|entry| entry.patient_key == key)
        .map(|entry| entry.source_digest)
        .collect();
    for entry in WalkDir::new(place.path().join("h")).into_iter().filter_map(Result::ok) {
        if entry.file_type().is_file() && files.contains(&Digest::of_file(entry.path()).unwrap().to_string())
        {
            fs_err::remove_file(entry.path()).unwrap();
        }
    }
    ingest(&place);
    place.ok("store", &["do=gc", "lease=0", "dry_run=false"]);
    let found = lineage(&place, &[&format!("patient={id}"), "source=hospital-c"]);
    let ingests: Vec<&Value> = found["data"].as_array().unwrap().iter().map(|data| &data["ingest"]).collect();
    assert_eq!(ingests, ["hospital-c.1"]);
    let seen: BTreeMap<&str, &str> = found["seen_by"]
        .as_array()
        .unwrap()
        .iter()
        .map(|seen| (seen["name"].as_str().unwrap(), seen["how"].as_str().unwrap()))
        .collect();
    assert_eq!(seen["train/saw"], "trained on them");
    assert_eq!(seen["eval/saw"], "made from train/saw");
    assert!(!seen.contains_key("train/did-not") && !seen.contains_key("gallery/all"), "{seen:?}");

    let ended = forget(&place, &id, &["yes=true"]);
    assert!(ended.out.contains("nothing left"), "{}{}", ended.out, ended.err);
    assert!(!refs(&place).contains(&"train/saw".to_owned()));
    assert!(images_of(&place, "hospital-c.1", &id).is_empty());
}

#[test]
fn a_number_leads_back_to_the_files_behind_it() {
    let place = hospital();
    ingest(&place);
    let id = patient_in(&place, Split::Train);
    stages(&place, &id);
    let tree = lineage(&place, &["what=eval/saw", "rows=true"]);
    assert_eq!((&tree["stage"], &tree["provenance"]["device"]), (&json!("eval"), &json!("cpu")));
    let parts = tree["from"].as_array().unwrap();
    let model = parts.iter().find_map(|part| part.get("result")).unwrap();
    assert_eq!(model["name"], "train/saw");
    let images = |parts: &Value, input: &str| -> Value {
        let parts = parts.as_array().unwrap().iter().filter_map(|part| part.get("images"));
        parts.clone().find(|images| images["input"] == input).unwrap().clone()
    };
    let train = images(&model["from"], "train");
    let own = images_of(&place, "hospital-c", &id);
    let rows = train["rows"].as_array().unwrap();
    assert_eq!((&train["ingest"], train["images"].as_u64()), (&json!("hospital-c"), Some(rows.len() as u64)));
    for image in &own {
        let row = rows.iter().find(|row| row["image"] == image.as_str()).unwrap();
        let entry = entries(&place, "hospital-c").into_iter().find(|entry| entry.image_id == *image).unwrap();
        assert_eq!(row["source_digest"], entry.source_digest);
    }
    let test: Vec<_> =
        entries(&place, "hospital-c").into_iter().filter(|entry| entry.split == Split::Test).collect();
    assert_eq!(images(&tree["from"], "test")["images"], json!(test.len()));
    let said = place.ok("curate", &["do=lineage", "what=eval/saw"]);
    assert!(said.contains("model: train/saw") && said.contains("train: hospital-c, train: "), "{said}");

    // A picture leads to the one row that it shows, by whatever name.
    let picture = WalkDir::new(place.path().join("results/explain")).into_iter().map(Result::unwrap).last();
    fs_err::rename(picture.unwrap().path(), place.path().join("copy.png")).unwrap();
    let tree = lineage(&place, &["what=copy.png"]);
    assert_eq!(tree["name"], "gallery/all");
    assert_eq!(tree["shows"]["source_digest"], json!(test[0].source_digest));
    // A source file and an image lead forward, a digest and a key to their results.
    let file = WalkDir::new(place.path().join("h")).into_iter().map(Result::unwrap).find(|entry| {
        let digest = || Digest::of_file(entry.path()).unwrap().to_string();
        entry.file_type().is_file() && digest() == test[0].source_digest
    });
    let path = format!("what={}", file.unwrap().path().display());
    for what in [path, format!("what={}", test[0].image_id)] {
        let found = lineage(&place, &[&what]);
        assert_eq!(found["images"][0]["image"], test[0].image_id.as_str());
        let names: Vec<_> = found["seen_by"].as_array().unwrap().iter().map(|seen| &seen["name"]).collect();
        assert!(
            names.contains(&&json!("eval/did-not")) && names.contains(&&json!("gallery/all")),
            "{names:?}"
        );
    }
    let weights = Digest::of(b"saw");
    let tree = lineage(&place, &[&format!("what={}", &weights.hex()[..8])]);
    assert_eq!((&tree["output"], &tree["used_by"]), (&json!("model.safetensors"), &json!(["eval/saw"])));
    let key = tree["key"].as_str().unwrap();
    for what in [key[..10].to_owned(), key[..10].to_uppercase()] {
        assert_eq!(lineage(&place, &[&format!("what={what}")])["name"], "train/saw");
    }
    for (what, says) in
        [("what=eval/none", "no result"), ("what=000000", "begins with"), ("limit=3", "what?")]
    {
        let ended = place.run("curate", &["do=lineage", what]);
        assert!(ended.code == 2 && ended.err.contains(says), "{what}: {}", ended.err);
    }
}

#[test]
fn what_is_left_is_found_and_told() {
    let place = hospital();
    ingest(&place);
    let id = patient_in(&place, Split::Test);
    let image = images_of(&place, "hospital-c", &id)[0].to_string();
    publish(&place, "notes/mine", &[], &[("notes.txt", format!("look at {image}").as_bytes())]);
    place.put(".sga/cache/left.txt", key_of("hospital-c", &id).to_string());
    let ended = forget(&place, &id, &["yes=true"]);
    assert_eq!(ended.code, 4, "{}{}", ended.out, ended.err);
    let object = open(&place).object_path(&Digest::of(format!("look at {image}").as_bytes()));
    let object = object.strip_prefix(place.path()).unwrap();
    for (path, what) in [(object, "image's key"), (Path::new("cache/left.txt"), "patient's key")] {
        let line = ended.out.lines().find(|line| line.contains(&*path.to_string_lossy()));
        assert!(line.is_some_and(|line| line.starts_with("left: ") && line.ends_with(what)), "{}", ended.out);
    }
    assert_eq!(ended.out.matches("left: ").count(), 2, "{}", ended.out);
}

#[test]
fn a_stage_that_runs_is_not_disturbed() {
    let place = hospital();
    ingest(&place);
    let id = patient_in(&place, Split::Train);
    let store = open(&place);
    let lock = store.lock("some-key", |_| {}).unwrap();
    let before = snapshot(&place);
    let ended = forget(&place, &id, &["yes=true"]);
    assert!(ended.code == 1 && ended.err.contains("has been at work"), "{}", ended.err);
    assert_eq!(snapshot(&place), before);
    drop(lock);
    assert_eq!(forget(&place, &id, &["yes=true"]).code, 0);
    let ended = place.run("curate", &["do=forget", "patient=PID1", "source=hospital-d"]);
    assert!(
        ended.code == 2 && ended.err.contains("hospital-c") && !ended.err.contains("PID1"),
        "{}",
        ended.err
    );
}

#[test]
fn forgetting_that_was_killed_is_finished_by_the_next() {
    let undisturbed = hospital();
    ingest(&undisturbed);
    let id = patient_in(&undisturbed, Split::Train);
    stages(&undisturbed, &id);
    assert_eq!(forget(&undisturbed, &id, &["yes=true"]).code, 0);
    let mut halfway = 0;
    for until in 0..5 {
        let place = hospital();
        ingest(&place);
        stages(&place, &id);
        let root = place.path().join(".sga");
        let (saw, last) = (open(&place).object_path(&Digest::of(b"saw")), outputs(&place, "hospital-c"));
        let reached = || match until {
            0 => root.join("withdrawn").exists(),
            1 => outputs(&place, "hospital-c") != last,
            2 => !root.join("refs/eval/saw").exists(),
            3 => !root.join("refs/train/saw").exists(),
            _ => !saw.exists(),
        };
        let words = words(&id, &["yes=true"]);
        let mut child = place.start("curate", &words.iter().map(String::as_str).collect::<Vec<_>>());
        while !reached() && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        halfway += usize::from(child.try_wait().unwrap().is_none());
        let _ = child.kill();
        child.wait().unwrap();
        let ended = forget(&place, &id, &["yes=true"]);
        assert_eq!(ended.code, 0, "{until}: {}{}", ended.out, ended.err);
        assert_eq!(outputs(&place, "hospital-c"), outputs(&undisturbed, "hospital-c"), "{until}");
        let names = |place: &Workplace| -> Vec<String> {
            refs(place).into_iter().filter(|name| !name.starts_with("ingest-history")).collect()
        };
        assert_eq!(names(&place), names(&undisturbed), "{until}");
        assert!(!saw.exists() && images_of(&place, "hospital-c.1", &id).is_empty(), "{until}");
        assert!(open(&place).verify(|_| {}).unwrap().damage.is_empty(), "{until}");
        assert!(ingest(&place).contains("unchanged"), "{until}");
    }
    assert!(halfway > 0, "it was never stopped before its end");
}

#[test]
fn at_a_terminal_it_asks_and_does_nothing_without_a_yes() {
    let place = hospital();
    ingest(&place);
    let id = patient_in(&place, Split::Train);
    let before = snapshot(&place);
    let words = words(&id, &[]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    for answer in ["no", "", "y", "YES please"] {
        let ended = place.run_at_terminal("curate", &words, answer);
        assert_eq!(ended.code, 0, "{}", ended.err);
        assert!(
            ended.out.contains("cannot be undone") && ended.out.contains("Nothing was changed"),
            "{}",
            ended.out
        );
        assert_eq!(snapshot(&place), before, "{answer}");
    }
    let ended = place.run_at_terminal("curate", &words, "yes");
    assert!(ended.code == 0 && ended.out.contains("nothing left"), "{}{}", ended.out, ended.err);
    assert!(images_of(&place, "hospital-c", &id).is_empty());
}

#[test]
fn real_models_that_saw_a_patient_go_and_are_trained_anew_without_them() {
    let place = hospital();
    for patient in 100..160 {
        let class = ["negative", "covid"][patient as usize % 2]; // so that each split has some of both
        place.put(&format!("h/{class}/{patient}.dcm"), dicom_of(&format!("PID{patient}"), 24, 500 + patient));
    }
    place.ok("ingest", &[&INGEST[..4], &["size=32"], &INGEST[5..]].concat());
    let id = patient_in(&place, Split::Train);
    let train = ["method=nt", "init=scratch", "size=32", "epochs=1", "batch=32", "device=cpu"];
    place.ok("train", &train);
    place.ok("eval", &["device=cpu"]);
    let model = refs(&place).into_iter().find(|name| name.starts_with("train/")).unwrap();
    let (_, name) = model.split_once('/').unwrap();
    let weights = open(&place).resolve("train", name).unwrap().unwrap().1.outputs["model.safetensors"];

    let ended = forget(&place, &id, &["yes=true"]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains(&model) && ended.out.contains("trained on them"), "{}", ended.out);
    assert!(ended.out.contains("nothing left"), "{}", ended.out);
    assert!(!open(&place).has(&weights));
    assert!(refs(&place).iter().all(|name| !name.starts_with("train/") && !name.starts_with("eval/")));

    place.ok("train", &train);
    let again = refs(&place).into_iter().find(|name| name.starts_with("train/")).unwrap();
    assert_ne!(again, model, "other data, another model");
    let seen = lineage(&place, &[&format!("patient={id}"), "source=hospital-c"]);
    assert_eq!(seen["seen_by"], json!([]), "{seen:#}");
}

/// A store whose images were read under another secret, and one of their patients.
fn under_another_secret() -> (Workplace, String) {
    let place = hospital();
    ingest(&place);
    let id = patient_in(&place, Split::Train);
    place.ok("curate", &["do=rotate-secret", "dry_run=false"]);
    (place, id)
}

#[test]
fn whose_images_of_another_secret_are_is_not_claimed_to_be_known() {
    let (place, id) = under_another_secret();
    for ended in [
        place.run("curate", &["do=lineage", &format!("patient={id}"), "source=hospital-c"]),
        forget(&place, &id, &["yes=true"]),
    ] {
        assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
        assert!(ended.err.contains("of these patients cannot be told"), "{}", ended.err);
    }
    // A store that was pulled has no secret at all.
    fs_err::remove_file(place.path().join(".sga/secret")).unwrap();
    let ended = forget(&place, &id, &["yes=true"]);
    assert!(ended.code == 3 && ended.err.contains("this store has no secret"), "{}", ended.err);
}

#[test]
fn files_tell_who_is_meant_under_an_earlier_secret() {
    let (place, id) = under_another_secret();
    ingest(&place);
    let ended = forget(&place, &id, &["yes=true"]);
    assert!(ended.code == 0 && ended.out.contains("nothing left"), "{}{}", ended.out, ended.err);
    assert_eq!(entries(&place, "hospital-c.1").len() as u64, 2 * PATIENTS - 2);
}

#[test]
fn files_that_another_data_set_has_too_are_told_and_then_kept_out_of_all() {
    let place = hospital();
    ingest(&place);
    let under = |name: &str| {
        let words: Vec<String> = INGEST.iter().map(|word| word.replace("hospital-c", name)).collect();
        let said = place.ok("ingest", &words.iter().map(String::as_str).collect::<Vec<_>>());
        said.lines().find(|line| line.starts_with(name)).unwrap().to_owned()
    };
    under("again");
    let ended = forget(&place, "PID3", &["yes=true"]);
    assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
    assert!(ended.err.contains("other patients' too") && ended.err.contains("again (2)"), "{}", ended.err);
    let ended = forget(&place, "PID3", &["yes=true"]);
    assert!(
        ended.code == 3 && ended.err.contains("again (2)"),
        "the next one knows of it too: {}",
        ended.err
    );
    let ended = place.run("curate", &["do=forget", "patient=PID3", "source=again", "yes=true"]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert_eq!(forget(&place, "PID3", &["yes=true"]).code, 0);
    let line = under("third");
    assert!(
        line.contains(&format!("{} images", 2 * PATIENTS - 2)),
        "a file of theirs stays out under any name: {line}"
    );
}

#[test]
fn a_patient_with_another_number_since_is_not_said_to_have_left_nothing() {
    let place = hospital();
    ingest_table(&place);
    let table = fs_err::read_to_string(place.path().join("t/images.csv")).unwrap();
    place.put("t/images.csv", table.replace(",PID3\n", ",N4711\n"));
    ingest_table(&place);
    let asked = |what: &str, id: &str| {
        place.run("curate", &[what, &format!("patient={id}"), "source=table", "yes=true"])
    };
    for what in ["do=lineage", "do=forget", "do=forget", "do=lineage"] {
        let ended = asked(what, "N4711");
        assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
        assert!(
            ended.err.contains("other patients' too") && ended.err.contains("table.1 (2)"),
            "{}",
            ended.err
        );
    }
    for id in ["PID3", "N4711"] {
        let ended = asked("do=forget", id);
        assert!(ended.code == 0 && ended.out.contains("nothing left"), "{}{}", ended.out, ended.err);
    }
    assert_eq!(entries(&place, "table.1").len() as u64, 2 * PATIENTS - 2);
}

#[test]
fn a_patient_under_another_source_is_not_said_to_have_left_nothing() {
    let place = hospital();
    ingest_table(&place);
    let table = fs_err::read_to_string(place.path().join("t/images.csv")).unwrap();
    let lines = table.lines().enumerate().map(|(number, line)| match number {
        0 => format!("{line},source\n"),
        1..10 => format!("{line},\n"),
        _ => format!("{line},south\n"),
    });
    place.put("t/images.csv", lines.collect::<String>());
    ingest_table(&place);
    let asked = |what: &str, source: &str| {
        place.run("curate", &[what, "patient=PID20", &format!("source={source}"), "yes=true"])
    };
    let told = asked("do=lineage", "table-south");
    assert!(
        told.code == 3 && told.err.contains("source=…"),
        "their files lead there: {}{}",
        told.out,
        told.err
    );
    // A number that the data set never had under this source.
    place.put("t/images.csv", table.replace("PID20\n", "NEW20\n"));
    ingest_table(&place);
    let patient = ["patient=NEW20", "source=table-south"];
    for what in ["do=lineage", "do=forget"] {
        let ended = place.run("curate", &[&[what, "yes=true"][..], &patient].concat());
        assert_eq!(ended.code, 3, "{}{}", ended.out, ended.err);
        assert!(ended.err.contains("other sources: table\n"), "{}", ended.err);
    }
    let again = place.run("curate", &[&["do=forget", "yes=true"][..], &patient].concat());
    assert_eq!(again.code, 0, "who withdrew is known to have: {}{}", again.out, again.err);
}

#[test]
fn files_in_a_kept_folder_are_told_at_every_call() {
    let place = hospital();
    ingest_table(&place);
    place.ok("store", &["do=add", "path=t", "name=raw"]);
    for call in ["the first", "the next"] {
        let ended = place.run("curate", &["do=forget", "patient=PID3", "source=table", "yes=true"]);
        assert!(ended.code == 4 && ended.out.contains("left: "), "{call}: {}{}", ended.out, ended.err);
        let line = ended.out.lines().find(|line| line.contains("refs/folder/raw")).unwrap();
        assert!(line.ends_with("names 2 files of patients who withdrew"), "{line}");
    }
}

#[test]
fn a_list_of_patients_is_read_as_editors_write_it_and_told_where_nobody_is_found() {
    let place = hospital();
    let mut table = fs_err::read_to_string(place.path().join("t/images.csv")).unwrap();
    for (seed, name) in [(900, "M\u{fc}ller"), (901, "Mu\u{308}ller")] {
        place.put(&format!("t/{seed}.dcm"), dicom_of("", 24, seed));
        writeln!(table, "{seed}.dcm,covid,{name}").unwrap();
    }
    place.put("t/images.csv", table);
    ingest_table(&place);
    let patients = |entries: Vec<IndexEntry>| {
        entries.into_iter().map(|entry| entry.patient_key).collect::<BTreeSet<_>>().len() as u64
    };
    assert_eq!(
        patients(entries(&place, "table")),
        PATIENTS + 1,
        "one patient, whose name is written in two ways"
    );
    place.put("list.txt", "\u{feff}PID3\r\nPIDX\r\n\r\nMu\u{308}ller\r\n");
    let ended = place.run("curate", &["do=forget", "patients=list.txt", "source=table", "yes=true"]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("of 1 of 3 patients, in these lines: 2"), "{}", ended.out);
    assert_eq!(patients(entries(&place, "table")), PATIENTS - 1);
    let ended = place.run("curate", &["do=forget", "patient=PID3,PID4", "source=table"]);
    assert!(ended.code == 2 && ended.err.contains("patients=FILE"), "{}", ended.err);
}

#[test]
fn a_model_whose_images_nobody_remembers_goes_with_anybody() {
    let place = hospital();
    ingest(&place);
    stages(&place, &patient_in(&place, Split::Train));
    let lost = open(&place).put_bytes(b"a shard of long ago").unwrap();
    publish(&place, "train/unknown", &[("train", &[lost])], &[("model.safetensors", b"unknown")]);
    let ended = forget(&place, &patient_in(&place, Split::Test), &["yes=true"]);
    assert_eq!(ended.code, 0, "{}{}", ended.out, ended.err);
    assert!(
        refs(&place).contains(&"train/did-not".to_owned())
            && !refs(&place).contains(&"train/unknown".to_owned())
    );
}
