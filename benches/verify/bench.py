"""Measures `sga-store do=verify` against OpenSSL's SHA-256 and `sha256sum`, each on all cores, on the same files in turn.

usage: bench.py [megabytes=1024] [rounds=5] [folder=.tools/bench-verify]
"""

import concurrent.futures
import hashlib
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

DEFAULTS = {"megabytes": "1024", "rounds": "5", "folder": ".tools/bench-verify"}
PROGRAM = "target/release/sga-store"
CORES = len(os.sched_getaffinity(0))


def main():
    words = DEFAULTS | dict(word.split("=", 1) for word in sys.argv[1:])
    if words.keys() != DEFAULTS.keys():
        sys.exit(__doc__)
    store = Path(words["folder"]) / "store"
    files = fill(store, int(words["megabytes"]))
    size = sum(path.stat().st_size for path in files)
    print(f"{len(files)} objects, {size / 1e6:.0f} MB, {CORES} cores")
    ways = {"sga-store do=verify": lambda: verify(store), "OpenSSL": lambda: openssl(files), "sha256sum": lambda: sha256sum(files)}
    seconds = {way: [] for way in ways}
    for _ in range(int(words["rounds"]) + 1):
        for way, run in ways.items():
            start = time.perf_counter()
            run()
            seconds[way].append(time.perf_counter() - start)
    for way, measured in seconds.items():
        print(f"{way:<20} {size / 1e6 / statistics.median(measured[1:]):7.0f} MB/s")  # the first round reads the disk
    for way in ("OpenSSL", "sha256sum"):
        ratios = [theirs / ours for theirs, ours in zip(seconds[way], seconds["sga-store do=verify"])][1:]
        print(f"speed of do=verify, {way} = 1: {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def fill(store, megabytes):
    """A store of random objects: half the bytes in a few large ones, half in shards of 1 to 8 MB."""
    stamp = store / "format"
    if not stamp.exists() or sum(path.stat().st_size for path in objects(store)) < megabytes * 1e6 * 0.9:
        shutil.rmtree(store, ignore_errors=True)
        (store / "tmp").mkdir(parents=True)
        draw = random.Random(1)
        left = int(megabytes * 1e6)
        while left > 0:
            large = left > megabytes * 0.5e6
            content = draw.randbytes(int(megabytes * 1e6 / 8) if large else min(left, draw.randrange(1_000_000, 8_000_000)))
            left -= len(content)
            digest = hashlib.sha256(content).hexdigest()
            path = store / "objects" / "sha256" / digest[:2] / digest[2:]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(0o444)
        stamp.write_text("sga store 1\n")
    return sorted(objects(store), key=lambda path: -path.stat().st_size)


def objects(store):
    return [path for path in (store / "objects").rglob("*") if path.is_file()]


def verify(store):
    subprocess.run([PROGRAM, "do=verify", f"store={store}"], check=True, capture_output=True)


def openssl(files):
    """hashlib is OpenSSL's implementation; it computes outside Python's lock."""
    with concurrent.futures.ThreadPoolExecutor(CORES) as pool:
        for path, digest in zip(files, pool.map(digest_of, files)):
            assert digest.endswith(path.name)


def digest_of(path):
    digest, buffer = hashlib.sha256(), bytearray(1 << 20)
    with open(path, "rb", buffering=0) as file:
        while read := file.readinto(buffer):
            digest.update(memoryview(buffer)[:read])
    return digest.hexdigest()


def sha256sum(files):
    names = "\0".join(map(str, files)).encode()
    subprocess.run(["xargs", "-0", "-P", str(CORES), "-n", "4", "sha256sum"], input=names, check=True, capture_output=True)


if __name__ == "__main__":
    main()
