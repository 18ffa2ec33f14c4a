use std::collections::BTreeSet;

use super::ReadOnlyDatabase;
use crate::origin::FILE_FIELD;
use crate::{Error, Filter};

/// Names by which a person looks for [`FILE_FIELD`].
const FILE_NAMES: [&str; 2] = ["file", "path"];

impl ReadOnlyDatabase {
    /// Names of the metadata fields of all documents; reads the metadata of each.
    ///
    /// # Errors
    /// [`Error::Storage`] when the documents cannot be read.
    pub fn fields(&self) -> Result<BTreeSet<String>, Error> {
        let mut fields = BTreeSet::new();
        for document in self.documents() {
            fields.extend(document?.metadata.into_keys());
        }
        Ok(fields)
    }

    /// The fields that `filter` names and no document has, not even as null.
    ///
    /// ```
    /// # let home = tempfile::tempdir()?;
    /// # let encoder = std::sync::Arc::new(postil::HashEncoder::default());
    /// # let db = postil::Database::options().encoder(encoder).open(home.path().join("d.postil"))?;
    /// db.ingest(postil::Document::new("a", "Trains.").with_metadata("year", 2020))?;
    /// let filter = "year > 2000 and yaer < 2010".parse()?;
    /// assert_eq!(db.fields_missing_for(&filter)?, ["yaer"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Storage`] when the documents cannot be read.
    pub fn fields_missing_for(&self, filter: &Filter) -> Result<Vec<String>, Error> {
        let mut missing = Vec::new();
        for field in filter.fields() {
            if !self.has_field(field)? {
                missing.push(field.to_owned());
            }
        }
        Ok(missing)
    }

    /// The filter with `file` and `path` read as [`FILE_FIELD`](crate::ingest::FILE_FIELD), where no
    /// document has a field of that name.
    ///
    /// # Errors
    /// [`Error::Storage`] when the documents cannot be read.
    pub fn filter_by_file(&self, mut filter: Filter) -> Result<Filter, Error> {
        for name in FILE_NAMES {
            if filter.fields().contains(name) && !self.has_field(name)? {
                filter = filter.renamed(name, FILE_FIELD);
            }
        }
        Ok(filter)
    }

    fn has_field(&self, field: &str) -> Result<bool, Error> {
        let there = !Filter::missing(field);
        let first = self.documents_where(&there)?.next();
        Ok(first.transpose()?.is_some())
    }
}
