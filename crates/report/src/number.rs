//! How numbers are written.

use metrics::Interval;

/// Three decimals, with a true minus; "–" for what is not a number.
pub(crate) fn decimal(value: f64) -> String {
    if value.is_finite() { minus(&format!("{value:.3}")) } else { "–".to_owned() }
}

/// Three decimals and always a sign, except for zero.
pub(crate) fn signed(value: f64) -> String {
    let text = decimal(value);
    if value > 0.0 && text != "0.000" { format!("+{text}") } else { text }
}

/// `0.771, 0.849`
pub(crate) fn interval(interval: Interval) -> String {
    format!("{}, {}", decimal(interval.low), decimal(interval.high))
}

/// `= 0.103`, `< 0.001`
pub(crate) fn p_value(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("= {}", decimal(p)) }
}

/// `12,345`
pub(crate) fn count(value: usize) -> String {
    let digits = value.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|group| std::str::from_utf8(group).expect("digits are ASCII"))
        .collect();
    groups.join(",")
}

/// `1 image`, `2 images`
pub(crate) fn plural(number: usize, thing: &str) -> String {
    format!("{} {thing}{}", count(number), if number == 1 { "" } else { "s" })
}

fn minus(text: &str) -> String {
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) => format!("−{rest}"),
        Some(zero) => zero.to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_print() {
        assert_eq!(decimal(-0.0501), "−0.050");
        assert_eq!(decimal(-0.0001), "0.000");
        assert_eq!(decimal(f64::NAN), "–");
        assert_eq!(signed(0.05), "+0.050");
        assert_eq!(signed(0.000_4), "0.000");
        assert_eq!(p_value(0.000_9), "< 0.001");
        assert_eq!(p_value(0.1), "= 0.100");
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(plural(1, "image"), "1 image");
    }
}
