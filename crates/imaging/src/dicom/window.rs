//! Windows: from modality values to grey (PS3.3 C.11.2.1.2 and C.11.2.1.3).

use dicom_dictionary_std::tags;

use super::attributes::{Attributes, name};
use crate::Error;

/// Window Center, Window Width and the function between them; of several windows the first, since they are
/// alternatives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Window {
    centre: f64,
    width: f64,
    function: Function,
}

/// VOI LUT Function (0028,1056).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Linear,
    LinearExact,
    Sigmoid,
}

impl Window {
    /// The first window; `None` when there is none.
    pub(super) fn read(attributes: Attributes) -> Result<Option<Self>, Error> {
        let centre = attributes.decimal(tags::WINDOW_CENTER)?;
        let width = attributes.decimal(tags::WINDOW_WIDTH)?;
        let (centre, width) = match (centre, width) {
            (Some(centre), Some(width)) => (centre, width),
            (None, None) => return Ok(None),
            (None, _) => return Err(Error::MissingAttribute(name(tags::WINDOW_CENTER))),
            (_, None) => return Err(Error::MissingAttribute(name(tags::WINDOW_WIDTH))),
        };
        let function = match attributes.text(tags::VOILUT_FUNCTION).as_deref() {
            None | Some("LINEAR") => Function::Linear,
            Some("LINEAR_EXACT") => Function::LinearExact,
            Some("SIGMOID") => Function::Sigmoid,
            Some(other) => return Err(Error::Malformed(format!("VOI LUT Function is `{other}`"))),
        };
        let allowed = if function == Function::Linear { width >= 1.0 } else { width > 0.0 };
        if !allowed {
            return Err(Error::Malformed(format!("Window Width is {width}")));
        }
        Ok(Some(Self { centre, width, function }))
    }

    /// How many modality values lie between black and white.
    pub(super) fn width(&self) -> f64 {
        self.width
    }

    /// The grey of a modality value, in `[0, 1]`.
    pub(super) fn apply(&self, value: f64) -> f64 {
        let Self { centre, width, function } = *self;
        match function {
            Function::Linear => {
                let (from_centre, width) = (value - (centre - 0.5), width - 1.0);
                ramp(from_centre, width)
            }
            Function::LinearExact => ramp(value - centre, width),
            Function::Sigmoid => 1.0 / (1.0 + (-4.0 * (value - centre) / width).exp()),
        }
    }
}

/// 0 up to half a width left of the centre, 1 beyond half a width right of it, and a straight line between.
fn ramp(from_centre: f64, width: f64) -> f64 {
    if from_centre <= -width / 2.0 {
        0.0
    } else if from_centre > width / 2.0 {
        1.0
    } else {
        from_centre / width + 0.5
    }
}

#[cfg(test)]
mod tests {
    use super::{Function, Window};

    fn window(centre: f64, width: f64, function: Function) -> impl Fn(f64) -> f64 {
        move |value| Window { centre, width, function }.apply(value)
    }

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn linear_as_the_notes_of_c_11_2_1_2_1_say() {
        let full = window(2048.0, 4096.0, Function::Linear);
        assert!(close(full(0.0), 0.0) && close(full(4095.0), 1.0) && close(full(1.0), 1.0 / 4095.0));
        let threshold = window(2048.0, 1.0, Function::Linear);
        assert!(close(threshold(2047.0), 0.0) && close(threshold(2048.0), 1.0));
        let signed = window(0.0, 100.0, Function::Linear);
        assert!(
            close(signed(-50.0), 0.0) && close(signed(49.0), 1.0) && close(signed(0.0), 0.5 / 99.0 + 0.5)
        );
    }

    #[test]
    fn linear_exact_as_the_notes_of_c_11_2_1_3_2_say() {
        let full = window(2048.0, 4096.0, Function::LinearExact);
        assert!(close(full(0.0), 0.0) && close(full(2048.0), 0.5) && close(full(4096.0), 1.0));
        let threshold = window(2048.0, 1.0, Function::LinearExact);
        assert!(
            close(threshold(2047.5), 0.0) && close(threshold(2048.0), 0.5) && close(threshold(2048.6), 1.0)
        );
    }

    #[test]
    fn sigmoid_is_symmetric_and_never_clips() {
        let sigmoid = window(100.0, 40.0, Function::Sigmoid);
        assert!(close(sigmoid(100.0), 0.5));
        assert!(close(sigmoid(110.0), 1.0 / (1.0 + (-1.0f64).exp())));
        assert!(close(sigmoid(37.0) + sigmoid(163.0), 1.0));
        assert!(sigmoid(0.0) > 0.0 && sigmoid(200.0) < 1.0);
    }
}
