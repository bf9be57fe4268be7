//! `sga-store` and stores elsewhere.

use std::{collections::BTreeMap, process::Command};

use store::{ActionResult, Digest, Key, Store};
use tempfile::TempDir;

/// A folder with a store in it that holds one model.
fn site(contents: &[&[u8]]) -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join(".sga")).unwrap();
    store.secret().unwrap();
    name_model(&store, contents);
    (folder, store)
}

fn name_model(store: &Store, contents: &[&[u8]]) {
    if contents.is_empty() {
        return;
    }
    let outputs: BTreeMap<_, _> = contents
        .iter()
        .map(|content| (Digest::of(content).short(), store.put_bytes(content).unwrap()))
        .collect();
    let document = serde_json::json!({"made": outputs});
    let key = Key::of(document.to_string().as_bytes());
    let (inputs, provenance) = (BTreeMap::new(), serde_json::Value::Null);
    let result = ActionResult { stage: "train".into(), document, inputs, outputs, provenance };
    store.put_result(&key, &result).unwrap();
    store.set_ref("train", "sga", &key, &result).unwrap();
}

/// Runs the program at a site: the exit code and all that it said.
fn run(site: &TempDir, words: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_sga-store"))
        .args(words)
        .current_dir(site.path())
        .env_remove("SGA_STORE")
        .env_remove("AWS_ACCESS_KEY_ID") // nobody's credentials are needed
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

fn ok(site: &TempDir, words: &[&str]) -> String {
    let (code, said) = run(site, words);
    assert_eq!(code, 0, "{words:?}: {said}");
    said
}

#[test]
fn two_sites_share_a_folder() {
    let shared = tempfile::tempdir().unwrap();
    let path = shared.path().join("shared store");
    let plain = format!("remote={}", path.display());
    let address = format!("remote=file://{}", path.display().to_string().replace(' ', "%20"));
    let ((here, here_store), (there, there_store)) = (site(&[b"weights", b"history"]), site(&[]));

    let said = ok(&here, &["do=push", &address]);
    assert!(said.contains("train/sga") && said.contains("new there"), "{said}");
    assert!(said.contains(": 2 of 2 objects were missing"), "{said}");
    let said = ok(&here, &["do=push", &address]);
    assert!(!said.contains("train/sga") && said.contains(": 0 of 2"), "{said}");
    ok(&there, &["do=pull", &plain, "ref=train/sga"]);
    assert_eq!(there_store.resolve("train", "sga").unwrap(), here_store.resolve("train", "sga").unwrap());

    // It is a store; what no store elsewhere has is a secret.
    let listed = ok(&there, &["do=list", &format!("store={}", path.display())]);
    assert!(listed.contains("train"), "{listed}");
    ok(&there, &["do=verify", &format!("store={}", path.display())]);
    assert_eq!((path.join("secret").exists(), there.path().join(".sga/secret").exists()), (false, true));
    assert_ne!(there_store.secret().unwrap(), here_store.secret().unwrap());

    // Both go on: the second to push is told, and nothing is overwritten until asked for.
    name_model(&here_store, &[b"more of here"]);
    name_model(&there_store, &[b"more of there"]);
    ok(&here, &["do=push", &plain]);
    let (code, said) = run(&there, &["do=push", &plain]);
    assert_eq!(code, 1, "{said}");
    let keys = [&here_store, &there_store].map(|store| store.resolve("train", "sga").unwrap().unwrap().0);
    assert!(keys.iter().all(|key| said.contains(&key.short())) && said.contains("both sides"), "{said}");
    ok(&there, &["do=push", &plain, "force=true"]);
    let (code, said) = run(&here, &["do=pull", &plain]);
    assert_eq!(code, 0, "here has not moved since: {said}");
    assert_eq!(here_store.resolve("train", "sga").unwrap().unwrap().0, keys[1]);
}

#[test]
fn what_is_damaged_elsewhere_is_found_and_not_pulled() {
    let shared = tempfile::tempdir().unwrap();
    let remote = format!("remote={}", shared.path().join("store").display());
    let ((here, _), (there, there_store)) = (site(&[b"weights", b"history"]), site(&[]));
    ok(&here, &["do=push", &remote]);
    ok(&there, &["do=verify", &remote]);
    let digest = Digest::of(b"weights");
    let path = Store::open(shared.path().join("store")).unwrap().object_path(&digest);
    fs_err::remove_file(&path).unwrap();
    fs_err::write(&path, b"weighTs").unwrap();

    let (code, said) = run(&there, &["do=verify", &remote]);
    assert_eq!((code, said.matches("damaged:").count()), (4, 1), "{said}");
    let (code, said) = run(&there, &["do=pull", &remote]);
    assert!(code == 1 && said.contains(&digest.hex()), "{code}: {said}");
    assert_eq!((there_store.all_refs().unwrap(), there_store.has(&digest)), (Vec::new(), false));

    fs_err::remove_file(&path).unwrap();
    ok(&here, &["do=push", &remote]);
    ok(&there, &["do=pull", &remote]);
}

#[test]
fn what_cannot_be_done_is_said() {
    let (here, _) = site(&[b"weights"]);
    for (words, code, says) in [
        (&["do=push"][..], 2, "remote=…"),
        (&["do=push", "remote=gs://bucket"], 2, "s3://BUCKET"),
        (&["do=pull", "remote=nowhere"], 2, "first push"),
        (&["do=push", "remote=s3://bucket/sga"], 1, "AWS_ACCESS_KEY_ID"),
        (&["do=push", "remote=shared", "ref=train"], 2, "STAGE/NAME"),
        (&["do=push", "remote=shared", "ref=train/none"], 2, "train/none"),
    ] {
        let (ended, said) = run(&here, words);
        assert_eq!(ended, code, "{words:?}: {said}");
        assert!(said.contains(says), "{words:?}: {said}");
    }
    assert!(!here.path().join("nowhere").exists());
}

#[test]
fn raw_folders_leave_only_when_they_are_named() {
    let shared = tempfile::tempdir().unwrap();
    let path = shared.path().join("shared");
    let remote = format!("remote={}", path.display());
    let (here, _) = site(&[b"weights"]);
    std::fs::create_dir(here.path().join("raw")).unwrap();
    std::fs::write(here.path().join("raw/scan.dcm"), "pixels").unwrap();
    ok(&here, &["do=add", "path=raw", "name=raw"]);
    ok(&here, &["do=pin", "name=keep", "ref=folder/raw"]);

    let said = ok(&here, &["do=push", &remote]);
    assert!(said.contains("folder/raw stays here"), "{said}");
    let there = Store::open(&path).unwrap();
    assert_eq!(there.stages().unwrap(), ["train"], "neither the folder nor its pin");
    ok(&here, &["do=push", &remote, "ref=folder/raw"]);
    assert_eq!(there.stages().unwrap(), ["folder", "train"]);
}
