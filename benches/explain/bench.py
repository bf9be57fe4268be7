"""Times FullGrad maps of `sga` and of the authors' PyTorch code (peer.py) on one network, in turns, and prints a table.

usage: bench.py [device=cpu] [sizes=112,224] [batch=16] [images=32] [rounds=3] [turns=3] [python=python3] [threads=2]
                [code=.tools/fullgrad-saliency] [out=results/bench-explain.md]

A turn draws every map with each program; the first round of each program is not counted, and the figure is the median of
the others over all turns. The authors' code is fetched into code= where it is not, and checked by hash.
"""

import hashlib
import json
import os
import statistics
import sys
import urllib.request
from pathlib import Path

from measuring import measure, processor

DEFAULTS = {
    "device": "cpu", "sizes": "112,224", "batch": "16", "images": "32", "rounds": "3", "turns": "3", "python": sys.executable,
    "threads": str(os.cpu_count()), "code": ".tools/fullgrad-saliency", "out": "results/bench-explain.md",
}
MAPS = Path(os.environ.get("CARGO_TARGET_DIR", "target"), "release/examples/maps").absolute()
PEER = Path(__file__).with_name("peer.py")
AUTHORS = "https://raw.githubusercontent.com/idiap/fullgrad-saliency/7c106b34fc47c80c629bb6bd0770e8f009e1668a/saliency"
FILES = {
    "fullgrad.py": "c2b64d7302c5e5a8085451c7a5843a07ee2676f150ad08e03684488708e7bbf4",
    "tensor_extractor.py": "f916df7bfe49041bfca8afeb588bf552f40eb1c64a7b501623bebc52e8161713",
}


def main():
    words = DEFAULTS | dict(word.split("=", 1) for word in sys.argv[1:])
    if words.keys() != DEFAULTS.keys():
        sys.exit(__doc__)
    fetch(Path(words["code"], "saliency"))
    lines = [
        f"FullGrad of ResNet-18, f32, batches of {words['batch']}, {words['turns']} turns of {words['rounds']} rounds of {words['images']} images; "
        + (f"{words['threads']} threads, {processor()}." if words["device"] == "cpu" else f"{words['device']}."),
        "",
        "| px | sga maps/s | authors' code | ratio | peak MB, sga | authors' code |",
        "|---|---|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    for size in words["sizes"].split(","):
        row = [f"{name}={words[name]}" for name in ("batch", "images", "rounds", "device", "threads")] + [f"size={size}"]
        commands = [[MAPS, "explainer=fullgrad", *row], [words["python"], PEER, f"code={words['code']}", *row]]
        turns = [[measure(list(map(str, command)), {"OMP_WAIT_POLICY": "passive"}) for command in commands] for _ in range(int(words["turns"]))]
        ours, theirs = (
            (statistics.median(rate for one in program for rate in json.loads(one["said"])["rates"][1:]), max(one["memory"] for one in program))
            for program in zip(*turns)
        )
        lines.append(f"| {size} | {ours[0]:.1f} | {theirs[0]:.1f} | **{ours[0] / theirs[0]:.2f}** | {ours[1]:.0f} | {theirs[1]:.0f} |")
        print(lines[-1], flush=True)
    out = Path(words["out"])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines) + "\n")
    print(f"written to {out}")


def fetch(folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").touch()
    for name, digest in FILES.items():
        file = folder / name
        if not file.exists():
            with urllib.request.urlopen(f"{AUTHORS}/{name}") as answer:
                file.write_bytes(answer.read())
        if hashlib.sha256(file.read_bytes()).hexdigest() != digest:
            sys.exit(f"{file} is not the authors' file of that version: delete it")


if __name__ == "__main__":
    main()
