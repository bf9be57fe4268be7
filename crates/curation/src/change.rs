//! What happened to a data set between two ingests.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use schema::{IndexEntry, Split};

/// What happened in one split of one source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Images that were not there before.
    pub added: u64,
    /// Images that are gone.
    pub removed: u64,
    /// Images of another class.
    pub relabelled: u64,
    /// Images whose file is another one.
    pub replaced: u64,
    /// Images of the same file and class of which a table says something else: finding, view, boxes, study.
    pub described: u64,
    /// Images that came from another split.
    pub moved_in: u64,
    /// Images that went to another split.
    pub moved_out: u64,
    /// Patients who were not there before, in any split.
    pub patients_added: u64,
    /// Patients who are gone from every split.
    pub patients_removed: u64,
}

/// What happened, by source and split; places without change are left out.
pub type Change = BTreeMap<(String, Split), Tally>;

/// Compares two ingests made with the same secret, image by image.
pub fn change(before: &[IndexEntry], after: &[IndexEntry]) -> Change {
    let of = |entry: &IndexEntry| (entry.source.clone(), entry.split);
    let mut change = Change::new();
    let mut old: HashMap<_, _> = before.iter().map(|entry| (&entry.image_id, entry)).collect();
    for entry in after {
        let Some(was) = old.remove(&entry.image_id) else {
            change.entry(of(entry)).or_default().added += 1;
            continue;
        };
        if was.split != entry.split {
            change.entry(of(was)).or_default().moved_out += 1;
            change.entry(of(entry)).or_default().moved_in += 1;
        }
        if was.label != entry.label {
            change.entry(of(entry)).or_default().relabelled += 1;
        }
        if was.source_digest != entry.source_digest {
            change.entry(of(entry)).or_default().replaced += 1;
        } else if was.label == entry.label && was.fingerprint != entry.fingerprint {
            change.entry(of(entry)).or_default().described += 1;
        }
    }
    for gone in old.into_values() {
        change.entry(of(gone)).or_default().removed += 1;
    }
    let patients = |entries: &[IndexEntry]| -> BTreeMap<String, BTreeSet<(String, Split)>> {
        let mut patients: BTreeMap<String, BTreeSet<_>> = BTreeMap::new();
        for entry in entries {
            patients.entry(entry.patient_key.to_string()).or_default().insert(of(entry));
        }
        patients
    };
    let (was, is) = (patients(before), patients(after));
    for (_, places) in is.iter().filter(|(patient, _)| !was.contains_key(*patient)) {
        for place in places {
            change.entry(place.clone()).or_default().patients_added += 1;
        }
    }
    for (_, places) in was.iter().filter(|(patient, _)| !is.contains_key(*patient)) {
        for place in places {
            change.entry(place.clone()).or_default().patients_removed += 1;
        }
    }
    change
}

#[cfg(test)]
pub(crate) mod tests {
    use schema::{ImageId, Label, PatientKey, PerceptualHash, Traits};

    use super::*;

    pub(crate) fn entry(image: &str, patient: &str) -> IndexEntry {
        IndexEntry {
            image_id: ImageId::from_stored(image),
            patient_key: PatientKey::from_stored(patient),
            source: "s".into(),
            split: Split::Train,
            label: Label::Negative,
            finding: String::new(),
            fingerprint: String::new(),
            source_digest: String::new(),
            traits: Traits {
                rows: 1,
                columns: 1,
                frames: 1,
                view: None,
                modality: None,
                text_risk: None,
                mean: 0.0,
                contrast: 0.0,
                pixel_digest: String::new(),
                perceptual_hash: PerceptualHash([0; 4]),
            },
        }
    }

    #[test]
    fn every_kind_of_change_is_counted_where_it_happened() {
        let before =
            ["1", "2", "3", "4", "5"].map(|image| entry(image, if image == "1" { "p" } else { "q" }));
        let mut after = before[1..].to_vec();
        after.push(entry("6", "r"));
        after[0].label = Label::Covid;
        after[1].split = Split::Test;
        after[2].source_digest = "other".into();
        after[3].fingerprint = "another finding".into();
        let change = change(&before, &after);
        assert_eq!(
            change[&("s".to_owned(), Split::Train)],
            Tally {
                added: 1,
                removed: 1,
                relabelled: 1,
                replaced: 1,
                described: 1,
                moved_in: 0,
                moved_out: 1,
                patients_added: 1,
                patients_removed: 1,
            }
        );
        assert_eq!(change[&("s".to_owned(), Split::Test)], Tally { moved_in: 1, ..Tally::default() });
        assert_eq!(super::change(&before, &before), Change::new());
    }
}
