"""Trains on a GPU what the CPU trains too, and holds one against the other.

usage: check.py [DEVICE]     from the project's folder, after the programs are built; DEVICE is cuda, or cpu to rehearse

NCCL allows one process on each GPU. Where there is one GPU, two processes say that they are on two machines (NCCL_HOSTID).
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

DEVICE = "cuda"
STEPS = Path(os.environ.get("CARGO_TARGET_DIR", "target"), "release/examples/steps").absolute()
PROGRAMS = Path(os.environ.get("CARGO_TARGET_DIR", "target"), "release").absolute()
SMALL = ["init=scratch", "size=64", "epochs=1", "batch=16", "lr=0.0005"]
# The loss of all images, a step, and the loss again. More steps compare nothing: rounding grows from each to the next.
STEP = ["init=scratch", "size=64", "epochs=2", "batch=1000", "lr=0.002", "schedule=cosine"]
# How near both losses of STEP must be. Rounding turns signs and ranks, which only nt does without: two instruction sets of
# one CPU differ by 0.07 % before the step and 2 % after it (nt 0.01 %), bf16 by 1.2 and 2.5 % (nt 1 %).
BEFORE = {"f32": 0.003, "bf16": 0.02}
AFTER = {("f32", True): 0.001, ("f32", False): 0.04, ("bf16", True): 0.015, ("bf16", False): 0.05}
NOTICED = 60  # seconds within which a lost process is


def program(name, *words):
    return [PROGRAMS / f"sga-{name}", *words]


class Gpu(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        place = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        cls.addClassCleanup(place.cleanup)
        cls.folder = Path(place.name)
        for words in (
            ["phantom", "path=phantom", "patients_a=150", "patients_b=10", "side=64"],
            ["ingest", "dataset=phantom-a", "path=phantom/hospital-a", "size=64", "buckets=1"],
        ):
            subprocess.run(program(*words), cwd=cls.folder, check=True, capture_output=True)

    def trained(self, *words, **variables):
        """The loss of each epoch of a training, and what it said. Every training of a test has an `out=` of its own."""
        done = self.run_training(*words, **variables)
        self.assertEqual(done.returncode, 0, done.stderr)
        return self.losses(words), done.stdout + done.stderr

    def run_training(self, *words, **variables):
        environment = os.environ | variables
        return subprocess.run(program("train", *words), cwd=self.folder, env=environment, capture_output=True, text=True, check=False)

    def events(self, words):
        out = next(word.removeprefix("out=") for word in words if word.startswith("out="))
        curves = list(self.folder.glob(f"{out}/curves/*/curve.jsonl"))
        return [json.loads(line) for curve in curves for line in curve.read_text().splitlines()]

    def losses(self, words):
        return [event["loss"] for event in self.events(words) if event["event"] == "epoch"]

    def alike(self, one, other, method, dtype, what):
        """Holds the losses of a training of STEP against those of another."""
        limits = [BEFORE[dtype], AFTER[dtype, method == "nt"]]
        for moment, here, there, limit in zip(["before", "after"], one, other, limits, strict=True):
            said = f"{method}, {what}, {moment} the step: {here:.5f} and {there:.5f}"
            print(said, file=sys.stderr)
            self.assertLess(abs(here - there), limit * abs(there), said)

    def each(self, methods, one):
        """Tests the methods, side by side on a GPU: there a program takes longer to start than to train so little."""
        with ThreadPoolExecutor(1 if DEVICE == "cpu" else 8) as pool:
            tried = {method: pool.submit(one, method) for method in methods}
        for method, result in tried.items():
            with self.subTest(method):
                result.result()

    def test_every_method_trains_as_on_the_cpu(self):
        def one(method):
            words = [f"method={method}", "again=true", *STEP]
            cpu, _ = self.trained(*words, "device=cpu", f"out={method}-cpu")
            for dtype in ["f32"] + ["bf16"] * (DEVICE != "cpu"):
                here, _ = self.trained(*words, f"dtype={dtype}", f"device={DEVICE}", f"out={method}-{dtype}")
                self.alike(here, cpu, method, dtype, dtype)

        self.each(["nt", "at", "sg", "sga"], one)

    def test_a_deterministic_training_comes_to_the_same_bits(self):
        words = ["method=sga", "deterministic=true", "seed=1", *SMALL, f"device={DEVICE}", "out=bits"]
        self.trained(*words)
        _, said = self.trained(*words, "again=true")
        self.assertIn("the same came out", said)

    def test_a_recorded_step_does_what_the_step_does(self):
        if DEVICE == "cpu":
            self.skipTest("a GPU records")

        def one(method):
            # 8 to a minibatch and two epochs: most steps are replayed, and each epoch's last one is smaller.
            words = [f"method={method}", "seed=20", "deterministic=true", *SMALL, "batch=8", "epochs=2", f"device={DEVICE}"]
            asked, _ = self.trained(*words, f"out={method}-asked")
            replayed, said = self.trained(*words, "cuda_graphs=true", "again=true", f"out={method}-replayed")
            print(f"{method}: {asked[-1]} and {replayed[-1]}", file=sys.stderr)
            self.assertIn("the same came out", said)

        self.each(["nt", "at", "sg", "sga", "fast", "free", "trades", "mixup"], one)

    def test_nothing_within_an_epoch_waits_for_the_device(self):
        if DEVICE == "cpu":
            self.skipTest("a GPU is waited for")

        def one(method):
            words = {"method": method, "size": 64, "batch": 16, "images": 640, "epochs": 2, "threads": 2}
            words |= {"dtype": "bf16", "device": DEVICE, "waits": "true", "graphs": "false"}
            command = [STEPS, *(f"{name}={value}" for name, value in words.items())]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            waits = done.stderr.count("synchronizing CUDA operation")
            print(f"{method}: {waits} waits in 76 minibatches", file=sys.stderr)
            self.assertLess(waits, 10, done.stderr)

        self.each(["nt", "at", "sg", "sga"], one)

    def test_the_largest_batch_is_found_and_a_larger_one_is_told(self):
        if DEVICE == "cpu":
            self.skipTest("a GPU's memory is asked for")
        query = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
        memory = float(subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()[0])
        # Weights, velocities and gradients take 135 MB; of 134 images some must not fit beside them.
        little = {"PYTORCH_CUDA_ALLOC_CONF": f"per_process_memory_fraction:{500 / memory:.6f}"}
        words = ["method=sga", "seed=2", *SMALL, f"device={DEVICE}", "out=batch"]
        _, said = self.trained(*words, "batch=auto", **little)
        found = int(said.split("batch=auto: ")[1].split()[0])
        print(f"batch=auto: {found} images", file=sys.stderr)
        self.assertTrue(2 <= found < 134, said)
        done = self.run_training(*words, "batch=134", **little)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("batch=134 at size=64 does not fit into the device's memory", done.stderr)

    def ranks(self, backend, *words):
        """Two processes that train together, started as torchrun starts them."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        started = []
        for rank in range(2):
            place = {"RANK": rank, "WORLD_SIZE": 2, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": 2}
            place |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "NCCL_HOSTID": f"host-{rank}"}
            environment = os.environ | {name: str(value) for name, value in place.items()}
            command = program("train", *words, f"backend={backend}", f"device={DEVICE}")
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
            process = subprocess.Popen(command, cwd=self.folder, env=environment, text=True, **pipes)
            self.addCleanup(process.stdout.close)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            started.append(process)
        return started

    def backends(self):
        return ["gloo"] if DEVICE == "cpu" else ["gloo", "nccl"]

    def test_two_processes_train_as_one(self):
        for method in ["nt", "sga"]:
            one, _ = self.trained(f"method={method}", "seed=3", *STEP, f"device={DEVICE}", f"out=one-{method}")
            for backend in self.backends():
                words = [f"method={method}", "seed=3", "again=true", *STEP, f"out=two-{method}-{backend}"]
                for rank in self.ranks(backend, *words):
                    said = rank.communicate(timeout=300)[0]
                    self.assertEqual(rank.returncode, 0, said)
                self.alike(self.losses(words), one, method, "f32", f"two processes by {backend}")

    def test_a_lost_process_is_noticed_and_the_training_goes_on(self):
        for seed, backend in enumerate(self.backends(), start=4):
            words = ["method=sga", *SMALL, "epochs=200", f"seed={seed}", "checkpoint=0", f"out=lost-{backend}"]
            first, second = self.ranks(backend, *words)
            while not any(event["event"] == "epoch" for event in self.events(words)):
                self.assertIsNone(first.poll(), "it ended before its first epoch did")
                time.sleep(0.1)
            second.kill()
            killed = time.monotonic()
            said = first.communicate(timeout=300)[0]
            print(f"{backend}: noticed after {time.monotonic() - killed:.0f} s: {said.splitlines()[-2:]}", file=sys.stderr)
            self.assertLess(time.monotonic() - killed, NOTICED)
            self.assertNotEqual(first.returncode, 0)
            self.assertIn("rank 1 of 2 is gone", said)
            before = len([event for event in self.events(words) if event["event"] == "epoch"])
            first, _ = self.ranks(backend, *words)
            while len([event for event in self.events(words) if event["event"] == "epoch"]) <= before:
                self.assertIsNone(first.poll(), "it did not go on")
                time.sleep(0.1)
            first.terminate()
            self.assertIn("goes on after", first.communicate(timeout=300)[0])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        DEVICE = sys.argv.pop(1)
    unittest.main(verbosity=2)
