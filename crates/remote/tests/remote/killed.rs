//! The process is killed at any request: what can be seen is whole, and the next run goes on from there.

use std::{
    io::{Read, Write},
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, Stdio},
};

use remote::Absent;
use store::{Digest, Store};

use testserver::{BUCKET, Fault, PREFIX, Server, scratch};

use crate::{
    cache::open,
    contents::{holdings, name_result, new_store, pull, push, small_store},
};

const STORE: &str = "SGA_KILLED_STORE";
const WAY: &str = "SGA_KILLED_WAY";

/// Not a test by itself: the process that is killed. The tests below start this program again with the words that say
/// where.
#[test]
fn the_process_that_is_killed() {
    let Ok(store) = std::env::var(STORE) else { return };
    std::io::stdin().read_exact(&mut [0]).unwrap(); // until the server knows whom to kill
    let bucket = remote::open(&format!("s3://{BUCKET}/{PREFIX}/"), Absent::Make).unwrap();
    let way = std::env::var(WAY).unwrap();
    if way == "cache" {
        work(&open(bucket, store.into(), u64::MAX).unwrap());
        return;
    }
    let store = Store::open(store).unwrap();
    if way == "push" { push(&store, &*bucket) } else { pull(&store, &*bucket) }.unwrap();
}

/// Pushes or pulls in a process of its own, which finds the server as users' programs do, and is killed at request `at`, before or after it is carried out. Returns
/// whether it was.
fn dies(server: &Server, store: &Path, way: &str, at: usize, after: bool) -> bool {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::the_process_that_is_killed", "--test-threads=1"])
        .env(STORE, store)
        .env(WAY, way)
        .envs(server.variables())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let process = child.id();
    let mut number = 0;
    server.plan(move |_| {
        number += 1;
        let fault = if after { Fault::KilledAfter(process) } else { Fault::KilledBefore(process) };
        (number == at + 1).then_some(fault)
    });
    child.stdin.take().unwrap().write_all(b"!").unwrap();
    let status = child.wait().unwrap();
    server.plan(|_| None);
    assert!(status.success() || status.signal() == Some(9), "{status}");
    !status.success()
}

/// What two stages do: the second reads what the first made.
fn work(store: &Store) {
    let target = name_result(store, "ingest/siim", &[b"shard one", b"shard two"]);
    assert!(store.result(&target.key).unwrap().is_some());
    store.read(&Digest::of(b"shard one")).unwrap();
    name_result(store, "train/sga", &[b"weights"]);
}

#[test]
fn stages_on_a_cache_are_killed_at_every_request_and_lose_nothing() {
    for after in [false, true] {
        for at in 0.. {
            let (server, folder) = (Server::new(), scratch());
            let cache = folder.path().join("cache");
            let killed = dies(&server, &cache, "cache", at, after);
            if server.folder().join("format").exists() {
                let _ = holdings(&server.store()); // whole, as far as it can be seen
            }
            let finished: Vec<String> = ["ingest/siim", "train/sga"]
                .into_iter()
                .filter(|name| cache.join("refs").join(name).exists())
                .map(str::to_owned)
                .collect();
            let store = open(Box::new(server.bucket()), cache, u64::MAX).unwrap();
            let published: Vec<String> = holdings(&server.store()).into_keys().collect();
            assert_eq!(published, finished, "killed at {at}: what has a name is published by the next run");
            server.asked();
            work(&store);
            assert_eq!(holdings(&server.store()).len(), 2);
            if !killed {
                assert!(at > 12, "only {at} requests");
                assert!(server.asked().is_empty(), "nothing was to be done");
                break;
            }
        }
    }
}

#[test]
fn a_push_is_killed_at_every_request_and_goes_on() {
    let (_folder, here) = small_store();
    for after in [false, true] {
        for at in 0.. {
            let server = Server::new();
            let killed = dies(&server, here.root(), "push", at, after);
            if server.folder().join("format").exists() {
                let _ = holdings(&server.store()); // whole, as far as it can be seen
            }
            server.asked();
            push(&here, &server.bucket()).unwrap();
            assert_eq!(holdings(&server.store()), holdings(&here), "killed at {at}");
            if !killed {
                assert!(at > 20, "only {at} requests");
                assert!(!server.asked().iter().any(|line| line.starts_with("PUT")), "nothing was missing");
                break;
            }
        }
    }
}

#[test]
fn a_pull_is_killed_at_every_request_and_goes_on() {
    let server = Server::new();
    let (_folder, there) = small_store();
    push(&there, &server.bucket()).unwrap();
    for after in [false, true] {
        for at in 0.. {
            let (_folder, here) = new_store();
            let killed = dies(&server, here.root(), "pull", at, after);
            let _ = holdings(&here);
            let had = here.verify(|_| {}).unwrap().objects;
            server.asked();
            pull(&here, &server.bucket()).unwrap();
            assert_eq!(holdings(&here), holdings(&there), "killed at {at}");
            let taken = server.asked().iter().filter(|line| line.contains("/objects/")).count();
            let empty = 1; // comes without a request
            assert!(taken <= 5 - had.saturating_sub(empty), "{had} were here, {taken} taken");
            if !killed {
                assert_eq!(taken, 0);
                break;
            }
        }
    }
}
