"""What the project's example `figures` says of made-up scores."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np

EXAMPLES = Path(os.environ.get("CARGO_TARGET_DIR", "target"), "release/examples").absolute()


def figures(question):
    done = subprocess.run([EXAMPLES / "figures"], input=json.dumps(question), text=True, capture_output=True, check=True)
    return json.loads(done.stdout)


def study(rows, ties):
    """Scores of two models on as many images, tied where `ties`."""
    random = np.random.default_rng(rows)
    y = random.random(rows) < 0.4
    y[:2] = [True, False]
    a, b = (random.normal(size=rows) + lead * y + 5 for lead in (1.0, 0.7))
    if ties:
        a, b = np.round(a * 2).clip(0), np.round(b * 2).clip(0)
    return y, a.clip(0), b.clip(0)


STUDIES = {"ten": (10, False), "ten with ties": (10, True), "ties": (500, True), "a million": (1_000_000, False),
           "a million with ties": (1_000_000, True)}
