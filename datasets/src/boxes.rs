//! Boxes as the layout `csv` writes them: `x y width height; x y width height; …`, in pixels.

use schema::PixelBox;

/// The boxes in `text`, which may be empty; otherwise what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Vec<PixelBox>, String> {
    text.split(';').filter(|part| !part.trim().is_empty()).map(pixel_box).collect()
}

fn pixel_box(text: &str) -> Result<PixelBox, String> {
    let number = |word: &str| {
        let value: Option<f64> = word.parse().ok().filter(|value: &f64| value.is_finite());
        value.ok_or_else(|| format!("expected a number, found `{word}`"))
    };
    let numbers = text.split_whitespace().map(number).collect::<Result<Vec<_>, _>>()?;
    let [x, y, width, height] = numbers[..] else {
        return Err(format!("a box is `x y width height`, found `{}`", text.trim()));
    };
    if width <= 0.0 || height <= 0.0 {
        return Err(format!("a box of {width} × {height} pixels"));
    }
    Ok(PixelBox { x, y, width, height })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn boxes_are_read() {
        let one = PixelBox { x: 1.5, y: -2.0, width: 30.0, height: 4.0 };
        let other = PixelBox { x: 5.0, y: 6.0, width: 7.0, height: 8.0 };
        assert_eq!(parse("1.5 -2 3e1 4;5 6  7 8").unwrap(), [one, other]);
        assert_eq!(parse(" 5 6 7 8 ; ").unwrap(), [other]);
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        for (text, reason) in [
            ("1 2 3", "a box is `x y width height`, found `1 2 3`"),
            ("1 2 3 4 5", "found `1 2 3 4 5`"),
            ("1,2,3,4", "expected a number, found `1,2,3,4`"),
            ("1 2 inf 4", "expected a number, found `inf`"),
            ("1 2 0 4", "0 × 4 pixels"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[-0-9.;,e infa\t]{0,40}|\\PC{0,40}") {
            let _ = parse(&text);
        }

        #[test]
        fn what_is_written_comes_back(boxes in proptest::collection::vec(
            (-1e4..1e4, -1e4..1e4, 1e-3..1e4, 1e-3..1e4), 0..5,
        )) {
            let boxes: Vec<_> =
                boxes.into_iter().map(|(x, y, width, height)| PixelBox { x, y, width, height }).collect();
            let one = |b: &PixelBox| format!("{} {} {} {}", b.x, b.y, b.width, b.height);
            let text = boxes.iter().map(one).collect::<Vec<_>>().join("; ");
            prop_assert_eq!(parse(&text).unwrap(), boxes);
        }
    }
}
