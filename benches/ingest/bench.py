"""Measures `sga-ingest` against the script in peer.py on generated radiographs, in turn, and prints a table.

usage: bench.py [images=24] [rounds=3] [processes=2] [folder=.tools/bench-ingest] [out=results/bench-ingest.md]

CPU is user and system time of a program and its children over its images, without what the peer takes to start with no
image at all. Memory is the largest process of each. Files are in the page cache for both.
"""

import os
import shutil
import statistics
import sys
from pathlib import Path

from generate import SYNTAXES, hospital
from measuring import measure, processor

DEFAULTS = {"images": "24", "rounds": "3", "processes": "2", "folder": ".tools/bench-ingest", "out": "results/bench-ingest.md"}
INGEST = Path(os.environ.get("CARGO_TARGET_DIR", "target"), "release/sga-ingest").absolute()
PEER = Path(__file__).with_name("peer.py")
NOTHING_READ = 3  # the exit code for data that are no good: here, a syntax that is not decoded


def main():
    words = DEFAULTS | dict(word.split("=", 1) for word in sys.argv[1:])
    if words.keys() != DEFAULTS.keys():
        sys.exit(__doc__)
    images, rounds, processes = int(words["images"]), int(words["rounds"]), int(words["processes"])
    folder = Path(words["folder"]).absolute()
    start_up = min(peer(folder, folder, processes, 0)["cpu"] for _ in range(3))
    lines = [
        f"{images} images of 2000 × 2500 pixels per row, {rounds} rounds, {processes} processes or threads, {processor()}.",
        "",
        "| | CPU ms per image, sga | peer | ratio | images/s, sga | peer | ratio | peak MB, sga | of a quarter | peer | peer's plug-in |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for syntax in SYNTAXES:
        data = hospital(folder, syntax, images)
        quarter = hospital(folder / "quarter", syntax, max(images // 4, 1))
        small = ingest(quarter, folder, processes)
        if "0 quarantined" not in small["said"]:
            lines.append(f"| {syntax} | not read |" + " |" * 10)
            continue
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(ingest(data, folder, processes))
            theirs.append(peer(data, folder, processes, images))
        lines.append(row(syntax, images, ours, theirs, start_up, small))
        print(lines[-1], flush=True)
    out = Path(words["out"])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines) + "\n")
    print("\n".join(["", *lines, "", f"written to {out}"]))


def row(syntax, images, ours, theirs, start_up, small):
    cpu = 1000 * statistics.median(run["cpu"] for run in ours) / images
    peer_cpu = 1000 * (statistics.median(run["cpu"] for run in theirs) - start_up) / images
    rate = images / statistics.median(run["wall"] for run in ours)
    peer_rate = images / statistics.median(run["wall"] for run in theirs)
    memory = [max(run["memory"] for run in runs) for runs in (ours, [small], theirs)]
    cells = [
        syntax,
        f"{cpu:.1f}", f"{peer_cpu:.1f}", f"**{peer_cpu / cpu:.1f}**",
        f"{rate:.1f}", f"{peer_rate:.1f}", f"{rate / peer_rate:.1f}",
        *(f"{size:.0f}" for size in memory),
        theirs[0]["said"] if theirs[0]["said"] != "None" else "–",
    ]
    return f"| {' | '.join(cells)} |"


def ingest(data, folder, threads):
    """Everything anew: into a store of its own, deleted afterwards."""
    store = folder / "store"
    shutil.rmtree(store, ignore_errors=True)
    command = ingest_into(store, "folder", data, "size=256")
    measured = measure(command, {"RAYON_NUM_THREADS": str(threads)}, may_end_with=[NOTHING_READ])
    shutil.rmtree(store)
    return measured


def ingest_into(store, layout, data, *words):
    return [INGEST, f"dataset={layout}", f"path={data}", f"store={store}", *words]


def peer(data, folder, processes, limit):
    folder.mkdir(parents=True, exist_ok=True)
    return measure([sys.executable, PEER, data, folder / "peer.parquet", str(processes), str(limit)], {})


if __name__ == "__main__":
    main()
