//! The field in which two JSON files differ.

use std::path::Path;

use serde_json::Value;

use super::Error;
use crate::describe::short;

/// The first field that differs, and how many do.
pub(super) fn differ(a: &Path, b: &Path) -> Result<Option<String>, Error> {
    let read = |path: &Path| -> Result<Value, Error> { Ok(serde_json::from_slice(&fs_err::read(path)?)?) };
    let mut fields = Vec::new();
    collect("", &read(a)?, &read(b)?, &mut fields);
    Ok(fields.first().map(|first| match fields.len() {
        1 => format!("field {first}"),
        count => format!("field {first}, and {} more", count - 1),
    }))
}

/// Lists the fields that differ, each with both values.
fn collect(place: &str, a: &Value, b: &Value, fields: &mut Vec<String>) {
    match (a, b) {
        _ if a == b => {}
        (Value::Object(of_a), Value::Object(of_b)) => {
            let names: std::collections::BTreeSet<&String> = of_a.keys().chain(of_b.keys()).collect();
            for name in names {
                let (a, b) = (a.get(name), b.get(name));
                collect(
                    &format!("{place}/{name}"),
                    a.unwrap_or(&Value::Null),
                    b.unwrap_or(&Value::Null),
                    fields,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                collect(&format!("{place}/{index}"), a, b, fields);
            }
        }
        _ => fields.push(format!("{place}: {} and {}", short(&a.to_string(), 40), short(&b.to_string(), 40))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_field_is_named_with_both_values() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
        fs_err::write(&a, r#"{"best": {"epoch": 3, "auroc": 0.75}, "epochs": [1, 2]}"#).unwrap();
        fs_err::write(&b, r#"{"best": {"auroc": 0.5, "epoch": 3}, "epochs": [1, 4]}"#).unwrap();
        assert_eq!(differ(&a, &b).unwrap().unwrap(), "field /best/auroc: 0.75 and 0.5, and 1 more");
        fs_err::write(&b, r#"{"epochs": [1,2], "best": {"auroc": 0.75, "epoch": 3}}"#).unwrap();
        assert_eq!(differ(&a, &b).unwrap(), None, "another spelling only");
    }
}
