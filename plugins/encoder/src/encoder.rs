use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use postil_checkpoint::{CheckpointError, Fingerprint, ModelFolder, TokenizerError};
use postil_contract::{Embeddings, EncodeError, Encoder, EncoderProfile, Passage};
use postil_kernel::threads;

use crate::batch;
use crate::side::Side;
use crate::{BertConfig, EncoderError, Similarity};

const TOKENIZER: &str = "tokenizer.json";
/// Number of texts that a thread takes at a time when tokenizing.
const TEXTS_AT_ONCE: usize = 16;

/// A BERT bi-encoder: sentence-transformers models, plain BERTs, and DPR.
///
/// A folder with `modules.json` is encoded as that file says. A plain BERT without one is encoded
/// as sentence-transformers would: mean of all token states, normalized. DPR's vector is the state
/// of `[CLS]`, projected if the model has a projection, not normalized.
///
/// The empty text has a vector, that of `[CLS] [SEP]`, as in the reference implementations.
pub struct BertEncoder {
    profile: EncoderProfile,
    passages: Side,
    /// The question side; `None` when the model has one side.
    questions: Option<Side>,
    threads: usize,
}

impl BertEncoder {
    /// Loads the model in `folder`, for both sides. For a RAG checkpoint this is its question
    /// encoder, which is useful only for the questions of [`BertEncoder::open_pair`]: another model
    /// encoded its passages.
    ///
    /// # Errors
    /// [`EncoderError`], naming the file, the tensor or the field.
    pub fn open(folder: &Path) -> Result<Self, EncoderError> {
        let folder = ModelFolder::open(folder)?;
        let (side, fingerprint) = load(&folder)?;
        Ok(Self::new(folder.name(), fingerprint, side, None))
    }

    /// Loads two models, as for DPR: one for questions, one for passages.
    ///
    /// # Errors
    /// As [`BertEncoder::open`], and [`EncoderError::Pair`] when their vectors have different
    /// lengths.
    pub fn open_pair(questions: &Path, passages: &Path) -> Result<Self, EncoderError> {
        let (question_folder, folder) = (ModelFolder::open(questions)?, ModelFolder::open(passages)?);
        let (questions, question_print) = load(&question_folder)?;
        let (passages, passage_print) = load(&folder)?;
        let (question, passage) = (questions.model.dimension(), passages.model.dimension());
        if question != passage {
            return Err(EncoderError::Pair { question, passage });
        }
        let mut fingerprint = Fingerprint::new();
        fingerprint.part("questions", question_print.as_bytes());
        fingerprint.part("passages", passage_print.as_bytes());
        let name = format!("{}+{}", question_folder.name(), folder.name());
        Ok(Self::new(name, fingerprint.finish(), passages, Some(questions)))
    }

    fn new(name: String, fingerprint: String, passages: Side, questions: Option<Side>) -> Self {
        let windows =
            [Some(&passages), questions.as_ref()].into_iter().flatten().map(|side| side.recipe.max_tokens);
        let profile = EncoderProfile {
            name,
            fingerprint,
            dimension: passages.model.dimension(),
            max_tokens: windows.min().unwrap_or_default(),
            similarity: passages.recipe.similarity,
            score_scale: passages.recipe.score_scale,
        };
        Self { profile, passages, questions, threads: threads::available() }
    }

    /// Sets the number of threads, at least 1; the default is the number that this process may use.
    #[must_use]
    pub fn with_threads(mut self, threads: usize) -> Self {
        self.threads = threads.max(1);
        self
    }

    /// Sets the name in the profile; the default is the folder's name.
    #[must_use]
    pub fn with_name(mut self, name: String) -> Self {
        self.profile.name = name;
        self
    }

    /// The measure by which the vectors are compared.
    pub fn similarity(&self) -> Similarity {
        self.profile.similarity
    }

    fn encode(
        &self,
        side: &Side,
        count: usize,
        ids: impl Fn(usize) -> Result<Vec<u32>, TokenizerError> + Sync,
    ) -> Result<Embeddings, EncodeError> {
        let slots: Vec<OnceLock<Vec<u32>>> = (0..count).map(|_| OnceLock::new()).collect();
        let next = AtomicUsize::new(0);
        let tokenized = threads::on_each(self.threads.min(count.div_ceil(TEXTS_AT_ONCE)), |_| {
            loop {
                let from = next.fetch_add(TEXTS_AT_ONCE, Ordering::Relaxed);
                for (index, slot) in slots.iter().enumerate().skip(from).take(TEXTS_AT_ONCE) {
                    let ids = ids(index).map_err(|error| self.failed(error.to_string()))?;
                    slot.set(ids).expect("each text is taken once");
                }
                if from >= count {
                    return Ok(());
                }
            }
        });
        tokenized.into_iter().collect::<Result<(), EncodeError>>()?;
        let sequences: Vec<Vec<u32>> = slots.into_iter().filter_map(OnceLock::into_inner).collect();
        let max_tokens = self.profile.max_tokens;
        if let Some(index) = sequences.iter().position(|sequence| sequence.len() > max_tokens) {
            return Err(EncodeError::TooLong { index, got_tokens: sequences[index].len(), max_tokens });
        }
        let recipe = &side.recipe;
        let vectors = batch::encode(&side.model, recipe.pooling, recipe.normalize, &sequences, self.threads)
            .map_err(|error| self.failed(error.to_string()))?;
        Embeddings::new(self.profile.dimension, vectors)
            .ok_or_else(|| self.failed("the vectors have no dimension".to_owned()))
    }

    fn failed(&self, reason: String) -> EncodeError {
        EncodeError::Model { model: self.profile.name.clone(), reason }
    }
}

impl Encoder for BertEncoder {
    fn profile(&self) -> &EncoderProfile {
        &self.profile
    }

    fn tokens(&self, text: &str) -> Result<Vec<Range<usize>>, EncodeError> {
        self.passages.ranges(text).map_err(|error| self.failed(error.to_string()))
    }

    fn room(&self, title: &str) -> Result<usize, EncodeError> {
        let taken = self
            .passages
            .passage_ids(Passage { title, text: "" })
            .map_err(|error| self.failed(error.to_string()))?;
        Ok(self.profile.max_tokens.saturating_sub(taken.len()))
    }

    fn encode_questions(&self, questions: &[&str]) -> Result<Embeddings, EncodeError> {
        let side = self.questions.as_ref().unwrap_or(&self.passages);
        self.encode(side, questions.len(), |index| side.question_ids(questions[index]))
    }

    fn encode_passages(&self, passages: &[Passage<'_>]) -> Result<Embeddings, EncodeError> {
        let side = &self.passages;
        self.encode(side, passages.len(), |index| side.passage_ids(passages[index]))
    }
}

/// Loads one side while its files are hashed on a second thread.
fn load(folder: &ModelFolder) -> Result<(Side, String), EncoderError> {
    // A part's tokenizer in its older form is several files, so the tokenizer built from them is
    // hashed instead.
    let is_part = BertConfig::is_part(folder)?;
    std::thread::scope(|scope| {
        let digest = scope.spawn(|| -> Result<Fingerprint, CheckpointError> {
            let mut fingerprint = Fingerprint::new();
            if folder.has(TOKENIZER) && !is_part {
                fingerprint.file("tokenizer", &folder.file(TOKENIZER))?;
            }
            for file in folder.weight_files()? {
                fingerprint.file("weights", &file)?;
            }
            Ok(fingerprint)
        });
        // Loading comes first: its errors describe a damaged file better.
        let side = Side::open(folder)?;
        let mut fingerprint = digest.join().expect("hashing returns its errors")?;
        if is_part || !folder.has(TOKENIZER) {
            fingerprint.part("tokenizer", side.tokenizer_json().as_bytes());
        }
        side.model.config().fingerprint(&mut fingerprint);
        side.recipe.fingerprint(&mut fingerprint);
        Ok((side, fingerprint.finish()))
    })
}
