"""The script a user would write: pydicom with its fastest plug-in, OpenCV, multiprocessing, PyArrow.

usage: peer.py FOLDER TARGET PROCESSES LIMIT     reads FOLDER/<class>/*.dcm into one Parquet file
"""

import hashlib
import io
import multiprocessing
import sys
import time
from pathlib import Path

import cv2
import numpy
import pyarrow
import pyarrow.parquet
import pydicom
from pydicom.pixels import apply_modality_lut, apply_voi_lut, get_decoder, pixel_array

SIDE = 256


def fastest(path):
    """The plug-in that decodes this file fastest; `None` for uncompressed pixels, which need none."""
    syntax = pydicom.dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID
    if not syntax.is_compressed:
        return None
    times = {}
    for plugin in get_decoder(syntax).available_plugins:
        start = time.perf_counter()
        pixel_array(path, decoding_plugin=plugin)
        times[plugin] = time.perf_counter() - start
    return min(times, key=times.get)


def read(job):
    path, plugin = job
    content = path.read_bytes()
    dataset = pydicom.dcmread(io.BytesIO(content))
    stored = pixel_array(dataset, decoding_plugin=plugin) if plugin else dataset.pixel_array
    values = apply_voi_lut(apply_modality_lut(stored, dataset), dataset)
    low, high = values.min(), values.max()
    grey = ((values - low) * (255.0 / max(high - low, 1))).astype(numpy.uint8)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        grey = 255 - grey
    scale = SIDE / min(grey.shape)
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    png = cv2.imencode(".png", small)[1].tobytes()
    patient = hashlib.sha256(str(dataset.PatientID).encode()).hexdigest()
    digest = hashlib.sha256(content).hexdigest()
    return {"image": png, "label": path.parent.name, "patient": patient, "digest": digest, "plugin": plugin}


def main():
    folder, target, processes, limit = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    cv2.setNumThreads(1)
    files = sorted(folder.glob("*/*.dcm"))[:limit]
    plugin = fastest(files[0]) if files else None
    with multiprocessing.Pool(processes) as pool:
        rows = pool.map(read, [(path, plugin) for path in files], chunksize=4)
        pool.close()
        pool.join()
    if rows:
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), target, compression="zstd")
    print(plugin)


if __name__ == "__main__":
    main()
