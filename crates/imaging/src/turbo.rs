//! The binding to libjpeg-turbo (`TurboJPEG` API 3.1), which alone decodes JPEG samples of up to 16 bits.
//!
//! No safe wrapper reaches the functions for 12 and 16 bits, so the C functions are called here, and nowhere else.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_int};
use std::ptr::NonNull;

use turbojpeg_sys as sys;

/// Passes over a progressive image beyond which it is taken for an attack.
const MOST_SCANS: c_int = 200;

/// A JPEG whose header has been read.
pub(crate) struct Jpeg<'a> {
    handle: Handle,
    bytes: &'a [u8],
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// 1, 3 or 4.
    pub(crate) components: u32,
    /// Bits per sample, 2 to 16.
    precision: u32,
}

/// Decompressed samples, interleaved.
pub(crate) enum Samples {
    /// Of 2 to 8 bits.
    Bytes(Vec<u8>),
    /// Of 9 to 16 bits.
    Words(Vec<u16>),
}

struct Handle(NonNull<std::ffi::c_void>);

impl<'a> Jpeg<'a> {
    /// Reads the header of a JPEG; the error is the library's message.
    pub(crate) fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let handle = Handle::new()?;
        // SAFETY: the handle is live, and the library reads no more than `len` bytes.
        handle
            .check(unsafe { sys::tj3DecompressHeader(handle.raw(), bytes.as_ptr(), bytes.len() as u64) })?;
        let components = match handle.get(sys::TJPARAM_TJPARAM_COLORSPACE) as sys::TJCS {
            sys::TJCS_TJCS_GRAY => 1,
            sys::TJCS_TJCS_CMYK | sys::TJCS_TJCS_YCCK => 4,
            _ => 3,
        };
        let size = |parameter| u32::try_from(handle.get(parameter)).unwrap_or(0);
        let (width, height) = (size(sys::TJPARAM_TJPARAM_JPEGWIDTH), size(sys::TJPARAM_TJPARAM_JPEGHEIGHT));
        let precision = size(sys::TJPARAM_TJPARAM_PRECISION);
        Ok(Self { handle, bytes, width, height, components, precision })
    }

    /// Decompresses the samples of a grey image, or of an RGB one as they were coded. Whatever the library warns of is
    /// an error: it paints over what it cannot read.
    pub(crate) fn decompress(&self) -> Result<Samples, String> {
        let format = match self.components {
            1 => sys::TJPF_TJPF_GRAY,
            3 => sys::TJPF_TJPF_RGB,
            other => return Err(format!("{other} components")),
        };
        let count = self.width as usize * self.height as usize * self.components as usize;
        let (handle, bytes, size) = (self.handle.raw(), self.bytes.as_ptr(), self.bytes.len() as u64);
        let (pitch, format) = (0, format as c_int);
        // SAFETY, for all three: the handle is live; `bytes` are those that `open` read the header of, so the library
        // writes `width · height` pixels of `components` samples, for which there is room, and no more.
        if self.precision <= 8 {
            let mut samples = vec![0u8; count];
            let target = samples.as_mut_ptr();
            self.handle.check(unsafe { sys::tj3Decompress8(handle, bytes, size, target, pitch, format) })?;
            Ok(Samples::Bytes(samples))
        } else {
            let mut samples = vec![0u16; count];
            let target = samples.as_mut_ptr();
            self.handle.check(if self.precision <= 12 {
                unsafe { sys::tj3Decompress12(handle, bytes, size, target.cast(), pitch, format) }
            } else {
                unsafe { sys::tj3Decompress16(handle, bytes, size, target, pitch, format) }
            })?;
            Ok(Samples::Words(samples))
        }
    }
}

impl Handle {
    fn new() -> Result<Self, String> {
        // SAFETY: the call takes no pointer; a handle that it gives is freed by `drop` alone.
        let handle = unsafe { sys::tj3Init(sys::TJINIT_TJINIT_DECOMPRESS as c_int) };
        let handle = Self(NonNull::new(handle.cast()).ok_or("no memory for a decoder")?);
        for (parameter, value) in
            [(sys::TJPARAM_TJPARAM_STOPONWARNING, 1), (sys::TJPARAM_TJPARAM_SCANLIMIT, MOST_SCANS)]
        {
            // SAFETY: the handle is live.
            handle.check(unsafe { sys::tj3Set(handle.raw(), parameter as c_int, value) })?;
        }
        Ok(handle)
    }

    fn raw(&self) -> sys::tjhandle {
        self.0.as_ptr().cast()
    }

    fn get(&self, parameter: sys::TJPARAM) -> c_int {
        // SAFETY: the handle is live.
        unsafe { sys::tj3Get(self.raw(), parameter as c_int) }
    }

    /// The library's message where a call failed.
    fn check(&self, status: c_int) -> Result<(), String> {
        if status == 0 {
            return Ok(());
        }
        // SAFETY: the handle is live, and the message a string of its own that ends with 0; it is copied at once.
        Err(unsafe { CStr::from_ptr(sys::tj3GetErrorStr(self.raw())) }.to_string_lossy().into_owned())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle is live, and nothing uses it afterwards.
        unsafe { sys::tj3Destroy(self.raw()) };
    }
}

/// A lossless JPEG of grey samples of 9 to 16 bits, each predicted by its left neighbour.
#[cfg(test)]
pub(crate) fn compress_lossless(samples: &[u16], width: u32, height: u32, precision: u32) -> Vec<u8> {
    assert_eq!(samples.len(), width as usize * height as usize);
    // SAFETY: as in `Handle::new`.
    let handle = unsafe { sys::tj3Init(sys::TJINIT_TJINIT_COMPRESS as c_int) };
    let handle = Handle(NonNull::new(handle.cast()).unwrap());
    for (parameter, value) in [
        (sys::TJPARAM_TJPARAM_LOSSLESS, 1),
        (sys::TJPARAM_TJPARAM_LOSSLESSPSV, 1),
        (sys::TJPARAM_TJPARAM_PRECISION, precision as c_int),
    ] {
        // SAFETY: the handle is live.
        handle.check(unsafe { sys::tj3Set(handle.raw(), parameter as c_int, value) }).unwrap();
    }
    let (mut jpeg, mut size) = (std::ptr::null_mut(), 0);
    let (raw, source, format) = (handle.raw(), samples.as_ptr(), sys::TJPF_TJPF_GRAY as c_int);
    let (columns, rows) = (width as c_int, height as c_int);
    // SAFETY: `samples` are `width · height`; the library allocates the result and says its size.
    let status = unsafe {
        if precision <= 12 {
            sys::tj3Compress12(raw, source.cast(), columns, 0, rows, format, &raw mut jpeg, &raw mut size)
        } else {
            sys::tj3Compress16(raw, source, columns, 0, rows, format, &raw mut jpeg, &raw mut size)
        }
    };
    handle.check(status).unwrap();
    // SAFETY: `jpeg` has `size` bytes; it is copied, then freed once.
    unsafe {
        let copy = std::slice::from_raw_parts(jpeg, size as usize).to_vec();
        sys::tj3Free(jpeg.cast());
        copy
    }
}
