"""Measures a folder kept in the store against DVC on the same files, in turn, and prints a table.

usage: bench.py [files=100000] [large=2] [rounds=2] [links=hardlink,copy] [folder=.tools/bench-store] [out=results/bench-store.md]

files: small ones, of 1 to 8 kB. large: GB, in files of 100 MB. links: how DVC gives files out (its cache.type); the store
always copies. 0 leaves a kind out. Both tools work on copies of the same files that lie on one file system, are in the page cache and have not
been touched for two seconds; nothing is deleted before the end, because ext4 makes files slowly where some have just been
deleted. `to disk` adds the time until everything written is on the disk: the store syncs what it
keeps before it says so, DVC syncs nothing.
"""

import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

from measuring import measure, processor

DEFAULTS = {
    "files": "100000",
    "large": "2",
    "rounds": "2",
    "links": "hardlink,copy",
    "folder": ".tools/bench-store",
    "out": "results/bench-store.md",
}
STORE = Path(os.environ.get("CARGO_TARGET_DIR", "target"), "release/sga-store").absolute()
LARGE = 100_000_000
SETTLED = 2.1  # seconds after which both tools trust a file's time of change


def main():
    words = DEFAULTS | dict(word.split("=", 1) for word in sys.argv[1:])
    if words.keys() != DEFAULTS.keys():
        sys.exit(__doc__)
    root = Path(words["folder"]).absolute()
    small, large, rounds = int(words["files"]), int(float(words["large"]) * 1e9 / LARGE), int(words["rounds"])
    place = root / "runs"
    shutil.rmtree(place, ignore_errors=True)
    runs = {}
    for number in range(rounds):
        for kind, generate, count in (("small", write_small, small), ("large", write_large, large)):
            data = generated(root / "data" / kind, generate, count)
            within = place / f"{kind}-{number}"
            for tool in [Sga(within / "sga"), Dvc(within / "dvc", words["links"])] if count else []:
                for case, measured in cases(tool, data, kind, count):
                    runs.setdefault((kind, case), {}).setdefault(type(tool), []).append(measured)
                    print(f"round {number + 1}: {tool.name}: {kind}: {case}: {seconds(measured)}", flush=True)
    hashing = rates(root / "data/large", Sga(place / "rates"), large) if large else []
    lines = [
        f"{small} small files, {large} files of {LARGE / 1e6:.0f} MB; {rounds} rounds, medians; {processor()};"
        f" load {os.getloadavg()[2]:.1f} in the last quarter of an hour; DVC {version('dvc')}, cache.type {words['links']}.",
        "",
        "| | s, sga | DVC | ratio | CPU s, sga | DVC | ratio | s to disk, sga | DVC | ratio |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(row(f"{kind}: {case}", measured) for (kind, case), measured in runs.items()),
        "",
        *hashing,
    ]
    out = Path(words["out"])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines) + "\n")
    print("\n".join(["", *lines, f"written to {out}"]))
    shutil.rmtree(place)


def cases(tool, data, kind, count):
    """Each thing that users do, measured, from an empty repository on."""
    tool.begin(data)
    yield "add", on_disk(tool.add)
    yield "nothing changed", on_disk(tool.status)
    if kind == "small":
        for index in range(0, count, 100):
            write_small(tool.data, index, seed=count + index)
        time.sleep(SETTLED)
        yield "add, 1 % changed", on_disk(tool.add)
    tool.prepare_export()
    yield "export", on_disk(tool.export)
    for index in range(count):
        path = small_path(index) if kind == "small" else large_path(index)
        seed = count + index if kind == "small" and index % 100 == 0 else index
        if (tool.exported / path).read_bytes() != content(kind, seed):
            sys.exit(f"{tool.name}: {path} is not what was added")


class Sga:
    name = "sga"

    def __init__(self, root):
        self.root, self.data, self.exported = root, root / "data", root / "exported"

    def begin(self, data):
        copied(data, self.data)

    def add(self):
        return self.run("do=add", f"path={self.data}", "name=bench")

    def status(self):
        measured = self.run("do=changes", "name=bench")
        if "0 added, 0 changed, 0 removed" not in measured["said"]:
            sys.exit(measured["said"])
        return measured

    def prepare_export(self):
        pass

    def export(self):
        return self.run("do=export", "name=bench", f"out={self.exported}")

    def run(self, *words, threads=None):
        threads = {"RAYON_NUM_THREADS": str(threads)} if threads else {}
        return measure([STORE, f"store={self.root / 'store'}", *words], threads)


class Dvc:
    name = "DVC"

    def __init__(self, root, links):
        self.root, self.links, self.data = root, links, root / "data"
        self.exported = self.data

    def begin(self, data):
        self.root.mkdir(parents=True)
        self.run("init", "--no-scm")
        settings = {
            "core.analytics": "false",
            "core.check_update": "false",
            "core.checksum_jobs": str(os.cpu_count()),
            "cache.type": self.links,
        }
        for setting, value in settings.items():
            self.run("config", setting, value)
        copied(data, self.data)

    def add(self):
        return self.run("add", "data")

    def status(self):
        measured = self.run("status")
        if "up to date" not in measured["said"]:
            sys.exit(measured["said"])
        return measured

    def prepare_export(self):
        self.data.rename(self.root / "moved away")

    def export(self):
        return self.run("checkout")

    def run(self, *words):
        program = Path(sys.executable).with_name("dvc")
        return measure([program, *words], {"DVC_SITE_CACHE_DIR": str(self.root / "site")}, folder=self.root)


def copied(data, place):
    shutil.copytree(data, place)
    time.sleep(SETTLED)


def on_disk(work):
    """Runs `work` on a quiet disk, and adds how long it takes until everything is on the disk."""
    os.sync()
    start = time.perf_counter()
    measured = work()
    os.sync()
    return measured | {"disk": time.perf_counter() - start}


def generated(folder, write, count):
    done = folder.with_suffix(f".{count}")
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        for other in folder.parent.glob(f"{folder.name}.*"):
            other.unlink()
        folder.mkdir(parents=True)
        for index in range(count):
            write(folder, index)
        done.touch()
    return folder


def small_path(index):
    return f"patient-{index // 10:05}/image-{index}.png"


def large_path(index):
    return f"series-{index:03}.dcm"


def content(kind, seed):
    generator = random.Random(seed)
    return generator.randbytes(generator.randrange(1000, 8000) if kind == "small" else LARGE)


def write_small(folder, index, seed=None):
    path = folder / small_path(index)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # DVC's links are read-only: an editor that saves a file replaces it
    path.write_bytes(content("small", index if seed is None else seed))


def write_large(folder, index):
    (folder / large_path(index)).write_bytes(content("large", index))


def rates(data, tool, count):
    """How fast objects are hashed, on one thread and on all, and how fast coreutils hashes the same bytes."""
    tool.begin(data)
    tool.add()
    size = count * LARGE / 1e9
    one, every = (min(tool.run("do=verify", threads=threads)["wall"] for _ in range(3)) for threads in (1, os.cpu_count()))
    files = sorted(data.iterdir())
    sums = min(measure(["sha256sum", *files], {})["wall"] for _ in range(3))
    extensions = "yes" if " sha_ni " in Path("/proc/cpuinfo").read_text() else "no"
    return [
        f"SHA-256: {size / one:.2f} GB/s on one thread, {size / every:.2f} GB/s on {os.cpu_count()};"
        f" sha256sum {size / sums:.2f} GB/s. The processor has instructions for it: {extensions}."
    ]


def row(name, runs):
    cells = [name]
    for what in ("wall", "cpu", "disk"):
        ours, theirs = (statistics.median(run[what] for run in runs[tool]) for tool in (Sga, Dvc))
        cells += [f"{ours:.2f}", f"{theirs:.2f}", f"**{theirs / ours:.1f}**"]
    return f"| {' | '.join(cells)} |"


def seconds(measured):
    return f"{measured['wall']:.2f} s, CPU {measured['cpu']:.2f} s, on disk after {measured['disk']:.2f} s"


if __name__ == "__main__":
    main()
