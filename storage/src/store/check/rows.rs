//! Every live row has one vector, in one place: a segment, or the trees until a segment has it.

use super::report::Report;
use crate::documents::{Documents, Manifest};
use crate::error::Result;
use crate::few::few;
use crate::store::snapshot::Snapshot;
use roaring::RoaringTreemap;

/// Checks the rows; `passages` are the rows that have a passage.
pub(super) fn check(
    documents: &Documents,
    snapshot: &Snapshot,
    manifest: &Manifest,
    passages: &RoaringTreemap,
    report: &mut Report<'_>,
) -> Result<()> {
    let sealed = sealed(snapshot, manifest, report);
    let in_runs = in_runs(documents, snapshot, report)?;
    let mut unsealed = RoaringTreemap::new();
    for entry in documents.vectors() {
        report.counter.count()?;
        let Some((row, vector)) = report.entry(|| "vectors".to_owned(), entry)? else { continue };
        if sealed.contains(row) {
            // A vector still to be deleted. If the segment's own is damaged, the segment is
            // reported.
            if snapshot.sound_vector(row).is_ok_and(|found| found.as_deref() != Some(&vector[..])) {
                report.add(format!("the vector of row {row} is not the one that its segment has"));
            }
            continue;
        }
        unsealed.insert(row);
        if snapshot.metric.prepare(&vector, manifest.dimension as usize).is_err() {
            report
                .add(format!("the vector of row {row} is not one of {} usable numbers", manifest.dimension));
        } else if snapshot.growing.vector(row) != Some(&vector[..]) {
            report.add(format!("the vector of row {row} is not the one that is searched"));
        }
    }
    let removals = documents.removals()?;
    let in_files = &sealed | &in_runs;
    let live = &(&in_files - &removals) | &unsealed;
    let growing = &unsealed | &in_runs;
    let early = &growing - &from(&growing, sealed.max().map_or(0, |last| last + 1));
    for (what, rows) in [
        ("rows have a passage and no vector", passages - &live),
        ("rows have a vector and no passage", &live - passages),
        ("rows have a vector in the documents and one in a run", &unsealed & &in_runs),
        ("rows are in no segment though later ones are", early),
        ("rows are marked as removed and no segment or run holds them", &removals - &in_files),
        ("rows are marked as removed and have a passage", &removals & passages),
        ("removed rows are not those that searches leave out", &removals ^ &(&*snapshot.removed & &in_files)),
        ("rows are beyond the last that was handed out", from(&(&sealed | &growing), manifest.next_row)),
    ] {
        if let Some(few) = few(&rows) {
            report.add(format!("{what}: {few}"));
        }
    }
    Ok(())
}

/// Returns the rows from `first` on.
fn from(rows: &RoaringTreemap, first: u64) -> RoaringTreemap {
    let mut rows = rows.clone();
    rows.remove_range(..first);
    rows
}

/// Returns the rows of all runs.
fn in_runs(documents: &Documents, snapshot: &Snapshot, report: &mut Report<'_>) -> Result<RoaringTreemap> {
    let runs = || snapshot.growing.runs(snapshot.growing.rows());
    let searched: Vec<_> = runs().map(|run| (run.rows().start, run.checksum())).collect();
    let named = report.entry(|| "manifest".to_owned(), documents.runs())?;
    if named.is_some_and(|named| named != searched) {
        report.add("the manifest names other runs than those that are searched");
    }
    let mut rows = RoaringTreemap::new();
    for run in runs() {
        rows.insert_range(run.rows());
    }
    Ok(rows)
}

/// Returns the rows of all segments, which are in order.
fn sealed(snapshot: &Snapshot, manifest: &Manifest, report: &mut Report<'_>) -> RoaringTreemap {
    let mut sealed = RoaringTreemap::new();
    for segment in &snapshot.segments {
        let rows: RoaringTreemap = segment.ids().iter().copied().collect();
        let number = segment.number;
        if let Some(few) = few(&(&rows & &sealed)) {
            report.add(format!("rows of segment {number} are in an earlier one too: {few}"));
        } else if sealed.max() > rows.min() {
            report.add(format!("segment {number} is not in the order of rows"));
        }
        if number >= manifest.next_segment {
            report.add(format!("segment {number} is beyond the last that was handed out"));
        }
        sealed |= rows;
    }
    let named = manifest.segments.iter().map(|entry| (entry.number, entry.rows as usize));
    if !named.eq(snapshot.segments.iter().map(|segment| (segment.number, segment.ids().len()))) {
        report.add("the manifest names other segments than those that are searched");
    }
    sealed
}
