//! CPU time from a DICOM file's bytes to the stored image: decoding, resizing to 256 pixels, PNG.
//!
//! ```text
//! speed FILE…
//! ```

use std::time::{Duration, Instant};

use imaging::{Fit, Size, decode, encode_png, resize};

const ROUNDS: u32 = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args_os().skip(1) {
        let bytes = fs_err::read(&path)?;
        let (mut decoding, mut resizing, mut encoding) = (Duration::MAX, Duration::MAX, Duration::MAX);
        let mut size = 0;
        for _ in 0..ROUNDS {
            let radiograph = timed(&mut decoding, || decode(&bytes))?;
            let (small, _) =
                timed(&mut resizing, || resize(&radiograph.image, Size::Shorter(256), Fit::Keep))?;
            size = timed(&mut encoding, || encode_png(&small))?.len();
        }
        println!(
            "{}: {decoding:.1?} + {resizing:.1?} + {encoding:.1?}, {size} bytes",
            path.to_string_lossy()
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
