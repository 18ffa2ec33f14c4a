//! Forms of `--json` that differ from those of `serde`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use serde::{Serialize, Serializer};

use crate::{Error, with_causes};

/// A range as its two bounds.
pub(crate) fn bounds<S: Serializer>(range: &Range<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    [range.start, range.end].serialize(serializer)
}

/// A range as its two bounds; null for `None`.
#[cfg(feature = "generator")]
pub(crate) fn bounds_if_any<S: Serializer>(
    range: &Option<Range<u64>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    range.as_ref().map(|range| [range.start, range.end]).serialize(serializer)
}

/// A 32-bit number with all its digits as a 64-bit one.
pub(crate) fn wide<S: Serializer>(number: &f32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(f64::from(*number))
}

/// Counts by path, as paths are displayed.
pub(crate) fn by_path<S: Serializer>(
    counts: &BTreeMap<PathBuf, u64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    // Paths that are no text may look alike.
    let mut shown: BTreeMap<String, u64> = BTreeMap::new();
    for (path, count) in counts {
        *shown.entry(path.display().to_string()).or_default() += count;
    }
    shown.serialize(serializer)
}

/// Numbers of records by field.
pub(crate) fn by_field<S: Serializer>(
    counts: &BTreeMap<String, u64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct LeftOut<'a> {
        field: &'a str,
        records: u64,
    }
    serializer.collect_seq(counts.iter().map(|(field, records)| LeftOut { field, records: *records }))
}

impl Serialize for Error {
    /// Serializes the message with all causes.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&with_causes(self))
    }
}
