"""Measures what `sga-ingest` takes for many small files when nothing has changed, and when one in a hundred has; and how
much memory the first ingest of many takes, compared with that of few.

usage: unchanged.py [files=100000] [layout=csv] [folder=.tools/bench-unchanged]      layout: csv or folder
"""

import shutil
import sys
import time
from pathlib import Path

import cv2
import numpy

from bench import ingest_into
from measuring import measure

DEFAULTS = {"files": "100000", "layout": "csv", "folder": ".tools/bench-unchanged"}
FOLDERS = 100
FEW = 1000


def main():
    words = DEFAULTS | dict(word.split("=", 1) for word in sys.argv[1:])
    if words.keys() != DEFAULTS.keys() or words["layout"] not in ("csv", "folder"):
        sys.exit(__doc__)
    count, layout = int(words["files"]), words["layout"]
    root = Path(words["folder"]).absolute()
    paths = generate(root / "data", count)
    store = root / f"store-{layout}"
    shutil.rmtree(store, ignore_errors=True)

    def run(what):
        measured = measure(ingest_into(store, layout, root / "data", "size=native"), {})
        print(f"{what}: {measured['wall']:.2f} s, CPU {measured['cpu']:.2f} s, {measured['memory']:.0f} MB", flush=True)
        return measured

    few = root / "few"
    generate(few, FEW)
    apart = root / "store-few"
    shutil.rmtree(apart, ignore_errors=True)
    small = measure(ingest_into(apart, layout, few, "size=native"), {})
    full = run(f"{count} files anew")
    print(f"peak memory: {small['memory']:.0f} MB for {FEW} files, {full['memory']:.0f} MB for {count}")
    time.sleep(2.1)  # files hashed within two seconds of their change are hashed again
    run("nothing changed, files hashed again where they were too young")
    for _ in range(3):
        unchanged = run("nothing changed")
        if "unchanged" not in unchanged["said"]:
            sys.exit(f"something was done:\n{unchanged['said']}")
    now = time.time_ns()  # the files of an earlier run stay: they must become others
    for index in range(0, count, 100):
        write(paths[index], [now, index])
    changed = run("1 % changed")
    if f"{len(range(0, count, 100))} read" not in changed["said"]:
        sys.exit(f"other files were read than changed:\n{changed['said']}")
    print(f"1 % changed took {changed['wall'] / full['wall']:.1%} of the full time")


def generate(root, count):
    """Files of 32 × 32 pixels that serve both layouts: `<class>/<patient>/<image>.png` and `images.csv`."""
    paths = [root / ("covid" if index % 2 else "negative") / f"p{index % FOLDERS}" / f"{index}.png" for index in range(count)]
    for index, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            write(path, index)
    rows = (f"{path.relative_to(root)},{path.parts[-3]},p{index // 3}" for index, path in enumerate(paths))
    table = root / "images.csv"
    text = "\n".join(["path,label,patient", *rows]) + "\n"
    if not table.exists() or table.read_text() != text:
        table.write_text(text)
    return paths


def write(path, seed):
    image = numpy.random.default_rng(seed).integers(0, 256, (32, 32), numpy.uint8)
    path.write_bytes(cv2.imencode(".png", image)[1].tobytes())


if __name__ == "__main__":
    main()
