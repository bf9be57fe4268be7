//! Numbers from R's pROC 1.18.0 and from scikit-learn 1.9.1, on 97 images with ties.
//!
//! ```r
//! library(pROC); i <- 0:96; y <- i %% 3 == 0
//! a <- ((i * 37) %% 101) %/% 4 + 6 * y; ra <- roc(y, a, direction = "<")
//! b <- ((i * 53) %% 89) %/% 3 + 5 * y;  rb <- roc(y, b, direction = "<")
//! c(auc(ra), var(ra), ci(ra)); c(auc(rb), var(rb), ci(rb)); roc.test(ra, rb, paired = TRUE, method = "delong")
//! ```
//! ```python
//! import numpy as np; from sklearn.metrics import average_precision_score, roc_curve
//! i = np.arange(97); y = i % 3 == 0; a = (i * 37 % 101) // 4 + 6 * y; b = (i * 53 % 89) // 3 + 5 * y
//! average_precision_score(y, a), average_precision_score(y, b)
//! fpr, tpr, t = roc_curve(y, a, drop_intermediate=False); t[np.argmax(tpr - fpr)], (tpr - fpr).max()
//! tpr[1 - fpr >= 0.95].max(), (1 - fpr)[tpr >= 0.95].max()
//! p = (a + 0.5) / 32; bins = (p * 15).astype(int)
//! sum(abs(p[bins == k].sum() - y[bins == k].sum()) for k in range(15)) / len(p)
//! ```

#![expect(clippy::excessive_precision, reason = "as the oracle printed them")]

use metrics::{
    Auroc, Error, auroc, average_precision, calibration, delong, delong_paired, sensitivity_at_specificity,
    specificity_at_sensitivity, youden,
};

struct Study {
    positive: Vec<bool>,
    a: Vec<f64>,
    b: Vec<f64>,
}

fn study() -> Study {
    let positive: Vec<bool> = (0..97).map(|i| i % 3 == 0).collect();
    let scores = |step: u32, modulus: u32, ties: u32, lead: u32| {
        (0..97).map(|i| f64::from((i * step % modulus) / ties + if i % 3 == 0 { lead } else { 0 })).collect()
    };
    Study { a: scores(37, 101, 4, 6), b: scores(53, 89, 3, 5), positive }
}

#[track_caller]
fn close(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-11, "{found} is not {wanted}");
}

#[test]
fn delong_is_procs() {
    let Study { positive, a, b } = study();
    let wanted = [
        (
            &a,
            Auroc {
                value: 0.705_729_166_666_666_63,
                variance: 0.003_056_443_628_777_69,
                low: 0.597_372_337_912_211_12,
                high: 0.814_085_995_421_122_14,
            },
        ),
        (
            &b,
            Auroc {
                value: 0.616_003_787_878_787_85,
                variance: 0.003_594_317_944_908_51,
                low: 0.498_498_790_649_529_73,
                high: 0.733_508_785_108_045_96,
            },
        ),
    ];
    for (scores, wanted) in wanted {
        let found = delong(scores, &positive).unwrap();
        close(found.value, wanted.value);
        close(found.variance, wanted.variance);
        close(found.low, wanted.low);
        close(found.high, wanted.high);
        close(auroc(scores, &positive).unwrap(), wanted.value);
    }
}

#[test]
fn the_paired_test_is_procs() {
    let Study { positive, a, b } = study();
    let found = delong_paired(&a, &b, &positive).unwrap();
    close(found.difference, 0.705_729_166_666_666_63 - 0.616_003_787_878_787_85);
    close(found.z, 1.147_254_973_405_680_7);
    close(found.p, 0.251_276_257_328_823_1);
    close(found.low, -0.063_560_956_856_770_6);
    close(found.high, 0.243_011_714_432_528_2);
}

#[test]
fn the_paired_test_without_variance() {
    let Study { positive, a, .. } = study();
    let mapped: Vec<f64> = a.iter().map(|score| score.powi(3)).collect();
    let same = delong_paired(&a, &mapped, &positive).unwrap();
    assert_eq!((same.difference, same.z, same.p), (0.0, 0.0, 1.0));
    let perfect: Vec<f64> = positive.iter().map(|&positive| f64::from(u8::from(positive))).collect();
    let constant = vec![0.5; positive.len()];
    assert_eq!(delong_paired(&perfect, &constant, &positive), Err(Error::NoVariance));
    let perfect = delong(&perfect, &positive).unwrap();
    assert_eq!(perfect, Auroc { value: 1.0, variance: 0.0, low: 1.0, high: 1.0 });
}

#[test]
fn precision_and_operating_points_are_scikit_learns() {
    let Study { positive, a, b } = study();
    close(average_precision(&a, &positive).unwrap(), 0.619_731_556_332_459_2);
    close(average_precision(&b, &positive).unwrap(), 0.497_746_205_712_525_04);
    close(sensitivity_at_specificity(&a, &positive, 0.95).unwrap().sensitivity, 0.272_727_272_727_272_7);
    close(specificity_at_sensitivity(&a, &positive, 0.95).unwrap().specificity, 0.281_25);
    let chosen = youden(&a, &positive).unwrap();
    close(chosen.threshold, 25.0);
    close(chosen.sensitivity + chosen.specificity - 1.0, 0.272_727_272_727_272_7);
}

#[test]
fn calibration_is_numpys() {
    let Study { positive, a, .. } = study();
    let probabilities: Vec<f64> = a.iter().map(|score| (score + 0.5) / 32.0).collect();
    let found = calibration(&probabilities, &positive, 15).unwrap();
    close(found.expected_error, 0.175_418_814_432_989_68);
    assert_eq!(found.bins.iter().map(|bin| bin.images).sum::<usize>(), 97);
}
