//! Networks other than residual ones, through every stage that meets them.

use end_to_end::Workplace;

#[test]
fn the_other_architectures_go_through_training_evaluation_maps_and_export() {
    let place = Workplace::with_data();
    let words = [
        "method=nt",
        "arch=densenet121,efficientnet-b0",
        "init=scratch",
        "size=32",
        "epochs=1",
        "batch=32",
        "device=cpu",
    ];
    place.ok("train", &words);
    let evaluated = place.ok("eval", &["device=cpu"]);
    assert_eq!(evaluated.matches(": evaluated").count(), 2, "{evaluated}");
    let explained = place.ok("explain", &["images=2", "shown=1", "device=cpu"]);
    assert_eq!(explained.matches(": explained").count(), 1, "{explained}");
    assert!(explained.contains("left out: FullGrad"), "{explained}");
    let explained = place.ok("explain", &["explainer=gradient", "images=2", "shown=1", "device=cpu"]);
    assert_eq!(explained.matches(": explained").count(), 2, "{explained}");
    assert_eq!(place.ok("export", &[]).matches("model.onnx").count(), 2);

    let refused = place.run("train", &["method=nt", "arch=densenet121"]);
    assert_eq!(refused.code, 2, "{}{}", refused.out, refused.err);
    assert!(refused.err.contains("timm/densenet121.tv_in1k"), "{}", refused.err);
}
