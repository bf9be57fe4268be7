"""Compares what `crates/imaging` reads from DICOM files with what pydicom reads, and writes the table as Markdown.

    conformance.py PROGRAM TABLE

PROGRAM is the example `decoded` of crates/imaging. The files are those inside the packages of conformance.txt. Exit code
1 where a picture is wrong, or where pydicom decodes a grey file that we do not.
"""

import collections
import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from pydicom import dcmread
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array

PACKAGES = ("pydicom", "data_store", "torchxrayvision", "nibabel")

LOSSY = {"1.2.840.10008.1.2.4." + n for n in ("50", "51", "81", "91", "112", "111", "203")}


def files():
    """Every DICOM file inside the packages: by its name or by the letters after its preamble."""
    for package in PACKAGES:
        origin = importlib.util.find_spec(package)
        root = Path(next(iter(origin.submodule_search_locations)))
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.suffix not in (".py", ".pyc"):
                with path.open("rb") as file:
                    magic = file.read(132)[128:] == b"DICM"
                if magic or path.suffix.lower() in (".dcm", ".dicom"):
                    yield f"{package}/{path.relative_to(root)}", path


def lift(ds):
    """Puts at the top what an enhanced file says of its first frame in functional groups, where pydicom's functions look."""
    wanted = (("PixelValueTransformationSequence", "RescaleSlope"), ("FrameVOILUTSequence", "WindowCenter"))
    for sequence, at_top in wanted:
        groups = [ds.get(f"{kind}FunctionalGroupsSequence") for kind in ("PerFrame", "Shared")]
        items = [group[0].get(sequence) for group in groups if group]
        said = next((item[0] for item in items if item), None)
        if said is not None and at_top not in ds:
            ds.update(said)


def greys(ds, samples):
    """Display grey of a first frame by pydicom's own functions, in [0, 1]."""
    lift(ds)
    values = apply_modality_lut(samples, ds)
    shown = apply_voi_lut(values, ds, index=0).astype("float64")
    tables = ds.get("VOILUTSequence")
    if tables and tables[0].get("LUTDescriptor"):
        low, high = 0, 2 ** tables[0].LUTDescriptor[2] - 1
    elif "WindowCenter" in ds and "WindowWidth" in ds:
        low, high = window_range(ds)
    else:
        low, high = shown.min(), shown.max()
    shown = (shown - low) / (high - low) if high > low else numpy.zeros_like(shown)
    shown = shown.clip(0, 1)
    return 1 - shown if ds.PhotometricInterpretation == "MONOCHROME1" else shown


def window_range(ds):
    """The range onto which pydicom's windows map."""
    if ds.get("ModalityLUTSequence"):
        return 0, 2 ** ds.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    bits = ds.BitsStored
    low, high = (0, 2**bits - 1) if ds.PixelRepresentation == 0 else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    slope, intercept = float(ds.get("RescaleSlope", 1)), float(ds.get("RescaleIntercept", 0))
    ends = sorted((low * slope + intercept, high * slope + intercept))
    return ends[0], ends[1]


def luma(rgb, white):
    return rgb.astype("float64") @ [0.299, 0.587, 0.114] / white


def theirs(path):
    """pydicom's data set, with its first frame or the message of its error."""
    try:
        ds = dcmread(path, force=True)
    except Exception as error:  # noqa: BLE001 — whatever stops pydicom
        return None, None, describe(error)
    try:
        # As coded where that is YBR: on the way to RGB and back, colours are cut off at 0 and 255.
        raw = str(ds.get("PhotometricInterpretation")).startswith("YBR_FULL")
        return ds, pixel_array(ds, index=0, raw=raw), None
    except Exception as error:  # noqa: BLE001
        return ds, None, describe(error)


def describe(error):
    return " ".join(str(error).split())[:160]


def compare(ds, frame, samples, grey):
    """The verdict and the largest differences: of stored samples (None for colour) and of display grey, of 255."""
    grey_frame = ds.SamplesPerPixel == 1 and ds.PhotometricInterpretation != "PALETTE COLOR"
    if grey_frame:
        if samples.size != frame.size:
            return "differs", f"{samples.size} samples, pydicom has {frame.size}", None
        raw = int(abs(samples - frame.astype("int64").ravel()).max())
        wanted = greys(ds, frame).ravel()
    elif ds.PhotometricInterpretation == "PALETTE COLOR":
        if ds.original_encoding[1] is False:  # big endian, which apply_color_lut takes no notice of
            for colour in ("Red", "Green", "Blue"):
                words = numpy.frombuffer(ds[f"{colour}PaletteColorLookupTableData"].value, dtype="u2")
                ds[f"{colour}PaletteColorLookupTableData"].value = words.byteswap().tobytes()
        raw, white = None, 2 ** ds.RedPaletteColorLookupTableDescriptor[2] - 1
        wanted = luma(apply_color_lut(frame, ds), white).ravel()
    else:
        raw, white = None, 2**ds.BitsStored - 1
        ybr = ds.PhotometricInterpretation.startswith("YBR_FULL")
        wanted = (frame[..., 0] / white if ybr else luma(frame, white)).ravel()
    if wanted.size != grey.size:
        return "differs", f"{grey.size} pixels, pydicom has {wanted.size}", None
    shown = float(abs(grey / 255 - wanted).max() * 255)
    # 255ths are rounded to whole ones, so half of one is no difference.
    lossy = ds.file_meta.get("TransferSyntaxUID") in LOSSY
    close = shown <= 1.5 and (not raw or lossy)
    return "same" if close else "differs", raw, shown


def row(name, ours, ds, frame, error, folder, number):
    """The cells of a file's row."""
    meta = getattr(ds, "file_meta", {})
    syntax = str(meta.get("TransferSyntaxUID", "–")).replace("1.2.840.10008.1.2", "…")
    photometric = ds.get("PhotometricInterpretation", "–") if ds is not None else "–"
    cells = [name, syntax, photometric]
    if ours[0] != "ok":
        message = ours[1] if ours[1].startswith(ours[0]) else ": ".join(ours)
        if frame is None:
            return [*cells, "quarantined by both", "–", "–", f"{message}; pydicom: {error}"]
        verdict = "missed" if photometric.startswith("MONOCHROME") else "colour not read"
        return [*cells, verdict, "–", "–", message]
    if frame is None:
        return [*cells, "decoded here alone", "–", "–", f"pydicom: {error}"]
    samples = numpy.fromfile(folder / f"{number}.samples", dtype="<i8")
    grey = numpy.fromfile(folder / f"{number}.grey", dtype="uint8")
    result, raw, shown = compare(ds, frame, samples, grey)
    return [*cells, result, "–" if raw is None else str(raw), "–" if shown is None else f"{shown:.2f}", ""]


def main():
    program, target = sys.argv[1:]
    found = list(files())
    with tempfile.TemporaryDirectory() as folder:
        paths = "".join(f"{path}\n" for _, path in found)
        lines = subprocess.run([program, folder], input=paths, text=True, stdout=subprocess.PIPE, check=True).stdout
        rows = []
        for number, ((name, path), line) in enumerate(zip(found, lines.splitlines(), strict=True)):
            rows.append(row(name, line.split("\t"), *theirs(path), Path(folder), number))
    counts = collections.Counter(cells[3] for cells in rows)
    with open(target, "w", encoding="utf-8") as table:
        table.write("# DICOM files of four Python packages, against pydicom\n\n")
        table.write("`just conformance` writes this table. Raw: largest difference of stored samples; grey: of display\n")
        table.write("grey, in 255ths, of which up to 0.5 is the rounding to 8 bits. `…` stands for 1.2.840.10008.1.2.\n\n")
        table.write("; ".join(f"{result}: {count}" for result, count in counts.most_common()) + "\n\n")
        table.write("| file | syntax | photometric | result | raw | grey | |\n|---|---|---|---|---|---|---|\n")
        for cells in rows:
            table.write("| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |\n")
    print(f"{len(rows)} files, {dict(counts)}: {target}")
    wrong = [cells for cells in rows if cells[3] in ("differs", "missed")]
    for cells in wrong:
        print("  ".join(cells))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
