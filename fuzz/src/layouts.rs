//! Folders in the layouts of the data sets, whose tables an input replaces.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use datasets::{DatasetAdapter, Listing};
use phantom::Plan;
use tempfile::TempDir;

/// A data set's layout: its adapter, its folder below the generated ones, its tables.
pub struct Layout {
    name: &'static str,
    folder: &'static str,
    tables: &'static [&'static str],
}

pub const CSV: Layout = Layout { name: "csv", folder: "own", tables: &["images.csv"] };
pub const HOSPITAL_A: Layout = Layout {
    name: "phantom-a",
    folder: "hospital-a",
    tables: &["train_study_level.csv", "train_image_level.csv", "markers.csv"],
};
/// Every layout that has tables.
pub const ALL: [Layout; 6] = [
    CSV,
    HOSPITAL_A,
    Layout { name: "github-covid", folder: "hospital-b/github-covid", tables: &["metadata.csv"] },
    Layout {
        name: "chestx-ray14",
        folder: "hospital-b/chestx-ray14",
        tables: &["Data_Entry_2017_v2020.csv"],
    },
    Layout {
        name: "rsna-pneumonia",
        folder: "rsna",
        tables: &["stage_2_detailed_class_info.csv", "stage_2_train_labels.csv"],
    },
    Layout {
        name: "vindr-cxr",
        folder: "vindr",
        tables: &["annotations/image_labels_train.csv", "annotations/image_labels_test.csv", "train.csv"],
    },
];
/// Stands between the tables of an input.
const BETWEEN: u8 = 0;

/// Folders of all layouts, for the life of the process.
static FOLDERS: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut plan = Plan { side: 32, ..Plan::default() };
    (plan.hospital_a.patients, plan.hospital_b.patients) = (3, 3);
    phantom::write(folder.path(), &plan).expect("generated hospitals");
    for (path, content) in [
        ("own/a.png", ""),
        ("own/scans/b.dcm", ""),
        (
            "own/images.csv",
            "path,label,patient,boxes,view,source\na.png,covid,1,1 2 3 4; 5 6 7 8,PA,x\nscans/b.dcm,0,,,,\n",
        ),
        ("rsna/stage_2_train_images/a.dcm", ""),
        (
            "rsna/stage_2_detailed_class_info.csv",
            "patientId,class\na,Normal\nb,Lung Opacity\nb,Lung Opacity\n",
        ),
        ("rsna/stage_2_train_labels.csv", "patientId,x,y,width,height,Target\na,,,,,0\nb,1,2,3,4,1\n"),
        ("vindr/train/a.dicom", ""),
        ("vindr/annotations/image_labels_train.csv", "image_id,rad_id,No finding\na,R1,1\na,R2,1\nb,R1,0\n"),
        ("vindr/annotations/image_labels_test.csv", "image_id,No finding\nc,1\n"),
        ("vindr/train.csv", "image_id,class_name\na,No finding\n"),
    ] {
        let path = folder.path().join(path);
        fs_err::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
        fs_err::write(path, content).expect("a file can be written");
    }
    folder
});

impl Layout {
    fn root(&self) -> PathBuf {
        FOLDERS.path().join(self.folder)
    }

    /// The tables as they are, as an input.
    pub fn input(&self) -> Vec<u8> {
        let tables =
            self.tables.iter().map(|table| fs_err::read(self.root().join(table)).unwrap_or_default());
        tables.collect::<Vec<_>>().join(&BETWEEN)
    }

    /// Lists the folder with the tables of an input in place of its own; a table that the input lacks is not there.
    pub fn list(&self, input: &[u8]) {
        let root = self.root();
        let mut contents = input.split(|&byte| byte == BETWEEN);
        for table in self.tables {
            let path = root.join(table);
            match contents.next() {
                Some(content) => fs_err::write(&path, content).expect("a table can be written"),
                None => drop(fs_err::remove_file(&path)),
            }
        }
        let adapter: &dyn DatasetAdapter = datasets::find(self.name).expect("a known layout");
        match adapter.list(&root) {
            Ok(listing) => check(&root, &listing),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// What every listing promises.
fn check(root: &Path, listing: &Listing) {
    assert!(!listing.records.is_empty());
    for pair in listing.records.windows(2) {
        assert!((&pair[0].source, &pair[0].name) < (&pair[1].source, &pair[1].name), "sorted, and each once");
    }
    for record in &listing.records {
        assert!(
            root.join(&record.path).starts_with(root) && !record.path.display().to_string().contains("..")
        );
        for b in &record.boxes {
            assert!(b.width > 0.0 && b.height > 0.0 && (b.x + b.y).is_finite(), "{b:?}");
        }
    }
}
