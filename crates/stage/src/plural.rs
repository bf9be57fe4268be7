/// A number of things called `one` each, in words: `1 model`, `2 models`.
pub fn plural(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}
