//! CPU time from a DICOM file's bytes to the stored image: decoding, resizing to 256 pixels, PNG; then decoding for that
//! size alone, and by how many greys it differs: the 99th percentile, and the most.
//!
//! ```text
//! speed FILE…
//! ```

use std::time::{Duration, Instant};

use imaging::{Fit, Size, decode, decode_resized, encode_png, resize};

const ROUNDS: u32 = 20;
const SIZE: Size = Size::Shorter(256);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args_os().skip(1) {
        let bytes = fs_err::read(&path)?;
        let [mut decoding, mut resizing, mut encoding, mut directly] = [Duration::MAX; 4];
        let (mut size, mut differences) = (0, Vec::new());
        for _ in 0..ROUNDS {
            let radiograph = timed(&mut decoding, || decode(&bytes))?;
            let (small, _) = timed(&mut resizing, || resize(&radiograph.image, SIZE, Fit::Keep))?;
            size = timed(&mut encoding, || encode_png(&small))?.len();
            let stored = timed(&mut directly, || decode_resized(&bytes, SIZE, Fit::Keep))?.image;
            let pairs = stored.pixels.iter().zip(&small.pixels);
            differences = pairs.map(|(one, other)| one.abs_diff(*other)).collect();
        }
        differences.sort_unstable();
        println!(
            "{}: {decoding:.1?} + {resizing:.1?} + {encoding:.1?}, {size} bytes; {directly:.1?}, {} and {} greys",
            path.to_string_lossy(),
            differences[differences.len() * 99 / 100],
            differences[differences.len() - 1],
        );
    }
    Ok(())
}

/// The result of the work, whose time is kept if it is the least so far: one thread, so it is CPU time too.
fn timed<T>(least: &mut Duration, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    *least = (*least).min(start.elapsed());
    result
}
