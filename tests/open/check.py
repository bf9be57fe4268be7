"""Opens the shards of a generated hospital with what others use: Hugging Face datasets, PyArrow, Polars, DuckDB.

usage: check.py      from the project's folder, after `phantom`, `ingest` and `curate` are built
"""

import io
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import datasets
import duckdb
import polars
import pyarrow.parquet
from PIL import Image

PROGRAMS = Path(os.environ.get("CARGO_TARGET_DIR", "target"), "release").absolute()
SIDE = 48


class Shards(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = Path(cls.folder.name)
        run("sga-phantom", "path=phantom", "patients_a=30", f"side={SIDE}", cwd=cls.root)
        run("sga-ingest", "dataset=phantom-a", "path=phantom/hospital-a", f"size={SIDE}", "buckets=2", cwd=cls.root)
        objects = [path for path in (cls.root / ".sga/objects").rglob("*") if path.is_file()]
        parquet = [path for path in objects if path.read_bytes()[:4] == b"PAR1"]
        shards = [path for path in parquet if "image" in pyarrow.parquet.read_schema(path).names]
        cls.shards = sorted(map(str, shards))
        cls.table = pyarrow.concat_tables(map(pyarrow.parquet.read_table, cls.shards))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def assertPicture(self, encoded):
        image = Image.open(io.BytesIO(encoded))
        self.assertEqual((image.format, image.mode, min(image.size)), ("PNG", "L", SIDE))
        self.assertGreater(len(set(image.tobytes())), 10, "an empty picture")

    def test_pyarrow(self):
        self.assertGreater(len(self.table), 30)
        for row in self.table.to_pylist():
            self.assertPicture(row["image"]["bytes"])
            self.assertIn(row["label"], (0, 1))
            self.assertIsInstance(row["boxes"], list)
        boxes = [box for row in self.table.to_pylist() for box in row["boxes"]]
        self.assertTrue(boxes and all(0 < box["width"] <= 1 for box in boxes), boxes)

    def test_hugging_face_datasets(self):
        cache = str(self.root / "cache")
        shards = datasets.load_dataset("parquet", data_files=self.shards, split="train", cache_dir=cache)
        self.assertIsInstance(shards.features["image"], datasets.Image)
        self.assertEqual(shards.features["label"], datasets.ClassLabel(names=["negative", "covid"]))
        self.assertEqual(len(shards), len(self.table))
        first = shards[0]
        self.assertEqual((first["image"].mode, min(first["image"].size)), ("L", SIDE))
        self.assertEqual(shards["boxes"][:], self.table["boxes"].to_pylist())

    def test_hugging_face_datasets_opens_the_folder_of_a_card(self):
        run("sga-curate", "do=card", "data=phantom-a", "out=out", cwd=self.root)
        splits = datasets.load_dataset(str(self.root / "out/phantom-a"), cache_dir=str(self.root / "cache"))
        self.assertEqual(set(splits), {"train", "validation", "test"})
        self.assertEqual(sum(map(len, splits.values())), len(self.table))
        for split, rows in splits.items():
            self.assertEqual(set(rows["split"]), {split})
            self.assertIsInstance(rows.features["image"], datasets.Image)
            self.assertEqual(rows.features["label"].names, ["negative", "covid"])
            self.assertEqual((rows[0]["image"].mode, min(rows[0]["image"].size)), ("L", SIDE))

    def test_polars(self):
        frame = polars.read_parquet(self.shards)
        self.assertEqual(len(frame), len(self.table))
        self.assertIsInstance(frame.schema["boxes"], polars.List)
        self.assertEqual(frame["label"].to_list(), self.table["label"].to_pylist())
        self.assertPicture(frame["image"].struct.field("bytes")[0])

    def test_duckdb(self):
        shards = duckdb.read_parquet(self.shards)
        [(covid, boxes)] = duckdb.sql("select sum(label), sum(len(boxes)) from shards").fetchall()
        self.assertEqual(covid, sum(self.table["label"].to_pylist()))
        self.assertEqual(boxes, sum(map(len, self.table["boxes"].to_pylist())))
        self.assertPicture(shards.project("image.bytes").limit(1).fetchall()[0][0])


def run(program, *words, cwd):
    environment = {name: value for name, value in os.environ.items() if name != "SGA_STORE"}
    subprocess.run([PROGRAMS / program, *words], cwd=cwd, env=environment, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    unittest.main()
