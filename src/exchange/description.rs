//! The description of an exported database: `database.json` of a folder, metadata of a Parquet
//! file.

use std::path::Path;

use postil_storage::{Metric, Precision, Profile};
use serde_json::{Value, json};

use super::{DESCRIPTION, failed, wrong};
use crate::Error;

const FORMAT: u64 = 1;

pub(super) struct Description {
    pub(super) profile: Profile,
    /// Documents and passages; `None` before they are counted.
    pub(super) counts: Option<[u64; 2]>,
    pub(super) vectors: bool,
}

impl Description {
    pub(super) fn to_json(&self) -> Value {
        let Profile { dimension, metric, precision, encoder, fingerprint, attributes } = &self.profile;
        let mut value = json!({
            "format": FORMAT, "encoder": encoder, "fingerprint": fingerprint, "dimension": dimension,
            "metric": metric.to_string(), "precision": precision.to_string(), "attributes": attributes,
            "vectors": self.vectors,
        });
        if let Some([documents, passages]) = self.counts {
            value["documents"] = documents.into();
            value["passages"] = passages.into();
        }
        value
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), Error> {
        let path = folder.join(DESCRIPTION);
        std::fs::write(&path, format!("{:#}\n", self.to_json())).map_err(failed(&path))?;
        std::fs::File::open(&path).and_then(|file| file.sync_all()).map_err(failed(&path))?;
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))
    }

    pub(super) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(DESCRIPTION);
        let text = std::fs::read(&path).map_err(failed(&path))?;
        Self::parse(&path, &text)
    }

    /// Parses `bytes`, which [`to_json`](Self::to_json) wrote to `path`.
    pub(super) fn parse(path: &Path, text: &[u8]) -> Result<Self, Error> {
        let value: Value = serde_json::from_slice(text).map_err(|error| wrong(path, error.to_string()))?;
        let missing = |name: &str| wrong(path, format!("{name} is missing or of the wrong type"));
        let number = |name: &str| value[name].as_u64().ok_or_else(|| missing(name));
        let text = |name: &str| value[name].as_str().map(str::to_owned).ok_or_else(|| missing(name));
        if number("format")? != FORMAT {
            return Err(wrong(path, format!("format {}, this build reads {FORMAT}", value["format"])));
        }
        let metric: Option<Metric> = value["metric"].as_str().and_then(|name| name.parse().ok());
        // Older exports lack this field.
        let precision = match value.get("precision") {
            None => Some(Precision::default()),
            Some(given) => given.as_str().and_then(|name| name.parse().ok()),
        };
        let attributes = value["attributes"].as_object().ok_or_else(|| missing("attributes"))?;
        let attributes = attributes.iter().map(|(name, value)| {
            let value = value.as_str().ok_or_else(|| missing("attributes"))?;
            Ok((name.clone(), value.to_owned()))
        });
        let profile = Profile {
            dimension: number("dimension")? as usize,
            metric: metric.ok_or_else(|| missing("metric"))?,
            precision: precision.ok_or_else(|| missing("precision"))?,
            encoder: text("encoder")?,
            fingerprint: text("fingerprint")?,
            attributes: attributes.collect::<Result<_, Error>>()?,
        };
        let vectors = value["vectors"].as_bool().ok_or_else(|| missing("vectors"))?;
        let counts = value["documents"].as_u64().zip(value["passages"].as_u64());
        Ok(Self { profile, counts: counts.map(|(documents, passages)| [documents, passages]), vectors })
    }
}
