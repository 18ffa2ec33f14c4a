//! Circles among files.

use crate::names::Arrows;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Files each of which needs every other one.
pub(crate) struct Circle {
    /// In order of their paths.
    pub(crate) files: Vec<String>,
    arrows: Arrows,
}

/// The circles that arrows make.
pub(crate) fn circles(arrows: &Arrows) -> Vec<Circle> {
    let mut homes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (user, home) in arrows.keys() {
        homes.entry(user).or_default().push(home);
    }
    let needed: BTreeMap<&str, BTreeSet<&str>> =
        homes.keys().map(|&file| (file, needed_by(file, &homes))).collect();
    let mut circles: Vec<Circle> = Vec::new();
    for (file, needs) in needed.iter().filter(|(file, needs)| needs.contains(*file)) {
        let needs_file = |other: &&&str| needed.get(**other).is_some_and(|needs| needs.contains(file));
        let files: Vec<_> = needs.iter().filter(needs_file).map(|&file| file.to_owned()).collect();
        if circles.iter().any(|circle| circle.files == files) {
            continue;
        }
        let between = arrows.iter().filter(|((user, home), _)| files.contains(user) && files.contains(home));
        let arrows = between.map(|(ends, names)| (ends.clone(), names.clone())).collect();
        circles.push(Circle { files, arrows });
    }
    circles
}

/// Every file that arrows lead to from one, itself only where they lead back.
fn needed_by<'a>(file: &str, homes: &BTreeMap<&str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let mut needed = BTreeSet::new();
    let mut open = vec![file];
    while let Some(user) = open.pop() {
        for &home in homes.get(user).into_iter().flatten() {
            if needed.insert(home) {
                open.push(home);
            }
        }
    }
    needed
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "a circle of {} files:", self.files.len())?;
        for ((user, home), names) in &self.arrows {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            writeln!(f, "  {user} -> {home}: {}", names.join(", "))?;
        }
        Ok(())
    }
}
