//! Keeping pictures of one patient out of two splits, also where the publisher calls the patient by two names.

use std::collections::BTreeMap;

use schema::{PatientKey, Split};

/// Where patients are before duplicates are looked at, and who may still move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The patient.
    pub patient: PatientKey,
    /// The split by the hash of the patient, or by an earlier ingest.
    pub split: Split,
    /// An earlier ingest placed the patient: it stays.
    pub fixed: bool,
    /// Decides whom others follow: the smallest digest of the patient's files, which is the same in every store.
    pub order: String,
}

/// Two images of one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// The patients, by index.
    pub patients: [usize; 2],
    /// Names the pair to the caller.
    pub pair: usize,
}

/// What the pairs lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Patients who go to another split.
    pub moved: BTreeMap<PatientKey, Split>,
    /// Pairs that stay in two splits, by [`Member::pair`], sorted.
    pub conflicts: Vec<usize>,
}

/// Puts patients who share a picture into one split. A group follows the first of its fixed patients, or its first
/// patient where none is fixed; fixed patients never move, so pairs of them in two splits stay as conflicts.
pub fn keep_apart(patients: &[Assignment], pairs: &[Member]) -> Outcome {
    let mut groups = Groups::new(patients.len());
    for member in pairs {
        groups.join(member.patients);
    }
    let mut leaders: BTreeMap<usize, usize> = BTreeMap::new();
    for index in 0..patients.len() {
        let rank = |index: usize| (!patients[index].fixed, &patients[index].order);
        let leader = leaders.entry(groups.root(index)).or_insert(index);
        if rank(index) < rank(*leader) {
            *leader = index;
        }
    }
    let mut splits = Vec::with_capacity(patients.len());
    let mut outcome = Outcome::default();
    for (index, patient) in patients.iter().enumerate() {
        let leader = &patients[leaders[&groups.root(index)]];
        let split = if patient.fixed { patient.split } else { leader.split };
        if split != patient.split {
            outcome.moved.insert(patient.patient.clone(), split);
        }
        splits.push(split);
    }
    let apart = pairs.iter().filter(|member| splits[member.patients[0]] != splits[member.patients[1]]);
    outcome.conflicts = apart.map(|member| member.pair).collect();
    outcome.conflicts.sort_unstable();
    outcome
}

/// Disjoint sets of indices.
struct Groups(Vec<usize>);

impl Groups {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&mut self, mut index: usize) -> usize {
        while self.0[index] != index {
            self.0[index] = self.0[self.0[index]];
            index = self.0[index];
        }
        index
    }

    fn join(&mut self, [one, other]: [usize; 2]) {
        let (one, other) = (self.root(one), self.root(other));
        self.0[one.max(other)] = one.min(other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patient(name: &str, split: Split, fixed: bool) -> Assignment {
        Assignment { patient: PatientKey::from_stored(name), split, fixed, order: name.to_owned() }
    }

    fn member(one: usize, other: usize) -> Member {
        Member { patients: [one, other], pair: 10 * one + other }
    }

    #[test]
    fn new_patients_follow_the_first_and_fixed_ones_stay() {
        let new = [
            patient("a", Split::Train, false),
            patient("b", Split::Test, false),
            patient("c", Split::Validation, false),
            patient("d", Split::Test, false),
        ];
        let outcome = keep_apart(&new, &[member(1, 2), member(0, 1)]);
        let moved: Vec<_> = outcome.moved.iter().map(|(key, split)| (key.as_str(), *split)).collect();
        assert_eq!(moved, [("b", Split::Train), ("c", Split::Train)]);
        assert_eq!(outcome.conflicts, [0_usize; 0]);

        let late = [patient("a", Split::Train, false), patient("z", Split::Test, true)];
        let outcome = keep_apart(&late, &[member(0, 1)]);
        assert_eq!(outcome.moved.into_values().collect::<Vec<_>>(), [Split::Test], "the old patient stays");
    }

    #[test]
    fn two_old_patients_in_two_splits_are_a_conflict_and_nobody_old_moves() {
        let patients = [
            patient("a", Split::Train, true),
            patient("b", Split::Test, true),
            patient("c", Split::Validation, false),
        ];
        let outcome = keep_apart(&patients, &[member(0, 2), member(1, 2)]);
        assert_eq!(outcome.moved, BTreeMap::from([(PatientKey::from_stored("c"), Split::Train)]));
        assert_eq!(outcome.conflicts, [12], "the new one is with a, so apart from b");
    }

    #[test]
    fn the_order_of_patients_leaves_no_trace() {
        let mut patients: Vec<_> = ["d", "b", "a", "c"]
            .iter()
            .zip(Split::ALL)
            .map(|(name, split)| patient(name, split, false))
            .collect();
        let chain = |patients: &[Assignment]| {
            let at = |name: &str| patients.iter().position(|p| p.order == name).unwrap();
            let pairs = [("a", "b"), ("c", "d"), ("b", "c")].map(|(one, other)| member(at(one), at(other)));
            keep_apart(patients, &pairs).moved
        };
        let forward = chain(&patients);
        patients.reverse();
        assert_eq!(chain(&patients), forward);
        assert_eq!(forward.len(), 3);
    }
}
