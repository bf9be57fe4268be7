//! DICOM files written from their attributes.

use dicom_core::value::{DataSetSequence, PixelFragmentSequence, PrimitiveValue, Value};
use dicom_core::{DataElement, Length, Tag, VR};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

/// An image to be.
#[derive(Clone)]
pub struct Dicom {
    data: InMemDicomObject,
    transfer_syntax: &'static str,
}

impl Dicom {
    /// One row of 8-bit MONOCHROME2 samples in explicit VR little endian.
    pub fn bytes(samples: &[u8]) -> Self {
        Self::described(samples.len(), 8).with(tags::PIXEL_DATA, VR::OB, PrimitiveValue::U8(samples.into()))
    }

    /// One row of 16-bit MONOCHROME2 cells in explicit VR little endian.
    pub fn words(cells: &[u16]) -> Self {
        Self::described(cells.len(), 16).with(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(cells.into()))
    }

    /// One row of signed 16-bit MONOCHROME2 samples.
    pub fn signed(samples: &[i16]) -> Self {
        let cells: Vec<u16> = samples.iter().map(|&sample| sample as u16).collect();
        Self::words(&cells).number(tags::PIXEL_REPRESENTATION, 1)
    }

    /// An 8-bit MONOCHROME2 image of compressed fragments.
    pub fn compressed(
        transfer_syntax: &'static str,
        (columns, rows): (u16, u16),
        fragments: Vec<Vec<u8>>,
    ) -> Self {
        let mut dicom = Self::described(columns.into(), 8).number(tags::ROWS, rows);
        let fragments = PixelFragmentSequence::new_fragments(fragments);
        dicom.data.put(DataElement::new(tags::PIXEL_DATA, VR::OB, Value::PixelSequence(fragments)));
        dicom.in_syntax(transfer_syntax)
    }

    fn described(columns: usize, bits: u16) -> Self {
        let empty =
            Self { data: InMemDicomObject::new_empty(), transfer_syntax: uids::EXPLICIT_VR_LITTLE_ENDIAN };
        let columns = u16::try_from(columns).expect("a short row");
        empty
            .text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2")
            .number(tags::SAMPLES_PER_PIXEL, 1)
            .number(tags::ROWS, 1)
            .number(tags::COLUMNS, columns)
            .number(tags::BITS_ALLOCATED, bits)
            .number(tags::BITS_STORED, bits)
            .number(tags::HIGH_BIT, bits - 1)
            .number(tags::PIXEL_REPRESENTATION, 0)
    }

    pub fn with(mut self, tag: Tag, vr: VR, value: impl Into<PrimitiveValue>) -> Self {
        self.data.put(DataElement::new(tag, vr, value.into()));
        self
    }

    pub fn without(mut self, tag: Tag) -> Self {
        self.data.remove_element(tag);
        self
    }

    pub fn text(self, tag: Tag, vr: VR, text: &str) -> Self {
        self.with(tag, vr, text)
    }

    pub fn number(self, tag: Tag, number: u16) -> Self {
        self.with(tag, VR::US, PrimitiveValue::from(number))
    }

    pub fn bits(self, stored: u16, high: u16) -> Self {
        self.number(tags::BITS_STORED, stored).number(tags::HIGH_BIT, high)
    }

    pub fn photometric(self, name: &str) -> Self {
        self.text(tags::PHOTOMETRIC_INTERPRETATION, VR::CS, name)
    }

    pub fn window(self, centre: &str, width: &str) -> Self {
        self.text(tags::WINDOW_CENTER, VR::DS, centre).text(tags::WINDOW_WIDTH, VR::DS, width)
    }

    pub fn function(self, name: &str) -> Self {
        self.text(tags::VOILUT_FUNCTION, VR::CS, name)
    }

    /// A Modality or VOI LUT Sequence whose item holds one table, its descriptor of VR US.
    pub fn table(mut self, sequence: Tag, descriptor: [u16; 3], entries: &[u16]) -> Self {
        let item = InMemDicomObject::from_element_iter([
            DataElement::new(tags::LUT_DESCRIPTOR, VR::US, PrimitiveValue::U16(descriptor.as_slice().into())),
            DataElement::new(tags::LUT_DATA, VR::OW, PrimitiveValue::U16(entries.into())),
        ]);
        let items = DataSetSequence::new(vec![item], Length::UNDEFINED);
        self.data.put(DataElement::new(sequence, VR::SQ, Value::Sequence(items)));
        self
    }

    /// A functional groups sequence of one item, in which a group says this.
    pub fn group(mut self, groups: Tag, group: Tag, says: &[(Tag, VR, String)]) -> Self {
        let sequence = |item| Value::Sequence(DataSetSequence::new(vec![item], Length::UNDEFINED));
        let said = says
            .iter()
            .map(|(tag, vr, text)| DataElement::new(*tag, *vr, PrimitiveValue::from(text.as_str())));
        let said = InMemDicomObject::from_element_iter(said);
        let item = InMemDicomObject::from_element_iter([DataElement::new(group, VR::SQ, sequence(said))]);
        self.data.put(DataElement::new(groups, VR::SQ, sequence(item)));
        self
    }

    pub fn in_syntax(mut self, transfer_syntax: &'static str) -> Self {
        self.transfer_syntax = transfer_syntax;
        self
    }

    /// The file.
    pub fn file(self) -> Vec<u8> {
        let meta = FileMetaTableBuilder::new()
            .transfer_syntax(self.transfer_syntax)
            .media_storage_sop_class_uid(uids::DIGITAL_X_RAY_IMAGE_STORAGE_FOR_PRESENTATION)
            .media_storage_sop_instance_uid("2.25.1");
        let mut file = Vec::new();
        self.data.with_meta(meta).expect("a file meta table").write_all(&mut file).expect("written");
        file
    }

    /// Display grey of the file.
    pub fn grey(self) -> Vec<u8> {
        imaging::decode(&self.file()).expect("decoded").image.pixels
    }

    /// Stored samples of the file.
    pub fn stored(self) -> Vec<i64> {
        imaging::stored_samples(&self.file()).expect("decoded").values
    }

    /// Why the file gives no image.
    pub fn reason(self) -> &'static str {
        imaging::decode(&self.file()).expect_err("no image").reason()
    }
}
