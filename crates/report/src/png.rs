use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};

/// A PNG file's bytes. In JSON and in the page it is a `data:` URI, so that the page needs no other file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Png(Vec<u8>);

const PREFIX: &str = "data:image/png;base64,";

impl Png {
    /// The picture with these bytes, which are not checked.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// The file's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The picture as a `data:` URI.
    pub fn data_uri(&self) -> String {
        format!("{PREFIX}{}", BASE64_STANDARD.encode(&self.0))
    }
}

impl std::fmt::Debug for Png {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Png({} bytes)", self.0.len())
    }
}

impl From<Png> for String {
    fn from(png: Png) -> Self {
        png.data_uri()
    }
}

impl TryFrom<String> for Png {
    type Error = String;

    fn try_from(uri: String) -> Result<Self, String> {
        let data = uri.strip_prefix(PREFIX).ok_or_else(|| format!("a picture must begin with {PREFIX}"))?;
        BASE64_STANDARD
            .decode(data)
            .map(Self)
            .map_err(|problem| format!("a picture is not base64: {problem}"))
    }
}
