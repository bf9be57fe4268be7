"""Reads a run's event files with TensorBoard's own reader.

usage: check.py      from the project's folder, after the example `course` of the crate `curves` is built
"""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

COURSE = Path(os.environ.get("CARGO_TARGET_DIR", "target"), "release/examples/course").absolute()


class Curves(unittest.TestCase):
    def test_tensorboard_reads_what_was_written_and_forgets_what_was_done_again(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([COURSE, folder], check=True)
            run = EventAccumulator(folder).Reload()
            self.assertEqual(sorted(run.Tags()["scalars"]), ["loss_of_epoch_so_far", "validation_auroc"])
            points = {tag: [(event.step, event.value) for event in run.Scalars(tag)] for tag in run.Tags()["scalars"]}
            self.assertEqual(points["loss_of_epoch_so_far"], [(50, 0.75), (150, 0.25)])
            self.assertEqual(points["validation_auroc"], [(100, 0.5), (200, 0.75), (300, 0.6875)])
            times = [event.wall_time for event in run.Scalars("validation_auroc")]
            self.assertEqual(times, sorted(times))


if __name__ == "__main__":
    unittest.main()
