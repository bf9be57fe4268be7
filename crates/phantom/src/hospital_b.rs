//! Hospital B: positives laid out as covid-chestxray-dataset, negatives as ChestX-ray14.
//!
//! Every image, of either class, goes through the same JPEG compression before it is stored in the format its layout
//! asks for, so that pixels tell nothing of the format.

use std::io::Cursor;
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, GrayImage, ImageFormat};
use rand::Rng;
use rand::seq::IndexedRandom;
use rayon::prelude::*;
use schema::Label;

use crate::exposure::{Exposure, Study, draw_studies};
use crate::hospital_a::write_table;
use crate::markers;
use crate::plan::Plan;
use crate::random::stream;
use crate::write::{Counts, Error};

const JPEG_QUALITY: u8 = 95;

/// The columns of metadata.csv; the last has no name.
const METADATA: [&str; 12] = [
    "patientid",
    "offset",
    "sex",
    "age",
    "finding",
    "view",
    "modality",
    "date",
    "folder",
    "filename",
    "license",
    "",
];
const DATA_ENTRY: [&str; 11] = [
    "Image Index",
    "Finding Labels",
    "Follow-up #",
    "Patient ID",
    "Patient Age",
    "Patient Gender",
    "View Position",
    "OriginalImage[Width",
    "Height]",
    "OriginalImagePixelSpacing[x",
    "y]",
];

/// What the tables say of one patient.
#[derive(Default)]
struct Rows {
    metadata: Vec<[String; 12]>,
    entries: Vec<[String; 11]>,
    markers: Vec<[String; 5]>,
    counts: Counts,
}

pub(crate) fn write(root: &Path, plan: &Plan) -> Result<Counts, Error> {
    fs_err::create_dir_all(root.join("github-covid/images"))?;
    fs_err::create_dir_all(root.join("chestx-ray14/images_001/images"))?;
    let patients =
        (0..plan.hospital_b.patients).into_par_iter().map(|index| write_patient(root, plan, index));
    let mut patients: Vec<Rows> = patients.collect::<Result<_, _>>()?;
    let counts = patients.iter().map(|rows| rows.counts).sum();
    markers::write(root, patients.iter().flat_map(|rows| &rows.markers))?;
    patients.push(write_unselected(root, plan)?);

    let metadata = patients.iter().flat_map(|rows| &rows.metadata);
    write_table(&root.join("github-covid/metadata.csv"), &METADATA, metadata)?;
    let entries = patients.iter().flat_map(|rows| &rows.entries);
    // As published, commas inside the brackets of the header are not quoted.
    write_table(&root.join("chestx-ray14/Data_Entry_2017_v2020.csv"), &DATA_ENTRY, entries)?;
    Ok(counts)
}

fn write_patient(root: &Path, plan: &Plan, index: u32) -> Result<Rows, Error> {
    let random = &mut stream(plan.seed, "hospital b", index.into());
    let studies = draw_studies(random, plan, &plan.hospital_b, index, false);
    let mut rows = Rows { counts: Counts::of(&studies), ..Rows::default() };
    for Study { label, exposures } in &studies {
        for (number, exposure) in exposures.iter().enumerate() {
            match label {
                Label::Covid => {
                    let name = write_positive(random, root, exposure, index, number)?;
                    rows.markers.extend(markers::row(&name, exposure));
                    let view = FRONTAL.choose(random).expect("the list is not empty");
                    let finding = FINDINGS.choose(random).expect("the list is not empty");
                    rows.metadata.push(metadata_row(index, number, finding, view, "X-ray", "images", &name));
                }
                Label::Negative => {
                    write_negative(random, root, exposure, index, number)?;
                    rows.markers.extend(markers::row(&image_index(index, number), exposure));
                    rows.entries.push(entry_row(random, index, number, "No Finding"));
                }
            }
        }
    }
    Ok(rows)
}

const FRONTAL: [&str; 4] = ["PA", "PA", "AP", "AP Supine"];
const FINDINGS: [&str; 4] = ["COVID-19", "COVID-19", "COVID-19, ARDS", "Pneumonia/Viral/COVID-19"];

/// Rows that a selection must leave out, with their files where they have some.
fn write_unselected(root: &Path, plan: &Plan) -> Result<Rows, Error> {
    let random = &mut stream(plan.seed, "unselected", 0);
    let mut rows = Rows::default();
    let first = plan.hospital_b.patients;
    let studies = draw_studies(random, plan, &plan.hospital_b, 0, false);
    let exposure = &studies[0].exposures[0];
    for (finding, view, modality, folder) in [
        ("COVID-19", "Axial", "CT", "volumes"),
        ("todo", "PA", "X-ray", "images"),
        ("Pneumonia/Viral/SARS", "AP", "X-ray", "images"),
        ("COVID-19", "L", "X-ray", "images"),
    ] {
        let patient = first + rows.metadata.len() as u32;
        let name = if folder == "images" {
            write_positive(random, root, exposure, patient, 0)?
        } else {
            format!("volume-{patient}.nii.gz")
        };
        rows.metadata.push(metadata_row(patient, 0, finding, view, modality, folder, &name));
    }
    let absent = first + rows.metadata.len() as u32;
    rows.metadata.push(metadata_row(absent, 0, "COVID-19", "PA", "X-ray", "images", "absent.jpg"));

    write_negative(random, root, exposure, first, 0)?;
    rows.entries.push(entry_row(random, first, 0, "Cardiomegaly|Effusion"));
    rows.entries.push(entry_row(random, first + 1, 0, "No Finding"));
    Ok(rows)
}

/// Most are JPEG files, some PNG; a few are PNG under a JPEG's name, as in the publisher's repository.
fn write_positive(
    random: &mut impl Rng,
    root: &Path,
    exposure: &Exposure,
    patient: u32,
    number: usize,
) -> Result<String, Error> {
    let end = ["jpg", "jpeg", "png"].choose(random).expect("the list is not empty");
    let name = format!("phantom-{patient:05}-{number}.{end}");
    let path = root.join("github-covid/images").join(&name);
    let jpeg = jpeg(exposure, &path)?;
    let bytes = if *end == "png" || random.random_bool(0.03) { png(random, &jpeg, &path)? } else { jpeg };
    fs_err::write(&path, bytes)?;
    Ok(name)
}

fn write_negative(
    random: &mut impl Rng,
    root: &Path,
    exposure: &Exposure,
    patient: u32,
    number: usize,
) -> Result<(), Error> {
    let path = root.join("chestx-ray14/images_001/images").join(image_index(patient, number));
    let jpeg = jpeg(exposure, &path)?;
    Ok(fs_err::write(&path, png(random, &jpeg, &path)?)?)
}

fn jpeg(exposure: &Exposure, path: &Path) -> Result<Vec<u8>, Error> {
    let grey = exposure.develop().grey;
    let samples = grey.values.iter().map(|grey| (grey * 255.0).round() as u8).collect();
    let image = GrayImage::from_raw(grey.frame.width as u32, grey.frame.height as u32, samples)
        .expect("a plane has one value per pixel");
    let mut bytes = Vec::new();
    image
        .write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY))
        .map_err(|source| Error::Image { path: path.to_owned(), source })?;
    Ok(bytes)
}

/// What the JPEG decodes to, as a PNG: mostly grey, a few with colour and alpha channels.
fn png(random: &mut impl Rng, jpeg: &[u8], path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Image { path: path.to_owned(), source };
    let decoded = image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).map_err(failed)?;
    let decoded = if random.random_bool(0.05) { DynamicImage::from(decoded.into_rgba8()) } else { decoded };
    let mut bytes = Cursor::new(Vec::new());
    decoded.write_to(&mut bytes, ImageFormat::Png).map_err(failed)?;
    Ok(bytes.into_inner())
}

fn metadata_row(
    patient: u32,
    number: usize,
    finding: &str,
    view: &str,
    modality: &str,
    folder: &str,
    name: &str,
) -> [String; 12] {
    let offset = (3 * number).to_string();
    let patient = patient.to_string();
    [&patient, &offset, "", "", finding, view, modality, "2020", folder, name, "CC0", ""].map(str::to_owned)
}

fn image_index(patient: u32, number: usize) -> String {
    format!("{patient:08}_{number:03}.png")
}

fn entry_row(random: &mut impl Rng, patient: u32, number: usize, finding: &str) -> [String; 11] {
    let view = FRONTAL[random.random_range(0..3)];
    let [image, number, patient] = [image_index(patient, number), number.to_string(), patient.to_string()];
    [&image, finding, &number, &patient, "50", "F", view, "2048", "2048", "0.168", "0.168"].map(str::to_owned)
}
