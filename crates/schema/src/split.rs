//! Who trains, who validates, who tests.

use serde::{Deserialize, Serialize};

use crate::{PatientId, patient};

/// What a data set is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Training hospital: patients are split 6:2:2 into train, validation and test.
    Iid,
    /// Unseen hospital: every image is a test image.
    Ood,
}

/// The part of a study an image belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// Weights are fitted on it: 60 % of the patients of an `iid` data set.
    Train,
    /// The epoch is chosen on it: 20 %.
    Validation,
    /// In-distribution test: 20 %.
    Test,
    /// Out-of-distribution test: the whole of an `ood` data set.
    Ood,
}

impl Split {
    /// Every split, in the order of tables.
    pub const ALL: [Self; 4] = [Self::Train, Self::Validation, Self::Test, Self::Ood];

    /// The name, as in shards, tables and file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
            Self::Ood => "ood",
        }
    }

    /// The split with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|split| split.name() == name)
    }

    /// The split of a patient: decided by a hash of source, patient and `seed` alone, so that new images or new
    /// patients never move an old patient.
    pub fn of(role: Role, source: &str, patient: &PatientId, seed: u64) -> Self {
        match role {
            Role::Ood => Self::Ood,
            Role::Iid => match patient::place(source, patient, seed) {
                place if place < 0.6 => Self::Train,
                place if place < 0.8 => Self::Validation,
                _ => Self::Test,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patients_are_split_six_two_two() {
        let count = |split| {
            (0..10_000)
                .filter(|i| {
                    Split::of(Role::Iid, "siim", &PatientId::new(&format!("p{i}")).unwrap(), 0) == split
                })
                .count()
        };
        // Four standard deviations of a binomial with n = 10,000.
        assert!(count(Split::Train).abs_diff(6_000) < 196);
        assert!(count(Split::Validation).abs_diff(2_000) < 160);
        assert!(count(Split::Test).abs_diff(2_000) < 160);
    }

    #[test]
    fn the_unseen_hospital_is_never_trained_on() {
        let patient = PatientId::new("p").unwrap();
        assert_eq!(Split::of(Role::Ood, "github-covid", &patient, 0), Split::Ood);
    }
}
