//! Question sets and corpora as the benchmarks read them, and an encoder with a cache.
#![allow(dead_code, reason = "each benchmark uses its part")]

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use parking_lot::Mutex;
use postil::Document;
use postil_contract::{Embeddings, EncodeError, Encoder, EncoderProfile, Passage};
use serde::Deserialize;

/// A question with its gold answers and the passage that holds them.
#[derive(Deserialize)]
pub(crate) struct Question {
    pub(crate) question: String,
    #[serde(default)]
    pub(crate) answers: Vec<String>,
    pub(crate) pid: String,
}

#[derive(Deserialize)]
struct Paragraph {
    pid: String,
    #[serde(default)]
    title: String,
    text: String,
}

/// Folder of the shared data: `POSTIL_DATA`, or `../shared/data` beside the project.
pub(crate) fn data_folder() -> PathBuf {
    std::env::var_os("POSTIL_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from)
}

/// The questions of a set.
pub(crate) fn questions(path: &Path) -> std::io::Result<Vec<Question>> {
    lines(path)?.map(|line| Ok(serde_json::from_str(&line?)?)).collect()
}

/// The paragraphs of a corpus as documents keyed by pid; `.xz` is unpacked by the `xz` command.
pub(crate) fn documents(path: &Path) -> std::io::Result<Vec<Document>> {
    lines(path)?
        .map(|line| {
            let paragraph: Paragraph = serde_json::from_str(&line?)?;
            Ok(Document::new(paragraph.pid, paragraph.text).with_title(paragraph.title))
        })
        .collect()
}

fn lines(path: &Path) -> std::io::Result<impl Iterator<Item = std::io::Result<String>>> {
    let reader: Box<dyn Read> = if path.extension().is_some_and(|ending| ending == "xz") {
        let child = Command::new("xz").arg("-dc").arg(path).stdout(Stdio::piped()).spawn()?;
        Box::new(child.stdout.ok_or_else(|| std::io::Error::other("xz has no output"))?)
    } else {
        Box::new(std::fs::File::open(path)?)
    };
    Ok(BufReader::new(reader).lines())
}

/// An encoder that embeds each text once and caches its vector: a benchmark asks the same sentences
/// many times.
pub(crate) struct Remembering {
    inner: Arc<dyn Encoder>,
    seen: Mutex<HashMap<(bool, String, String), Vec<f32>>>,
}

impl Remembering {
    pub(crate) fn new(inner: Arc<dyn Encoder>) -> Self {
        Self { inner, seen: Mutex::default() }
    }

    fn encode(
        &self,
        keys: &[(bool, String, String)],
        embed: impl FnOnce(&[usize]) -> Result<Embeddings, EncodeError>,
    ) -> Result<Embeddings, EncodeError> {
        let mut seen = self.seen.lock();
        let mut missing: Vec<usize> = (0..keys.len()).filter(|&i| !seen.contains_key(&keys[i])).collect();
        missing.dedup_by_key(|i| &keys[*i]);
        if !missing.is_empty() {
            let new = embed(&missing)?;
            for (&i, row) in missing.iter().zip(new.rows()) {
                seen.insert(keys[i].clone(), row.to_vec());
            }
        }
        let values = keys.iter().flat_map(|key| seen[key].iter().copied()).collect();
        Ok(Embeddings::new(self.inner.profile().dimension, values).expect("rows of one dimension"))
    }
}

impl Encoder for Remembering {
    fn profile(&self) -> &EncoderProfile {
        self.inner.profile()
    }

    fn tokens(&self, text: &str) -> Result<Vec<Range<usize>>, EncodeError> {
        self.inner.tokens(text)
    }

    fn room(&self, title: &str) -> Result<usize, EncodeError> {
        self.inner.room(title)
    }

    fn encode_questions(&self, questions: &[&str]) -> Result<Embeddings, EncodeError> {
        let keys = questions.iter().map(|text| (true, String::new(), (*text).to_owned())).collect::<Vec<_>>();
        self.encode(&keys, |missing| {
            let texts: Vec<&str> = missing.iter().map(|&i| questions[i]).collect();
            self.inner.encode_questions(&texts)
        })
    }

    fn encode_passages(&self, passages: &[Passage<'_>]) -> Result<Embeddings, EncodeError> {
        let keys =
            passages.iter().map(|p| (false, p.title.to_owned(), p.text.to_owned())).collect::<Vec<_>>();
        self.encode(&keys, |missing| {
            let passages: Vec<Passage<'_>> = missing.iter().map(|&i| passages[i]).collect();
            self.inner.encode_passages(&passages)
        })
    }
}
