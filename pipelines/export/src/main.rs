//! `sga-export`: trained classifiers as files that other programs read.

mod card;

use std::{collections::BTreeMap, path::Path, process::ExitCode};

use cohort::{Dataset, Model};
use nn::{Network, Precision};
use schema::Asked;
use stage::{Failure, Fallible, Parameters, Program, Result};
use store::{Digest, Store};
use tch::Device;

static PROGRAM: Program = Program {
    stage: "export",
    about: "Writes trained classifiers as safetensors (torchvision's names) and ONNX (image to logits), each with a model \
            card.",
    parameters: &[Program::MODEL, Program::OUT, Program::STORE],
    examples: "  just export model=sga-1a2b3c4d\n  just export out=for-partners",
};

fn main() -> ExitCode {
    stage::main(&PROGRAM, |runs| runs.iter().try_for_each(export))
}

fn export(run: &Parameters) -> Result<()> {
    let store = run.open_store()?;
    let models = Model::chosen(&store, run.text("model")).or_data()?;
    let datasets = Dataset::all(&store).or_other()?;
    let out = Path::new(run.required(Program::OUT.name)?).join("export");
    for model in &models {
        if model.findings.asked == Asked::Boxes {
            let message = format!("{}: it finds boxes, and classifiers alone are exported", model.name);
            if run.text("model").is_some() {
                let weights = store.object(&model.weights().or_other()?)?;
                return Err(Failure::usage(message)
                    .remedy(format!("its weights, with torchvision's names, are {}", weights.display())));
            }
            println!("{message}");
            continue;
        }
        write(&store, model, &datasets, &out)?;
    }
    Ok(())
}

/// Writes `<out>/<model>/`, whole or not at all.
fn write(store: &Store, model: &Model, datasets: &[Dataset], out: &Path) -> Result<()> {
    let _one_at_a_time = store.lock(&format!("export-{}", model.name), |_| {})?;
    let (finished, folder) = (out.join(&model.name), out.join(format!(".{}.part", model.name)));
    for left in [&finished, &folder].into_iter().filter(|left| left.exists()) {
        fs_err::remove_dir_all(left)?;
    }
    fs_err::create_dir_all(&folder)?;
    let weights = model.weights().or_other()?;
    let stored = store.verified(&weights)?;
    let safetensors = folder.join("model.safetensors");
    fs_err::write(&safetensors, fs_err::read(&stored)?)?; // not a copy: objects are read-only

    let network = Network::load(&stored, Device::Cpu, Precision::F32).or_other()?;
    let about = [("model", &model.name), ("method", &model.method), ("weights", &weights.to_string())];
    let about: BTreeMap<String, String> =
        about.into_iter().map(|(key, value)| (key.to_owned(), value.clone())).collect();
    let graph = folder.join("model.onnx");
    fs_err::write(&graph, onnx::encode(&network, model.side, &about))?;

    let files = [&safetensors, &graph].map(|path| -> Result<(String, Digest)> {
        let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
        Ok((name, Digest::of_file(path)?))
    });
    let files = files.into_iter().collect::<Result<Vec<_>>>()?;
    fs_err::write(folder.join("README.md"), card::card(store, model, datasets, &files)?)?;
    fs_err::rename(&folder, &finished)?;
    println!("{}: model.safetensors, model.onnx, README.md", finished.display());
    Ok(())
}
