//! A damaged store is made whole again by the stages that filled it.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use end_to_end::Workplace;
use store::{ActionResult, Digest, Store};

/// Both hospitals in the store, and a file that says where they lie.
fn place() -> Workplace {
    let place = Workplace::with_data();
    let text = "[datasets]\nphantom-a = \"phantom/hospital-a\"\nphantom-b = \"phantom/hospital-b\"\n";
    place.put("sga.toml", text);
    place
}

fn store(place: &Workplace) -> Store {
    Store::open(place.path().join(".sga")).unwrap()
}

fn result(place: &Workplace, stage: &str, name: &str) -> ActionResult {
    store(place).resolve(stage, name).unwrap().unwrap().1
}

fn flip(path: &Path) {
    let mut bytes = fs_err::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs_err::set_permissions(path, PermissionsExt::from_mode(0o644)).unwrap();
    fs_err::write(path, bytes).unwrap();
}

fn object(place: &Workplace, stage: &str, name: &str, ends: &str) -> (PathBuf, Digest) {
    let result = result(place, stage, name);
    let (_, digest) = result.outputs.iter().find(|(name, _)| name.ends_with(ends)).unwrap();
    (store(place).object_path(digest), *digest)
}

#[test]
fn damaged_data_sets_are_read_again_to_the_same_digests() {
    let place = place();
    let before = ["phantom-a", "phantom-b"].map(|name| result(&place, "ingest", name).outputs);
    let (shard, digest) = object(&place, "ingest", "phantom-a", "shard.parquet");
    flip(&shard);
    fs_err::remove_file(object(&place, "ingest", "phantom-b", "manifest.json").0).unwrap();
    flip(&place.path().join(".sga/refs/ingest/phantom-b"));
    place.put(".sga/objects/thesis.docx", "chapter one");

    let shown = place.ok("store", &["do=repair"]);
    for says in ["thesis.docx", "sga-ingest dataset=phantom-a", "buckets=2", "size=48", "nothing was changed"]
    {
        assert!(shown.contains(says), "{says}: {shown}");
    }
    assert_eq!(place.run("store", &["do=verify"]).code, 4);

    let said = place.ok("store", &["do=repair", "dry_run=false"]);
    for name in ["phantom-a", "phantom-b"] {
        assert!(said.contains(&format!("repaired: ingest/{name}")), "{name}: {said}");
    }
    assert_eq!(["phantom-a", "phantom-b"].map(|name| result(&place, "ingest", name).outputs), before);
    assert_eq!(Digest::of_file(&shard).unwrap(), digest);
    place.ok("store", &["do=verify"]);
    assert_eq!(place.ingest().matches("unchanged").count(), 2);

    let aside = fs_err::read_dir(place.path().join(".sga/damaged")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs_err::read(aside.join("objects/thesis.docx")).unwrap(), b"chapter one");
    let flipped = aside.join(shard.strip_prefix(place.path().join(".sga")).unwrap());
    assert_eq!(fs_err::metadata(flipped).unwrap().len(), digest.size, "what was damaged is kept");
    assert!(place.ok("store", &["do=repair", "dry_run=false"]).contains("nothing is damaged"));
}

#[test]
fn what_cannot_be_made_again_is_named_and_the_rest_is_whole() {
    let place = place();
    flip(&object(&place, "ingest", "phantom-a", "shard.parquet").0);
    fs_err::remove_dir_all(place.path().join("phantom/hospital-a")).unwrap();
    let ended = place.run("store", &["do=repair", "dry_run=false"]);
    assert_eq!(ended.code, 4, "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("not repaired: ingest/phantom-a"), "{}", ended.out);
    assert!(ended.out.contains("exit code"), "{}", ended.out);
    place.ok("store", &["do=verify"]);
    assert_eq!(store(&place).refs_of("ingest").unwrap(), ["phantom-b"]);
    // A data set whose images are others by now is read, but it is not what was lost.
    flip(&object(&place, "ingest", "phantom-b", "shard.parquet").0);
    place.ok("phantom", &["path=other", "patients_a=60", "patients_b=24", "side=48", "seed=9"]);
    place.put("sga.toml", "[datasets]\nphantom-b = \"other/hospital-b\"\n");
    let ended = place.run("store", &["do=repair", "dry_run=false"]);
    assert!(
        ended.out.contains("not repaired: ingest/phantom-b: what it was made from has changed"),
        "{}",
        ended.out
    );
    place.ok("store", &["do=verify"]);
}

#[test]
fn models_and_their_measures_are_made_again_in_order() {
    let place = place();
    place.ok("train", &["method=nt", "init=scratch", "size=32", "epochs=1", "batch=33", "device=cpu"]);
    place.ok("eval", &["device=cpu"]);
    let name = store(&place).refs_of("train").unwrap().remove(0);
    place.ok("store", &["do=pin", "name=paper", &format!("ref=train/{name}")]);
    for (stage, ends) in [("train", "model.safetensors"), ("eval", "predictions.parquet")] {
        flip(&object(&place, stage, &name, ends).0);
    }
    let said = place.ok("store", &["do=repair", "dry_run=false"]);
    let [train, eval] = ["train", "eval"].map(|stage| said.find(&format!("repaired: {stage}/{name}")));
    assert!(train.unwrap() < eval.unwrap(), "{said}");
    place.ok("store", &["do=verify"]);
    assert!(place.ok("store", &["do=list"]).contains("paper"));
}
