//! A model leaves the store as files that others read, with its card.

use end_to_end::Workplace;
use store::Digest;

#[test]
fn a_model_is_exported_with_its_figures_and_digests() {
    let place = Workplace::with_data();
    let train = ["method=nt", "init=scratch", "size=32", "epochs=1", "batch=33", "device=cpu"];
    place.ok("train", &train);
    let store = store::Store::open(place.path().join(".sga")).unwrap();
    let model = store.refs_of("train").unwrap().remove(0);
    let folder = place.path().join("results/export").join(&model);

    place.ok("export", &[]);
    let before = fs_err::read_to_string(folder.join("README.md")).unwrap();
    assert!(before.contains("was not evaluated"), "{before}");

    place.ok("eval", &["device=cpu"]);
    place.ok("export", &[&format!("model={model}")]);
    let card = fs_err::read_to_string(folder.join("README.md")).unwrap();
    let weights = fs_err::read(folder.join("model.safetensors")).unwrap();
    let (_, result) = store.resolve("train", &model).unwrap().unwrap();
    assert_eq!(Digest::of(&weights), *result.output("model.safetensors").unwrap());
    for file in ["model.safetensors", "model.onnx"] {
        let digest = Digest::of(&fs_err::read(folder.join(file)).unwrap());
        assert!(card.contains(&format!("| `{file}` | `{digest}` |")), "{file}: {card}");
    }
    for says in ["`phantom-a`", "not a medical device", "| AUROC | ", "N×1×32×32", "The threshold is"] {
        assert!(card.contains(says), "{says}: {card}");
    }
    assert!(!card.contains("`phantom-b`"), "it was not trained on the unseen hospital: {card}");
    assert_eq!(place.run("export", &["model=none"]).code, 3);
}
