"""Measures what `sga-ingest` takes for many small files when nothing has changed, and when one in a hundred has; and how
much memory the first ingest of many takes, compared with that of few.

usage: unchanged.py [files=100000] [pixels=32] [size=native] [buckets=16] [layout=csv] [folder=.tools/bench-unchanged]

Files are square, of so many `pixels` along each side; `layout` is csv or folder; `size` and `buckets` are ingest's own.
"""

import shutil
import sys
import time
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy

from bench import ingest_into
from measuring import measure

DEFAULTS = {
    "files": "100000", "pixels": "32", "size": "native", "buckets": "16", "layout": "csv", "folder": ".tools/bench-unchanged",
}
FOLDERS = 100
FEW = 1000
SMALL = 64  # below, all pixels are noise


def main():
    words = DEFAULTS | dict(word.split("=", 1) for word in sys.argv[1:])
    if words.keys() != DEFAULTS.keys() or words["layout"] not in ("csv", "folder"):
        sys.exit(__doc__)
    count, pixels, layout = int(words["files"]), int(words["pixels"]), words["layout"]
    root = Path(words["folder"]).absolute() / str(pixels)
    paths = generate(root / "data", count, pixels)
    store = root / f"store-{layout}"
    shutil.rmtree(store, ignore_errors=True)

    parameters = [f"size={words['size']}", f"buckets={words['buckets']}"]

    def run(what):
        measured = measure(ingest_into(store, layout, root / "data", *parameters), {})
        print(f"{what}: {measured['wall']:.2f} s, CPU {measured['cpu']:.2f} s, {measured['memory']:.0f} MB", flush=True)
        return measured

    few = root / "few"
    generate(few, FEW, pixels)
    apart = root / "store-few"
    shutil.rmtree(apart, ignore_errors=True)
    small = measure(ingest_into(apart, layout, few, *parameters), {})
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
        write(paths[index], [now, index], pixels)
    changed = run("1 % changed")
    if f"{len(range(0, count, 100))} read" not in changed["said"]:
        sys.exit(f"other files were read than changed:\n{changed['said']}")
    print(f"1 % changed took {changed['wall'] / full['wall']:.1%} of the full time")


def generate(root, count, pixels):
    """Files that serve both layouts: `<class>/<patient>/<image>.png` and `images.csv`."""
    paths = [root / ("covid" if index % 2 else "negative") / f"p{index % FOLDERS}" / f"{index}.png" for index in range(count)]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
    with Pool() as pool:
        pool.starmap(write, [(path, index, pixels) for index, path in enumerate(paths) if not path.exists()], chunksize=64)
    rows = (f"{path.relative_to(root)},{path.parts[-3]},p{index // 3}" for index, path in enumerate(paths))
    table = root / "images.csv"
    text = "\n".join(["path,label,patient", *rows]) + "\n"
    if not table.exists() or table.read_text() != text:
        table.write_text(text)
    return paths


def write(path, seed, pixels):
    random = numpy.random.default_rng(seed)
    if pixels < SMALL:
        image = random.integers(0, 256, (pixels, pixels), numpy.uint8)
    else:
        structure = cv2.resize(random.integers(40, 216, (16, 16), numpy.uint8), (pixels, pixels), interpolation=cv2.INTER_CUBIC)
        image = structure + random.integers(0, 8, (pixels, pixels), numpy.uint8)
    partial = path.with_suffix(".partial")
    partial.write_bytes(cv2.imencode(".png", image)[1].tobytes())
    partial.rename(path)


if __name__ == "__main__":
    main()
