//! From colour to grey: luma after ITU-R BT.601.

/// The luma of red, green and blue: `0.299·R + 0.587·G + 0.114·B` in fixed point, rounded; samples of up to 16 bits.
pub(crate) fn luma([red, green, blue]: [u16; 3]) -> u16 {
    // The weights add up to 65,536, so grey stays what it is.
    let sum = u64::from(red) * 19_595 + u64::from(green) * 38_470 + u64::from(blue) * 7_471;
    ((sum + 0x8000) >> 16) as u16
}

/// A 16-bit sample as 8 bits, rounded: 65535 becomes 255.
pub(crate) fn to_8_bit(sample: u16) -> u8 {
    ((u32::from(sample) + 128) / 257) as u8
}

#[cfg(test)]
mod tests {
    use super::{luma, to_8_bit};

    #[test]
    fn grey_stays_grey() {
        assert!((0..=u16::MAX).all(|grey| luma([grey; 3]) == grey));
    }

    #[test]
    fn primaries_weigh_as_bt_601_says() {
        assert_eq!([luma([255, 0, 0]), luma([0, 255, 0]), luma([0, 0, 255])], [76, 150, 29]);
    }

    #[test]
    fn eight_bits_survive_sixteen() {
        assert!((0..=255u8).all(|byte| to_8_bit(u16::from(byte) * 257) == byte));
    }
}
