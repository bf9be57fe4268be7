//! A decoded split on the device with its truth, and batches of it.

use tch::{Device, Kind, Tensor};

use crate::{Error, guarded};

/// A split of square grey images, held on the device as u8.
#[derive(Debug)]
pub struct Images {
    pixels: Tensor,
    truth: Tensor,
}

impl Images {
    /// Images of `side`×`side` pixels, row by row, image after image, and the truth of each, N or N×…, moved to `device`.
    ///
    /// # Errors
    /// The pixels are not as many as truths × side², or the device's memory does not hold them.
    pub fn new(pixels: &[u8], truth: &Tensor, side: i64, device: Device) -> Result<Self, Error> {
        let count = truth.size()[0];
        if side <= 0 || pixels.len() as i64 != count * side * side {
            return Err(Error::Shape { pixels: pixels.len(), labels: count as usize, side });
        }
        guarded(|| Self {
            pixels: Tensor::from_slice(pixels).reshape([-1, 1, side, side]).to_device(device),
            truth: truth.to_device(device),
        })
    }

    /// The same images, which are on the device once.
    #[must_use]
    pub fn shallow_clone(&self) -> Self {
        Self { pixels: self.pixels.shallow_clone(), truth: self.truth.shallow_clone() }
    }

    /// The same images with another truth of each.
    ///
    /// # Errors
    /// The device's memory does not hold it.
    pub fn with_truth(&self, truth: &Tensor) -> Result<Self, Error> {
        assert_eq!(truth.size()[0], self.truth.size()[0], "a truth of each image");
        let truth = guarded(|| truth.to_device(self.device()))?;
        Ok(Self { pixels: self.pixels.shallow_clone(), truth })
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.truth.size()[0] as usize
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where they are.
    pub fn device(&self) -> Device {
        self.pixels.device()
    }

    /// The images with these indices (N, i64, on the images' device), in this order: N×1×S×S, f32, in `[0, 1]`, and the
    /// truth of each.
    pub fn batch(&self, indices: &Tensor) -> (Tensor, Tensor) {
        let pixels = self.pixels.index_select(0, indices).to_kind(Kind::Float) / 255.0;
        (pixels, self.truth.index_select(0, indices))
    }

    /// `count` neighbours from `start` on, as [`Images::batch`].
    pub fn range(&self, start: usize, count: usize) -> (Tensor, Tensor) {
        let (start, count) = (start as i64, count as i64);
        (self.pixels.narrow(0, start, count).to_kind(Kind::Float) / 255.0, self.truth.narrow(0, start, count))
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::Images;

    fn truth(labels: &[i64]) -> Tensor {
        Tensor::from_slice(labels)
    }

    #[test]
    fn a_batch_holds_the_chosen_images_in_order() {
        let images = Images::new(
            &[0, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200, 220],
            &truth(&[0, 1, 1]),
            2,
            Device::Cpu,
        )
        .unwrap();
        let (x, y) = images.batch(&Tensor::from_slice(&[2i64, 0]));
        assert_eq!((x.size(), x.kind()), (vec![2, 1, 2, 2], Kind::Float));
        assert_eq!(Vec::<i64>::try_from(y).unwrap(), [1, 0]);
        let expected = [160u8, 180, 200, 220, 0, 20, 40, 60].map(|pixel| f32::from(pixel) / 255.0);
        assert_eq!(Vec::<f32>::try_from(x.flatten(0, -1)).unwrap(), expected);
        assert_eq!(images.range(1, 2).0, images.batch(&Tensor::from_slice(&[1i64, 2])).0);
    }

    #[test]
    fn a_wrong_number_of_pixels_is_told() {
        let error = Images::new(&[0; 7], &truth(&[0, 1]), 2, Device::Cpu).unwrap_err().to_string();
        assert_eq!(error, "7 pixels and 2 labels are not 2 images of 2×2");
        assert!(Images::new(&[], &truth(&[]), 2, Device::Cpu).unwrap().is_empty());
    }
}
