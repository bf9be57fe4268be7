//! Tables that strangers wrote: whatever stands in them, an adapter answers or says which file is wrong.

use std::path::Path;

use datasets::find;
use proptest::prelude::*;

/// A data set of one image: the adapter, the image, and tables that are right.
struct Example {
    adapter: &'static str,
    image: &'static str,
    tables: &'static [(&'static str, &'static str)],
}

const EXAMPLES: &[Example] = &[
    Example {
        adapter: "siim",
        image: "train/s/x/i.dcm",
        tables: &[
            (
                "train_study_level.csv",
                "id,Negative for Pneumonia,Typical Appearance,Indeterminate Appearance,Atypical Appearance\ns_study,0,1,0,0\n",
            ),
            (
                "train_image_level.csv",
                "id,boxes,label,StudyInstanceUID\ni_image,\"[{'x': 1, 'y': 2.5, 'width': 3, 'height': 4}]\",opacity,s\n",
            ),
        ],
    },
    Example {
        adapter: "github-covid",
        image: "images/a.png",
        tables: &[(
            "metadata.csv",
            "patientid,finding,view,modality,folder,filename,\r\n7,\"COVID-19, ARDS\",PA,X-ray,images,a.png,\r\n",
        )],
    },
    Example {
        adapter: "chestx-ray14",
        image: "images/1.png",
        tables: &[(
            "Data_Entry_2017.csv",
            "Image Index,Finding Labels,Patient ID,View Position,OriginalImage[Width,Height]\n1.png,No Finding,1,PA,2,3\n",
        )],
    },
    Example {
        adapter: "rsna-pneumonia",
        image: "stage_2_train_images/a.dcm",
        tables: &[
            ("stage_2_detailed_class_info.csv", "patientId,class\na,Normal\nb,Lung Opacity\n"),
            ("stage_2_train_labels.csv", "patientId,x,y,width,height,Target\na,,,,,0\nb,1,2,3,4,1\n"),
        ],
    },
    Example {
        adapter: "vindr-cxr",
        image: "train/a.dicom",
        tables: &[("annotations/image_labels_train.csv", "image_id,rad_id,No finding\na,R1,1\na,R2,1.0\n")],
    },
    Example {
        adapter: "csv",
        image: "x/1.png",
        tables: &[(
            "images.csv",
            "path,label,patient,boxes,view,source\nx/1.png,covid,p,1 2 3 4;5 6 7 8,PA,east\nx/2.png,0,p\n",
        )],
    },
];

/// A change of a table: at a place (as a fraction of its length), so many bytes give way to these.
fn edit() -> impl Strategy<Value = (f64, usize, Vec<u8>)> {
    let typed = "[\",;\r\n'\\[\\]{}:. /\\\\a-zA-Z0-9é-]{0,6}".prop_map(String::into_bytes);
    (0.0..1.0, 0usize..8, prop_oneof![typed, proptest::collection::vec(any::<u8>(), 0..6)])
}

fn put(root: &Path, name: &str, bytes: &[u8]) {
    let path = root.join(name);
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, bytes).unwrap();
}

proptest! {
    #[test]
    fn an_edited_table_is_read_or_refused_by_name(
        example in proptest::sample::select((0..EXAMPLES.len()).collect::<Vec<_>>()),
        edits in proptest::collection::vec(edit(), 0..4),
    ) {
        let Example { adapter, image, tables } = &EXAMPLES[example];
        let root = tempfile::tempdir().unwrap();
        put(root.path(), image, b"");
        for (name, text) in *tables {
            let mut bytes = text.as_bytes().to_vec();
            for (place, length, new) in &edits {
                let start = (place * bytes.len() as f64) as usize;
                let end = (start + length).min(bytes.len());
                bytes.splice(start..end, new.iter().copied());
            }
            put(root.path(), name, &bytes);
        }
        match find(adapter).unwrap().list(root.path()) {
            Ok(listing) => {
                prop_assert!(!listing.records.is_empty());
                for record in &listing.records {
                    // What a user's own table names in vain is set aside by ingest.
                    let there = root.path().join(&record.path).is_file();
                    prop_assert!(there || *adapter == "csv", "{}", record.path.display());
                    prop_assert!(record.boxes.iter().all(|b| b.width > 0.0 && b.height > 0.0 && b.x.is_finite()));
                }
            }
            Err(error) => {
                let folder = root.path().to_string_lossy().into_owned();
                prop_assert!(edits.iter().any(|(_, length, new)| *length > 0 || !new.is_empty()), "{error}");
                prop_assert!(error.to_string().contains(&folder), "does not name its file: {error}");
            }
        }
    }
}
