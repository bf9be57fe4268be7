//! What each path of a store is.

use std::path::Path;

use crate::{RefName, lock::is_label, refs::is_name};

/// What lies at a path below the store's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A folder that belongs there.
    Folder,
    /// An object with this hash.
    Object(String),
    /// A result.
    Result,
    /// A ref.
    Ref(RefName),
    /// A lock.
    Lock,
    /// A file that is the store's own but has no shape to check: the format, the cache, work of a running stage, what a
    /// repair has set aside.
    Own,
    /// Nothing that the store would put there.
    Foreign,
}

/// What the folder or file at this path, from the store's folder on, is.
pub(crate) fn place(path: &Path, is_folder: bool) -> Place {
    let parts: Option<Vec<&str>> = path.iter().map(|part| part.to_str()).collect();
    match (parts.as_deref(), is_folder) {
        (
            Some(
                ["format" | "secret" | "withdrawn" | "set-aside" | "origin" | "CACHEDIR.TAG"] | ["cache", _],
            ),
            false,
        )
        | (Some(["damaged", _, ..]), _) => Place::Own,
        (Some(["unfinished", key, ..]), _) if is_hex(key, 64) => Place::Own,
        (
            Some(
                ["objects" | "actions" | "refs" | "locks" | "tmp" | "cache" | "unfinished" | "damaged"]
                | ["objects" | "actions", "sha256"],
            ),
            true,
        ) => Place::Folder,
        (Some(["tmp", label, ..]), _) if is_label(label) => Place::Own,
        (Some(["objects" | "actions", "sha256", head]), true) if is_hex(head, 2) => Place::Folder,
        (Some(["objects", "sha256", head, tail]), false) if is_hex(head, 2) && is_hex(tail, 62) => {
            Place::Object(format!("{head}{tail}"))
        }
        (Some(["actions", "sha256", head, tail]), true) if is_hex(head, 2) && is_hex(tail, 62) => {
            Place::Folder
        }
        (Some(["actions", "sha256", head, tail, file]), false)
            if is_hex(head, 2)
                && is_hex(tail, 62)
                && file.strip_suffix(".json").is_some_and(|hash| is_hex(hash, 64)) =>
        {
            Place::Result
        }
        (Some(["refs", stage]), true) if is_name(stage) => Place::Folder,
        (Some(["refs", stage, name]), false) if is_name(stage) && is_name(name) => {
            Place::Ref(RefName { stage: (*stage).to_owned(), name: (*name).to_owned() })
        }
        (Some(["locks", file]), false) if file.strip_suffix(".lock").is_some() => Place::Lock,
        _ => Place::Foreign,
    }
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_the_drawn_shape_is_known() {
        let (tail, hash) = ("a".repeat(62), "b".repeat(64));
        let of = |path: &str, is_folder| place(Path::new(path), is_folder);
        assert_eq!(of(&format!("objects/sha256/ab/{tail}"), false), Place::Object(format!("ab{tail}")));
        assert_eq!(of(&format!("actions/sha256/ab/{tail}/{hash}.json"), false), Place::Result);
        assert!(matches!(of("refs/train/sga-1a2b3c4d", false), Place::Ref(_)));
        assert_eq!(of("tmp/node~17~99-x/half", false), Place::Own);
        for (path, is_folder) in [
            ("thesis.docx", false),
            ("format", true),
            ("objects/thesis.docx", false),
            (&format!("objects/sha256/AB/{tail}"), false),
            (&format!("objects/sha256/ab/{tail}"), true),
            (&format!("objects/sha256/ab/{tail}0"), false),
            (&format!("actions/sha256/ab/{tail}/{hash}.jsn"), false),
            ("refs/.hidden", true),
            ("refs/train/a/b", false),
            ("locks/key", false),
            ("tmp/half", false),
        ] {
            assert_eq!(of(path, is_folder), Place::Foreign, "{path}");
        }
    }
}
