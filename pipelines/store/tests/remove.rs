//! `sga-store do=remove`.

use std::{collections::BTreeMap, path::Path, process::Command};

use store::{ActionResult, Digest, Key, Store};

/// Publishes a result under its name, made from these objects; returns what it made.
fn publish(store: &Store, name: &str, inputs: &[Digest]) -> Digest {
    let (stage, of_stage) = name.split_once('/').unwrap();
    let output = store.put_bytes(name.as_bytes()).unwrap();
    let result = ActionResult {
        stage: stage.into(),
        document: serde_json::json!({"made": name}),
        inputs: BTreeMap::from([("from".to_owned(), inputs.to_vec())]),
        outputs: BTreeMap::from([("out".to_owned(), output)]),
        provenance: serde_json::Value::Null,
    };
    let key = Key::of_document(&result.document);
    store.put_result(&key, &result).unwrap();
    store.set_ref(stage, of_stage, &key, &result).unwrap();
    output
}

/// Runs the program: the exit code and all that it said.
fn run(folder: &Path, words: &[&str]) -> (i32, String) {
    let program = Command::new(env!("CARGO_BIN_EXE_sga-store"))
        .args(words)
        .current_dir(folder)
        .env_remove("SGA_STORE")
        .output()
        .unwrap();
    (program.status.code().unwrap(), String::from_utf8([program.stdout, program.stderr].concat()).unwrap())
}

fn names(store: &Store) -> Vec<String> {
    store.all_refs().unwrap().iter().map(ToString::to_string).collect()
}

#[test]
fn a_model_goes_with_its_tests_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join(".sga")).unwrap();
    let images = publish(&store, "ingest/siim", &[]);
    let [one, other] = ["train/sga-1a", "train/sga-1a2b"].map(|name| publish(&store, name, &[images]));
    let answers = publish(&store, "eval/sga-1a", &[one, images]);
    publish(&store, "eval/sga-1a.fgsm-0.03", &[one, images]);
    publish(&store, "eval/sga-1a2b", &[other, images]);
    publish(&store, "report/all", &[answers]);
    let unseen = publish(&store, "ingest/github-covid", &[]);
    publish(&store, "eval/sga-1a.on-github-covid", &[one, unseen]);
    let before = names(&store);

    for (words, code, says) in [
        (["do=remove", "ref=train/sga-1a"], 0, "would remove 4 names"),
        (["do=remove", "ref=train/sga"], 2, "no result has this name"),
        (["do=remove", "ref=ingest/siim"], 2, "2 models were trained on it"),
    ] {
        let (ended, said) = run(folder.path(), &words);
        assert_eq!(ended, code, "{said}");
        assert!(said.contains(says), "{said}");
    }
    assert_eq!(names(&store), before, "no name went so far");

    let (ended, said) = run(folder.path(), &["do=remove", "ref=ingest/github-covid", "dry_run=false"]);
    assert!(ended == 0 && said.contains("removed 2 names"), "{said}");

    assert_eq!(run(folder.path(), &["do=pin", "name=paper", "ref=eval/sga-1a"]).0, 0);
    let (ended, said) = run(folder.path(), &["do=remove", "ref=train/sga-1a", "dry_run=false"]);
    assert!(ended == 2 && said.contains("pinned as paper"), "{said}");
    assert_eq!(run(folder.path(), &["do=unpin", "name=paper"]).0, 0);

    let (ended, said) = run(folder.path(), &["do=remove", "ref=train/sga-1a", "dry_run=false"]);
    assert_eq!(ended, 0, "{said}");
    assert_eq!(names(&store), ["eval/sga-1a2b", "ingest/siim", "report/all", "train/sga-1a2b"]);
    let (ended, said) = run(folder.path(), &["do=gc", "lease=0", "dry_run=false"]);
    assert_eq!(ended, 0, "{said}");
    assert!(store.resolve("eval", "sga-1a2b").unwrap().is_some() && !store.object_path(&one).exists());
}

#[test]
fn a_data_set_stays_for_the_models_of_its_earlier_ingests() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path().join(".sga")).unwrap();
    let then = store.put_bytes(b"a shard of then").unwrap();
    publish(&store, "ingest-history/east.1", &[then]);
    publish(&store, "train/nt-1a", &[then]);
    publish(&store, "ingest/east", &[]);
    for (name, says) in
        [("ingest/east", "1 models were trained on it"), ("ingest-history/east.1", "earlier ingests")]
    {
        let (ended, said) = run(folder.path(), &["do=remove", &format!("ref={name}"), "dry_run=false"]);
        assert!(ended == 2 && said.contains(says), "{said}");
    }
    assert_eq!(names(&store).len(), 3);
}
