//! First weights: a file of the user's, or ImageNet's, fetched once and checked.

use std::{io::Read, path::PathBuf};

use indicatif::ProgressBar;
use nn::{Architecture, Init};
use stage::{Failure, Result, progress};
use store::{Digest, Store};

/// torchvision's `ResNet18_Weights.IMAGENET1K_V1` as safetensors (`timm/resnet18.tv_in1k`), pinned to a commit.
const URL: &str = "https://huggingface.co/timm/resnet18.tv_in1k/resolve/bbd144b3e5565108aad885f145491d11bc6ce807/model.safetensors";
const SHA256: &str = "694f673df6520a3158624e8a89af086f59923ee4cd7436fe5bc3bc71d295ad81";
const BYTES: u64 = 46_807_446;

/// First weights, and the digest that names them in the key. Where nothing is done (`dry_run`) nothing is fetched.
pub(crate) fn first_weights(
    store: &Store,
    architecture: Architecture,
    init: &str,
    dry_run: bool,
) -> Result<(Init, String)> {
    if let Ok(digest) = init.parse() {
        return Ok((Init::File(of_digest(store, &digest)?), init.to_owned()));
    }
    match init {
        "scratch" => Ok((Init::Scratch, "scratch".to_owned())),
        "imagenet" if architecture != Architecture::ResNet18 => Err(Failure::usage(format!(
            "init=imagenet: the file of {architecture} is not pinned, since its hash was never checked"
        ))
        .remedy(format!(
            "fetch model.safetensors of {} from huggingface.co, or write torchvision's state_dict() with \
             safetensors.torch.save_file, and name the file: init=model.safetensors; or start without: init=scratch",
            architecture.imagenet()
        ))),
        "imagenet" => {
            let path = if dry_run { store.object_path(&pinned()?) } else { imagenet(store)? };
            Ok((Init::File(path), format!("{SHA256}-{BYTES}")))
        }
        path => {
            let path = PathBuf::from(path);
            let digest = Digest::of_file(&path).map_err(|error| {
                Failure::data(format!("init={}: {error}", path.display())).remedy(
                    "name a .safetensors file with torchvision's or timm's names, or init=imagenet, or init=scratch",
                )
            })?;
            Ok((Init::File(path), digest.to_string()))
        }
    }
}

/// Weights as a key document names them, with which a model is made again.
fn of_digest(store: &Store, digest: &Digest) -> Result<PathBuf> {
    if *digest == pinned()? {
        return imagenet(store);
    }
    if !store.reaches(digest)? {
        return Err(Failure::data(format!("init={digest}: these weights are not in the store"))
            .remedy("name their file: init=FILE.safetensors"));
    }
    Ok(store.object(digest)?)
}

fn pinned() -> Result<Digest> {
    Ok(format!("{SHA256}-{BYTES}").parse()?)
}

/// ImageNet's weights as an object of the store, fetched when it is not there.
fn imagenet(store: &Store) -> Result<PathBuf> {
    let expected = pinned()?;
    if !store.reaches(&expected)? {
        let advice = format!(
            "fetch {URL} elsewhere and name it: init=model.safetensors; or start without: init=scratch"
        );
        let bytes = fetch().map_err(|why| {
            Failure::other(format!("ImageNet weights cannot be had: {why}")).remedy(&advice)
        })?;
        if Digest::of(&bytes) != expected {
            let what = "ImageNet weights: what came is not what was pinned (its SHA-256 differs)";
            return Err(Failure::other(what).remedy(advice));
        }
        store.put_bytes(&bytes)?;
    }
    Ok(store.object(&expected)?)
}

fn fetch() -> Result<Vec<u8>, String> {
    let response = ureq::get(URL).call().map_err(|error| error.to_string())?;
    let bar = progress::bytes("ImageNet weights", BYTES);
    let bytes = read(response.into_body().into_reader(), &bar);
    bar.finish_and_clear();
    bytes.map_err(|error| error.to_string())
}

fn read(body: impl Read, bar: &ProgressBar) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(BYTES as usize);
    bar.wrap_read(body).take(BYTES + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
