//! Text ranges to source ranges.
//!
//! A text is a sequence of runs. A verbatim run is a copy of as many source bytes; any other stands
//! as a whole for its source range, which is empty for text that the extraction inserted. Offsets
//! only grow on both sides.

use std::ops::Range;

/// The map from a document's text to its source bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OffsetMap {
    runs: Vec<Run>,
    text_len: usize,
    source_end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    text_start: usize,
    source_start: usize,
    source_len: usize,
    verbatim: bool,
}

/// Error of bytes that are no offset map.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("not an offset map: byte {at} {what}")]
pub struct OffsetMapError {
    /// The byte where reading stopped.
    pub at: usize,
    /// The reason.
    pub what: &'static str,
}

impl OffsetMap {
    /// The map of a text that is its own source.
    pub fn identity(text_len: usize) -> Self {
        let mut map = Self::default();
        map.push_verbatim(0, text_len);
        map
    }

    /// Bytes of text that the map covers.
    pub fn text_len(&self) -> usize {
        self.text_len
    }

    /// True when every byte of the text has the same place in the source.
    pub fn is_identity(&self) -> bool {
        match self.runs.as_slice() {
            [] => true,
            [run] => run.verbatim && run.source_start == 0,
            _ => false,
        }
    }

    /// The source range that the text range `text` came from.
    ///
    /// A part of a decoded run has the range of the whole run, inserted text has an empty one, and
    /// source bytes left out inside `text` are part of the range. A range past the end is cut. Of
    /// two ranges, the one that starts or ends later in the text starts or ends no earlier in the
    /// source.
    pub fn source_range(&self, text: Range<usize>) -> Range<usize> {
        let start = text.start.min(self.text_len);
        let end = text.end.clamp(start, self.text_len);
        let Some(first) = self.run_at(start) else { return self.source_end..self.source_end };
        let into = if first.verbatim { (start - first.text_start).min(first.source_len) } else { 0 };
        let source_start = if start == self.text_len { self.source_end } else { first.source_start + into };
        if start == end {
            return source_start..source_start;
        }
        let last = self.run_at(end - 1).unwrap_or(first);
        let into = if last.verbatim { end - last.text_start } else { last.source_len };
        source_start..last.source_start + into
    }

    /// The run that text byte `at` is in; the last one past the end.
    fn run_at(&self, at: usize) -> Option<Run> {
        let after = self.runs.partition_point(|run| run.text_start <= at);
        self.runs.get(after.checked_sub(1)?).copied()
    }

    /// Appends `len` bytes copied from `source_start`, which is not before the end of the last run.
    pub(crate) fn push_verbatim(&mut self, source_start: usize, len: usize) {
        if len == 0 {
            return;
        }
        match self.runs.last_mut() {
            Some(last) if last.verbatim && self.source_end == source_start => last.source_len += len,
            _ => self.runs.push(Run {
                text_start: self.text_len,
                source_start,
                source_len: len,
                verbatim: true,
            }),
        }
        self.text_len += len;
        self.source_end = source_start + len;
    }

    /// Appends `len` bytes that stand for `source`, which does not start before the end of the last
    /// run.
    pub(crate) fn push_decoded(&mut self, len: usize, source: Range<usize>) {
        if len == 0 {
            return;
        }
        let (source_start, source_len) = (source.start, source.len());
        self.runs.push(Run { text_start: self.text_len, source_start, source_len, verbatim: false });
        self.text_len += len;
        self.source_end = source.end;
    }

    /// The verbatim runs: text range and source start.
    #[cfg(test)]
    pub(crate) fn verbatim_runs(&self) -> impl Iterator<Item = (Range<usize>, usize)> {
        let verbatim = self.runs.iter().filter(|run| run.verbatim);
        verbatim.map(|run| (run.text_start..run.text_start + run.source_len, run.source_start))
    }

    /// The map as bytes: the number of runs, then for each its length in the text and whether it is
    /// verbatim (lowest bit), the source bytes skipped before it and, unless it is verbatim, its
    /// source length; all in LEB128. A document that is its own text takes a handful of bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1 + self.runs.len() * 4);
        write(&mut bytes, self.runs.len() as u64);
        let mut source_end = 0;
        for (index, run) in self.runs.iter().enumerate() {
            let text_end = self.runs.get(index + 1).map_or(self.text_len, |next| next.text_start);
            write(&mut bytes, ((text_end - run.text_start) as u64) << 1 | u64::from(run.verbatim));
            write(&mut bytes, (run.source_start - source_end) as u64);
            if !run.verbatim {
                write(&mut bytes, run.source_len as u64);
            }
            source_end = run.source_start + run.source_len;
        }
        bytes
    }

    /// Reads what [`OffsetMap::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`OffsetMapError`] when `bytes` are anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OffsetMapError> {
        let mut reader = Reader { bytes, at: 0 };
        let mut map = Self::default();
        // Not a capacity: a damaged count must not reserve memory.
        for _ in 0..reader.number()? {
            let head = reader.number()?;
            let (len, verbatim) = (head >> 1, head & 1 == 1);
            let skipped = reader.number()?;
            let source_len = if verbatim { len } else { reader.number()? };
            if len == 0 {
                return Err(reader.error("ends an empty run"));
            }
            let source_start = map.source_end.checked_add(skipped);
            let source_end = source_start.and_then(|start| start.checked_add(source_len));
            let text_len = map.text_len.checked_add(len);
            let (Some(source_start), Some(source_end), Some(text_len)) = (source_start, source_end, text_len)
            else {
                return Err(reader.error("ends a run past any text"));
            };
            map.runs.push(Run { text_start: map.text_len, source_start, source_len, verbatim });
            (map.text_len, map.source_end) = (text_len, source_end);
        }
        if reader.at < bytes.len() {
            return Err(reader.error("follows the last run"));
        }
        Ok(map)
    }
}

fn write(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

struct Reader<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl Reader<'_> {
    fn number(&mut self) -> Result<usize, OffsetMapError> {
        let mut number = 0_u64;
        for shift in (0..63).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or_else(|| self.error("is missing"))?;
            self.at += 1;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return usize::try_from(number).map_err(|_| self.error("ends a number too large"));
            }
        }
        Err(self.error("ends a number too large"))
    }

    fn error(&self, what: &'static str) -> OffsetMapError {
        OffsetMapError { at: self.at, what }
    }
}
