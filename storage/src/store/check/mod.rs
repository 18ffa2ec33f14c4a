//! The search for damage: everything that FORMAT.md promises is checked, and nothing is changed.
//!
//! | file | responsibility |
//! |---|---|
//! | report | the findings |
//! | records | keys, documents, texts and passages: each decodes and fits the others |
//! | rows | every live row has one vector, in one place |
//! | files | the folder has no unknown files |

mod files;
mod records;
mod report;
mod rows;
#[cfg(test)]
mod tests;

pub use report::Damage;

use super::Store;
use super::private::ReadOnly;
use super::step::{Counter, OnStep, unwatched};
use crate::documents::Base;
use crate::error::Result;
use report::Report;

impl Store {
    /// Reads everything and reports all damage: within files, between them, and against FORMAT.md.
    /// Writers wait meanwhile; nothing is changed. An empty list means that the database is sound.
    ///
    /// # Errors
    /// If something cannot be read at all; other damage is in the list.
    pub fn check(&self) -> Result<Vec<Damage>> {
        self.check_watched(&mut unwatched)
    }

    /// As [`check`](Self::check); `progress` gets rows checked, each counted in its file and in
    /// the documents.
    ///
    /// # Errors
    /// As [`check`](Self::check); [`StorageError::Cancelled`](crate::StorageError::Cancelled) if
    /// `progress` cancelled it.
    pub fn check_watched(&self, progress: OnStep<'_>) -> Result<Vec<Damage>> {
        let manifest = self.shared.writer.lock();
        let snapshot = self.shared.current();
        let documents = &self.shared.documents();
        let mut damage = Vec::new();
        let sealed: usize = snapshot.segments.iter().map(|segment| segment.ids().len()).sum();
        let total = (sealed + snapshot.growing.rows()) as u64 + manifest.passages;
        let mut counter = Counter::new(total, progress);
        counter.add(0)?;
        for segment in &snapshot.segments {
            let path = segment.path();
            damage.extend(segment.damage().into_iter().map(|what| Damage { path: path.to_owned(), what }));
            counter.add(segment.ids().len() as u64)?;
        }
        for run in snapshot.growing.runs(snapshot.growing.rows()) {
            let path = run.path();
            damage.extend(run.damage().into_iter().map(|what| Damage { path: path.to_owned(), what }));
            counter.add(run.rows().end - run.rows().start)?;
        }
        if let Some(base) = documents.base() {
            let path = base.path();
            damage.extend(base.damage().into_iter().map(|what| Damage { path: path.to_owned(), what }));
            counter.add(0)?;
        }
        let base = documents.base().map(Base::path);
        let mut report = Report { path: documents.path(), base, damage, counter };
        if report.entry(|| "manifest".to_owned(), documents.manifest())?.flatten().as_ref()
            != Some(&*manifest)
        {
            report.add(
                "the manifest is not the one that was read when the database was opened or last written",
            );
        }
        let passages = records::check(documents, &manifest, &mut report)?;
        rows::check(documents, &snapshot, &manifest, &passages, &mut report)?;
        let mut damage = report.damage;
        files::check(&self.shared, &manifest, documents, &snapshot, &mut damage)?;
        if let Some(ReadOnly { path, private, .. }) = &self.shared.read_only {
            damage.iter_mut().for_each(|found| found.path = private.original(&found.path, path));
        }
        Ok(damage)
    }
}
