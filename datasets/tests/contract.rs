//! What every adapter keeps to, on generated folders in its layout.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use datasets::{DatasetAdapter, Error, REGISTRY, find};
use phantom::{Hospital, Plan};
use schema::{Label, Role};

/// Generated hospitals, and the folder in them that has the layout of the data set `name`.
fn folder_of(name: &str, generated: &Path) -> PathBuf {
    generated.join(match name {
        "siim" | "phantom-a" => "hospital-a",
        "phantom-b" => "hospital-b",
        "github-covid" => "hospital-b/github-covid",
        "chestx-ray14" | "chestx-ray14-findings" => "hospital-b/chestx-ray14",
        "rsna-pneumonia" | "vindr-cxr" | "folder" | "csv" => name,
        other => panic!("say here which generated folder has the layout of {other}"),
    })
}

fn generate() -> (tempfile::TempDir, phantom::Summary) {
    let plan = Plan::default();
    let plan = Plan {
        side: 32,
        hospital_a: Hospital { patients: 16, ..plan.hospital_a },
        hospital_b: Hospital { patients: 16, ..plan.hospital_b },
        ..Plan::default()
    };
    let root = tempfile::tempdir().unwrap();
    let summary = phantom::write(root.path(), &plan).unwrap();
    for (path, text) in OTHER_LAYOUTS {
        let path = root.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
    (root, summary)
}

/// Folders in the layouts that no generated hospital has. Adapters open no image, so the images are empty.
const OTHER_LAYOUTS: &[(&str, &str)] = &[
    (
        "rsna-pneumonia/stage_2_detailed_class_info.csv",
        "patientId,class\na,Normal\nb,Lung Opacity\nc,Normal\n",
    ),
    (
        "rsna-pneumonia/stage_2_train_labels.csv",
        "patientId,x,y,width,height,Target\na,,,,,0\nb,1,2,3,4,1\nc,,,,,0\n",
    ),
    ("rsna-pneumonia/stage_2_train_images/c.dcm", ""),
    ("rsna-pneumonia/stage_2_train_images/a.dcm", ""),
    ("vindr-cxr/annotations/image_labels_train.csv", "image_id,rad_id,No finding\na,R1,1\na,R2,1\nb,R1,1\n"),
    ("vindr-cxr/train/a.dicom", ""),
    ("vindr-cxr/train/b.dicom", ""),
    ("folder/negative/p1_1.png", ""),
    ("folder/covid/p2/1.dcm", ""),
    ("folder/covid/p1_2.png", ""),
    ("csv/images.csv", "path,label,patient,source\nx/2.png,covid,p,\nx/1.dcm,normal,,east\ny.png,0,p,\n"),
    ("csv/x/1.dcm", ""),
    ("csv/x/2.png", ""),
    ("csv/y.png", ""),
];

/// Copies `from` so that the entries of every folder are made in reverse order.
fn copy_reversed(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).unwrap();
    let mut entries: Vec<PathBuf> = fs_err::read_dir(from).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries.into_iter().rev() {
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_reversed(&path, &target);
        } else {
            fs_err::copy(&path, target).unwrap();
        }
    }
}

fn each(test: impl Fn(&dyn DatasetAdapter, &Path)) {
    let (root, _) = generate();
    for adapter in REGISTRY {
        test(*adapter, &folder_of(&adapter.card().name, root.path()));
    }
}

#[test]
fn records_are_sorted_unique_and_have_files() {
    each(|adapter, folder| {
        let name = &adapter.card().name;
        let listing = adapter.list(folder).unwrap();
        let keys: Vec<_> = listing.records.iter().map(|r| (&r.source, &r.name)).collect();
        assert!(keys.is_sorted(), "{name}");
        assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len(), "{name}");
        for record in &listing.records {
            assert!(record.path.is_relative() && folder.join(&record.path).is_file(), "{name}");
            assert!(record.source == *name || record.source.starts_with(&format!("{name}-")), "{name}");
            assert!(!record.finding.is_empty(), "{name}");
        }
    });
}

#[test]
fn the_order_of_the_file_system_does_not_matter() {
    each(|adapter, folder| {
        let copy = tempfile::tempdir().unwrap();
        copy_reversed(folder, copy.path());
        assert_eq!(adapter.list(folder).unwrap(), adapter.list(copy.path()).unwrap());
    });
}

#[test]
fn a_folder_of_something_else_is_refused_by_name() {
    for adapter in REGISTRY {
        let empty = tempfile::tempdir().unwrap();
        for folder in [empty.path().to_owned(), empty.path().join("absent")] {
            let message = adapter.list(&folder).unwrap_err().to_string();
            assert!(message.contains(&*folder.to_string_lossy()), "{message}");
            assert!(message.contains(&adapter.card().layout), "{message}");
        }
    }
}

#[test]
fn cards_are_whole() {
    let mut names = HashSet::new();
    for adapter in REGISTRY {
        let card = adapter.card();
        assert!(names.insert(&card.name), "{} is registered twice", card.name);
        assert!(card.name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
        assert_eq!(find(&card.name).unwrap().card().name, card.name);
        for text in [&card.title, &card.source, &card.licence, &card.layout, &card.labels] {
            assert!(!text.trim().is_empty(), "{}", card.name);
        }
        let published =
            !card.name.starts_with("phantom-") && !["folder", "csv"].contains(&card.name.as_str());
        assert_eq!(card.source.starts_with("https://"), published, "{}", card.name);
        if let Some(expected) = card.expected {
            assert_eq!(expected.images, expected.positive + expected.negative, "{}", card.name);
        }
    }
}

#[test]
fn an_unknown_name_is_answered_with_the_nearest() {
    let nearest = |name: &str| match find(name).err().unwrap() {
        Error::Unknown { nearest, .. } => nearest,
        other => panic!("{other}"),
    };
    assert_eq!(nearest("chestxray14"), Some("chestx-ray14"));
    assert_eq!(nearest("SIIM"), Some("siim"));
    assert_eq!(nearest("github_covid"), Some("github-covid"));
    assert_eq!(nearest("mnist-of-numbers"), None);
    let message = find("simm").err().unwrap().to_string();
    assert!(message.contains("did you mean `siim`?") && message.contains("phantom-b"), "{message}");
}

#[test]
fn both_hospitals_are_read_whole() {
    let (root, summary) = generate();
    for (name, counts, role) in
        [("phantom-a", summary.hospital_a, Role::Iid), ("phantom-b", summary.hospital_b, Role::Ood)]
    {
        let adapter = find(name).unwrap();
        let listing = adapter.list(&folder_of(name, root.path())).unwrap();
        let of = |label| listing.records.iter().filter(|record| record.label == label).count();
        assert_eq!((of(Label::Covid), of(Label::Negative)), (counts.positives, counts.negatives));
        assert_eq!(adapter.card().role, role);
        assert!(listing.unlisted.is_empty());
        let boxed = listing.records.iter().filter(|record| !record.boxes.is_empty());
        assert!(boxed.clone().all(|record| record.label == Label::Covid));
        assert_eq!(boxed.count() > 0, name == "phantom-a");
        let marked = listing.records.iter().filter(|record| !record.markers.is_empty()).count();
        assert_eq!(marked, counts.marked_positives + counts.marked_negatives);
    }
    let listing = find("phantom-b").unwrap().list(&root.path().join("hospital-b")).unwrap();
    assert_eq!(listing.missing, ["00000017_000.png", "absent.jpg"]);
    let excluded: Vec<_> = listing.excluded.iter().map(|excluded| (excluded.reason, excluded.rows)).collect();
    let expected = [
        ("finding is not COVID-19", 2),
        ("modality is not X-ray", 1),
        ("view is not PA, AP or AP Supine", 1),
        ("finding is not No Finding", 1),
    ];
    assert_eq!(excluded, expected);
    let sources: HashSet<_> = listing.records.iter().map(|r| (r.source.as_str(), r.label)).collect();
    let expected = [("phantom-b-github-covid", Label::Covid), ("phantom-b-chestx-ray14", Label::Negative)];
    assert_eq!(sources, HashSet::from(expected), "patients of the two folders are kept apart");
}
