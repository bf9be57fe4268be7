//! One data set, from its folder to a manifest in the store.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::atomic::AtomicU64,
};

use cohort::{Dataset, History, SetAside, Withdrawn};
use imaging::Tags;
use schema::{About, Count, ImageId, Joined, Manifest, Quarantined, Role, Secret, Work};
use serde_json::{Map, Value, json};
use stage::{Action, Exit, Failure, Fallible, Input, Parameters, Program, Result, answer, version};
use store::{Digest, FileDigests, Store};

use crate::{
    apart::{Apart, apart},
    bucket::Context,
    changed::changed_files,
    finished::Finished,
    known::{self, Known},
    listed::Listing,
    place::{Before, Place, Placed, Places, Rules},
    progress::Progress,
    read::Settings,
    refusal::Refusal,
    sources::Source,
};

/// What an ingest did, for the summary.
pub(crate) struct Ingested {
    pub(crate) manifest: Manifest,
    /// `None` when folder and parameters are those of an earlier time.
    pub(crate) work: Option<Work>,
    /// What is otherwise than at the last ingest and may not be meant, a line each.
    pub(crate) otherwise: Vec<String>,
}

/// Ingests one data set and names the result `ingest/<data set>`; `None` in a dry run.
pub(crate) fn ingest(store: &Store, run: &Parameters, source: &Source) -> Result<Option<Ingested>> {
    let card = source.adapter.card();
    let secret = secret(store, run, &card.name)?;
    let withdrawn = Withdrawn::of(store).or_other()?;
    let listing = Listing::of(store, &secret, source, &withdrawn)?;
    refuse_shared_sources(store, &card.name, &listing.sources)?;
    let about =
        About { title: card.title.clone(), source: card.source.clone(), licence: card.licence.clone() };
    let mut parameters = row_parameters(run, &secret);
    parameters.extend(run.keyed());
    parameters.insert("role".to_owned(), json!(card.role));
    parameters.insert("about".to_owned(), json!(about));
    let patients = withdrawn.fingerprint(&listing.sources);
    if let Some(patients) = &patients {
        parameters.insert("withdrawn".to_owned(), patients.as_str().into());
    }
    let last_time = match last_ingest(store, &card.name) {
        Err(lost) => {
            // A first ingest put nobody where an earlier one had: the same question has the same answer.
            let first = action(parameters.clone(), listing.fingerprint(), None).0.key();
            let asked = store.ref_target("ingest", &card.name).ok().flatten();
            if asked.is_none_or(|target| target.key != first) {
                return Err(lost);
            }
            None
        }
        last => last?,
    };
    let last = last_time.clone().filter(|last| is_readable(store, last));
    let (action, last) = action(parameters, listing.fingerprint(), last);
    let mut done = None;
    let detail = |input: &str, _: &[Digest], _: &[Digest]| match (&last_time, input) {
        (_, "before") => Ok(None), // the last ingest changes with whatever else does
        (Some(last), "listing") => changed_files(store, last, &listing, &withdrawn).map(Some),
        _ => Ok(Some(Vec::new())),
    };
    let outcome = answer(store, run, &action, &card.name, &detail, |folder| {
        if Withdrawn::of(store).or_other()?.fingerprint(&listing.sources) != patients {
            return Err(Failure::other("a patient withdrew consent just now").remedy("run again"));
        }
        let before = Before::of(store, last.as_ref())?;
        let progress = Progress::new(&card.name, listing.images.len());
        let withdrawn = &withdrawn;
        let job =
            Job { store, run, source, secret: &secret, role: card.role, before: &before, withdrawn, last };
        let mut finished = job.run(&listing, &progress)?;
        progress.finish();
        let gone = |file: &&Quarantined| file.patient_key.iter().any(|key| listing.withdrawn.contains(key));
        let unreadable = listing.unreadable.iter().map(|(file, _)| file);
        finished.quarantined.extend(unreadable.filter(|file| !gone(file)).cloned());
        let made = finished.publish(folder, &card.name, card.role, about, &listing)?;
        done = serde_json::from_value(made.provenance.clone()).ok();
        Ok(made)
    })?;
    let Some(outcome) = outcome else { return Ok(None) };
    let ingested = Dataset::of(store, outcome.result).or_other()?;
    History::record(store, &outcome.key, &ingested).or_other()?;
    let aside = ingested.quarantined(store).or_other()?;
    let paths = listing.paths(&aside.iter().map(|file| &file.image_id).collect());
    SetAside::replace(store, &card.name, paths).or_other()?;
    let otherwise = last_time.map(|last| otherwise(store, &last, &ingested)).transpose()?.unwrap_or_default();
    Ok(Some(Ingested { manifest: ingested.manifest, work: done, otherwise }))
}

/// The store's secret; in a dry run none is written.
///
/// # Errors
/// There is none, and this data set was read under one: all its patients would get new names.
fn secret(store: &Store, run: &Parameters, name: &str) -> Result<Secret> {
    if store.private(Store::SECRET)?.is_some() {
        return Ok(Secret::new(store.secret()?));
    }
    if store.ref_target("ingest", name)?.is_some() {
        let message =
            format!("{name} was read under a secret that is not here: all its images would get other names");
        return Err(Failure::data(message).remedy(
            "copy the file `secret` of the store of then into this one; or, for a new one, with what that leads to: `just \
             rotate-secret`",
        ));
    }
    let nothing_is_kept = run.flag(Program::DRY_RUN.name);
    Ok(Secret::new(if nothing_is_kept { [0; 32] } else { store.secret()? }))
}

/// Refuses two hospitals of which both would call a source so, as `west` with a source `a-b` and `west-a` with a source `b`: a
/// patient's number would be one person in both.
fn refuse_shared_sources(store: &Store, name: &str, sources: &BTreeSet<String>) -> Result<()> {
    let is_of = |source: &str, name: &str| {
        source.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let own: BTreeSet<&String> = sources.iter().filter(|source| is_of(source, name)).collect();
    if own.is_empty() {
        return Ok(());
    }
    for other in store.refs_of("ingest")?.into_iter().filter(|other| other != name) {
        let Ok(Some(dataset)) = Dataset::remembered(store, &other) else { continue }; // what is damaged is told elsewhere
        let counts = dataset.manifest.counts.iter();
        let shared = |source: &&String| own.contains(source) && is_of(source, &other);
        if let Some(source) = counts.map(|count| &count.source).find(shared) {
            let message = format!(
                "{name}: {other} has patients of a source `{source}`, too, and they would become one"
            );
            return Err(Failure::data(message).remedy("call the data set (name=) or its source otherwise"));
        }
    }
    Ok(())
}

/// The last ingest of this name, from which follows where patients stay.
fn last_ingest(store: &Store, name: &str) -> Result<Option<Dataset>> {
    Dataset::remembered(store, name).map_err(|error| {
        let what = format!("{name}: where the last ingest put its patients cannot be read: {error}");
        Failure::new(Exit::Store, what).remedy(format!(
            "fetch what is lost from a copy of the store: `just pull`; or, if no model was trained on it, place patients \
             anew: delete refs/ingest/{name} and refs/{}/{name}.* in the store",
            History::STAGE
        ))
    })
}

/// What may not be meant: other parameters than the last ingest had, fewer images, a label that is gone, other files alone.
fn otherwise(store: &Store, last: &Dataset, now: &Dataset) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    if last.result.document["inputs"]["listing"] != now.result.document["inputs"]["listing"] {
        let mut files: HashSet<String> = HashSet::new();
        last.each_identity(store, |image| files.extend([image.source_digest])).or_other()?;
        let (had, mut common) = (files.len(), 0);
        now.each_identity(store, |image| common += usize::from(files.contains(&image.source_digest)))
            .or_other()?;
        if had > 0 && common == 0 {
            let name = &now.manifest.dataset;
            lines.push(format!(
                "warning: not one of the {had} files of the last ingest is here. Another data set? name=… keeps both: ingest \
                 this one under another name, then {name} from its folder again"
            ));
        }
    }
    let (was, is) = (last.parameters(), now.parameters());
    if was["secret"] != is["secret"] {
        lines.push(
            "read under another secret than the last time: its patients and images have other names from now on".to_owned(),
        );
    }
    let changed =
        ["size", "fit", "buckets", "split_seed", "role"].into_iter().filter(|name| was[name] != is[name]);
    let changed: Vec<String> =
        changed.map(|name| format!("{name} {} → {}", was[name], is[name]).replace('"', "")).collect();
    if !changed.is_empty() {
        lines.push(format!("otherwise than at the last ingest: {}", changed.join(", ")));
    }
    let counts = |dataset: &Dataset| {
        let of = |count: &Count| [count.images, count.negative, count.covid];
        let counts = dataset.manifest.counts.iter().map(of);
        counts.fold([0; 3], |sum, count| [0, 1, 2].map(|index| sum[index] + count[index]))
    };
    let (was, is) = (counts(last), counts(now));
    let gone = |index: usize| was[index] > 0 && is[index] == 0;
    if is[0] < was[0] || gone(1) || gone(2) {
        let name = &now.manifest.dataset;
        let of = |[images, negative, covid]: [u64; 3]| {
            format!("{images} images ({negative} negative, {covid} covid)")
        };
        lines.push(format!(
            "warning: fewer than at the last ingest: {} → {}; `just diff data={name}` says more",
            of(was),
            of(is)
        ));
    }
    Ok(lines)
}

/// Whether it is still known where an ingest put the patients: one of an earlier version may have written that otherwise.
fn is_readable(store: &Store, ingest: &Dataset) -> bool {
    ingest.result.document["version"] == json!(version::INGEST) || ingest.each_entry(store, drop).is_ok()
}

/// The question that an ingest answers, and the last ingest if what it knows of patients is part of the answer.
///
/// Patients stay where the last ingest put them, so its outputs are an input. Where nothing else changed, the question
/// is the one that the last ingest answered.
fn action(
    parameters: Map<String, Value>,
    listing: String,
    last: Option<Dataset>,
) -> (Action, Option<Dataset>) {
    const SAME_PATIENTS: [&str; 3] = ["secret", "split_seed", "role"];
    let mut action = Action {
        stage: "ingest",
        version: version::INGEST,
        parameters,
        inputs: BTreeMap::from([("listing".to_owned(), Input::Outside(listing))]),
    };
    let last = last.filter(|last| {
        let made_with = &last.result.document["parameters"];
        SAME_PATIENTS.iter().all(|name| made_with.get(name) == action.parameters.get(*name))
    });
    let Some(known) = &last else { return (action, None) };
    let document = &known.result.document;
    let unchanged = document["version"] == json!(version::INGEST)
        && document["parameters"] == Value::Object(action.parameters.clone())
        && document["inputs"]["listing"] == json!(action.inputs["listing"].digest());
    let before = if unchanged {
        document["inputs"]["before"].as_str().map(str::to_owned)
    } else {
        Some(known.result.fingerprint().to_string())
    };
    if let Some(before) = before {
        action.inputs.insert("before".to_owned(), Input::Outside(before));
    }
    (action, last)
}

/// The parameters on which a row depends, besides its image and label; all but the secret make its pixels.
fn row_parameters(run: &Parameters, secret: &Secret) -> Map<String, Value> {
    let mut parameters = pixel_parameters(run);
    parameters.insert("secret".to_owned(), secret.fingerprint().into());
    parameters
}

/// The parameters on which stored pixels and their traits depend.
fn pixel_parameters(run: &Parameters) -> Map<String, Value> {
    let mut codecs: Map<String, Value> =
        imaging::CODECS.iter().map(|(name, version)| ((*name).to_owned(), (*version).into())).collect();
    codecs.insert("picture".to_owned(), curation::PICTURE.into());
    Map::from_iter([
        ("size".to_owned(), json!(run.text("size"))),
        ("fit".to_owned(), json!(run.text("fit"))),
        ("codecs".to_owned(), codecs.into()),
    ])
}

/// What the steps of one ingest share.
struct Job<'a> {
    store: &'a Store,
    run: &'a Parameters,
    source: &'a Source,
    secret: &'a Secret,
    role: Role,
    before: &'a Before,
    withdrawn: &'a Withdrawn,
    last: Option<Dataset>,
}

impl Job<'_> {
    /// Places, decodes, looks for duplicates, and writes again the few buckets that those touch.
    fn run(&self, listing: &Listing, progress: &Progress) -> Result<Finished> {
        let again = self.run.flag(Program::AGAIN.name);
        let pixels = pixel_parameters(self.run);
        let mut known = if again { Known::default() } else { Known::of(self.store, &pixels)? };
        let context = Context {
            store: self.store,
            root: &self.source.root,
            digests: &listing.digests,
            secret: self.secret,
            settings: Settings {
                size: self.run.required("size")?.parse().or_usage()?,
                fit: self.run.required("fit")?.parse().or_usage()?,
            },
            parameters: row_parameters(self.run, self.secret),
            progress,
            read: AtomicU64::new(0),
            again,
        };
        let rules = Rules {
            role: self.role,
            seed: self.run.integer("split_seed") as u64,
            buckets: self.run.integer("buckets") as u32,
            secret: self.secret,
            root: &self.source.root,
            before: self.before,
            withdrawn: self.withdrawn,
        };
        let places = rules.place_all(&listing.images);
        self.leave_no_trace(&places)?;
        let withdrawal = places.withdrawal(&listing.withdrawn);
        let Places { mut placed, mut unplaced, .. } = places;
        let mut buckets = context.buckets(&placed, &known)?;
        for bucket in buckets.values() {
            known.add(bucket.files, bucket.entries.iter().map(|entry| entry.source_digest.as_str()));
            known.add_refused(bucket.quarantined.iter().cloned());
        }
        let last = self.last.as_ref();
        let same_pixels = last.is_some_and(|last| known::are_of(last.parameters(), &pixels));
        let Apart { moved, late, mut joined } =
            apart(self.store, &known, &buckets, self.before, same_pixels, last)?;
        let left = set_aside(&mut placed, &late, &moved, &mut unplaced, &mut joined);
        for place in touched(&mut placed, &moved).into_iter().chain(left).collect::<BTreeSet<_>>() {
            buckets.remove(&place);
            if let Some(images) = placed.get(&place) {
                buckets.insert(place, context.bucket(place, images, &known)?);
            }
        }
        let mut finished = Finished::new(joined, unplaced, withdrawal);
        for (place, bucket) in buckets {
            finished.take(place, bucket);
        }
        let placed: usize = placed.values().map(Vec::len).sum();
        finished.work.read = context.read.into_inner();
        finished.work.reused = (placed as u64).saturating_sub(finished.work.read);
        Ok(finished)
    }

    /// Files of patients who withdrew may be new: only now it is known whose they are. Their digests are forgotten, and
    /// not remembered again.
    fn leave_no_trace(&self, places: &Places<'_>) -> Result<()> {
        let files = places.withdrawn.iter().map(|(_, listed)| &listed.file);
        let new: Vec<_> = files.filter(|file| !self.withdrawn.has_file(file)).collect();
        if !new.is_empty() {
            Withdrawn::change(self.store, |list| list.add_files(new.iter().copied())).or_other()?;
            FileDigests::forget(self.store, |file| new.contains(&file))?;
        }
        Ok(())
    }
}

/// Takes these images out of their places; returns the places whose images are others now. Who has no other image is remembered,
/// for a model may know them from earlier ingests.
fn set_aside(
    placed: &mut BTreeMap<Place, Vec<Placed<'_>>>,
    late: &HashSet<ImageId>,
    moved: &BTreeMap<schema::PatientKey, schema::Split>,
    aside: &mut Vec<Quarantined>,
    joined: &mut Joined,
) -> Vec<Place> {
    let (mut touched, mut kept) = (Vec::new(), BTreeMap::new());
    for (place, images) in placed.iter_mut() {
        let is_late = |image: &mut Placed<'_>| late.contains(&image.listed.image_id);
        for Placed { listed, patient, split, .. } in images.extract_if(.., is_late) {
            let row =
                Refusal::InTwoSplits.row(listed.image_id.clone(), listed.file.to_string(), Tags::default());
            aside.push(Quarantined { patient_key: Some(patient.clone()), ..row });
            let split = moved.get(&patient).copied().unwrap_or(split);
            kept.insert(patient, split);
            touched.push(*place);
        }
    }
    for image in placed.values().flatten() {
        kept.remove(&image.patient);
    }
    joined.kept = kept;
    placed.retain(|_, images| !images.is_empty());
    touched
}

/// Moves patients to their new splits; returns the places whose images are others now.
fn touched(
    placed: &mut BTreeMap<Place, Vec<Placed<'_>>>,
    moved: &BTreeMap<schema::PatientKey, schema::Split>,
) -> Vec<Place> {
    let mut touched = Vec::new();
    let mut arriving = Vec::new();
    for (place, images) in placed.iter_mut() {
        let (going, staying): (Vec<_>, Vec<_>) =
            std::mem::take(images).into_iter().partition(|image| moved.contains_key(&image.patient));
        *images = staying;
        if !going.is_empty() {
            touched.push(*place);
            arriving.extend(going);
        }
    }
    for mut image in arriving {
        image.split = moved[&image.patient];
        let place = (image.split, image.bucket);
        touched.push(place);
        placed.entry(place).or_default().push(image);
    }
    placed.retain(|_, images| !images.is_empty());
    touched.sort_unstable();
    touched.dedup();
    touched
}
