"""Makes the compressed frames beside it: pip install imagecodecs==2026.3.6 pillow==13.0.0 pydicom==3.0.2;
sga-phantom path=phantom patients_a=10 side=256; python make.py

13 columns, 9 rows. `steep` goes through all values of its bits and wraps; `gentle` is for lossy codecs. `radiograph` is
the first of the generated ones: 256 pixels along its shorter side, 12 bits.
"""

import io
from pathlib import Path

import imagecodecs
import numpy
import pydicom
from PIL import Image

y, x = numpy.mgrid[0:9, 0:13]
steep16 = ((5003 * x + 977 * y) % 65536).astype("uint16")
steep12 = (steep16 >> 4).astype("uint16")
steep8 = (steep16 >> 8).astype("uint8")
gentle12 = (300 * x + 50 * y).astype("uint16")
gentle8 = (18 * x + 3 * y).astype("uint8")
colour = numpy.stack([18 * x, 28 * y, 255 - 18 * x], axis=-1).astype("uint8")
inks = Image.new("CMYK", (16, 8), (0, 255, 255, 0))  # red
inks.paste((0, 0, 0, 128), (8, 0, 16, 8))  # half black

radiograph = pydicom.dcmread(min(Path("phantom/hospital-a/train").rglob("*.dcm"))).pixel_array

jpeg8 = imagecodecs.jpeg_encode(gentle8, level=98)
ink = io.BytesIO()
inks.save(ink, "JPEG", quality=98)

frames = {
    "extended12.jpg": imagecodecs.jpeg_encode(gentle12, level=98, bitspersample=12),
    "lossless8.jpg": imagecodecs.jpeg_encode(steep8, lossless=True),
    "lossless12.jpg": imagecodecs.jpeg_encode(steep12, lossless=True, bitspersample=12),
    "lossless16.jpg": imagecodecs.jpeg_encode(steep16, lossless=True),
    "lossless8.jls": imagecodecs.jpegls_encode(steep8),
    "lossless16.jls": imagecodecs.jpegls_encode(steep16),
    "near3.jls": imagecodecs.jpegls_encode(steep16, level=3),
    "colour.jls": imagecodecs.jpegls_encode(colour),
    "lossless16.j2k": imagecodecs.jpeg2k_encode(steep16, codecformat="j2k", reversible=True),
    "lossy12.j2k": imagecodecs.jpeg2k_encode(gentle12, level=70, codecformat="j2k", bitspersample=12, reversible=False),
    "colour.j2k": imagecodecs.jpeg2k_encode(colour, codecformat="j2k", reversible=True, mct=True),
    "lossless16.jph": imagecodecs.htj2k_encode(steep16),
    "radiograph.j2k": imagecodecs.jpeg2k_encode(radiograph, codecformat="j2k", bitspersample=12, reversible=True),
    "radiograph-lossy.j2k": imagecodecs.jpeg2k_encode(
        radiograph, level=50, codecformat="j2k", bitspersample=12, reversible=False
    ),
    "radiograph.jph": imagecodecs.htj2k_encode(radiograph),
    "lossless8.jxl": imagecodecs.jpegxl_encode(steep8, lossless=True),
    "lossless16.jxl": imagecodecs.jpegxl_encode(steep16, lossless=True),
    "lossy8.jxl": imagecodecs.jpegxl_encode(gentle8, distance=0.5),
    "baseline.jxl": imagecodecs.jpegxl_encode_jpeg(jpeg8),
    "cmyk.jpg": ink.getvalue(),
}
for name, content in frames.items():
    (Path(__file__).parent / name).write_bytes(content)
