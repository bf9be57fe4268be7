//! Class names as hospitals write them.

use schema::Label;

/// Which words name a class. Case, blanks, hyphens and underscores make no difference.
const WORDS: [(Label, &[&str]); 2] = [
    (Label::Negative, &["negative", "normal", "no finding", "healthy", "control", "0"]),
    (Label::Covid, &["covid", "covid-19", "positive", "1"]),
];

/// The class that `text` names.
pub(crate) fn label(text: &str) -> Option<Label> {
    let named = WORDS.iter().find(|(_, words)| words.iter().any(|word| plain(word).eq(plain(text))));
    named.map(|&(label, _)| label)
}

/// Every known word, for messages.
pub(crate) fn known() -> String {
    let class = |(label, words): &(Label, &[&str])| format!("{} ({})", label.name(), words.join(", "));
    WORDS.iter().map(class).collect::<Vec<_>>().join(" or ")
}

fn plain(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !matches!(c, ' ' | '-' | '_')).flat_map(char::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_makes_no_difference_and_meaning_does() {
        for text in ["COVID-19", "covid_19", "Covid19", "positive", "1"] {
            assert_eq!(label(text), Some(Label::Covid), "{text}");
        }
        for text in ["Negative", "no_finding", "No Finding", "NORMAL", "0"] {
            assert_eq!(label(text), Some(Label::Negative), "{text}");
        }
        for text in ["pneumonia", "non-covid", "abnormal", "", "2", "covid?"] {
            assert_eq!(label(text), None, "{text}");
        }
    }
}
