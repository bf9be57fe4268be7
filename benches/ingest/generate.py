"""Large radiographs to measure with: 2000 × 2500 pixels, 12 bits in 16, every image different, in four syntaxes."""


import cv2
import gdcm
import numpy
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLSLossless

COLUMNS, ROWS = 2000, 2500
SYNTAXES = ["uncompressed", "jpeg-lossless", "jpeg-ls", "jpeg-2000"]


def hospital(root, syntax, images):
    """Fills `root/<syntax>` up to so many images in the layout `folder`, and returns that folder."""
    folder = root / syntax
    for index in range(images):
        path = folder / ("negative" if index % 2 else "covid") / f"{index}.dcm"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".partial")
            write(partial, syntax, index)
            partial.rename(path)
    return folder


def pixels(seed):
    """Two dark lungs in a body with soft structure of all sizes, and the noise of a detector."""
    random = numpy.random.default_rng(seed)
    image = numpy.full((ROWS, COLUMNS), 2200, numpy.float32)
    for centre in (0.3, 0.7):
        lung = numpy.zeros_like(image)
        axes = (int(COLUMNS * random.uniform(0.14, 0.18)), int(ROWS * random.uniform(0.25, 0.32)))
        cv2.ellipse(lung, (int(COLUMNS * centre), ROWS // 2), axes, random.uniform(-8, 8), 0, 360, 1, -1)
        image -= 1400 * cv2.GaussianBlur(lung, (0, 0), 40)
    for cells, strength in ((8, 250), (40, 120), (200, 40)):
        structure = random.standard_normal((cells * ROWS // COLUMNS, cells), numpy.float32)
        image += strength * cv2.resize(structure, (COLUMNS, ROWS), interpolation=cv2.INTER_CUBIC)
    image += 8 * random.standard_normal((ROWS, COLUMNS), numpy.float32)
    return numpy.clip(image, 0, 4095).astype(numpy.uint16)


def write(path, syntax, seed):
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"2.25.{seed + 1}"
    dataset.PatientID, dataset.Modality, dataset.ViewPosition = f"P{seed:06}", "DX", "PA"
    dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = ROWS, COLUMNS, 1
    dataset.PhotometricInterpretation, dataset.PixelRepresentation = "MONOCHROME2", 0
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = 1, 0, "US"
    dataset.WindowCenter, dataset.WindowWidth = 2048, 3600
    dataset.PixelData = pixels(seed).tobytes()
    if syntax == "jpeg-ls":
        dataset.compress(JPEGLSLossless)
    elif syntax == "jpeg-2000":
        dataset.compress(JPEG2000Lossless, encoding_plugin="pylibjpeg")
    dataset.save_as(path, enforce_file_format=True)
    if syntax == "jpeg-lossless":
        to_jpeg_lossless(path)


def to_jpeg_lossless(path):
    """Process 14, selection value 1: no package for pydicom encodes it, GDCM does."""
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGLosslessProcess14_1))
    if not reader.Read():
        raise RuntimeError(f"GDCM cannot read {path}")
    change.SetInput(reader.GetImage())
    if not change.Change():
        raise RuntimeError(f"GDCM cannot encode {path}")
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    if not writer.Write():
        raise RuntimeError(f"GDCM cannot write {path}")
