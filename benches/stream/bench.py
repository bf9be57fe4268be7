"""Measures how fast images stream from shards, against torchvision's ImageFolder, Hugging Face datasets and MosaicML
Streaming on the same PNGs, in turn, and prints a table.

usage: bench.py [images=4000] [stored=256] [size=224] [batch=64] [epochs=4] [rounds=3] [workers=2]
                [folder=.tools/bench-stream] [out=results/bench-stream.md]

The first epoch of each process is left out: workers start in it. Files are in the page cache for all.
"""

import os
import shutil
import statistics
import subprocess
import sys
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy
import pyarrow.parquet

from measuring import processor

DEFAULTS = {
    "images": "4000", "stored": "256", "size": "224", "batch": "64", "epochs": "4", "rounds": "3", "workers": "2",
    "folder": ".tools/bench-stream", "out": "results/bench-stream.md",
}
PROGRAMS = Path(os.environ.get("CARGO_TARGET_DIR", "target"), "release").absolute()
PEERS = {
    "imagefolder": "torchvision ImageFolder, DataLoader",
    "datasets": "Hugging Face datasets, streaming",
    "streaming": "MosaicML Streaming",
}


def main():
    words = DEFAULTS | dict(word.split("=", 1) for word in sys.argv[1:])
    if words.keys() != DEFAULTS.keys():
        sys.exit(__doc__)
    images, stored = int(words["images"]), int(words["stored"])
    folder = Path(words["folder"]).absolute() / f"{images}-{stored}"
    if not (folder / "done").exists():
        prepare(folder, images, stored)
    size, batch, epochs, workers = (words[name] for name in ("size", "batch", "epochs", "workers"))
    ours = [PROGRAMS / "examples/stream", folder / "store", "ood", size, batch, epochs]
    commands = {"sga": ours} | {
        kind: [sys.executable, Path(__file__).with_name("peer.py"), kind, folder, size, batch, epochs, workers] for kind in PEERS
    }
    rates = {name: [] for name in commands}
    for _ in range(int(words["rounds"])):
        for name, command in commands.items():
            run = subprocess.run(command, env=os.environ | {"RAYON_NUM_THREADS": workers}, stdout=subprocess.PIPE, text=True, check=True)
            rates[name] += [float(line) for line in run.stdout.split()[1:]]
    medians = {name: statistics.median(of) for name, of in rates.items()}
    lines = [
        f"{images} grey PNGs of {stored} pixels, read at {size}, minibatches of {batch}, {workers} workers or threads, {processor()}.",
        "",
        "| | images/s | sga's in multiples |",
        "|---|---|---|",
        f"| sga | {medians['sga']:.0f} | |",
        *(f"| {PEERS[kind]} | {medians[kind]:.0f} | **{medians['sga'] / medians[kind]:.1f}** |" for kind in PEERS),
    ]
    out = Path(words["out"])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines) + "\n")
    print("\n".join([*lines, "", f"written to {out}"]))


def prepare(folder, images, stored):
    """The store, and what is in its shards in the layout that each of the others wants."""
    shutil.rmtree(folder, ignore_errors=True)
    with Pool() as pool:
        pool.starmap(write, [(folder, index, stored) for index in range(images)], chunksize=64)
    ingest = [PROGRAMS / "sga-ingest", "dataset=folder", f"path={folder / 'raw'}", "role=ood", f"store={folder / 'store'}"]
    subprocess.run([*ingest, f"size={stored}", "buckets=16"], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(folder / "raw")
    (folder / "shards").mkdir()
    objects = [path for path in (folder / "store/objects").rglob("*") if path.is_file() and path.read_bytes()[:4] == b"PAR1"]
    for path in objects:
        if "image" in pyarrow.parquet.read_schema(path).names:
            shutil.copy(path, folder / "shards" / f"{path.name}.parquet")
    from streaming import MDSWriter

    with MDSWriter(out=str(folder / "mds"), columns={"image": "bytes", "label": "int"}) as mds:
        for shard in sorted((folder / "shards").iterdir()):
            for row in pyarrow.parquet.read_table(shard, columns=["image", "label"]).to_pylist():
                path = folder / "png" / str(row["label"]) / row["image"]["path"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(row["image"]["bytes"])
                mds.write({"image": row["image"]["bytes"], "label": row["label"]})
    (folder / "done").touch()


def write(folder, index, side):
    random = numpy.random.default_rng(index)
    structure = cv2.resize(random.integers(30, 220, (24, 24), numpy.uint8), (side, side), interpolation=cv2.INTER_CUBIC)
    noise = random.integers(0, 6, (side, side), numpy.uint8)
    path = folder / "raw" / ("covid" if index % 2 else "negative") / f"p{index}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), structure + noise)


if __name__ == "__main__":
    main()
