//! Boxes as SIIM-FISABIO-RSNA writes them: a Python literal, `[{'x': 1.5, 'y': 2, 'width': 3, 'height': 4}, …]`.

use schema::PixelBox;

/// The boxes in `text`, which may be empty; otherwise what is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Vec<PixelBox>, String> {
    let mut rest = Rest(text.trim());
    if rest.0.is_empty() {
        return Ok(Vec::new());
    }
    let boxes = rest.list('[', ']', Rest::pixel_box)?;
    rest.end().map(|()| boxes)
}

/// What is still to be read.
struct Rest<'t>(&'t str);

impl Rest<'_> {
    fn take(&mut self, wanted: char) -> bool {
        let rest = self.0.trim_start().strip_prefix(wanted);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn expect(&mut self, wanted: char) -> Result<(), String> {
        if self.take(wanted) { Ok(()) } else { Err(format!("expected `{wanted}` before {}", self.shown())) }
    }

    fn end(&self) -> Result<(), String> {
        if self.0.trim().is_empty() { Ok(()) } else { Err(format!("unexpected {}", self.shown())) }
    }

    fn shown(&self) -> String {
        let head: String = self.0.trim_start().chars().take(20).collect();
        if head.is_empty() { "the end".to_owned() } else { format!("`{head}`") }
    }

    fn list<T>(
        &mut self,
        open: char,
        close: char,
        mut item: impl FnMut(&mut Self) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        self.expect(open)?;
        let mut items = Vec::new();
        while !self.take(close) {
            if !items.is_empty() {
                self.expect(',')?;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn pixel_box(&mut self) -> Result<PixelBox, String> {
        let entries = self.list('{', '}', Self::entry)?;
        let number = |wanted: &str| {
            let mut values = entries.iter().filter(|(key, _)| key == wanted).map(|&(_, value)| value);
            match (values.next(), values.next()) {
                (Some(value), None) => Ok(value),
                (None, _) => Err(format!("a box has no '{wanted}'")),
                (Some(_), Some(_)) => Err(format!("a box has '{wanted}' twice")),
            }
        };
        let pixel_box =
            PixelBox { x: number("x")?, y: number("y")?, width: number("width")?, height: number("height")? };
        if entries.len() > 4 {
            return Err("a box has more than 'x', 'y', 'width', 'height'".to_owned());
        }
        if pixel_box.width <= 0.0 || pixel_box.height <= 0.0 {
            return Err(format!("a box of {} × {} pixels", pixel_box.width, pixel_box.height));
        }
        Ok(pixel_box)
    }

    fn entry(&mut self) -> Result<(String, f64), String> {
        self.expect('\'')?;
        let (key, rest) = self.0.split_once('\'').ok_or("a quote is not closed")?;
        self.0 = rest;
        self.expect(':')?;
        Ok((key.to_owned(), self.number()?))
    }

    fn number(&mut self) -> Result<f64, String> {
        let text = self.0.trim_start();
        let digits = text.find([',', '}', ']', ' ']).unwrap_or(text.len());
        let value: Option<f64> = text[..digits].parse().ok().filter(|value: &f64| value.is_finite());
        let value = value.ok_or_else(|| format!("expected a number, found {}", self.shown()))?;
        self.0 = &text[digits..];
        Ok(value)
    }
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
            ("[{'x': 1, 'y': 2, 'width': 3}]", "no 'height'"),
            ("[{'x': 1, 'x': 1, 'y': 2, 'width': 3, 'height': 4}]", "'x' twice"),
            ("[{'x': 1, 'y': 2, 'width': 3, 'height': 4, 'angle': 5}]", "more than"),
            ("[{'x': nan, 'y': 2, 'width': 3, 'height': 4}]", "expected a number, found `nan"),
            ("[{'x': 1, 'y': 2, 'width': 0, 'height': 4}]", "0 × 4 pixels"),
            ("[{'x': 1, 'y': 2, 'width': 3, 'height': 4}", "expected `,` before the end"),
            ("[{'x: 1}]", "quote is not closed"),
            ("[] []", "unexpected `[]`"),
            ("None", "expected `[` before `None`"),
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
