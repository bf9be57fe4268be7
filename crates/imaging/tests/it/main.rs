//! From files written here by hand, and from real ones, to pixels.

mod codecs;
mod colour;
mod compressed;
mod dicom_writer;
mod display;
mod frames;
mod header;
mod png;
mod raster;
mod real_files;
mod reduced;
mod refused;
mod resize;
mod resize_laws;
mod stored;
