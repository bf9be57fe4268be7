"""Holds the project's figures against those of scikit-learn, R's pROC, Quantus and pycocotools, and its ONNX files against
onnxruntime.

usage: check.py      from the project's folder, after the examples of the crates `metrics` and `onnx` are built

pROC is asked where Rscript has it (Debian: r-cran-proc); else that part is skipped, and says so.
"""

import contextlib
import io
import shutil
import subprocess
import tempfile
import unittest
import warnings
from pathlib import Path

import numpy as np
from asked import EXAMPLES, STUDIES, figures, study
from sklearn import metrics

PROC = """
library(pROC); data <- read.csv(commandArgs(TRUE)[1])
a <- roc(data$y, data$a, direction = "<", quiet = TRUE); b <- roc(data$y, data$b, direction = "<", quiet = TRUE)
t <- roc.test(a, b, paired = TRUE, method = "delong")
cat(sprintf("%.17g", c(auc(a), var(a), ci(a)[1], ci(a)[3], t$statistic, t$p.value)))
"""


class Scores(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.studies = {name: study(*how) for name, how in STUDIES.items()}
        cls.found = {
            name: figures({"scores": a.tolist(), "positive": y.tolist(), "other": b.tolist()})
            for name, (y, a, b) in cls.studies.items()
        }
        for name, found in cls.found.items():
            print(f"{name}: AUROC and DeLong in {found['seconds']:.4f} s")

    def close(self, found, wanted, name):
        self.assertTrue(np.isclose(found, wanted, rtol=1e-9, atol=1e-12), f"{name}: {found} is not {wanted}")

    def test_scikit_learn(self):
        for name, (y, a, _) in self.studies.items():
            found = self.found[name]
            of = found["performance"]
            self.close(found["auroc"], metrics.roc_auc_score(y, a), name)
            self.close(of["auroc"]["value"], metrics.roc_auc_score(y, a), name)
            self.close(found["average_precision"], metrics.average_precision_score(y, a), name)
            self.close(of["average_precision"]["value"], metrics.average_precision_score(y, a), name)
            fpr, tpr, _ = metrics.roc_curve(y, a, drop_intermediate=False)
            self.close(of["sensitivity_at_95_specificity"]["value"], tpr[1 - fpr >= 0.95].max(), name)
            self.close(of["specificity_at_95_sensitivity"]["value"], (1 - fpr)[tpr >= 0.95].max(), name)
            decisions = of["decisions"]
            called = a >= decisions["threshold"]
            self.close(decisions["sensitivity"]["value"] + decisions["specificity"]["value"] - 1, (tpr - fpr).max(), name)
            cells = ("true_negatives", "false_positives", "false_negatives", "true_positives")
            matrix = metrics.confusion_matrix(y, called).ravel()
            self.assertEqual([decisions["confusion"][cell] for cell in cells], matrix.tolist(), name)
            self.close(decisions["f1"]["value"], metrics.f1_score(y, called), name)
            self.close(decisions["sensitivity"]["value"], metrics.recall_score(y, called), name)
            self.close(decisions["positive_predictive_value"]["value"], metrics.precision_score(y, called), name)

    def test_calibration_in_fifteen_bins(self):
        for name, (y, a, _) in self.studies.items():
            p = a / (a.max() + 1)
            bins = (p * 15).astype(int)
            error = sum(abs(p[bins == k].sum() - y[bins == k].sum()) for k in range(15)) / len(p)
            self.close(self.found[name]["performance"]["calibration_error"]["value"], error, name)

    @unittest.skipUnless(shutil.which("Rscript"), "there is no R")
    def test_proc(self):
        if subprocess.run(["Rscript", "-e", "library(pROC)"], capture_output=True).returncode:
            self.skipTest("R has no pROC")
        for name, (y, a, b) in self.studies.items():
            with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
                np.savetxt(file, np.c_[y, a, b], "%.17g", ",", header="y,a,b", comments="")
                file.flush()
                done = subprocess.run(["Rscript", "-e", PROC, file.name], capture_output=True, text=True, check=True)
            area, variance, low, high, z, p = map(float, done.stdout.split())
            found = self.found[name]
            for key, wanted in {"value": area, "variance": variance, "low": low, "high": high}.items():
                self.close(found["delong"][key], wanted, f"{name}, {key}")
            self.close(found["paired"]["z"], z, name)
            self.close(found["paired"]["p"], p, name)

    def test_one_class_has_no_figures(self):
        found = figures({"scores": [0.1, 0.2], "positive": [True, True], "other": [0.2, 0.1]})
        self.assertIn("0 negative", found["error"])


class Maps(unittest.TestCase):
    def test_quantus(self):
        warnings.simplefilter("ignore")
        import quantus

        quiet = {"disable_warnings": True, "abs": True, "normalise": False}
        measures = {
            "energy": quantus.AttributionLocalisation(**quiet),
            "hit": quantus.PointingGame(**quiet),
            "rank": quantus.RelevanceRankAccuracy(**quiet),
        }
        random = np.random.default_rng(7)
        for _ in range(20):
            side = 32
            map = random.random((1, 1, side, side), dtype=np.float32) ** 3
            x, y = random.integers(0, side - 8, 2)
            width, height = random.integers(2, 8, 2)
            mask = np.zeros_like(map, dtype=bool)
            mask[..., y : y + height, x : x + width] = True
            place = [float(number) / side for number in (x, y, width, height)]
            found = figures({"map": map.ravel().tolist(), "width": side, "height": side, "box": place})
            say = {
                name: measure(model=None, x_batch=map, y_batch=np.array([1]), a_batch=map, s_batch=mask)[0]
                for name, measure in measures.items()
            }
            self.assertAlmostEqual(found["energy"], say["energy"], places=5)
            self.assertEqual(found["hit"], bool(say["hit"]))
            # Relevance rank accuracy is the share r of the box among as many largest values; the overlap is r / (2 − r).
            self.assertAlmostEqual(found["overlap"], say["rank"] / (2 - say["rank"]), places=6)


class Boxes(unittest.TestCase):
    def test_pycocotools(self):
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        for seed in range(20):
            random = np.random.default_rng(seed)
            images = [self.image(random) for _ in range(40)]
            found = figures({"images": images})
            with contextlib.redirect_stdout(io.StringIO()):
                truth = COCO()
                boxes = [(number, box) for number, image in enumerate(images) for box in image["truth"]]
                truth.dataset = {
                    "images": [{"id": number} for number in range(len(images))],
                    "categories": [{"id": 1}],
                    "annotations": [
                        {"id": 1 + place, "image_id": number, "category_id": 1, "bbox": box, "area": box[2] * box[3], "iscrowd": 0}
                        for place, (number, box) in enumerate(boxes)
                    ],
                }
                truth.createIndex()
                say = truth.loadRes([
                    {"image_id": number, "category_id": 1, "bbox": box[:4], "score": box[4]}
                    for number, image in enumerate(images)
                    for box in image["found"]
                ])
                asked = COCOeval(truth, say, "bbox")
                asked.evaluate()
                asked.accumulate()
                asked.summarize()
            mean, half = asked.stats[:2]
            self.assertAlmostEqual(found["precision_at_half"]["value"], half, delta=1e-6, msg=f"seed {seed}")
            self.assertAlmostEqual(found["precision"]["value"], mean, delta=1e-6, msg=f"seed {seed}")
            self.assertTrue(0.05 < half < 0.95, half)

    def image(self, random):
        """Some boxes, some of which are found about where they are, and some that are not there."""
        f32 = lambda values: np.asarray(values, np.float32).astype(float).tolist()
        truth = [np.r_[random.uniform(0, 0.5, 2), random.uniform(0.1, 0.5, 2)] for _ in range(random.integers(0, 5))]
        near = [box + random.normal(scale=0.03, size=4) * random.integers(0, 2) for box in truth for _ in range(random.integers(0, 4))]
        far = [np.r_[random.uniform(0, 0.5, 2), random.uniform(0.1, 0.5, 2)] for _ in range(random.integers(0, 4))]
        # Few scores, so that there are ties.
        found = [f32([*box[:2], *box[2:].clip(0.01), random.integers(1, 20) / 20]) for box in near + far]
        return {"truth": [f32(box) for box in truth], "found": found}


class Networks(unittest.TestCase):
    def test_onnxruntime_gives_the_same_logits(self):
        import onnx
        import onnxruntime
        from safetensors.numpy import load_file

        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([EXAMPLES / "network", folder], check=True)
            for file in sorted(Path(folder).glob("*.onnx")):
                onnx.checker.check_model(onnx.load(file), full_check=True)
                wanted = load_file(file.with_suffix(".safetensors"))
                session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
                (logits,) = session.run(["logits"], {"image": wanted["image"]})
                error = abs(logits - wanted["logits"]).max()
                print(f"{file.stem}: logits up to {abs(logits).max():.2f}, apart by {error:.1e}")
                self.assertLess(error, 1e-4, file.stem)


if __name__ == "__main__":
    unittest.main()
