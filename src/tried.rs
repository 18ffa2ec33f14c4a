//! Places where an encoder was not found, as an error lists them.

use std::path::PathBuf;

/// Most places that an error writes out.
const MOST_LISTED: usize = 8;

/// A place where an encoder was looked for and not found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The folder.
    pub place: PathBuf,
    /// The content of the folder: another model, with its fingerprint, or a damaged one; `None`
    /// when it holds no model.
    pub found: Option<String>,
}

impl std::fmt::Display for Tried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let found = self.found.as_deref().unwrap_or("not there");
        write!(f, "{} ({found})", self.place.display())
    }
}

/// The first eight places in one line, those that hold something first, then the number of the
/// others.
pub(crate) fn list(tried: &[Tried]) -> String {
    let with = tried.iter().filter(|tried| tried.found.is_some());
    let places = with.chain(tried.iter().filter(|tried| tried.found.is_none()));
    let mut listed: Vec<String> = places.take(MOST_LISTED).map(Tried::to_string).collect();
    if tried.len() > MOST_LISTED {
        listed.push(format!("{} more", tried.len() - MOST_LISTED));
    }
    listed.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_places_those_are_listed_first_that_have_something() {
        let tried = |i: usize| Tried {
            place: PathBuf::from(format!("p{i}")),
            found: (i == 11).then(|| "another model, fingerprint ab".to_owned()),
        };
        let all = list(&(0..12).map(tried).collect::<Vec<_>>());
        assert!(all.starts_with("p11 (another model, fingerprint ab), p0 (not there), "), "{all}");
        assert!(all.ends_with(", 4 more"), "{all}");
    }
}
