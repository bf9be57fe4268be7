//! DICOM files made for a test.

use dicom_core::value::{PixelFragmentSequence, Value};
use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

/// A DICOM file in the making.
pub struct Dicom {
    data: InMemDicomObject,
    transfer_syntax: &'static str,
}

impl Dicom {
    /// One row of unsigned grey samples in 16-bit cells, MONOCHROME2.
    pub fn words(bits_stored: u16, cells: &[u16]) -> Self {
        Self::image(16, bits_stored, cells.len() as u16).with(
            tags::PIXEL_DATA,
            VR::OW,
            PrimitiveValue::U16(cells.into()),
        )
    }

    /// One row of unsigned grey samples in bytes, MONOCHROME2.
    pub fn bytes(cells: &[u8]) -> Self {
        Self::image(8, 8, cells.len() as u16).with(tags::PIXEL_DATA, VR::OB, PrimitiveValue::U8(cells.into()))
    }

    /// One row of three 8-bit samples per pixel.
    pub fn colour(photometric: &str, columns: u16, cells: &[u8]) -> Self {
        Self::bytes(cells)
            .us(tags::COLUMNS, columns)
            .us(tags::SAMPLES_PER_PIXEL, 3)
            .us(tags::PLANAR_CONFIGURATION, 0)
            .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, photometric)
    }

    fn image(bits_allocated: u16, bits_stored: u16, columns: u16) -> Self {
        let data = InMemDicomObject::new_empty();
        Self { data, transfer_syntax: uids::EXPLICIT_VR_LITTLE_ENDIAN }
            .text(tags::SOP_CLASS_UID, VR::UI, uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION)
            .text(tags::SOP_INSTANCE_UID, VR::UI, "2.25.1")
            .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2")
            .us(tags::SAMPLES_PER_PIXEL, 1)
            .us(tags::ROWS, 1)
            .us(tags::COLUMNS, columns)
            .us(tags::BITS_ALLOCATED, bits_allocated)
            .us(tags::BITS_STORED, bits_stored)
            .us(tags::HIGH_BIT, bits_stored - 1)
            .us(tags::PIXEL_REPRESENTATION, 0)
    }

    pub fn with(mut self, tag: Tag, vr: VR, value: impl Into<PrimitiveValue>) -> Self {
        self.data.put(DataElement::new(tag, vr, value.into()));
        self
    }

    pub fn us(self, tag: Tag, value: u16) -> Self {
        self.with(tag, VR::US, value)
    }

    pub fn text(self, tag: Tag, vr: VR, value: &str) -> Self {
        self.with(tag, vr, value)
    }

    pub fn without(mut self, tag: Tag) -> Self {
        self.data.remove_element(tag);
        self
    }

    pub fn signed(self) -> Self {
        self.us(tags::PIXEL_REPRESENTATION, 1)
    }

    pub fn window(self, centre: &str, width: &str, function: &str) -> Self {
        self.text(tags::WINDOW_CENTER, VR::DS, centre).text(tags::WINDOW_WIDTH, VR::DS, width).text(
            tags::VOILUT_FUNCTION,
            VR::CS,
            function,
        )
    }

    /// A sequence of one item that holds a lookup table.
    pub fn lut(mut self, sequence: Tag, descriptor: [u16; 3], entries: PrimitiveValue) -> Self {
        let mut item = InMemDicomObject::new_empty();
        item.put(DataElement::new(tags::LUT_DESCRIPTOR, VR::US, PrimitiveValue::U16(descriptor[..].into())));
        item.put(DataElement::new(tags::LUT_DATA, VR::OW, entries));
        self.data.put(DataElement::new(
            sequence,
            VR::SQ,
            Value::from(dicom_core::value::DataSetSequence::from(vec![item])),
        ));
        self
    }

    pub fn native(mut self, transfer_syntax: &'static str) -> Self {
        self.transfer_syntax = transfer_syntax;
        self
    }

    /// Compressed pixel data, and no offset table.
    pub fn encapsulated(mut self, transfer_syntax: &'static str, fragments: Vec<Vec<u8>>) -> Self {
        let pixels = PixelFragmentSequence::new(vec![], fragments);
        self.data.put(DataElement::new(tags::PIXEL_DATA, VR::OB, Value::PixelSequence(pixels)));
        self.transfer_syntax = transfer_syntax;
        self
    }

    /// The whole file.
    pub fn file(self) -> Vec<u8> {
        let meta = FileMetaTableBuilder::new().transfer_syntax(self.transfer_syntax);
        let mut bytes = Vec::new();
        self.data.with_meta(meta).unwrap().write_all(&mut bytes).unwrap();
        bytes
    }

    /// The display grey of the image.
    pub fn grey(self) -> Vec<u8> {
        imaging::decode(&self.file()).unwrap().image.pixels
    }

    /// Why there is no display grey.
    pub fn reason(self) -> &'static str {
        imaging::decode(&self.file()).unwrap_err().reason()
    }
}
