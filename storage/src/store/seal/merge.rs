//! Merging segments and growing rows into one segment, which replaces them.

use super::Worker;
use super::making::Making;
use crate::documents::{SegmentEntry, Writes};
use crate::error::Result;
use crate::fault::{self, Point};
use crate::index::copies::{self, Copies};
use crate::index::graph::{self, build::BuildOptions};
use crate::index::segment::{self, Means, Segment, SegmentRows};
use crate::store::snapshot::Snapshot;
use crate::store::{Profile, StoreOptions};
use crate::sync::atomic::{AtomicBool, Ordering};
use crate::vector::codes::{self, Codes, Scale};
use crate::vector::nibbles::{self, Grid, Nibbles};
use crate::vector::rows::Rows;
use roaring::RoaringTreemap;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

/// A segment with fewer than one removed row in this many is kept whole when others are merged into
/// it.
const EXTEND: usize = 10;

impl Worker {
    /// Merges adjacent segments, and the first growing rows after them, into one segment.
    ///
    /// If the first segment is kept whole, its codes and graph are extended; otherwise both are
    /// new. Removed rows are left out, except those of a segment that is kept whole. Changes
    /// nothing when it is stopped.
    pub(super) fn merge(
        &self,
        snapshot: &Snapshot,
        replaced: Range<usize>,
        growing: usize,
        rebuild: bool,
        stop: &AtomicBool,
    ) -> Result<()> {
        let shared = &*self.shared;
        let stopped = || stop.load(Ordering::Acquire);
        shared.writable()?;
        // If the last segment goes because all of its rows are removed, vectors left in the trees
        // would count as growing again.
        self.take_out_sealed(stop)?;
        if stopped() {
            return Ok(());
        }
        let (old, removed) = (&snapshot.segments[replaced.clone()], &*snapshot.removed);
        for segment in old {
            segment.is_sound()?;
            if stopped() {
                return Ok(());
            }
        }
        for run in snapshot.growing.runs(growing) {
            run.is_sound()?;
        }
        let growing_rows = || {
            let rows = snapshot.growing.stream(growing);
            rows.map(|(row, vector)| (row, Cow::Borrowed(vector)))
        };
        let vectors_after = |at: usize| {
            let sealed = old.iter().skip(at).flat_map(|segment| segment.stream());
            sealed.chain(growing_rows()).map(|(_, vector)| vector)
        };
        let extended = old.first().filter(|first| {
            let few_removed = snapshot.removed_in(first) * EXTEND < first.ids().len();
            !rebuild && few_removed && first.scale().suits(vectors_after(1))
        });
        let whole = extended.map_or(0, |first| first.ids().len());
        let rows = || {
            let sealed = old.iter().flat_map(|segment| segment.stream());
            let all = sealed.chain(growing_rows());
            all.enumerate().filter(|&(at, (row, _))| at < whole || !removed.contains(row)).map(|(_, row)| row)
        };
        let ids: Vec<u64> = rows().map(|(row, _)| row).collect();
        if ids.is_empty() {
            return self.adopt(snapshot, replaced, growing, None, &ids);
        }
        let profile = &shared.profile;
        let Profile { metric, dimension, precision, .. } = *profile;
        let stride = codes::stride(dimension);
        let mut codes: Vec<i8> = Vec::with_capacity(ids.len() * stride);
        let scale = match extended {
            Some(first) => {
                codes.extend_from_slice(first.codes().map_or(&[], |present| present.codes));
                first.scale()
            }
            None => Scale::fit(rows().map(|(_, vector)| vector), ids.len(), dimension),
        };
        rows().skip(codes.len() / stride).for_each(|(_, vector)| scale.encode(&vector, &mut codes));
        let codes = Codes { codes: &codes, stride };
        let vectors = || rows().map(|(_, vector)| vector);
        let at = |position: u32| snapshot.sound_vector(*ids.get(position as usize)?).ok().flatten();
        let known = extended.map_or(Copies::default(), |first| first.copies());
        let copies = copies::find(vectors(), known, whole, at);
        let copies = Copies(&copies);
        let StoreOptions { m, ef_construction, index_threads: threads, .. } = shared.options;
        let asked = shared.asked.lock().vectors();
        let asked = &asked;
        let options = BuildOptions { m, ef: ef_construction, threads, busy: &shared.building.searched };
        if stopped() {
            return Ok(());
        }
        let making = Making { metric, dimension, codes, scale, copies, at: &at, asked, options, stop };
        // What is measured of fewer rows is not used: a stopped merge makes no segment.
        let measured = || vectors().take_while(|_| !stopped());
        let by_vectors = !making.codes_tell_apart(measured());
        if stopped() {
            return Ok(());
        }
        let flat: Vec<f32> =
            if by_vectors { vectors().flat_map(Cow::into_owned).collect() } else { Vec::new() };
        let all = match by_vectors {
            true => Rows::Vectors { vectors: &flat, dimension },
            false => Rows::Codes(codes),
        };
        shared.building.start(ids.len());
        // A graph built by codes does not serve for vectors.
        let before = extended
            .filter(|first| (first.plan().means == Means::Vectors) == by_vectors)
            .map(|first| first.graph());
        let graph = graph::build::build(metric, all, copies, before, options, &shared.building.done, stop);
        shared.building.start(0);
        let Some(graph) = graph else { return Ok(()) };
        let has_fewer_lines = !by_vectors && dimension >= nibbles::LEAST_DIMENSION;
        let present = extended.and_then(|first| first.nibbles());
        let grid = has_fewer_lines.then(|| match present {
            Some(present) => Grid::stored(present.grid),
            None => Grid::fit(vectors(), ids.len(), dimension),
        });
        let (mut bytes, mut norms) =
            present.map_or_else(Default::default, |present| (present.bytes.to_vec(), present.norms.to_vec()));
        let nibbles = grid.as_ref().map(|grid| {
            let stride = nibbles::stride(dimension);
            for vector in vectors().skip(bytes.len() / stride) {
                let norm = grid.encode(&vector, &mut bytes);
                norms.extend(metric.needs_norms().then_some(norm));
            }
            Nibbles { bytes: &bytes, stride, norms: &norms, grid: grid.numbers() }
        });
        let plan = making.plan(&graph, all, nibbles, measured);
        if stopped() {
            return Ok(());
        }
        let nibbles = nibbles.filter(|_| plan.means == Means::Nibbles);

        let number = shared.writer.lock().next_segment;
        let content = SegmentRows {
            metric,
            dimension,
            precision,
            ids: &ids,
            vectors: vectors(),
            scale,
            codes: (plan.means != Means::Nibbles).then_some(codes),
            graph: &graph,
            copies,
            plan: &plan,
            nibbles,
        };
        let folder = &shared.segments_folder;
        segment::write(folder, number, content).inspect_err(|_| {
            // Frees space on a full disk; the next open would remove it too.
            let _ = std::fs::remove_file(segment::file(folder, number).with_extension("tmp"));
        })?;
        let segment = Segment::open(folder, number, dimension, metric)?;
        fault::reach(Point::SegmentOpened)?;
        self.adopt(snapshot, replaced, growing, Some(segment), &ids)
    }

    /// Makes the segment part of the database, replacing those it was made of.
    fn adopt(
        &self,
        from: &Snapshot,
        replaced: Range<usize>,
        growing: usize,
        segment: Option<Segment>,
        ids: &[u64],
    ) -> Result<()> {
        let shared = &*self.shared;
        let mut writer = shared.writer.lock();
        shared.writable()?;
        let before = shared.current();
        let mut manifest = writer.clone();
        let entry =
            segment.as_ref().map(|segment| SegmentEntry { number: segment.number, rows: ids.len() as u32 });
        if let Some(entry) = &entry {
            manifest.next_segment = entry.number + 1;
        }
        manifest.segments.splice(replaced.clone(), entry);
        let mut writes = Writes::default();
        let mut left_out = RoaringTreemap::new();
        for &row in from.segments[replaced.clone()].iter().flat_map(|segment| segment.ids()) {
            if ids.binary_search(&row).is_err() {
                writes.forget_removed(row);
                left_out.insert(row);
            }
        }
        for (row, _) in from.growing.iter_from(0).take(growing) {
            match (ids.binary_search(&row).is_ok(), before.removed.contains(row)) {
                (true, false) => {}
                // Removed after the merge began.
                (true, true) => writes.mark_removed(row),
                (false, _) => {
                    writes.forget_removed(row);
                    left_out.insert(row);
                }
            }
        }
        for run in from.growing.runs(growing) {
            writes.forget_run(run.rows().start);
        }
        for segment in &before.segments[replaced.clone()] {
            writes.forget_segment(segment.number);
        }
        if let Some(segment) = &segment {
            writes.segment(segment.number, segment.checksum());
        }
        writes.manifest(&manifest);
        let unpublished = shared.write(&writes)?;
        let mut snapshot = (*before).clone();
        snapshot.growing = before.growing.without_first(growing);
        let old = snapshot.segments.splice(replaced, segment.map(Arc::new));
        let mut old: Vec<_> = old.map(|segment| segment.path().to_owned()).collect();
        old.extend(from.growing.runs(growing).map(|run| run.path().to_owned()));
        if !left_out.is_empty() {
            *Arc::make_mut(&mut snapshot.removed) -= left_out;
        }
        shared.publish(snapshot);
        *writer = manifest;
        drop(unpublished);
        shared.notify();
        fault::reach(Point::AdoptionPublished)?;
        // Before the lock is released: a check would take these files for damage.
        for path in old {
            // Searches that began earlier still read it: the name goes now, the bytes when they
            // end. If the system does not allow that, the next open removes it.
            let _ = std::fs::remove_file(path);
            fault::reach(Point::OldFileRemoved)?;
        }
        Ok(())
    }
}
