//! Boxes as SIIM-FISABIO-RSNA writes them: a Python literal, `[{'x': 1.5, 'y': 2, 'width': 3, 'height': 4}, …]`.

use schema::PixelBox;
use serde::Deserialize;

/// A box as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    x: f64,
    y: f64,
    width: f64,
    height: f64,
}

/// The boxes in `text`, which may be empty; otherwise what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Vec<PixelBox>, String> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    // But for its quotes the literal is JSON.
    let boxes: Vec<Written> =
        serde_json::from_str(&text.replace('\'', "\"")).map_err(|error| error.to_string())?;
    let pixel_box = |Written { x, y, width, height }| {
        if width > 0.0 && height > 0.0 {
            Ok(PixelBox { x, y, width, height })
        } else {
            Err(format!("a box of {width} × {height} pixels"))
        }
    };
    boxes.into_iter().map(pixel_box).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn boxes_are_read() {
        let text = "[{'x': 1.5, 'y': -2, 'width': 3e1, 'height': 4}, {'height':8,'width':7,'y':6,'x':5}]";
        let expected = [
            PixelBox { x: 1.5, y: -2.0, width: 30.0, height: 4.0 },
            PixelBox { x: 5.0, y: 6.0, width: 7.0, height: 8.0 },
        ];
        assert_eq!(parse(text).unwrap(), expected);
        assert_eq!(parse("").unwrap(), []);
        assert_eq!(parse(" [ ] ").unwrap(), []);
    }

    #[test]
    fn anything_else_is_refused_with_a_reason() {
        for (text, reason) in [
            ("[{'x': 1, 'y': 2, 'width': 3}]", "missing field `height`"),
            ("[{'x': 1, 'x': 1, 'y': 2, 'width': 3, 'height': 4}]", "duplicate field `x`"),
            ("[{'x': 1, 'y': 2, 'width': 3, 'height': 4, 'angle': 5}]", "unknown field `angle`"),
            ("[{'x': nan, 'y': 2, 'width': 3, 'height': 4}]", "expected ident"),
            ("[{'x': 1e999, 'y': 2, 'width': 3, 'height': 4}]", "number out of range"),
            ("[{'x': 1, 'y': 2, 'width': 0, 'height': 4}]", "0 × 4 pixels"),
            ("[{'x': 1, 'y': 2, 'width': 3, 'height': 4}", "EOF"),
            ("[{'x: 1}]", "EOF while parsing a string"),
            ("[] []", "trailing characters"),
            ("None", "expected value"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(
            text in "(\\[|\\]|\\{|\\}|'x'|'y'|'width'|'height'|:|,| |[-0-9.e]{1,5}|\\PC){0,40}",
        ) {
            let _ = parse(&text);
        }

        #[test]
        fn what_is_written_comes_back(boxes in proptest::collection::vec(
            (-1e4..1e4, -1e4..1e4, 1e-3..1e4, 1e-3..1e4), 0..5,
        )) {
            let boxes: Vec<_> =
                boxes.into_iter().map(|(x, y, width, height)| PixelBox { x, y, width, height }).collect();
            let one = |b: &PixelBox| {
                format!("{{'x': {}, 'y': {}, 'width': {}, 'height': {}}}", b.x, b.y, b.width, b.height)
            };
            let text = format!("[{}]", boxes.iter().map(one).collect::<Vec<_>>().join(", "));
            prop_assert_eq!(parse(&text).unwrap(), boxes);
        }
    }
}
