//! A data set under another name or role: a hospital of one's own in the layout of a known one.

use std::path::Path;

use schema::Role;

use crate::{Card, DatasetAdapter, Error, Listing, REGISTRY};

/// An adapter whose data set has another name, another role, or both. Its sources are named after it, so that patients
/// of two hospitals in one layout are told apart.
pub struct Named {
    layout: &'static dyn DatasetAdapter,
    card: Card,
}

impl Named {
    /// The data set `name`, in the layout of `layout`; where nothing is given, the layout's own card holds.
    ///
    /// # Errors
    /// When `name` is not of lower-case letters, digits and hyphens, or is the name of another layout.
    pub fn new(
        layout: &'static dyn DatasetAdapter,
        name: Option<&str>,
        role: Option<Role>,
    ) -> Result<Self, Error> {
        let mut card = layout.card().clone();
        if let Some(name) = name.filter(|name| *name != card.name) {
            check(name).map_err(|reason| Error::Name { name: name.to_owned(), reason })?;
            name.clone_into(&mut card.name);
            if card.own {
                name.clone_into(&mut card.title);
            }
        }
        card.role = role.unwrap_or(card.role);
        Ok(Self { layout, card })
    }
}

impl DatasetAdapter for Named {
    fn card(&self) -> &Card {
        &self.card
    }

    fn list(&self, root: &Path) -> Result<Listing, Error> {
        let mut listing = self.layout.list(root)?;
        let own = &self.layout.card().name;
        for record in &mut listing.records {
            if let Some(rest) = record.source.strip_prefix(own.as_str()) {
                record.source = format!("{}{rest}", self.card.name);
            }
        }
        Ok(listing)
    }
}

/// Names of results begin with it, and a file's name ends somewhere.
const LONGEST: usize = 64;

fn check(name: &str) -> Result<(), &'static str> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.starts_with('-') || !name.chars().all(allowed) {
        return Err("use lower-case letters, digits and hyphens");
    }
    if name.len() > LONGEST {
        return Err("use 64 letters at most");
    }
    if REGISTRY.iter().any(|adapter| adapter.card().name == name) {
        return Err("this is the name of another layout");
    }
    Ok(())
}
