//! The line and the server fail at every request, in every way; nothing that can be seen is ever half there.

use rand::{Rng, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;
use remote::Remote;
use store::{Digest, Error};

use testserver::{Fault, Server};

use crate::contents::{holdings, name_result, new_store, pull, push, small_store};

const FAULTS: [Fault; 7] = [
    Fault::CutWhileSent,
    Fault::CutBeforeAnswer,
    Fault::CutWhileAnswered,
    Fault::Busy,
    Fault::Trickle,
    Fault::FlippedThere,
    Fault::FlippedBack,
];

/// Only the request of this number fails.
fn fail_at(server: &Server, at: usize, fault: Fault) {
    let mut number = 0;
    server.plan(move |_| {
        number += 1;
        (number == at + 1).then_some(fault)
    });
    server.asked();
}

#[test]
fn every_request_of_a_push_fails_once_in_every_way() {
    let (_folder, here) = small_store();
    let expected = holdings(&here);
    for fault in FAULTS {
        for at in 0.. {
            let server = Server::new();
            let bucket = server.bucket();
            fail_at(&server, at, fault);
            push(&here, &bucket).unwrap_or_else(|error| panic!("{fault:?} at {at}: {error}"));
            assert_eq!(holdings(&server.store()), expected, "{fault:?} at {at}");
            if at >= server.asked().len() {
                assert!(at > 20, "only {at} requests");
                break;
            }
        }
    }
}

#[test]
fn every_request_of_a_pull_fails_once_in_every_way() {
    let (server, (_folder, there)) = (Server::new(), small_store());
    let (bucket, expected) = (server.bucket(), holdings(&there));
    push(&there, &bucket).unwrap();
    for fault in FAULTS {
        for at in 0.. {
            fail_at(&server, at, fault);
            let (_folder, here) = new_store();
            pull(&here, &bucket).unwrap_or_else(|error| panic!("{fault:?} at {at}: {error}"));
            assert_eq!(holdings(&here), expected, "{fault:?} at {at}");
            if at >= server.asked().len() {
                assert!(at > 10, "only {at} requests");
                break;
            }
        }
    }
}

#[test]
fn many_requests_fail() {
    let (_folder, here) = small_store();
    let expected = holdings(&here);
    for seed in 0..40 {
        let server = Server::new();
        let bucket = server.bucket();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        server.plan(move |_| random.random_bool(0.3).then(|| *FAULTS.choose(&mut random).unwrap()));
        let (_folder, there) = new_store();
        // Three flips of one object in a row end a run; the next goes on.
        for run in 0.. {
            match push(&here, &bucket).and_then(|_| pull(&there, &bucket)) {
                Ok(_) => break,
                Err(error) => assert!(run < 10, "seed {seed}: {error}"),
            }
            let _ = (holdings(&server.store()), holdings(&there)); // whatever can be seen is whole
        }
        assert_eq!(holdings(&server.store()), expected, "seed {seed}");
        assert_eq!(holdings(&there), expected, "seed {seed}");
    }
}

#[test]
fn a_large_object_passes_a_bad_line() {
    let (_folder, here) = new_store();
    let large: Vec<u8> = (0..(17 << 20) + 5).map(|index: u32| (index / 4096) as u8).collect();
    name_result(&here, "train/large", &[&large]);
    for seed in 0..3 {
        let server = Server::new();
        let bucket = server.bucket();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let cuts = [Fault::CutWhileSent, Fault::CutBeforeAnswer, Fault::CutWhileAnswered, Fault::Busy];
        server.plan(move |_| random.random_bool(0.3).then(|| *cuts.choose(&mut random).unwrap()));
        let (_folder, there) = new_store();
        push(&here, &bucket).unwrap();
        pull(&there, &bucket).unwrap();
        assert_eq!(holdings(&there), holdings(&here), "seed {seed}");
    }
}

#[test]
fn a_silent_server_is_asked_again() {
    let server = Server::new();
    let bucket = server.bucket();
    let (_folder, here) = small_store();
    let mut number = 0;
    server.plan(move |_| {
        number += 1;
        (number == 12).then_some(Fault::Silent)
    });
    push(&here, &bucket).unwrap();
    assert_eq!(holdings(&server.store()), holdings(&here));
}

#[test]
fn what_arrives_wrong_each_time_is_an_error_and_leaves_nothing() {
    let server = Server::new();
    let bucket = server.bucket();
    let (_folder, here) = small_store();
    server.plan(|_| Some(Fault::FlippedThere));
    let error = push(&here, &bucket).unwrap_err();
    assert!(matches!(error, Error::Garbled { .. }), "{error}");
    assert!(bucket.refs().unwrap().is_empty());

    server.plan(|_| None);
    push(&here, &bucket).unwrap();
    server.plan(|line| line.starts_with("GET").then_some(Fault::FlippedBack));
    let (_folder, there) = new_store();
    let error = pull(&there, &bucket).unwrap_err();
    assert!(matches!(error, Error::Garbled { .. }), "{error}");
    assert_eq!(holdings(&there).len(), 0);
}

#[test]
fn only_what_is_missing_moves() {
    let server = Server::new();
    let bucket = server.bucket();
    let (_folder, here) = small_store();
    let sent = || server.asked().into_iter().filter(|line| line.starts_with("PUT")).collect::<Vec<_>>();
    server.asked();
    push(&here, &bucket).unwrap();
    assert_eq!(sent().len(), 5 + 3 + 3, "objects, results, refs");
    push(&here, &bucket).unwrap();
    assert_eq!(sent(), [] as [&str; 0]);

    name_result(&here, "ingest/siim", &[b"shard one", b"shard three"]);
    push(&here, &bucket).unwrap();
    let sent = sent();
    assert_eq!(sent.len(), 3, "{sent:?}");
    assert!(sent[0].ends_with(&Digest::of(b"shard three").place()), "the object comes first: {sent:?}");
    assert!(sent[1].contains("/actions/") && sent[2].ends_with("/refs/ingest/siim"), "{sent:?}");

    let (_folder, there) = new_store();
    there.put_bytes(b"shard one").unwrap();
    server.asked();
    pull(&there, &bucket).unwrap();
    let asked = server.asked();
    let taken = asked.iter().filter(|line| line.contains("/objects/")).count();
    assert_eq!(taken, 4 - 1, "all but the empty one and the one that was here: {asked:?}");
}
