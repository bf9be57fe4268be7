//! Copies that are known to be there, among pictures of which no two are alike.

use std::{
    collections::{BTreeMap, BTreeSet},
    f64::consts::{PI, TAU},
    fmt::Write,
    path::Path,
};

use cohort::Dataset;
use end_to_end::Workplace;
use image::{DynamicImage, GrayImage, ImageFormat, Luma, codecs::jpeg::JpegEncoder, imageops::FilterType};
use schema::{PatientId, Role, Split};
use store::{Digest, Store};

/// Pictures of different patients.
const PICTURES: u32 = 16;

/// A picture of shades that is like no other patient's: waves whose direction and phase the number decides.
fn picture(number: u32) -> DynamicImage {
    let random =
        |index: u32| f64::from((number * 97 + index + 1).wrapping_mul(2_654_435_761)) / f64::from(u32::MAX);
    let grey = |x: u32, y: u32| {
        let (x, y) = (f64::from(x) / 160.0, f64::from(y) / 160.0);
        let waves = (0..24).map(|wave| {
            let [across, down, phase] = [0, 1, 2].map(|part| random(3 * wave + part) * TAU);
            (2.5 * across * x + 2.5 * (down - PI) * y + phase).cos()
        });
        (128.0 + 18.0 * waves.sum::<f64>()) as u8
    };
    GrayImage::from_fn(192, 160, |x, y| Luma([grey(x, y)])).into()
}

/// A copy of a picture as a file of this name, as other collections have it.
fn copy(picture: &DynamicImage, name: &str, path: &Path) {
    let (width, height) = (picture.width(), picture.height());
    match name {
        "same.png" => picture.save(path).unwrap(),
        "encoded-again.jpg" => {
            let file = fs_err::File::create(path).unwrap();
            JpegEncoder::new_with_quality(file, 60).encode_image(picture).unwrap();
        }
        "cropped.png" => picture.crop_imm(1, 1, width - 3, height - 2).save(path).unwrap(),
        "smaller.png" => {
            picture.resize_exact(width * 3 / 4, height * 3 / 4, FilterType::Triangle).save(path).unwrap();
        }
        "mirrored.png" => picture.fliph().save(path).unwrap(),
        "brighter.webp" => picture.brighten(12).save_with_format(path, ImageFormat::WebP).unwrap(),
        other => panic!("{other} is no way of copying"),
    }
}

#[test]
fn every_copy_is_found_and_nothing_else() {
    let place = Workplace::new();
    let pictures: Vec<DynamicImage> = (0..PICTURES).map(picture).collect();

    // Every picture is of a patient in the east; some come again there, of another patient, and some in the west.
    let mut tables: BTreeMap<&str, String> = BTreeMap::new();
    let mut twins: Vec<[Digest; 2]> = Vec::new();
    let mut add = |hospital: &'static str, patient: u32, name: &str, picture: &DynamicImage| {
        let folder = place.path().join(hospital);
        fs_err::create_dir_all(&folder).unwrap();
        copy(picture, name.split_once('_').unwrap().1, &folder.join(name));
        let table = tables.entry(hospital).or_insert_with(|| "path,label,patient\n".to_owned());
        table.extend([name, ",negative,", &patient.to_string(), "\n"]);
        Digest::of_file(&folder.join(name)).unwrap()
    };
    for (patient, picture) in (0..).zip(&pictures) {
        let first = add("east", patient, &format!("{patient}_same.png"), picture);
        let again = match patient {
            0 => add("east", 100, "100_encoded-again.jpg", picture),
            1 => add("east", 101, "101_cropped.png", picture),
            2 => add("east", 102, "102_smaller.png", picture),
            3 => add("west", 103, "103_brighter.webp", picture),
            4 => add("west", 104, "104_cropped.png", picture),
            5 => add("west", 105, "105_encoded-again.jpg", picture),
            6 => add("east", 106, "106_mirrored.png", picture),
            7 => add("west", 107, "107_mirrored.png", picture),
            _ => continue,
        };
        if (6..8).contains(&patient) {
            continue; // another view, no copy
        }
        twins.push([first, again]);
    }
    for (hospital, table) in tables {
        let folder = place.path().join(hospital);
        fs_err::write(folder.join("images.csv"), table).unwrap();
        let role = if hospital == "east" { "role=iid" } else { "role=ood" };
        let path = format!("path={}", folder.display());
        place.ok("ingest", &["dataset=csv", &path, &format!("name={hospital}"), role, "size=160"]);
    }

    let store = Store::open(place.path().join(".sga")).unwrap();
    let entries: Vec<_> =
        Dataset::all(&store).unwrap().iter().flat_map(|dataset| dataset.entries(&store).unwrap()).collect();
    let of_file = |file: &Digest| {
        let source = file.to_string();
        entries.iter().find(|entry| entry.source_digest == source).unwrap()
    };
    let expected: BTreeSet<BTreeSet<&str>> = twins
        .iter()
        .map(|files| files.iter().map(|file| of_file(file).image_id.as_str()).collect())
        .collect();
    place.ok("curate", &["do=duplicates", "out=out"]);
    let page = fs_err::read_to_string(place.path().join("out/duplicates.html")).unwrap();
    let images = || entries.iter().map(|entry| entry.image_id.as_str());
    let found: BTreeSet<BTreeSet<&str>> = page
        .split("<tr class")
        .skip(1)
        .map(|row| images().filter(|image| row.contains(image)).collect())
        .collect();
    assert_eq!(found, expected);

    // What came twice in the training hospital is in one split.
    for [first, again] in &twins[..3] {
        assert_eq!(of_file(first).split, of_file(again).split);
    }

    // What came twice across hospitals would be trained on and tested with.
    place.ok("curate", &["do=leakage", "data=east"]);
    let leaks = place.run("curate", &["do=leakage"]);
    assert_eq!(leaks.code, 3, "{}{}", leaks.out, leaks.err);
    let found = |what: &str| {
        let line = leaks.out.lines().map(str::trim).find(|line| line.starts_with(what)).unwrap();
        line.split_whitespace().find_map(|word| word.parse::<usize>().ok()).unwrap()
    };
    assert_eq!(found("pairs of alike pictures"), 3, "{}", leaks.out);
    let said = &leaks.out;
    assert!(said.contains("east train + west ood: 3"), "{said}");
    assert!(leaks.err.contains("tested on what it was trained on"), "{}", leaks.err);
    assert_eq!(found("patients"), 0);
    assert_eq!(found("files") + found("pixels"), 0, "each copy was made anew");
}

#[test]
fn small_chests_are_not_taken_for_one_another() {
    let place = Workplace::with_data();
    place.ok("curate", &["do=leakage"]);
    assert!(place.ok("curate", &["do=duplicates"]).contains("0 pairs among"));
}

/// The split of this patient of the data set `csv`.
fn of(patient: u32) -> Split {
    Split::of(Role::Iid, "csv", &PatientId::new(&patient.to_string()).unwrap(), 0)
}

/// The first patient of a split.
fn first(split: Split) -> u32 {
    (0..PICTURES).find(|patient| of(*patient) == split).unwrap()
}

/// The split of each image of the data set `csv`.
fn splits(place: &Workplace) -> BTreeMap<String, Split> {
    let store = Store::open(place.path().join(".sga")).unwrap();
    let entries = Dataset::open(&store, "csv").unwrap().entries(&store).unwrap();
    entries.into_iter().map(|entry| (entry.image_id.to_string(), entry.split)).collect()
}

#[test]
fn what_is_lost_of_an_ingest_moves_no_patient() {
    let (tested, trained) = (first(Split::Test), first(Split::Train));
    let place = Workplace::new();
    fs_err::create_dir(place.path().join("east")).unwrap();
    let mut table = "path,label,patient\n".to_owned();
    let mut ingest = |numbers: &[u32], like: Option<u32>| {
        for number in numbers {
            let file = place.path().join(format!("east/{number}.png"));
            picture(like.unwrap_or(*number)).save(file).unwrap();
            writeln!(table, "{number}.png,negative,{number}").unwrap();
        }
        place.put("east/images.csv", &table);
        place.run("ingest", &["dataset=csv", "path=east", "role=iid", "size=160", "buckets=1"])
    };
    let rest: Vec<u32> = (0..PICTURES).filter(|number| *number != trained).collect();
    assert_eq!(ingest(&rest, None).code, 0);
    assert_eq!(ingest(&[trained], Some(tested)).code, 0);
    let before = splits(&place);
    assert_eq!(
        before.values().filter(|split| **split == Split::Test).count(),
        1 + rest.iter().filter(|number| of(**number) == Split::Test).count()
    );

    let lose = |name: &str| {
        let store = Store::open(place.path().join(".sga")).unwrap();
        let outputs = Dataset::open(&store, "csv").unwrap().result.outputs;
        fs_err::remove_file(store.object_path(&outputs[name])).unwrap();
    };
    lose("validation-0000.shard.parquet");
    assert_eq!(ingest(&[], None).code, 0);
    assert_eq!(splits(&place), before);
    lose("validation-0000.shard.parquet");
    place.put("sga.toml", "[datasets]\ncsv = \"east\"\n");
    place.ok("store", &["do=repair", "dry_run=false"]);
    assert_eq!(splits(&place), before);

    // Where they were put cannot be read: that is told, and nobody is put anywhere.
    lose("validation-0000.index.parquet");
    let ended = ingest(&[], None);
    assert!(ended.code == 4 && ended.err.contains("where the last ingest put its patients"), "{}", ended.err);
}

#[test]
fn a_film_filed_again_under_another_patient_is_set_aside_whatever_its_file_is_called() {
    let (tested, trained) = (first(Split::Test), first(Split::Train));
    let place = Workplace::new();
    fs_err::create_dir(place.path().join("east")).unwrap();
    let save = |name: &str, number: u32| picture(number).save(place.path().join("east").join(name)).unwrap();
    let mut rows: Vec<(String, u32)> = Vec::new();
    for number in 0..PICTURES {
        save(&format!("{number}.png"), number);
        rows.push((format!("{number}.png"), number));
    }
    let ingest = |rows: &[(String, u32)]| {
        let rows = rows.iter().map(|(name, patient)| format!("{name},negative,{patient}\n"));
        place.put("east/images.csv", format!("path,label,patient\n{}", rows.collect::<String>()));
        place.ok("ingest", &["dataset=csv", "path=east", "role=iid", "size=160", "buckets=1"])
    };
    ingest(&rows);
    save("again.png", trained);
    rows.push(("again.png".to_owned(), tested));
    for renamed in [false, true] {
        if renamed {
            let name = format!("{trained}.png");
            fs_err::rename(place.path().join("east").join(&name), place.path().join("east/new.png")).unwrap();
            rows.iter_mut()
                .filter(|(known, _)| *known == name)
                .for_each(|(known, _)| *known = "new.png".to_owned());
        }
        let said = ingest(&rows);
        assert!(said.contains("16 images, 1 quarantined") && said.contains("in-two-splits: 1"), "{said}");
        let said = place.ok("curate", &["do=quarantine"]);
        assert!(said.contains("again.png") && !said.contains("new.png"), "{said}");
    }
    // The file that is set aside tells of nobody else: whoever is in it can be forgotten.
    let forget = ["do=forget", &format!("patient={trained}"), "source=csv", "yes=true"];
    let ended = place.run("curate", &forget);
    assert!(ended.code != 4 && ended.out.contains("nothing left"), "{}{}", ended.out, ended.err);
}
