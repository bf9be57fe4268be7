//! Where the places of an output are.

use std::cell::RefCell;

use tch::{Device, Kind, Tensor};

/// Levels of the pyramid; each has half as many places to a side as the one before, rounded up.
const LEVELS: usize = 3;
/// A level sees boxes that reach this many strides from a place, and the levels above it those that reach farther. Theirs is
/// 8, for images four times as wide as ours with findings as large in proportion.
const REACH: f64 = 4.0;

/// How many places there are, where they are computed with, and in which format.
type Layout = (i64, Device, Kind);

thread_local! {
    /// The last ones that were asked for: a copy from the host in every minibatch would wait for the device.
    static LAST: RefCell<Option<(Layout, Places)>> = const { RefCell::new(None) };
}

/// The places of a square image.
#[derive(Debug)]
pub struct Places {
    /// Their centres x, y in fractions of the image: L×2.
    pub centres: Tensor,
    /// From one place to the next of its level, in fractions of the image: L.
    pub strides: Tensor,
    /// The least and the largest distance of an edge that a place tells of, in fractions of the image: L×2.
    pub reaches: Tensor,
}

impl Places {
    /// Those of an output with so many places, on its device and in its format. Panics where no square image has as many.
    pub fn of(output: &Tensor) -> Self {
        let wanted = (output.size()[1], output.device(), output.kind());
        LAST.with_borrow_mut(|last| match last {
            Some((of, places)) if *of == wanted => places.shared(),
            _ => last.insert((wanted, Self::new(wanted))).1.shared(),
        })
    }

    fn shared(&self) -> Self {
        let [centres, strides, reaches] =
            [&self.centres, &self.strides, &self.reaches].map(Tensor::shallow_clone);
        Self { centres, strides, reaches }
    }

    fn new((count, device, kind): Layout) -> Self {
        let sides = sides(count).unwrap_or_else(|| panic!("no square image has {count} places"));
        let (mut centres, mut strides, mut reaches) = (Vec::new(), Vec::new(), Vec::new());
        for (level, side) in sides.into_iter().enumerate() {
            let stride = 1.0 / side as f64;
            let least = if level == 0 { 0.0 } else { REACH / sides[level - 1] as f64 };
            let largest = if level + 1 == LEVELS { f64::INFINITY } else { REACH * stride };
            for (row, column) in (0..side).flat_map(|row| (0..side).map(move |column| (row, column))) {
                centres.extend([column, row].map(|index| (index as f64 + 0.5) * stride));
                strides.push(stride);
                reaches.extend([least, largest]);
            }
        }
        let tensor = |values: &[f64]| Tensor::from_slice(values).to_kind(kind).to_device(device);
        Self {
            centres: tensor(&centres).reshape([count, 2]),
            strides: tensor(&strides),
            reaches: tensor(&reaches).reshape([count, 2]),
        }
    }
}

/// Places to a side of each level, where there are so many in all.
fn sides(count: i64) -> Option<[i64; LEVELS]> {
    let all = |first: i64| [first, (first + 1) / 2, ((first + 1) / 2 + 1) / 2];
    let places = |first: &i64| all(*first).iter().map(|side| side * side).sum::<i64>();
    (1..=count)
        .take_while(|first| places(first) <= count)
        .last()
        .filter(|first| places(first) == count)
        .map(all)
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::{Places, sides};

    #[test]
    fn the_number_of_places_tells_their_grids() {
        for first in 1..600_i64 {
            let second = (first + 1) / 2;
            let third = (second + 1) / 2;
            assert_eq!(sides(first * first + second * second + third * third), Some([first, second, third]));
        }
        assert_eq!([sides(0), sides(1), sides(1030)], [None; 3]);
    }

    #[test]
    fn centres_lie_in_the_middle_of_their_squares_level_by_level() {
        let places = Places::of(&Tensor::zeros([1, 16 + 4 + 1, 6], (Kind::Float, Device::Cpu)));
        let row = |index: i64| Vec::<f32>::try_from(places.centres.get(index)).unwrap();
        assert_eq!([row(0), row(1), row(4)], [[0.125, 0.125], [0.375, 0.125], [0.125, 0.375]]);
        assert_eq!([row(16), row(19), row(20)], [[0.25, 0.25], [0.75, 0.75], [0.5, 0.5]]);
        let reach = |index: i64| Vec::<f32>::try_from(places.reaches.get(index)).unwrap();
        assert_eq!([reach(0), reach(16), reach(20)], [[0.0, 1.0], [1.0, 2.0], [2.0, f32::INFINITY]]);
    }
}
