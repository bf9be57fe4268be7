//! TensorBoard's event files: records of `tensorflow/core/util/event.proto`, framed as TFRecords.

use std::{io, io::Write, path::Path};

use fs_err::File;
use prost::Message;

/// An event. Only what curves need; the field numbers are TensorFlow's.
#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    what: Option<What>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum What {
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Summary),
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    values: Vec<Scalar>,
}

#[derive(Clone, PartialEq, Message)]
struct Scalar {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(float, tag = "2")]
    value: f32,
}

#[derive(Clone, PartialEq, Message)]
struct SessionLog {
    #[prost(int32, tag = "1")]
    status: i32,
}

/// `SessionLog.START`: TensorBoard forgets what it has read at this step and beyond.
const START: i32 = 1;

/// An event file that is being written.
#[derive(Debug)]
pub(crate) struct EventFile(File);

impl EventFile {
    /// Starts a file at `step`; what earlier files of the folder have from there on counts no longer.
    pub(crate) fn create(path: &Path, time: f64, step: u64) -> io::Result<Self> {
        let mut file = Self(File::create(path)?);
        file.write(time, 0, What::FileVersion("brain.Event:2".to_owned()))?;
        file.write(time, step, What::SessionLog(SessionLog { status: START }))?;
        Ok(file)
    }

    /// Adds numbers at a step.
    pub(crate) fn scalars<'a>(
        &mut self,
        time: f64,
        step: u64,
        scalars: impl IntoIterator<Item = (&'a str, f64)>,
    ) -> io::Result<()> {
        let values =
            scalars.into_iter().map(|(name, value)| Scalar { name: name.to_owned(), value: value as f32 });
        self.write(time, step, What::Summary(Summary { values: values.collect() }))
    }

    fn write(&mut self, wall_time: f64, step: u64, what: What) -> io::Result<()> {
        let event = Event { wall_time, step: step as i64, what: Some(what) }.encode_to_vec();
        let length = (event.len() as u64).to_le_bytes();
        let mut record = length.to_vec();
        record.extend(masked(&length).to_le_bytes());
        record.extend(&event);
        record.extend(masked(&event).to_le_bytes());
        self.0.write_all(&record) // at once: TensorBoard may be reading
    }
}

/// The checksum of a TFRecord.
fn masked(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}
