//! Bars of block characters.

/// Characters of the longest bar.
const WIDTH: usize = 20;

/// An AUROC as a bar of eighths, from nothing at 0.5 to [`WIDTH`] characters at 1.
pub(crate) fn bar(auroc: f64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (((auroc - 0.5) * 2.0).clamp(0.0, 1.0) * (WIDTH * 8) as f64).round() as usize;
    let bar = "█".repeat(eighths / 8) + EIGHTHS[eighths % 8];
    let missing = WIDTH - bar.chars().count();
    bar + &"·".repeat(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_start_at_chance_and_keep_their_width() {
        for (auroc, full) in [(0.2, 0), (0.5, 0), (0.75, 10), (0.76, 10), (1.0, 20)] {
            let bar = bar(auroc);
            let of = |wanted: char| bar.chars().filter(|found| *found == wanted).count();
            assert_eq!((of('█'), bar.chars().count()), (full, WIDTH), "{auroc}: {bar}");
        }
        assert!(bar(0.76).contains('▍'), "a tenth of a half is 0.4 characters: {}", bar(0.76));
    }
}
