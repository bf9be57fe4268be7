//! What is wrong with an address, a bucket or a permission is said.

use object_store::RetryConfig;
use remote::{Absent, Bucket, Remote};
use store::{Error, Trouble};

use testserver::{BUCKET, Server};

use crate::contents::{push, small_store};

fn trouble(outcome: Result<Bucket, Error>) -> Trouble {
    match outcome {
        Err(Error::Remote { trouble, .. }) => trouble,
        other => panic!("{other:?}"),
    }
}

#[test]
fn trouble_is_told_apart() {
    let server = Server::new();
    let open = |client, bucket, absent| Bucket::open(client, bucket, "p", absent);
    let once = RetryConfig { max_retries: 0, ..RetryConfig::default() };
    let client = || server.client().with_retry(once.clone());
    assert_eq!(trouble(open(client(), BUCKET, Absent::Refuse)), Trouble::NoStore);
    assert_eq!(trouble(open(client(), "no-such-bucket", Absent::Make)), Trouble::NoStore);
    let stranger = client().with_secret_access_key("guess");
    assert_eq!(trouble(open(stranger, BUCKET, Absent::Make)), Trouble::Denied);
    // The port of the discard protocol, which no machine serves today.
    for nobody in ["http://127.0.0.1:9", "https://127.0.0.1:9"] {
        let nobody = client().with_endpoint(nobody);
        assert_eq!(trouble(open(nobody, BUCKET, Absent::Make)), Trouble::Unreachable);
    }
    assert_eq!(trouble(Bucket::open(client(), BUCKET, "a//b", Absent::Make)), Trouble::Address);
}

#[test]
fn what_is_not_a_store_is_left_alone() {
    let server = Server::new();
    fs_err::create_dir_all(server.folder()).unwrap();
    fs_err::write(server.folder().join("thesis.docx"), "").unwrap();
    let open = || Bucket::open(server.client(), BUCKET, testserver::PREFIX, Absent::Make);
    let error = open().unwrap_err();
    assert!(matches!(error, Error::NotAStore { .. }) && error.to_string().contains("thesis.docx"), "{error}");

    fs_err::remove_file(server.folder().join("thesis.docx")).unwrap();
    fs_err::write(server.folder().join("format"), "sga store 7\n").unwrap();
    let error = open().unwrap_err();
    assert!(matches!(error, Error::NotAStore { .. }) && error.to_string().contains("sga store 7"), "{error}");
}

#[test]
fn names_of_refs_are_kept_as_they_are() {
    let server = Server::new();
    let bucket = server.bucket();
    let (_folder, here) = small_store();
    push(&here, &bucket).unwrap();
    let names: Vec<String> = bucket.refs().unwrap().keys().map(ToString::to_string).collect();
    assert_eq!(names, ["ingest/siim", "ingest/siim.1", "train/sga-k=0.1"]);
}
