# The commands of this project. `./just` lists them; `./just train --help` explains the words a stage takes.

set positional-arguments
set quiet
set no-exit-message

export OMP_WAIT_POLICY := "passive" # idle threads sleep; spinning ones slow each other down
export CARGO_TARGET_DIR := justfile_directory() / "target" # recipes run programs from there, whatever the user's cargo is set to

# List the commands
[group('help')]
default:
    ./just --list --unsorted

# Show how it all works, on generated images: data, training, evaluation, maps, report
[group('start')]
demo: (run "demo")

# Test everything
[group('start')]
test: _libtorch (_build "phantom" "ingest" "curate" "train" "watch" "eval" "compare" "export" "explain" "report" "store")
    python3 -B -m unittest discover --quiet --start-directory tools
    cargo test --release --workspace

# Put libtorch into .libtorch: `setup`, `setup cpu` or `setup cuda`
[group('start')]
setup *kind:
    python3 -B tools/libtorch.py "$@"

# Write generated chest radiographs of two hospitals
[group('stages')]
phantom *words: (_build "phantom")
    target/release/sga-phantom "$@"

# Read data sets into the store
[group('stages')]
ingest *words: (_build "ingest")
    target/release/sga-ingest "$@"

# Train a classifier
[group('stages')]
train *words: _libtorch (_build "train")
    target/release/sga-train "$@"

# Show running trainings in the terminal
[group('stages')]
watch *words: (_build "watch")
    target/release/sga-watch "$@"

# Measure trained classifiers on test images of the training hospital and of unseen ones
[group('stages')]
eval *words: _libtorch (_build "eval")
    target/release/sga-eval "$@"

# Show evaluated classifiers side by side, the best first: `compare by=iid`
[group('stages')]
compare *words: (_build "compare")
    target/release/sga-compare "$@"

# Write classifiers as safetensors and ONNX, each with a model card
[group('stages')]
export *words: _libtorch (_build "export")
    target/release/sga-export "$@"

# Draw saliency maps and measure where they point; draw the boxes that detectors found
[group('stages')]
explain *words: _libtorch (_build "explain")
    target/release/sga-explain "$@"

# Write the page with tables and figures
[group('stages')]
report *words: (_build "report")
    target/release/sga-report "$@"

# Serve the page with tables and figures to this machine's browser, made anew when the store changes
[group('stages')]
serve *words: (_build "report")
    target/release/sga-report serve=127.0.0.1:8000 "$@"

# Say what a stage would do, and why: `just why train method=sga k=0.1`
[group('stages')]
why stage *words:
    #!/bin/sh
    set -eu
    case $1 in train | eval | explain) ./just _libtorch ;; esac
    ./just _build "$1"
    stage=$1; shift; target/release/sga-$stage "$@" dry_run=true

# Show every result, and whether it is up to date
[group('stages')]
status *words: (_build "store" "ingest")
    target/release/sga-store do=status "$@"

# Look into the store, verify and repair it, free space
[group('stages')]
store *words: (_build "store")
    target/release/sga-store "$@"

# List what is in the store
[group('data')]
ls *words: (_build "store")
    target/release/sga-store do=list "$@"

# Show one thing of the store and where it comes from: `just show train/sga-1a2b3c4d`, a digest, or 6 digits of one
[group('data')]
show what *words: (_build "store")
    what=$1; shift; target/release/sga-store do=show "what=$what" "$@"

# Take what is missing to a store elsewhere: `push remote=s3://group/sga`
[group('stages')]
push *words: (_build "store")
    target/release/sga-store do=push "$@"

# Take what is missing from a store elsewhere: `pull remote=/shared/sga`
[group('stages')]
pull *words: (_build "store")
    target/release/sga-store do=pull "$@"

# Show the files that ingests set aside, and why
[group('data')]
quarantine *words: (_build "curate")
    target/release/sga-curate do=quarantine "$@"

# Show images, patients and labels by split, and whether labels are balanced
[group('data')]
splits *words: (_build "curate")
    target/release/sga-curate do=splits "$@"

# List pictures that come twice, with thumbnails on a page
[group('data')]
duplicates *words: (_build "curate")
    target/release/sga-curate do=duplicates "$@"

# Look for patients and pictures in two splits or two data sets; exit code 3 if there are any
[group('data')]
leakage *words: (_build "curate")
    target/release/sga-curate do=leakage "$@"

# Compare two ingests: `just diff siim.1 siim.2`
[group('data')]
diff before after *words: (_build "curate")
    before=$1 after=$2; shift 2; target/release/sga-curate do=diff "before=$before" "after=$after" "$@"

# Write a data set as a folder that others open: shards and card
[group('data')]
card *words: (_build "curate")
    target/release/sga-curate do=card "$@"

# Show what a result was made from: `just lineage eval/MODEL`, a digest, a file; or what saw a patient: `patient=ID source=NAME`
[group('data')]
lineage *words: (_build "curate")
    case ${1-} in ''|*=*) ;; *) what=$1; shift; set -- "what=$what" "$@" ;; esac; target/release/sga-curate do=lineage "$@"

# Remove a patient who withdrew consent, and all that saw them: `just forget patient=ID source=NAME`
[group('data')]
forget *words: (_build "curate")
    target/release/sga-curate do=forget "$@"

# Change the secret behind the names of patients
[group('data')]
rotate-secret *words: (_build "curate")
    target/release/sga-curate do=rotate-secret "$@"

# Run all stages of a named experiment: pipelines/NAME.toml
[group('stages')]
run name: _libtorch (_build "phantom" "ingest" "curate" "train" "eval" "explain" "report")
    #!/bin/sh
    set -eu
    for stage in phantom ingest curate train eval explain report; do
        target/release/sga-$stage "experiment=$1"
    done

# Everything that a change must pass
[group('development')]
ci:
    SGA_BUILD=all tools/ci ./just fmt-check lint doc deny test browser-check "run demo-small"

# Compile everything
[group('development')]
build: _libtorch
    cargo build --release --workspace --all-targets

# Format the code
[group('development')]
fmt:
    cargo fmt --all

# Check the format
[group('development')]
fmt-check:
    cargo fmt --all --check

# Check the code with clippy
[group('development')]
lint: _libtorch
    cargo clippy --release --workspace --all-targets -- --deny warnings

# Build the documentation
[group('development')]
doc: _libtorch
    RUSTDOCFLAGS="--deny warnings" cargo doc --release --workspace --no-deps --document-private-items

# Check licences, sources and known vulnerabilities of the dependencies
[group('development')]
deny:
    tools/deny

# Compare what is read from DICOM files with pydicom, on the files of four Python packages (Python 3.11, 104 MB)
[group('development')]
conformance:
    cargo build --release --package imaging --example decoded
    tools/conformance target/release/examples/decoded docs/results/dicom-conformance.md

# Feed broken files and tables to what reads them: `fuzz`, or `fuzz frame seconds=300`
[group('development')]
fuzz *words:
    tools/fuzz "$@"

# Open shards and a card's folder with Hugging Face datasets, PyArrow, Polars and DuckDB
[group('development')]
open-check: (_build "phantom" "ingest" "curate")
    "$(tools/venv open tests/open/requirements.txt)" -B tests/open/check.py

# Read the curves of a training with TensorBoard
[group('development')]
curves-check:
    cargo build --release --workspace --examples
    "$(tools/venv curves tests/curves/requirements.txt)" -B tests/curves/check.py

# Use the page in a browser: filters, keys, phone, print, accessibility (headless Chromium and axe-core, 115 MB)
[group('development')]
browser-check:
    cargo build --release --workspace --examples
    "$(tools/venv browser tests/browser/requirements.txt)" -B tests/browser/check.py

# Hold figures against scikit-learn, torchmetrics, R's pROC, Quantus and pycocotools, and ONNX files against onnxruntime
[group('development')]
oracle-check: _libtorch
    cargo build --release --workspace --examples
    "$(tools/venv oracles tests/oracles/requirements.txt)" -B tests/oracles/check.py
    "$(tools/venv bench-train benches/train/requirements.txt)" -B tests/oracles/torch_check.py

# Train on a GPU what the CPU trains too, and hold one against the other: `gpu-check`; `gpu-check cpu` rehearses it
[group('development')]
gpu-check *device: _libtorch
    cargo build --release --workspace --bins --examples
    python3 -B tests/gpu/check.py "$@"

# Measure ingest against a pydicom script: `bench-ingest images=24 rounds=3 processes=2`
[group('development')]
bench-ingest *words: (_build "ingest")
    PYTHONPATH=benches "$(tools/venv bench benches/ingest/requirements.txt)" -B benches/ingest/bench.py "$@"

# Measure ingest of many small files of which none or few have changed: `bench-unchanged files=100000 layout=csv`
[group('development')]
bench-unchanged *words: (_build "ingest")
    PYTHONPATH=benches "$(tools/venv bench benches/ingest/requirements.txt)" -B benches/ingest/unchanged.py "$@"

# Measure reading shards while training against ImageFolder, Hugging Face datasets and MosaicML Streaming: `bench-stream size=224`
[group('development')]
bench-stream *words: _libtorch
    cargo build --release --workspace --bins --examples
    PYTHONPATH=benches "$(tools/venv bench-stream benches/stream/requirements.txt)" -B benches/stream/bench.py "$@"

# Measure a folder kept in the store against DVC: `bench-store files=100000 large=2 rounds=2`
[group('development')]
bench-store *words: (_build "store")
    PYTHONPATH=benches "$(tools/venv bench-store benches/store/requirements.txt)" -B benches/store/bench.py "$@"

# Measure how fast the store is read again, against OpenSSL and sha256sum: `bench-verify megabytes=1024 rounds=5`
[group('development')]
bench-verify *words: (_build "store")
    python3 -B benches/verify/bench.py "$@"

# Measure training against the same in PyTorch: `bench-train device=cuda compile=true python=python3`
[group('development')]
bench-train *words: _libtorch
    #!/bin/sh
    set -eu
    cargo build --release --workspace --examples
    case " $* " in *" python="*) python=python3 ;; *) python=$(tools/venv bench-train benches/train/requirements.txt) ;; esac
    PYTHONPATH=benches "$python" -B benches/train/bench.py "$@"

# Measure FullGrad maps per second against the authors' PyTorch code: `bench-explain sizes=224 batch=16`
[group('development')]
bench-explain *words: _libtorch
    #!/bin/sh
    set -eu
    cargo build --release --workspace --examples
    case " $* " in *" python="*) python=python3 ;; *) python=$(tools/venv bench-train benches/train/requirements.txt) ;; esac
    PYTHONPATH=benches "$python" -B benches/explain/bench.py "$@"

# Delete what was compiled; data, models and libtorch stay
[group('development')]
clean:
    cargo clean

_libtorch:
    python3 -B tools/libtorch.py --quiet

_build +stages:
    tools/build "$@"
