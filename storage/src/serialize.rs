//! Results of the store, serialized in the form of `--json`.

use crate::value::{Decimal, Value, View};
use crate::{Damage, Hit, Metric, Precision, Stat};
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

impl Serialize for Value {
    /// Serializes JSON; a float that is not finite, which no database has, is null.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::List(items) => items.serialize(serializer),
            Self::Object(fields) => fields.serialize(serializer),
            one => View::from(one).serialize(serializer),
        }
    }
}

impl Serialize for Decimal {
    /// Serializes all digits as a number if `serde_json` writes text; its `Value` cannot hold them.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        View::Decimal(self.as_str()).serialize(serializer)
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Precision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Damage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Hit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut hit = serializer.serialize_struct("Hit", 7)?;
        hit.serialize_field("document", &self.key)?;
        hit.serialize_field("title", &self.title)?;
        hit.serialize_field("heading", &self.heading)?;
        hit.serialize_field("range", &[self.source_range.start, self.source_range.end])?;
        hit.serialize_field("text", &self.text)?;
        hit.serialize_field("score", &f64::from(self.score))?;
        hit.serialize_field("metadata", &*self.metadata)?;
        hit.end()
    }
}

impl Serialize for Stat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut stat = serializer.serialize_struct("Stat", 19)?;
        stat.serialize_field("documents", &self.documents)?;
        stat.serialize_field("passages", &self.passages)?;
        stat.serialize_field("bytes", &self.disk_bytes)?;
        stat.serialize_field("encoder", &self.profile.encoder)?;
        stat.serialize_field("fingerprint", &self.profile.fingerprint)?;
        stat.serialize_field("dimension", &self.profile.dimension)?;
        stat.serialize_field("metric", &self.profile.metric)?;
        stat.serialize_field("precision", &self.profile.precision)?;
        stat.serialize_field("segments", &self.segments)?;
        stat.serialize_field("growing_rows", &self.growing_rows)?;
        stat.serialize_field("removed", &self.removed)?;
        stat.serialize_field("index_bytes", &self.index_bytes)?;
        stat.serialize_field("searched_bytes", &self.searched_bytes)?;
        stat.serialize_field("resident_bytes", &self.resident_bytes)?;
        stat.serialize_field("bytes_per_row", &self.per_row(self.disk_bytes))?;
        stat.serialize_field("searched_bytes_per_row", &self.per_row(self.searched_bytes))?;
        let resident = self.resident_bytes.map(|bytes| self.per_row(bytes));
        stat.serialize_field("resident_bytes_per_row", &resident)?;
        stat.serialize_field("recall", &self.recall.map(f64::from))?;
        stat.serialize_field("rewrite_failure", &self.rewrite_failure)?;
        stat.end()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn metadata_is_serialized_as_it_was_given() {
        let text =
            r#"{"huge":12345678901234567890123,"list":[-1,0.5,1e-400,18446744073709551615],"none":null}"#;
        let metadata = crate::json::read_object(text).unwrap();
        assert_eq!(serde_json::to_string(&metadata).unwrap(), text);
    }
}
