//! What holds of a store elsewhere, be it a bucket or a folder.

use remote::{Absent, Direction, Folder, Outcome, Remote};
use store::{Digest, RefTarget, Store, Swap};

use testserver::Server;

use crate::contents::{holdings, name_result, new_store, pull, push, small_store, transfer};

/// Runs a test on a bucket and on a folder. The test is given the store elsewhere, and how to open it as a folder.
fn on_both(test: impl Fn(&dyn Remote, &dyn Fn() -> Store)) {
    let server = Server::new();
    test(&server.bucket(), &|| server.store());
    let (folder, _) = new_store();
    let path = folder.path().join("shared");
    test(&Folder::open(path.clone(), Absent::Make).unwrap(), &|| Store::open(path.clone()).unwrap());
}

#[test]
fn what_was_pushed_can_be_pulled_and_opened() {
    on_both(|remote, opened| {
        let (_folder, here) = small_store();
        // Larger than one piece, and not a multiple of it.
        let large: Vec<u8> = (0..=9 << 20).map(|index: u32| (index / 1024) as u8).collect();
        name_result(&here, "train/large", &[&large]);

        let outcomes = push(&here, remote).unwrap();
        assert_eq!(outcomes.len(), 4);
        assert!(outcomes.values().all(|outcome| *outcome == Outcome::New), "{outcomes:?}");
        assert_eq!(holdings(&opened()), holdings(&here), "what was pushed is a store");
        assert!(!opened().root().join("secret").exists(), "the secret stays here");
        opened().put_bytes(b"made there").unwrap();

        let (_folder, there) = new_store();
        pull(&there, remote).unwrap();
        assert_eq!(holdings(&there), holdings(&here));
        assert_eq!(there.verify(|_| {}).unwrap().bytes, here.verify(|_| {}).unwrap().bytes);
        assert!(push(&here, remote).unwrap().values().all(|outcome| *outcome == Outcome::Same));

        let (checked, total) = (std::cell::Cell::new(0), std::sync::atomic::AtomicU64::new(0));
        let found = remote::check(
            remote,
            2,
            |bytes| checked.set(bytes),
            |bytes| {
                total.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
            },
        );
        let found = found.unwrap();
        assert_eq!((found.objects, found.damage), (6, Vec::new()));
        assert_eq!((checked.get(), total.into_inner()), (found.bytes, found.bytes));
    });
}

#[test]
fn a_chosen_ref_comes_with_what_it_needs_and_nothing_else() {
    on_both(|remote, opened| {
        let (_folder, here) = small_store();
        transfer(&here, remote, Direction::Push, &["train/sga-k=0.1"], false).unwrap();
        assert_eq!(holdings(&opened()).keys().collect::<Vec<_>>(), ["train/sga-k=0.1"]);
        assert_eq!(opened().verify(|_| {}).unwrap().objects, 2);

        let absent = transfer(&here, remote, Direction::Pull, &["ingest/siim"], false).unwrap_err();
        assert!(absent.to_string().contains("ingest/siim"), "{absent}");
    });
}

#[test]
fn a_ref_that_moved_elsewhere_is_not_overwritten() {
    on_both(|remote, opened| {
        let [(_folder_a, a), (_folder_b, b)] = [new_store(), new_store()];
        let name = "ingest/siim";
        let there = || holdings(&opened())[name];

        let first = name_result(&a, name, &[b"first"]);
        push(&a, remote).unwrap();
        assert_eq!(pull(&b, remote).unwrap()[name], Outcome::New);

        // b goes on: its push moves the ref, and a, which has not moved, follows.
        let second = name_result(&b, name, &[b"second"]);
        assert_eq!(push(&b, remote).unwrap()[name], Outcome::Moved(first));
        assert_eq!(push(&a, remote).unwrap()[name], Outcome::Ahead(second), "a has nothing new to say");
        assert_eq!(there(), second);
        assert_eq!(pull(&a, remote).unwrap()[name], Outcome::Moved(first));
        assert_eq!(holdings(&a)[name], second);

        // Both go on.
        let ours = name_result(&a, name, &[b"third of a"]);
        let theirs = name_result(&b, name, &[b"third of b"]);
        assert_eq!(push(&b, remote).unwrap()[name], Outcome::Moved(second));
        assert_eq!(push(&a, remote).unwrap()[name], Outcome::Conflict(theirs));
        assert_eq!(pull(&a, remote).unwrap()[name], Outcome::Conflict(ours));
        assert_eq!((there(), holdings(&a)[name]), (theirs, ours), "nothing is overwritten");
        assert_eq!(transfer(&a, remote, Direction::Push, &[], true).unwrap()[name], Outcome::Moved(theirs));
        assert_eq!(there(), ours);
        assert_eq!(pull(&b, remote).unwrap()[name], Outcome::Moved(theirs), "b has not moved since");

        // A third that never saw it.
        let (_folder, c) = new_store();
        name_result(&c, name, &[b"of c"]);
        assert_eq!(push(&c, remote).unwrap()[name], Outcome::Conflict(ours));
        assert_eq!(pull(&c, remote).unwrap().len(), 1);
    });
}

#[test]
fn of_those_who_move_a_ref_at_once_one_wins() {
    on_both(|remote, opened| {
        let (_folder, here) = new_store();
        let targets: Vec<RefTarget> = (0..8_u8)
            .map(|number| {
                let name = format!("train/model-{number}");
                name_result(&here, &name, &[&[number]])
            })
            .collect();
        push(&here, remote).unwrap();
        let name = "train/best".parse().unwrap();
        for from in [None, Some(&targets[0])] {
            if let Some(start) = from {
                let now = remote.ref_target(&name).unwrap();
                assert_eq!(remote.swap_ref(&name, now.as_ref(), start).unwrap(), Swap::Done);
            }
            let outcomes: Vec<Swap> = std::thread::scope(|scope| {
                let name = &name;
                let started: Vec<_> = targets[1..]
                    .iter()
                    .map(|target| scope.spawn(move || remote.swap_ref(name, from, target).unwrap()))
                    .collect();
                started.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let won: Vec<_> = outcomes
                .iter()
                .zip(&targets[1..])
                .filter(|(outcome, _)| **outcome == Swap::Done)
                .map(|(_, target)| *target)
                .collect();
            assert_eq!(won, [opened().ref_target("train", "best").unwrap().unwrap()]);
        }
    });
}

#[test]
fn what_is_cut_short_elsewhere_is_missing_and_what_is_garbled_is_refused() {
    on_both(|remote, opened| {
        let (_folder, here) = small_store();
        push(&here, remote).unwrap();
        let path = opened().object_path(&Digest::of(b"weights"));
        let spoil = |content: &[u8]| {
            let _ = fs_err::remove_file(&path);
            fs_err::write(&path, content).unwrap();
        };
        spoil(b"weighTs");
        let (_folder, there) = new_store();
        let error = pull(&there, remote).unwrap_err();
        assert!(matches!(error, store::Error::Garbled { .. }), "{error}");
        assert_eq!(holdings(&there).len(), 0);
        assert!(!there.has(&Digest::of(b"weights")));
        let damage = remote::check(remote, 2, |_| {}, |_| {}).unwrap().damage;
        assert_eq!(damage.len(), 1, "{damage:?}");

        spoil(b"weig");
        assert!(pull(&there, remote).is_err());
        push(&here, remote).unwrap();
        pull(&there, remote).unwrap();
        assert_eq!(holdings(&there), holdings(&here), "a push mends it");

        fs_err::remove_file(&path).unwrap();
        let damage = remote::check(remote, 2, |_| {}, |_| {}).unwrap().damage;
        assert!(damage[0].contains("missing"), "{damage:?}");
    });
}
