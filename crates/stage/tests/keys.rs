//! Keys hold all that makes a result, and nothing else.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value};
use stage::{Action, Allowed, Input, Parameter, Sweep};
use store::{Digest, Key};

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        proptest::num::f64::NORMAL.prop_map(Value::from),
        "[ -~äß€😀\"\\\\]{0,12}".prop_map(Value::from),
    ]
}

fn digest() -> impl Strategy<Value = Digest> {
    any::<[u8; 8]>().prop_map(|bytes| Digest::of(&bytes))
}

fn input() -> impl Strategy<Value = Input> {
    prop_oneof![
        digest().prop_map(Input::Object),
        proptest::collection::vec(digest(), 0..5).prop_map(Input::Objects),
        "[0-9a-f]{8}".prop_map(Input::Outside),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let parameters = proptest::collection::btree_map("[a-z_]{1,8}", scalar(), 1..6);
    let inputs = proptest::collection::btree_map("[a-z]{1,8}", input(), 1..4);
    (0..1000_u32, parameters, inputs).prop_map(|(version, parameters, inputs)| Action {
        stage: "train",
        version,
        parameters: parameters.into_iter().collect(),
        inputs,
    })
}

/// One thing that makes a result becomes another.
fn mutated(action: &Action, which: u8, place: prop::sample::Index, value: Value, object: Digest) -> Action {
    let mut other = action.clone();
    let name: String = (*place.get(&action.parameters.keys().collect::<Vec<_>>())).clone();
    let input: String = (*place.get(&action.inputs.keys().collect::<Vec<_>>())).clone();
    match which {
        0 => other.version += 1,
        1 => other.stage = "eval",
        2 => drop(other.parameters.insert(name, value)),
        3 => drop(other.parameters.remove(&name)),
        4 => drop(other.parameters.insert(format!("{name}2"), value)),
        5 => drop(other.inputs.insert(input, Input::Object(object))),
        6 => drop(other.inputs.remove(&input)),
        7 => drop(other.inputs.insert(format!("{input}2"), Input::Objects(vec![object]))),
        _ => match other.inputs.get_mut(&input) {
            Some(Input::Objects(objects)) => objects.push(object),
            Some(input) => *input = Input::Objects(vec![object]),
            None => unreachable!("the input was there"),
        },
    }
    other
}

static REAL: &[Parameter] = &[
    Parameter::new("x", Allowed::Real(f64::MIN, f64::MAX), None, "a number"),
    Parameter::new("seed", Allowed::Integer(0, i64::MAX), Some("0"), "a whole number"),
    Parameter::unkeyed("store", Allowed::Path, Some(".sga"), "a folder"),
    Parameter::unkeyed("threads", Allowed::Integer(1, 64), Some("1"), "a number of threads"),
];

/// The key of a stage with these words.
fn key_of(words: &[String]) -> Key {
    let mut sweep = Sweep::default();
    for word in words {
        sweep.set_word(REAL, word).unwrap();
    }
    let parameters = sweep.runs(REAL).unwrap().remove(0).keyed();
    Action { stage: "train", version: 1, parameters, inputs: BTreeMap::new() }.key()
}

proptest! {
    #[test]
    fn whatever_makes_the_result_makes_another_key(
        action in action(), which in 0..9_u8, place: prop::sample::Index, value in scalar(), object in digest(),
    ) {
        let other = mutated(&action, which, place, value, object);
        prop_assume!(other.document() != action.document());
        prop_assert_ne!(other.key(), action.key());
    }

    #[test]
    fn order_means_nothing(action in action(), seed: u64) {
        use rand::{SeedableRng, seq::SliceRandom};
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut parameters: Vec<_> = action.parameters.clone().into_iter().collect();
        parameters.shuffle(&mut random);
        let mut other = Action { parameters: Map::from_iter(parameters), ..action.clone() };
        for input in other.inputs.values_mut() {
            if let Input::Objects(objects) = input {
                objects.shuffle(&mut random);
            }
        }
        prop_assert_eq!(other.key(), action.key());
    }

    #[test]
    fn a_document_written_and_read_again_has_the_same_key(action in action()) {
        let text = serde_json::to_string_pretty(&action.document()).unwrap();
        prop_assert_eq!(Key::of_document(&serde_json::from_str(&text).unwrap()), action.key());
    }

    #[test]
    fn a_number_has_one_key_however_it_is_spelled(x in proptest::num::f64::NORMAL) {
        let key = key_of(&[format!("x={x}")]);
        for spelling in [format!("x={x:e}"), format!("x={x:E}"), format!("x={x:.1100}")] {
            prop_assert_eq!(key_of(std::slice::from_ref(&spelling)), key, "{}", spelling);
        }
        prop_assert_ne!(key_of(&[format!("x={}", x.next_up())]), key);
    }

    #[test]
    fn whole_numbers_have_keys_of_their_own(a in 0..i64::MAX, step in 1..3_i64) {
        prop_assert_ne!(key_of(&[format!("seed={a}")]), key_of(&[format!("seed={}", a.saturating_add(step))]));
    }

    #[test]
    fn where_and_how_to_run_means_nothing(store in "[a-z/]{1,20}", threads in 1..64) {
        let words = ["x=1".to_owned(), format!("store={store}"), format!("threads={threads}")];
        prop_assert_eq!(key_of(&words), key_of(&words[..1]));
    }
}

#[test]
fn small_spellings() {
    let same = |a: &str, b: &str| key_of(&[format!("x={a}")]) == key_of(&[format!("x={b}")]);
    for (a, b) in [("0.1", "1e-1"), ("0.1", ".10"), ("-0.0", "0"), ("1", "1.0"), ("1e3", "1000"), ("+2", "2")]
    {
        assert!(same(a, b), "{a} and {b}");
    }
    assert!(!same("0.1", "0.10000000000000002"), "another number in the last place");
    assert_ne!(key_of(&["seed=9007199254740992".into()]), key_of(&["seed=9007199254740993".into()]));
}
