#!/usr/bin/env python3
"""Puts libtorch into .libtorch, where the build and the programs find it.

    ./just setup         keeps what is there; else links SGA_LIBTORCH, else fetches the CPU libtorch
    ./just setup cpu     fetches the CPU libtorch: 544 MB to download, 0.5 GB on disk
    ./just setup cuda    links SGA_LIBTORCH or the torch of python3; else fetches one: 2.5 GB, 3.6 GB on disk

With --quiet, as other recipes call it, it says nothing where nothing is to do.

.libtorch/
  BUILD      one line: version, kind, origin
  include/   C++ headers
  lib/       what is linked and loaded
"""

import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path

from wheel import PINS, ROOT, TOOLS, SetupError, fetch, lock, megabytes, require_platform, run, say, unpack

VERSION = "2.11.0"  # the one that tch in Cargo.toml is made for
SERIES = VERSION.rpartition(".")[0]
PLACE = ROOT / ".libtorch"
FETCHED_CPU = f"libtorch {VERSION} (CPU)"

CUDA_WHEELS = [name for name in PINS if name == "torch" or name.startswith("nvidia-")]
CPU_MEMBERS = {
    "torch": ["torch/include/*", "torch/lib/libtorch_cpu.so", "torch/lib/libc10.so", "torch/lib/libgomp.so.1"],
    # The two CUDA libraries that even libtorch_cpu.so names.
    "nvidia-cuda-runtime": ["nvidia/cu13/lib/libcudart.so.13"],
    "nvidia-cuda-cupti": ["nvidia/cu13/lib/libcupti.so.13"],
}
CUDA_MEMBERS = ["torch/include/*", "torch/lib/*.so*", "torch/version.py", "nvidia/*.so*"]

ELSEWHERE = f"Install torch {VERSION} for it, set SGA_LIBTORCH to the torch folder (lib/ and include/ in it), run again."


def fetch_cpu(place):
    """Lays out the libraries that a CPU needs, from the pinned wheels."""
    _unpack_wheels(CPU_MEMBERS, place / "wheels")
    (place / "wheels/torch/include").rename(place / "include")
    (place / "lib").mkdir()
    for library in (place / "wheels").glob("*/**/*.so*"):
        library.rename(place / "lib" / library.name)
    shutil.rmtree(place / "wheels")
    _direct_linker(place / "lib")
    _stamp(place, FETCHED_CPU)


def fetch_cuda(place):
    """Lays out torch with all of NVIDIA's libraries, from the pinned wheels."""
    _unpack_wheels({name: CUDA_MEMBERS for name in CUDA_WHEELS}, place / "python")
    _mirror(place, Path("python/torch"))
    _stamp(place, f"libtorch {VERSION} (CUDA)")


def link(place, torch):
    """Lays out links to the installed torch in the folder `torch`."""
    _mirror(place, torch)
    _stamp(place, _linked(torch))


def main():
    word = sys.argv[1] if len(sys.argv) == 2 else None
    if len(sys.argv) > 2 or word not in (None, "cpu", "cuda", "--quiet"):
        say(__doc__)
        sys.exit(2)
    wanted = word if word in ("cpu", "cuda") else None
    if _in_place(wanted):
        if word != "--quiet":
            say(f"{_stamped()} is in place")
        return
    with lock():
        if _in_place(wanted):  # whoever held the lock has done it
            return
        torch = _installed(wanted)
        if not torch:
            require_platform(ELSEWHERE)
        new = TOOLS / "libtorch.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir()
        if torch:
            link(new, torch)
        elif wanted == "cuda":
            fetch_cuda(new)
        else:
            fetch_cpu(new)
        _replace(new)
    say(f"{_stamped()} is in place now")


def _stamped():
    """What BUILD says is there, or None where nothing whole is."""
    if not (PLACE / "lib/libtorch_cpu.so").exists():  # a linked torch may have gone
        return None
    return (PLACE / "BUILD").read_text().strip()


def _in_place(wanted):
    """Whether what is stamped is what is wanted."""
    stamped = _stamped()
    if not stamped or not stamped.startswith(f"libtorch {SERIES}."):
        return False
    if wanted == "cpu":
        return stamped == FETCHED_CPU
    named = os.environ.get("SGA_LIBTORCH")
    if named:
        return stamped == _linked(Path(named).resolve()) and (wanted is None or "(CUDA)" in stamped)
    return wanted is None or "(CUDA)" in stamped


def _installed(wanted):
    """The torch folder to link: SGA_LIBTORCH, or for CUDA the one that python3 imports. None: fetch one."""
    named = os.environ.get("SGA_LIBTORCH")
    if wanted == "cpu":
        return None
    if named:
        torch = Path(named).resolve()
        version = _version(torch)
        if not version or not (torch / "lib/libtorch_cpu.so").exists():
            raise SetupError(f"SGA_LIBTORCH={named} holds no libtorch: lib/libtorch_cpu.so and a version are looked for")
        if not _fits(version):
            raise SetupError(f"SGA_LIBTORCH={named} is torch {version}; torch {VERSION} is needed")
        if wanted == "cuda" and not _has_cuda(torch):
            raise SetupError(f"SGA_LIBTORCH={named} is a torch without CUDA: lib/libtorch_cuda.so is not there")
        return torch
    if wanted == "cuda":
        found = importlib.util.find_spec("torch")
        if found and found.origin:
            torch = Path(found.origin).resolve().parent
            version = _version(torch)
            if _fits(version) and _has_cuda(torch):
                return torch
            say(f"python3 has torch {version}, of no use here: torch {VERSION} with CUDA is needed; fetching it into the project")
    return None


def _version(torch):
    """The version of the torch in a folder, of Python's layout or of the C++ archive's; None where there is none."""
    for name, pattern in (("version.py", r"__version__ = '([^']+)'"), ("build-version", r"(\S+)")):
        if (torch / name).exists():
            found = re.search(pattern, (torch / name).read_text())
            return found and found.group(1)
    return None


def _fits(version):
    return bool(version) and version.startswith(SERIES + ".")


def _has_cuda(torch):
    return (torch / "lib/libtorch_cuda.so").exists()


def _linked(torch):
    return f"libtorch {_version(torch)} ({'CUDA' if _has_cuda(torch) else 'CPU'}) of {torch}"


def _unpack_wheels(members, target):
    total = sum(PINS[name]["size"] for name in members)
    say(f"libtorch {VERSION} comes in {len(members)} packages, {megabytes(total)} to download")
    for name, patterns in members.items():
        wheel = fetch(name)
        unpack(wheel, patterns, target)
        wheel.unlink()


def _mirror(place, torch):
    """Mirrors the folder `torch` in `place` by links, for the loader to find NVIDIA's libraries.

    They are looked for in ../../nvidia, seen from the folder that a library was loaded from: .libtorch/lib must be a
    link to a folder, torch/lib, beside which `nvidia` lies.
    """
    source = place / torch
    target = place / "torch/lib"
    target.mkdir(parents=True)
    for library in source.glob("lib/*.so*"):
        (target / library.name).symlink_to(os.path.relpath(library, target) if place in source.parents else library)
    nvidia = torch.parent / "nvidia"
    if (place / nvidia).exists():
        (place / "nvidia").symlink_to(nvidia)
    (place / "include").symlink_to(torch / "include")
    (place / "lib").symlink_to("torch/lib")
    _direct_linker(place / "lib")


def _direct_linker(lib):
    """Keeps CUDA out of what a program needs at start: the same program must run with and without it."""
    (lib / "libtorch.so").unlink(missing_ok=True)
    (lib / "libtorch.so").write_text("GROUP ( AS_NEEDED ( libtorch_cpu.so ) )\n")
    # torch-sys names libtorch_cuda when it was compiled beside one; without one, an empty archive stands in.
    if not (lib / "libtorch_cuda.so").exists():
        (lib / "libtorch_cuda.a").write_text("!<arch>\n")


def _stamp(place, line):
    (place / "BUILD").write_text(line + "\n")


def _replace(new):
    """Puts the finished folder in the place of the old one."""
    old = TOOLS / "libtorch.old"
    shutil.rmtree(old, ignore_errors=True)
    if PLACE.exists():
        PLACE.rename(old)
    new.rename(PLACE)
    shutil.rmtree(old, ignore_errors=True)


if __name__ == "__main__":
    run(main)
