//! Hospital A: DICOM files and tables, laid out as SIIM-FISABIO-RSNA.

use std::path::Path;

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use rand::Rng;
use rand::seq::IndexedRandom;
use rayon::prelude::*;
use schema::{Label, PixelBox};

use crate::exposure::{Radiograph, Study, draw_studies};
use crate::markers;
use crate::plan::Plan;
use crate::random::{hex_id, stream};
use crate::write::{Counts, Error};

const APPEARANCES: [&str; 4] =
    ["Negative for Pneumonia", "Typical Appearance", "Indeterminate Appearance", "Atypical Appearance"];

/// What the tables say of one patient.
struct Rows {
    studies: Vec<[String; 5]>,
    images: Vec<[String; 4]>,
    markers: Vec<[String; 5]>,
    counts: Counts,
}

pub(crate) fn write(root: &Path, plan: &Plan) -> Result<Counts, Error> {
    let patients =
        (0..plan.hospital_a.patients).into_par_iter().map(|index| write_patient(root, plan, index));
    let patients: Vec<Rows> = patients.collect::<Result<_, _>>()?;

    let mut studies: Vec<_> = patients.iter().flat_map(|rows| &rows.studies).collect();
    let mut images: Vec<_> = patients.iter().flat_map(|rows| &rows.images).collect();
    studies.sort();
    images.sort();
    let mut header = vec!["id"];
    header.extend(APPEARANCES);
    write_table(&root.join("train_study_level.csv"), &header, studies)?;
    let header = ["id", "boxes", "label", "StudyInstanceUID"];
    write_table(&root.join("train_image_level.csv"), &header, images)?;
    markers::write(root, patients.iter().flat_map(|rows| &rows.markers))?;
    Ok(patients.iter().map(|rows| rows.counts).sum())
}

pub(crate) fn write_table<R>(
    path: &Path,
    header: &[&str],
    rows: impl IntoIterator<Item = R>,
) -> Result<(), Error>
where
    R: IntoIterator,
    R::Item: AsRef<[u8]>,
{
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(header).map_err(std::io::Error::from)?;
    for row in rows {
        table.write_record(row).map_err(std::io::Error::from)?;
    }
    let bytes = table.into_inner().map_err(csv::IntoInnerError::into_error)?;
    Ok(fs_err::write(path, bytes)?)
}

fn write_patient(root: &Path, plan: &Plan, index: u32) -> Result<Rows, Error> {
    let random = &mut stream(plan.seed, "hospital a", index.into());
    let patient = hex_id(random);
    let studies = draw_studies(random, plan, &plan.hospital_a, index, true);
    let mut rows =
        Rows { studies: Vec::new(), images: Vec::new(), markers: Vec::new(), counts: Counts::of(&studies) };
    for study in &studies {
        let study_id = hex_id(random);
        let appearance = appearance(random, study);
        let marks = APPEARANCES.map(|name| if name == appearance { "1" } else { "0" }.to_owned());
        let [negative, typical, indeterminate, atypical] = marks;
        rows.studies.push([format!("{study_id}_study"), negative, typical, indeterminate, atypical]);
        for exposure in &study.exposures {
            let [series, image] = [hex_id(random), hex_id(random)];
            let folder = root.join("train").join(&study_id).join(&series);
            fs_err::create_dir_all(&folder)?;
            let radiograph = exposure.develop();
            let header = Header::draw(random, [&patient, &study_id, &series, &image]);
            header.write(&folder.join(format!("{image}.dcm")), &radiograph)?;
            // As published: some positives have no box.
            let boxes = if random.random_bool(0.05) { &[] } else { radiograph.boxes.as_slice() };
            let [boxes, label] = box_cells(boxes);
            rows.markers.extend(markers::row(&image, exposure));
            rows.images.push([format!("{image}_image"), boxes, label, study_id.clone()]);
        }
    }
    Ok(rows)
}

/// Opacities on both sides are typical of COVID-19, on one side they leave it open.
fn appearance(random: &mut impl Rng, study: &Study) -> &'static str {
    let opacities = &study.exposures[0].opacities;
    match study.label {
        Label::Negative => APPEARANCES[0],
        Label::Covid if random.random_bool(0.08) => APPEARANCES[3],
        Label::Covid if opacities.iter().any(|opacity| opacity.is_left() != opacities[0].is_left()) => {
            APPEARANCES[1]
        }
        Label::Covid => APPEARANCES[2],
    }
}

/// The columns `boxes` (a Python literal) and `label`.
fn box_cells(boxes: &[PixelBox]) -> [String; 2] {
    if boxes.is_empty() {
        return [String::new(), "none 1 0 0 1 1".to_owned()];
    }
    let literal = |b: &PixelBox| {
        format!("{{'x': {:?}, 'y': {:?}, 'width': {:?}, 'height': {:?}}}", b.x, b.y, b.width, b.height)
    };
    let corners =
        |b: &PixelBox| format!("opacity 1 {:?} {:?} {:?} {:?}", b.x, b.y, b.x + b.width, b.y + b.height);
    [
        format!("[{}]", boxes.iter().map(literal).collect::<Vec<_>>().join(", ")),
        boxes.iter().map(corners).collect::<Vec<_>>().join(" "),
    ]
}

/// How one DICOM file tells its image: none of it depends on the label.
struct Header<'a> {
    /// Patient, study, series, image. As published, they are not valid UIDs.
    ids: [&'a str; 4],
    modality: &'static str,
    sop_class: &'static str,
    transfer_syntax: &'static str,
    inverted: bool,
    window_centre: f32,
    window_width: f32,
}

impl<'a> Header<'a> {
    fn draw(random: &mut impl Rng, ids: [&'a str; 4]) -> Self {
        let (modality, sop_class) = *[
            ("CR", uids::COMPUTED_RADIOGRAPHY_IMAGE_STORAGE),
            ("DX", uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION),
        ]
        .choose(random)
        .expect("the list is not empty");
        let implicit = random.random_bool(0.2);
        Self {
            ids,
            modality,
            sop_class,
            transfer_syntax: if implicit {
                uids::IMPLICIT_VR_LITTLE_ENDIAN
            } else {
                uids::EXPLICIT_VR_LITTLE_ENDIAN
            },
            inverted: random.random_bool(0.25),
            window_centre: random.random_range(1_700..=2_300i16).into(),
            window_width: random.random_range(2_400..=3_200i16).into(),
        }
    }

    /// The 12-bit sample that the window (linear, PS3.3 C.11.2.1.2.1) shows as `grey`.
    fn sample(&self, grey: f32) -> u16 {
        let grey = if self.inverted { 1.0 - grey } else { grey };
        let sample = (grey - 0.5) * (self.window_width - 1.0) + self.window_centre - 0.5;
        sample.round().clamp(0.0, 4095.0) as u16
    }

    fn write(&self, path: &Path, radiograph: &Radiograph) -> Result<(), Error> {
        let grey = &radiograph.grey;
        let samples: Vec<u16> = grey.values.iter().map(|&grey| self.sample(grey)).collect();
        let text = |tag: Tag, vr: VR, value: &str| DataElement::new(tag, vr, PrimitiveValue::from(value));
        let number =
            |tag: Tag, value: usize| DataElement::new(tag, VR::US, PrimitiveValue::from(value as u16));
        let [patient, study, series, image] = self.ids;
        let photometric = if self.inverted { "MONOCHROME1" } else { "MONOCHROME2" };
        let object = InMemDicomObject::from_element_iter([
            text(tags::SOP_CLASS_UID, VR::UI, self.sop_class),
            text(tags::SOP_INSTANCE_UID, VR::UI, image),
            text(tags::MODALITY, VR::CS, self.modality),
            text(tags::PATIENT_ID, VR::LO, patient),
            text(tags::BODY_PART_EXAMINED, VR::CS, "CHEST"),
            text(tags::STUDY_INSTANCE_UID, VR::UI, study),
            text(tags::SERIES_INSTANCE_UID, VR::UI, series),
            number(tags::SAMPLES_PER_PIXEL, 1),
            text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, photometric),
            number(tags::ROWS, grey.frame.height),
            number(tags::COLUMNS, grey.frame.width),
            number(tags::BITS_ALLOCATED, 16),
            number(tags::BITS_STORED, 12),
            number(tags::HIGH_BIT, 11),
            number(tags::PIXEL_REPRESENTATION, 0),
            text(tags::WINDOW_CENTER, VR::DS, &self.window_centre.to_string()),
            text(tags::WINDOW_WIDTH, VR::DS, &self.window_width.to_string()),
            DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(samples.into())),
        ]);
        let meta = FileMetaTableBuilder::new()
            .transfer_syntax(self.transfer_syntax)
            .media_storage_sop_class_uid(self.sop_class)
            .media_storage_sop_instance_uid(image);
        let failed = |source| Error::Dicom { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        let file = object.with_meta(meta).map_err(|error| failed(error.into()))?;
        file.write_all(&mut bytes).map_err(|error| failed(error.into()))?;
        Ok(fs_err::write(path, bytes)?)
    }
}
