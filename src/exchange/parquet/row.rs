//! A document as rows, and back.

use std::borrow::Cow;

use postil_storage::{DocumentWrite, Metadata, PassageWrite, json};

use super::super::invalid::Invalid;
use super::column::{NUMBERS, Number, Strings, TEXTS};

/// A passage and the fields of its document; fields that do not belong in a row are null.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Row {
    pub(super) texts: [Option<Vec<u8>>; TEXTS.len()],
    pub(super) numbers: [Option<i64>; NUMBERS.len()],
    pub(super) embedding: Option<Vec<f32>>,
}

impl Row {
    /// Bytes of its values.
    pub(super) fn bytes(&self) -> usize {
        let texts: usize = self.texts.iter().flatten().map(Vec::len).sum();
        texts + size_of_val(&self.numbers) + self.embedding.as_ref().map_or(0, |vector| 4 * vector.len())
    }

    fn set(&mut self, column: Strings, value: impl Into<Vec<u8>>) {
        self.texts[column as usize] = Some(value.into());
    }

    fn set_number(&mut self, column: Number, value: u64) -> Result<(), Invalid> {
        let name = NUMBERS[column as usize];
        let value =
            i64::try_from(value).map_err(|_| format!("{name} is {value}, more than Parquet can say"))?;
        self.numbers[column as usize] = Some(value);
        Ok(())
    }

    fn bytes_of(&mut self, column: Strings) -> Result<Vec<u8>, Invalid> {
        let bytes = self.texts[column as usize].take();
        bytes.ok_or_else(|| format!("{} is null", TEXTS[column as usize]).into())
    }

    fn text(&mut self, column: Strings) -> Result<String, Invalid> {
        String::from_utf8(self.bytes_of(column)?)
            .map_err(|_| format!("{} is not UTF-8", TEXTS[column as usize]).into())
    }

    fn number(&self, column: Number) -> Result<u64, Invalid> {
        let name = NUMBERS[column as usize];
        let value = self.numbers[column as usize].ok_or_else(|| format!("{name} is null"))?;
        u64::try_from(value).map_err(|_| format!("{name} is {value}").into())
    }

    /// True when the row can belong to the document whose last row so far is `last`.
    pub(super) fn follows(&self, last: &Self) -> bool {
        let passage = |row: &Self| row.numbers[Number::Passage as usize];
        let next = passage(last).and_then(|passage| passage.checked_add(1));
        self.texts[Strings::Id as usize] == last.texts[Strings::Id as usize]
            && next.is_some()
            && passage(self) == next
    }
}

/// The rows of a document. An error says which number is too large for a file.
pub(super) fn from_document(document: DocumentWrite, with_vectors: bool) -> Result<Vec<Row>, Invalid> {
    let DocumentWrite { key, title, text, content_hash, metadata, source_map, passages } = document;
    let metadata = json::object_text(&metadata);
    let count = passages.len() as u64;
    let mut rows = Vec::with_capacity(passages.len().max(1));
    let shared = |row: &mut Row| {
        row.set(Strings::Id, key.as_str());
        row.set(Strings::Metadata, metadata.as_str());
        row.set_number(Number::Passages, count)
    };
    for (at, passage) in passages.into_iter().enumerate() {
        let of_document = passage.text(&text).map(Cow::into_owned);
        let PassageWrite { range, source_range, lead, heading, vector, places: _ } = passage;
        let mut row = Row::default();
        shared(&mut row)?;
        row.set(Strings::Heading, heading);
        row.set(
            Strings::Text,
            of_document.ok_or_else(|| format!("passage {at} of {key:?} is no range of its text"))?,
        );
        row.set_number(Number::Passage, at as u64)?;
        row.set_number(Number::Start, source_range.start)?;
        row.set_number(Number::End, source_range.end)?;
        row.set_number(Number::TextStart, range.start)?;
        row.set_number(Number::TextEnd, range.end)?;
        row.set_number(Number::LeadStart, lead.start)?;
        row.set_number(Number::LeadEnd, lead.end)?;
        row.embedding = with_vectors.then_some(vector);
        rows.push(row);
    }
    if rows.is_empty() {
        rows.push(Row::default());
        shared(&mut rows[0])?;
    }
    rows[0].set(Strings::DocumentTitle, title);
    rows[0].set(Strings::DocumentText, text);
    rows[0].set(Strings::ContentHash, content_hash);
    rows[0].set(Strings::SourceMap, source_map);
    Ok(rows)
}

/// Vectors of a document's passages; `None` when a passage has none.
type Vectors = Option<Vec<Vec<f32>>>;

/// The document of consecutive rows, and its vectors. An error says what is wrong.
pub(super) fn to_document(mut rows: Vec<Row>) -> Result<(DocumentWrite, Vectors), Invalid> {
    let first = rows.first_mut().ok_or("a document has no row")?;
    let without_passages = first.numbers[Number::Passage as usize].is_none();
    if !without_passages && first.number(Number::Passage)? != 0 {
        return Err("it does not follow the document's rows before it".into());
    }
    let count = first.number(Number::Passages)?;
    let json = first.texts[Strings::Metadata as usize].clone();
    let metadata = metadata(json.as_deref().ok_or("metadata is null")?)?;
    let mut document = DocumentWrite {
        key: first.text(Strings::Id)?,
        title: first.text(Strings::DocumentTitle)?,
        text: first.text(Strings::DocumentText)?,
        content_hash: first
            .bytes_of(Strings::ContentHash)?
            .try_into()
            .map_err(|_| "content_hash has not 32 bytes")?,
        metadata,
        source_map: first.bytes_of(Strings::SourceMap)?,
        passages: Vec::with_capacity(rows.len()),
    };
    let passages = if without_passages { Vec::new() } else { rows };
    if passages.len() as u64 != count {
        let there = passages.len();
        return Err(format!("the document has {count} passages, and {there} of them are there").into());
    }
    let mut vectors = Some(Vec::with_capacity(passages.len()));
    for (at, mut row) in passages.into_iter().enumerate() {
        let of_row = |what: Invalid| Invalid::from(format!("passage {at}: {what}"));
        let passage = passage(&mut row, &document, json.as_deref()).map_err(of_row)?;
        document.passages.push(passage);
        match (&mut vectors, row.embedding) {
            (Some(vectors), Some(vector)) => vectors.push(vector),
            _ => vectors = None,
        }
    }
    Ok((document, vectors))
}

/// Checks that fields repeated in every row, so that each can be read alone, are the same: a change
/// in one row would be lost.
fn passage(
    row: &mut Row,
    document: &DocumentWrite,
    metadata: Option<&[u8]>,
) -> Result<PassageWrite, Invalid> {
    if row.texts[Strings::Metadata as usize].as_deref() != metadata {
        return Err("its metadata is not that of the document's first row".into());
    }
    let lead = match row.numbers[Number::LeadStart as usize] {
        Some(_) => row.number(Number::LeadStart)?..row.number(Number::LeadEnd)?,
        None => 0..0,
    };
    let passage = PassageWrite {
        range: row.number(Number::TextStart)?..row.number(Number::TextEnd)?,
        source_range: row.number(Number::Start)?..row.number(Number::End)?,
        lead,
        places: Vec::new(),
        heading: row.text(Strings::Heading)?,
        vector: Vec::new(),
    };
    let of_document = passage.text(&document.text);
    let Some(of_document) = of_document else { return Err("it is no range of document_text".into()) };
    if of_document != row.text(Strings::Text)? {
        return Err("its text is not what document_text has there".into());
    }
    Ok(passage)
}

fn metadata(text: &[u8]) -> Result<Metadata, Invalid> {
    let no_object =
        |error: &dyn std::fmt::Display| Invalid::from(format!("metadata is no JSON object: {error}"));
    let text = std::str::from_utf8(text).map_err(|error| no_object(&error))?;
    json::read_object(text).map_err(|error| no_object(&error))
}
