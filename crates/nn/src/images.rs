//! A decoded split on the device, and batches of it.

use tch::{Device, Kind, Tensor};

use crate::{Error, guarded};

/// A split of square grey images, held on the device as u8.
#[derive(Debug)]
pub struct Images {
    pixels: Tensor,
    labels: Tensor,
}

impl Images {
    /// `labels.len()` images of `side`×`side` pixels, row by row, image after image, moved to `device`.
    ///
    /// # Errors
    /// The pixels are not as many as labels × side², or the device's memory does not hold them.
    pub fn new(pixels: &[u8], labels: &[i64], side: i64, device: Device) -> Result<Self, Error> {
        if side <= 0 || pixels.len() as i64 != labels.len() as i64 * side * side {
            return Err(Error::Shape { pixels: pixels.len(), labels: labels.len(), side });
        }
        guarded(|| Self {
            pixels: Tensor::from_slice(pixels).reshape([-1, 1, side, side]).to_device(device),
            labels: Tensor::from_slice(labels).to_device(device),
        })
    }

    /// The same images, which are on the device once.
    #[must_use]
    pub fn shallow_clone(&self) -> Self {
        Self { pixels: self.pixels.shallow_clone(), labels: self.labels.shallow_clone() }
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.labels.numel()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where they are.
    pub fn device(&self) -> Device {
        self.pixels.device()
    }

    /// The images with these indices (N, i64, on the images' device), in this order: N×1×S×S, f32, in `[0, 1]`, and their
    /// labels: N, i64.
    pub fn batch(&self, indices: &Tensor) -> (Tensor, Tensor) {
        let pixels = self.pixels.index_select(0, indices).to_kind(Kind::Float) / 255.0;
        (pixels, self.labels.index_select(0, indices))
    }

    /// `count` neighbours from `start` on, as [`Images::batch`].
    pub fn range(&self, start: usize, count: usize) -> (Tensor, Tensor) {
        let (start, count) = (start as i64, count as i64);
        (
            self.pixels.narrow(0, start, count).to_kind(Kind::Float) / 255.0,
            self.labels.narrow(0, start, count),
        )
    }
}

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    use super::Images;

    #[test]
    fn a_batch_holds_the_chosen_images_in_order() {
        let images =
            Images::new(&[0, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200, 220], &[0, 1, 1], 2, Device::Cpu)
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
        let error = Images::new(&[0; 7], &[0, 1], 2, Device::Cpu).unwrap_err().to_string();
        assert_eq!(error, "7 pixels and 2 labels are not 2 images of 2×2");
        assert!(Images::new(&[], &[], 2, Device::Cpu).unwrap().is_empty());
    }
}
