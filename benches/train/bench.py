"""Times training of `sga` and of the same training in PyTorch (peer.py), in turn, and prints a table.

usage: bench.py [device=cpu] [methods=nt,at,sg,sga] [sizes=112,224] [batch=64] [images=256] [epochs=3] [rounds=1]
                [dtypes=f32,bf16] [compile=false] [savings=false] [python=python3] [threads=2] [out=results/bench-train.md]

A round trains every row once with each program; the first epoch of each is not counted, and the figure is the median of
the others over all rounds. `f32-plain` is PyTorch as most people run it: f32 without a memory format. Memory is the
largest that the process held on the CPU, or that the GPU held for it.

On a GPU each row of sga is trained twice: asked for operation by operation, and replayed as CUDA graphs; torch.compile is held
against the faster.

savings=true adds a row for each thing that sga does otherwise than a plain step: both ways in turn, in one process.

The floor counts a forward pass of ResNet-18 as 1.81 G multiply-adds per image of 224 pixels, an input gradient as another,
a weight gradient as another: 3 for natural training, 10 for SGA; at the rate of a large matrix product on the same device.
"""

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from measuring import processor

DEFAULTS = {
    "device": "cpu", "methods": "nt,at,sg,sga", "sizes": "112,224", "batch": "64", "images": "256", "epochs": "3", "rounds": "1",
    "dtypes": "f32,bf16", "compile": "false", "savings": "false", "python": sys.executable, "threads": str(os.cpu_count()), "out": "results/bench-train.md",
}
EXAMPLES = Path(os.environ.get("CARGO_TARGET_DIR", "target"), "release/examples").absolute()
STEPS, SAVINGS = EXAMPLES / "steps", EXAMPLES / "savings"
PEER = Path(__file__).with_name("peer.py")
PASSES = {"nt": 3, "at": 8, "sg": 8, "sga": 10}
FLOPS = 2 * 1.814e9  # of a forward pass of one image of 224 × 224


def main():
    words = DEFAULTS | dict(word.split("=", 1) for word in sys.argv[1:])
    if words.keys() != DEFAULTS.keys():
        sys.exit(__doc__)
    floor = matrix_rate(words)
    lines = [
        f"{words['images']} images per epoch, batch {words['batch']}, {words['rounds']} rounds of {words['epochs']} epochs; {place(words)}.",
        "Matrix product: " + ", ".join(f"{rate / 1e12:.1f} TFLOP/s in {dtype}" for dtype, rate in floor.items()) + ".",
        "",
        "| method | px | format | sga images/s | PyTorch | ratio | sga, CUDA graphs | ratio | torch.compile | ratio | sga of the floor | peak MB, sga | PyTorch |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    print("\n".join(lines), flush=True)
    speeds = {}
    for size in words["sizes"].split(","):
        for dtype in words["dtypes"].split(","):
            for method in words["methods"].split(","):
                row = {"method": method, "size": size, "dtype": dtype} | {name: words[name] for name in ("batch", "images", "epochs", "device", "threads")}
                ours, replayed, theirs, compiled = [], [], [], []
                for _ in range(int(words["rounds"])):
                    if dtype != "f32-plain":
                        ours.append(timed([STEPS], row | {"waits": "false", "graphs": "false"}))
                        if words["device"] != "cpu":
                            replayed.append(timed([STEPS], row | {"waits": "false", "graphs": "true"}))
                    theirs.append(timed([words["python"], PEER], row | {"compile": "false"}))
                    if words["compile"] == "true" and dtype != "f32-plain":
                        compiled.append(timed([words["python"], PEER], row | {"compile": "true"}))
                speeds[method, size, dtype] = cells = [median(times) for times in (ours, theirs, replayed, compiled)]
                line = table_line(row, cells, floor, ours + replayed, theirs)
                lines.append(line)
                print(line, flush=True)
    slower = [""] + [
        f"{size} px, {dtype}: SGA takes {nt / sga:.2f} times as long as NT in sga, {peer_nt / peer_sga:.2f} times in PyTorch."
        for size in words["sizes"].split(",") for dtype in words["dtypes"].split(",") if dtype != "f32-plain" and {("nt", size, dtype), ("sga", size, dtype)} <= speeds.keys()
        for (nt, peer_nt, *_), (sga, peer_sga, *_) in [(speeds["nt", size, dtype], speeds["sga", size, dtype])]
    ]
    lines += slower
    print("\n".join(slower))
    if words["savings"] == "true":
        rows = savings(words)
        lines += rows
        print("\n".join(rows))
    out = Path(words["out"])
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join(lines) + "\n")
    print(f"written to {out}")


def savings(words):
    """Each saving against the plain way, for the first format and every size."""
    lines = ["", "| saving | px | plain ms | sga ms | ratio |", "|---|---|---|---|---|"]
    for size in words["sizes"].split(","):
        row = {name: words[name] for name in ("batch", "device", "threads")} | {"size": size, "dtype": words["dtypes"].split(",")[0], "rounds": "5"}
        command = [str(SAVINGS)] + [f"{name}={value}" for name, value in row.items()]
        said = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | {"OMP_WAIT_POLICY": "passive"}).stdout
        for one in map(json.loads, said.splitlines()):
            plain, ours = (statistics.median(one[way]) for way in ("plain", "ours"))
            lines.append(f"| {one['saving']} | {size} | {plain:.1f} | {ours:.1f} | **{plain / ours:.2f}** |")
    return lines


def table_line(row, cells, floor, ours, theirs):
    mine, peer, replayed, compiled = cells
    best = max(mine or 0, replayed or 0)
    passes = FLOPS * (int(row["size"]) / 224) ** 2 * PASSES[row["method"]]
    share = f"{100 * best * passes / floor[row['dtype']]:.0f} %" if best and row["dtype"] in floor else "–"
    memory = [f"{max(one['memory'] for one in times):.0f}" if times else "–" for times in (ours, theirs)]
    number = lambda value: f"{value:.1f}" if value and value < 100 else f"{value:.0f}" if value else "–"
    ratio = lambda ours, value: f"**{ours / value:.2f}**" if ours and value else "–"
    return (
        f"| {row['method']} | {row['size']} | {row['dtype']} | {number(mine)} | {number(peer)} | {ratio(mine, peer)} | {number(replayed)} |"
        f" {ratio(replayed, peer)} | {number(compiled)} | {ratio(best, compiled)} | {share} | {memory[0]} | {memory[1]} |"
    )


def median(times):
    rates = [rate for one in times for rate in one["rates"][1:]]
    return statistics.median(rates) if rates else None


def timed(command, row):
    """Rates of a program's epochs, and the most memory that it held, in MB."""
    command = [str(part) for part in command] + [f"{name}={value}" for name, value in row.items()]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"OMP_WAIT_POLICY": "passive"})
    held = [0.0]
    if row["device"] != "cpu":
        threading.Thread(target=watch, args=(child, held), daemon=True).start()
    said = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        sys.exit(f"{command} ended with {child.returncode}")
    return json.loads(said) | {"memory": held[0] or usage.ru_maxrss / 1024}


def watch(child, held):
    """Asks the driver what the GPU holds while the program runs."""
    query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    while child.returncode is None:
        held[0] = max(held[0], float(subprocess.run(query, capture_output=True, text=True).stdout.splitlines()[0]))
        time.sleep(0.3)


def matrix_rate(words):
    """Floating point operations per second of a large matrix product, by format."""
    script = """
import sys, time, json, torch
device, threads, formats = sys.argv[1], int(sys.argv[2]), sys.argv[3].split(",")
torch.set_num_threads(threads)
side, rates = (8192 if device != "cpu" else 2048), {}
for name, kind in (("f32", torch.float32), ("bf16", torch.bfloat16)):
    if name not in formats: continue
    a, b = (torch.randn(side, side, device=device, dtype=kind) for _ in range(2))
    best = 1e9
    for _ in range(5):
        if device != "cpu": torch.cuda.synchronize()
        began = time.perf_counter(); c = a @ b
        if device != "cpu": torch.cuda.synchronize()
        best = min(best, time.perf_counter() - began)
    rates[name] = 2 * side**3 / best
print(json.dumps(rates))
"""
    done = subprocess.run([words["python"], "-c", script, words["device"], words["threads"], words["dtypes"]], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def place(words):
    if words["device"] == "cpu":
        return f"{words['threads']} threads, {processor()}"
    name = subprocess.run(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"], capture_output=True, text=True).stdout
    return name.strip()


if __name__ == "__main__":
    main()
