//! The subject of a passage, which the generator reads before the text.

use std::borrow::Cow;
use std::path::Path;

use postil_storage::Hit;

use crate::extract::FileKind;

/// File names that say nothing of their content; the folder's name is used instead.
const COMMON: [&str; 5] = ["readme", "index", "mod", "main", "default"];

/// The path of headings that a passage stands under, after the document's title where that is not
/// in it, or, in a document without a title, after its file's name: only that may say whose license
/// a section "License" is.
pub(super) fn about(hit: &Hit) -> Cow<'_, str> {
    subject(&hit.key, &hit.title, &hit.heading)
}

/// As [`about`], of a passage's document and headings.
pub(crate) fn subject<'a>(key: &'a str, title: &'a str, heading: &'a str) -> Cow<'a, str> {
    let name = if title.is_empty() { named(key).unwrap_or_default() } else { title };
    if heading.is_empty() {
        Cow::Borrowed(name)
    } else if letters(heading).contains(&letters(name)) {
        Cow::Borrowed(heading)
    } else {
        Cow::Owned(format!("{name} > {heading}"))
    }
}

/// The subject that a file's path names; `None` for a key that is no path.
fn named(key: &str) -> Option<&str> {
    let path = Path::new(key);
    matches!(FileKind::of(path), Some(FileKind::Document(_))).then_some(())?;
    let stem = path.file_stem()?.to_str()?;
    if COMMON.contains(&stem.to_lowercase().as_str()) {
        return path.parent()?.file_name()?.to_str();
    }
    Some(stem)
}

/// Letters and digits in lower case, so that `parking_lot` is "Parking Lot".
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(key: &str, title: &str, heading: &str) -> Hit {
        Hit {
            row: 0,
            score: 0.0,
            key: key.to_owned(),
            title: title.to_owned(),
            metadata: std::sync::Arc::default(),
            source_map: std::sync::Arc::default(),
            heading: heading.to_owned(),
            text: String::new(),
            lead: 0..0,
            range: 0..0,
            source_range: 0..0,
            places: Vec::new(),
        }
    }

    #[test]
    fn a_file_is_named_where_its_headings_do_not_name_it() {
        for (key, title, heading, told) in [
            ("docs/cookie_store/README.md", "", "License", "cookie_store > License"),
            ("docs/parking_lot/README.md", "", "Parking Lot > License", "Parking Lot > License"),
            ("docs/memmap2.md", "", "", "memmap2"),
            ("leave.md", "Leave", "Carry-over", "Leave > Carry-over"),
            ("hr/leave.md", "Time off", "Carry-over", "Time off > Carry-over"),
            ("record-17", "Oak", "", "Oak"),
            ("record-17", "", "License", "License"),
            ("data.jsonl", "", "License", "License"),
            ("README.md", "", "License", "License"),
            ("???.md", "", "License", "License"),
        ] {
            assert_eq!(about(&hit(key, title, heading)), told, "{key}");
        }
    }
}
