//! Duplicates of one ingest: patients who share a picture go to one split, unless that would move an earlier one; then the
//! image that came later is set aside.

use std::collections::{BTreeMap, HashMap, HashSet};

use cohort::Dataset;
use curation::{Assignment, Member, Pair, Thumbnail, candidates, keep_apart};
use schema::{ImageId, IndexEntry, Joined, PatientKey, PerceptualHash, Split};
use stage::{Fallible, Result};
use store::{Digest, Store};

use crate::{
    bucket::Bucket,
    known::{Known, Reader},
    place::{Before, Place},
};

/// What looking for duplicates led to.
pub(crate) struct Apart {
    /// Patients who go to another split.
    pub(crate) moved: BTreeMap<PatientKey, Split>,
    /// Images that came later than another of the same picture in another split, where neither patient may move.
    pub(crate) late: HashSet<ImageId>,
    /// Everything that duplicates did to this data set so far.
    pub(crate) joined: Joined,
}

/// An image, as far as duplicates go.
struct Sighting {
    image_id: ImageId,
    /// Index of its patient.
    patient: usize,
    hash: PerceptualHash,
    file: Digest,
    /// The last ingest did not look at it, or at other pixels.
    new: bool,
}

/// Looks for pictures that new images share with others. What the last ingest had is not new, if it had it in the `same_pixels`.
pub(crate) fn apart(
    store: &Store,
    known: &Known,
    buckets: &BTreeMap<Place, Bucket>,
    before: &Before,
    same_pixels: bool,
    last: Option<&Dataset>,
) -> Result<Apart> {
    let (patients, sightings) = sightings(buckets, before, same_pixels)?;
    let hashes: Vec<PerceptualHash> = sightings.iter().map(|sighting| sighting.hash).collect();
    let mut pairs = candidates(&hashes, |index| sightings[index].new);
    pairs.retain(|pair| sightings[pair.first].patient != sightings[pair.second].patient);
    let same = same_pictures(store, known, &sightings, &pairs)?;
    let members: Vec<Member> = same
        .iter()
        .enumerate()
        .map(|(index, pair)| Member {
            patients: [pair.first, pair.second].map(|image| sightings[image].patient),
            pair: index,
        })
        .collect();
    let outcome = keep_apart(&patients, &members);

    let images: HashSet<&ImageId> = sightings.iter().map(|sighting| &sighting.image_id).collect();
    let mut joined = last.map(|last| last.manifest.joined.clone()).unwrap_or_default();
    joined.conflicts.retain(|pair| pair.iter().all(|image| images.contains(image)));
    let mut conflicts: Vec<[&Sighting; 2]> = outcome
        .conflicts
        .iter()
        .map(|&index| [same[index].first, same[index].second].map(|image| &sightings[image]))
        .collect();
    let late = late(store, &patients, &conflicts, last)?;
    conflicts.retain(|pair| pair.iter().all(|one| !late.contains(&one.image_id)));
    joined.conflicts.extend(conflicts.into_iter().map(|pair| {
        let mut pair = pair.map(|one| one.image_id.clone());
        pair.sort();
        pair
    }));
    joined.conflicts.sort();
    joined.conflicts.dedup();
    let present: HashSet<&PatientKey> = patients.iter().map(|patient| &patient.patient).collect();
    joined.patients.retain(|patient| present.contains(patient));
    joined.patients.extend(outcome.moved.keys().cloned());
    joined.patients.sort();
    Ok(Apart { moved: outcome.moved, late, joined })
}

/// Of each pair the image of which the patient's last ingest did not have the file, under whatever name; of two such the
/// second by name.
fn late(
    store: &Store,
    patients: &[Assignment],
    conflicts: &[[&Sighting; 2]],
    last: Option<&Dataset>,
) -> Result<HashSet<ImageId>> {
    let mut had: HashSet<(PatientKey, String)> = HashSet::new();
    if let (Some(last), false) = (last, conflicts.is_empty()) {
        last.each_identity(store, |image| {
            had.insert((image.patient_key, image.source_digest));
        })
        .or_other()?;
    }
    let is_late =
        |one: &Sighting| !had.contains(&(patients[one.patient].patient.clone(), one.file.to_string()));
    let mut late = HashSet::new();
    for pair in conflicts {
        let came = pair.iter().copied().filter(|one| is_late(one)).map(|one| one.image_id.clone());
        late.extend(came.max());
    }
    Ok(late)
}

/// Every patient and every image, patients and images by index.
fn sightings(
    buckets: &BTreeMap<Place, Bucket>,
    before: &Before,
    same_pixels: bool,
) -> Result<(Vec<Assignment>, Vec<Sighting>)> {
    let mut patients: Vec<Assignment> = Vec::new();
    let mut index_of: HashMap<PatientKey, usize> = HashMap::new();
    let mut sightings = Vec::new();
    for entry in buckets.values().flat_map(|bucket| &bucket.entries) {
        let IndexEntry { patient_key, split, source_digest, .. } = entry;
        let patient = *index_of.entry(patient_key.clone()).or_insert_with(|| {
            patients.push(Assignment {
                patient: patient_key.clone(),
                split: *split,
                fixed: before.splits.contains_key(patient_key),
                order: source_digest.clone(),
            });
            patients.len() - 1
        });
        if *source_digest < patients[patient].order {
            patients[patient].order.clone_from(source_digest);
        }
        sightings.push(Sighting {
            image_id: entry.image_id.clone(),
            patient,
            hash: entry.traits.perceptual_hash,
            file: source_digest.parse()?,
            new: !same_pixels || !before.patients.contains_key(&entry.fingerprint),
        });
    }
    Ok((patients, sightings))
}

/// The candidates that are the same picture.
fn same_pictures(store: &Store, known: &Known, sightings: &[Sighting], pairs: &[Pair]) -> Result<Vec<Pair>> {
    let mut images: Vec<usize> = pairs.iter().flat_map(|pair| [pair.first, pair.second]).collect();
    images.sort_unstable();
    images.dedup();
    let mut reader = Reader::new(store, known);
    let mut thumbnails = HashMap::new();
    for image in images {
        let Some(place) = known.image(&sightings[image].file) else { continue };
        for decoded in reader.read(&[place])? {
            let grey = imaging::decode_png(&decoded.png).or_other()?;
            thumbnails.insert(image, Thumbnail::of(&grey).or_other()?);
        }
    }
    let is_same = |pair: &&Pair| match (thumbnails.get(&pair.first), thumbnails.get(&pair.second)) {
        (Some(one), Some(other)) => one.is_same(other),
        _ => false,
    };
    Ok(pairs.iter().filter(is_same).copied().collect())
}
