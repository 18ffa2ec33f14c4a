//! Preparation of one document: its content hash, its passages, and the write that stores them.

use std::ops::Range;

use postil_contract::{EncodeError, Encoder, Passage};
use postil_storage::{DocumentWrite, Extent, LEAD_JOINT, PassageWrite, Value};

use crate::chunk::{self, Chunk, ChunkOptions, Format, HEADING_JOINT, TokenRanges};
use crate::origin::PATH_FIELD;
use crate::{Document, Error};

/// Version of preparation; a release changes it when stored passages have to be made anew. A few
/// bounds that move by better rules do not: documents keep theirs until they change.
const PREPARATION_VERSION: u8 = 1;
/// The version for Markdown with a table, whose rows carry their header.
const TABLES_VERSION: u8 = 2;

/// A document split into passages, not yet embedded.
pub(super) struct Prepared {
    document: Document,
    content_hash: [u8; 32],
    chunks: Vec<Chunk>,
    /// Lead and text of each chunk; `None` for a chunk without a lead.
    led: Vec<Option<String>>,
}

/// The chunker's view of an encoder, for a document whose title stands before every heading path.
struct Tokens<'a> {
    encoder: &'a dyn Encoder,
    title: &'a str,
}

impl TokenRanges for Tokens<'_> {
    fn tokens(&self, text: &str) -> Result<Vec<Range<usize>>, EncodeError> {
        self.encoder.tokens(text)
    }

    fn room(&self, headings: &str) -> Result<usize, EncodeError> {
        self.encoder.room(&join(self.title, headings))
    }
}

/// The heading of a passage: its document's title, then the headings it stands under, the first of
/// which may be that title again.
fn join(title: &str, headings: &str) -> String {
    let is_named = |rest: &str| rest.is_empty() || rest.starts_with(HEADING_JOINT);
    match (title, headings) {
        (only, "") | ("", only) => only.to_owned(),
        (title, headings) if headings.strip_prefix(title).is_some_and(is_named) => headings.to_owned(),
        (title, headings) => format!("{title}{HEADING_JOINT}{headings}"),
    }
}

/// Digest of everything that affects what is stored for a document, except the encoder, which a
/// database never changes.
pub(super) fn content_hash(document: &Document, options: &ChunkOptions) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let mut field = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    let has_table = document.format == Format::Markdown && document.text.lines().any(is_delimiter_row);
    let version = if has_table { TABLES_VERSION } else { PREPARATION_VERSION };
    field(&[version, document.format as u8]);
    field(&(options.max_tokens as u64).to_le_bytes());
    field(&(options.overlap_sentences as u64).to_le_bytes());
    field(document.title.as_bytes());
    field(document.text.as_bytes());
    field(&document.map.to_bytes());
    if let Some(outline) = &document.outline {
        field(&outline.digest());
    }
    let places = document.places.part(&(0..document.text.len()));
    if !places.is_empty() {
        field(&places);
    }
    // The place of its file is no content. In a document without a file the field is the caller's
    // own and counts.
    let is_ours = |name: &str| name == PATH_FIELD && document.origin.is_some();
    for (name, value) in document.metadata.iter().filter(|(name, _)| !is_ours(name)) {
        field(name.as_bytes());
        hash_value(value, &mut field);
    }
    *hasher.finalize().as_bytes()
}

/// Passes a value to `field`, part by part, so that no two values give the same parts. The oldest
/// kinds of values must keep their parts, or every document with one would be embedded again.
fn hash_value(value: &Value, field: &mut impl FnMut(&[u8])) {
    match value {
        Value::String(text) => field(format!("s{text}").as_bytes()),
        Value::Integer(number) => field(format!("i{number}").as_bytes()),
        Value::Float(number) => field(format!("f{}", number.to_bits()).as_bytes()),
        Value::Bool(truth) => field(format!("b{truth}").as_bytes()),
        Value::List(items) if items.iter().all(|item| matches!(item, Value::String(_))) => {
            field(format!("l{}", items.len()).as_bytes());
            items.iter().filter_map(Value::as_str).for_each(|text| field(text.as_bytes()));
        }
        Value::List(items) => {
            field(format!("L{}", items.len()).as_bytes());
            items.iter().for_each(|item| hash_value(item, field));
        }
        Value::Object(fields) => {
            field(format!("o{}", fields.len()).as_bytes());
            for (name, value) in fields {
                field(name.as_bytes());
                hash_value(value, field);
            }
        }
        // For these and future kinds the text is unambiguous: none begins as one above.
        other => field(format!("n{other}").as_bytes()),
    }
}

/// True when a line can be the delimiter row below a Markdown table's header.
fn is_delimiter_row(line: &str) -> bool {
    let line = line.trim();
    line.contains('-') && line.bytes().all(|byte| matches!(byte, b'|' | b'-' | b':' | b' ' | b'\t' | b'>'))
}

impl Prepared {
    /// Splits `document` for `encoder`.
    pub(super) fn new(
        document: Document,
        content_hash: [u8; 32],
        encoder: &dyn Encoder,
        options: &ChunkOptions,
    ) -> Result<Self, Error> {
        // A title that would leave too little of the window for text is shown, but not embedded.
        let crowded = encoder.room(&document.title)? < options.max_tokens / 2;
        let title = if crowded { "" } else { &document.title };
        let (text, tokens) = (&document.text, Tokens { encoder, title });
        let chunks = match &document.outline {
            Some(outline) => chunk::chunk_outlined(text, outline, options, &tokens),
            None => chunk::chunk(text, document.format, options, &tokens),
        };
        let mut chunks = chunks.map_err(|source| Error::Chunk { key: document.key.clone(), source })?;
        for chunk in &mut chunks {
            chunk.title = join(title, &chunk.title);
        }
        if chunks.is_empty() {
            return Err(Error::EmptyDocument { key: document.key });
        }
        let read = |chunk: &Chunk| {
            let lead = &text[chunk.lead.clone()];
            (!lead.is_empty()).then(|| [lead, LEAD_JOINT, &text[chunk.range.clone()]].concat())
        };
        let led = chunks.iter().map(read).collect();
        Ok(Self { document, content_hash, chunks, led })
    }

    /// The sizes that the store limits.
    pub(super) fn extent(&self) -> Extent<'_> {
        let titles = self.chunks.iter().map(|chunk| chunk.title.len());
        Extent {
            key: &self.document.key,
            text_bytes: self.document.text.len(),
            title_bytes: titles.chain([self.document.title.len()]).max().unwrap_or(0),
            metadata: &self.document.metadata,
            passages: self.chunks.len(),
        }
    }

    /// Number of its passages.
    pub(super) fn len(&self) -> usize {
        self.chunks.len()
    }

    /// Its passages, as the encoder reads them.
    pub(super) fn passages(&self) -> impl Iterator<Item = Passage<'_>> {
        self.chunks.iter().zip(&self.led).map(|(chunk, led)| Passage {
            title: &chunk.title,
            text: led.as_deref().unwrap_or(&self.document.text[chunk.range.clone()]),
        })
    }

    /// Turns it into the write that stores it, with one vector per passage from `vectors`.
    pub(super) fn into_write(self, vectors: &mut impl Iterator<Item = Vec<f32>>) -> DocumentWrite {
        let Self { document, content_hash, chunks, .. } = self;
        let passages = chunks
            .into_iter()
            .zip(vectors)
            .map(|(chunk, vector)| {
                let source = document.map.source_range(chunk.range.clone());
                PassageWrite {
                    range: chunk.range.start as u64..chunk.range.end as u64,
                    places: document.places.part(&chunk.range),
                    source_range: source.start as u64..source.end as u64,
                    lead: chunk.lead.start as u64..chunk.lead.end as u64,
                    heading: chunk.title,
                    vector,
                }
            })
            .collect();
        DocumentWrite {
            key: document.key,
            title: match document.title.is_empty() {
                true => document.own_title.unwrap_or_default(),
                false => document.title,
            },
            source_map: if document.map.is_identity() { Vec::new() } else { document.map.to_bytes() },
            text: document.text,
            content_hash,
            metadata: document.metadata,
            passages,
        }
    }
}
