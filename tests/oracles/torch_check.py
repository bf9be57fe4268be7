"""Holds the project's figures against those of torchmetrics.

usage: torch_check.py      from the project's folder, after the example `figures` of the crate `metrics` is built
"""

import unittest

import torch
from asked import STUDIES, figures, study
from torchmetrics.functional import classification as of


class Scores(unittest.TestCase):
    def test_torchmetrics(self):
        torch.set_default_dtype(torch.float64)
        for name, how in STUDIES.items():
            y, a, b = study(*how)
            found = figures({"scores": a.tolist(), "positive": y.tolist(), "other": b.tolist()})["performance"]
            scores, positive = torch.from_numpy(a / (a.max() + 1)), torch.from_numpy(y).long()
            called = (torch.from_numpy(a) >= found["decisions"]["threshold"]).long()
            wanted = {
                "auroc": of.binary_auroc(scores, positive),
                "average_precision": of.binary_average_precision(scores, positive),
                "sensitivity_at_95_specificity": of.binary_sensitivity_at_specificity(scores, positive, 0.95)[0],
                "specificity_at_95_sensitivity": of.binary_specificity_at_sensitivity(scores, positive, 0.95)[0],
                "calibration_error": of.binary_calibration_error(scores, positive, n_bins=15, norm="l1"),
            }
            decided = {
                "sensitivity": of.binary_recall(called, positive),
                "specificity": of.binary_specificity(called, positive),
                "positive_predictive_value": of.binary_precision(called, positive),
                "negative_predictive_value": of.binary_negative_predictive_value(called, positive),
                "f1": of.binary_f1_score(called, positive),
            }
            for figures_, wanted_ in ((found, wanted), (found["decisions"], decided)):
                for figure, value in wanted_.items():
                    with self.subTest(study=name, figure=figure):
                        # torchmetrics sums in f32 where it counts.
                        self.assertAlmostEqual(figures_[figure]["value"], float(value), delta=2e-6)


if __name__ == "__main__":
    unittest.main()
