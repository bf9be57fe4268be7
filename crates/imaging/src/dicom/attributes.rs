//! Values of a data set's elements, read as leniently as real files need and as strictly as pixels demand.

use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_core::value::Value;
use dicom_core::{PrimitiveValue, Tag};
use dicom_object::{InMemDicomObject, StandardDataDictionary};

use crate::Error;

/// The elements of a data set, or of an item of a sequence.
#[derive(Clone, Copy)]
pub(super) struct Attributes<'a>(&'a InMemDicomObject);

impl<'a> Attributes<'a> {
    pub(super) fn of(data: &'a InMemDicomObject) -> Self {
        Self(data)
    }

    pub(super) fn has(self, tag: Tag) -> bool {
        self.0.get(tag).is_some()
    }

    /// The element's value, or `None` when the element is absent, empty or a sequence.
    pub(super) fn value(self, tag: Tag) -> Option<&'a PrimitiveValue> {
        let value = self.0.get(tag)?.value().primitive()?;
        (value.calculate_byte_len() > 0).then_some(value)
    }

    /// The first value as text without padding; `None` when nothing is left.
    pub(super) fn text(self, tag: Tag) -> Option<String> {
        let value = self.value(tag)?;
        let text = match value {
            // VR UN: the bytes as they stand in the file.
            PrimitiveValue::U8(bytes) => String::from_utf8_lossy(bytes),
            other => other.to_str(),
        };
        let first = text.split('\\').next().unwrap_or_default();
        let first = first.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        (!first.is_empty()).then(|| first.to_owned())
    }

    /// The first value as a number (VR DS or IS, also when the file says UN).
    pub(super) fn decimal(self, tag: Tag) -> Result<Option<f64>, Error> {
        let Some(text) = self.text(tag) else { return Ok(None) };
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => Err(Error::Malformed(format!("{} is `{text}`", name(tag)))),
        }
    }

    /// The first value as a whole number (VR US, also when the file says UN).
    pub(super) fn unsigned(self, tag: Tag) -> Result<Option<u32>, Error> {
        let Some(value) = self.value(tag) else { return Ok(None) };
        if let PrimitiveValue::U8(bytes) = value
            && let [low, high, ..] = bytes[..]
        {
            return Ok(Some(u32::from(u16::from_le_bytes([low, high]))));
        }
        let number = value.to_int::<u32>();
        number.map(Some).map_err(|_| Error::Malformed(format!("{} is `{}`", name(tag), value.to_str())))
    }

    /// The first value as a whole number of either sign (VR US or SS, also when the file says UN).
    pub(super) fn integer(self, tag: Tag) -> Result<Option<i64>, Error> {
        let Some(value) = self.value(tag) else { return Ok(None) };
        if let PrimitiveValue::U8(bytes) = value
            && let [low, high, ..] = bytes[..]
        {
            return Ok(Some(u16::from_le_bytes([low, high]).into()));
        }
        let number = value.to_int::<i64>();
        number.map(Some).map_err(|_| Error::Malformed(format!("{} is `{}`", name(tag), value.to_str())))
    }

    /// As [`unsigned`](Self::unsigned), for attributes without which pixels mean nothing.
    pub(super) fn required(self, tag: Tag) -> Result<u32, Error> {
        self.unsigned(tag)?.ok_or(Error::MissingAttribute(name(tag)))
    }

    /// The first item of a sequence; `None` when the sequence is absent or empty.
    pub(super) fn first_item(self, tag: Tag) -> Option<Attributes<'a>> {
        match self.0.get(tag)?.value() {
            Value::Sequence(sequence) => sequence.items().first().map(Attributes),
            _ => None,
        }
    }
}

/// The standard's keyword of an attribute.
pub(super) fn name(tag: Tag) -> &'static str {
    StandardDataDictionary.by_tag(tag).map_or("a private attribute", |entry| entry.alias())
}
