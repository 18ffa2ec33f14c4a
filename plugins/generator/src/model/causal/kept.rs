use std::path::Path;
use std::sync::{Arc, PoisonError};

use candle_core::Result;
use postil_checkpoint::Fingerprint;
use postil_contract::{GenerateError, KeptFile, TokenId};

use super::super::backbone::{KeepError, Kept, Told};
use super::super::prompt::Prompt;
use super::Causal;
use super::files::KeyFiles;
use super::keys::Keys;
use super::pass::Sequence;

/// Number of tokens read to tell one model from another.
const PROBE: TokenId = 16;

impl Causal {
    /// The keys of the last `tokens` tokens of a beginning, from memory or from a file; `None` when
    /// they were not kept.
    pub(super) fn known(&self, beginning: &[TokenId], tokens: usize) -> Result<Option<Arc<Keys>>> {
        if let Some(keys) = self.memory.get(beginning, tokens) {
            return Ok(Some(keys));
        }
        let Some(files) = self.files() else { return Ok(None) };
        let digest = self.digest(&files, beginning, tokens)?;
        let keys = files.read(&digest, self.parts(), tokens, self.head).map(Arc::new);
        if let Some(keys) = &keys {
            self.memory.put(beginning, Arc::clone(keys));
        }
        Ok(keys)
    }

    fn files(&self) -> Option<Arc<KeyFiles>> {
        // Nothing panics while the lock is held.
        self.files.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Number of parts of [`Keys`].
    fn parts(&self) -> usize {
        self.layers.len() * self.groups
    }

    /// Digest of the model, a beginning, and the number of its last tokens that are kept.
    fn digest(&self, files: &KeyFiles, beginning: &[TokenId], tokens: usize) -> Result<String> {
        let ids: Vec<u8> = beginning.iter().flat_map(|id| id.to_le_bytes()).collect();
        let rows = self.embedding.rows_of(beginning)?;
        let mut digest = Fingerprint::new();
        digest.part("model", files.model.as_bytes());
        digest.part("tokens", &ids);
        digest.part("kept", &(tokens as u64).to_le_bytes());
        // The model's digest has read few of the embeddings.
        digest.part("embeddings", &bytes(&rows));
        Ok(digest.finish())
    }

    /// Digest of what the model computes of a few tokens, which every weight of every layer and every
    /// setting takes part in. A processor that rounds in another way gives another.
    fn behavior(&self) -> Result<String> {
        let count = PROBE.min(TokenId::try_from(self.vocabulary).unwrap_or(PROBE));
        let probe: Vec<TokenId> = (0..count).collect();
        let mut own = Keys::none(self.parts());
        let mut sequence = [Sequence { shared: &[], own: &mut own, tokens: &probe }];
        let states = self.pass(&mut sequence, None, true, &|_| Ok(()))?;
        let mut digest = Fingerprint::new();
        digest.part("keys", &own.to_bytes());
        digest.part("states", &bytes(&states));
        Ok(digest.finish())
    }

    /// Reads the last part of a beginning and writes its file.
    fn write(
        &self,
        files: &KeyFiles,
        beginning: &[TokenId],
        shared: &[Arc<Keys>],
        told: Told<'_>,
    ) -> std::result::Result<(), KeepError> {
        let from = shared.iter().map(|part| part.len()).sum::<usize>();
        let tokens = &beginning[from..];
        let mut own = Keys::none(self.parts());
        let mut sequence = [Sequence { shared, own: &mut own, tokens }];
        let total = tokens.len();
        self.pass(&mut sequence, None, false, &|share| told((share * total as f64) as usize, total))?;
        let digest = self.digest(files, beginning, total)?;
        files
            .write(&digest, &own)
            .map_err(|source| KeepError::File(GenerateError::Keep { path: files.path(&digest), source }))
    }

    fn is_kept(&self, files: &KeyFiles, beginning: &[TokenId], tokens: usize) -> Result<bool> {
        let digest = self.digest(files, beginning, tokens)?;
        Ok(files.read(&digest, self.parts(), tokens, self.head).is_some())
    }
}

impl Kept for Causal {
    fn use_folder(&self, folder: &Path) -> Result<()> {
        let files = Arc::new(KeyFiles::new(folder, self.behavior()?));
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) = Some(files);
        Ok(())
    }

    fn files(&self, prompts: &[Prompt]) -> Result<Vec<KeptFile>> {
        let Some(files) = self.files() else { return Ok(Vec::new()) };
        let from = prompts.first().map_or(0, |prompt| prompt.prefix.min(prompt.shared));
        let file = |beginning: &[TokenId], tokens: usize| {
            let name = KeyFiles::name(&self.digest(&files, beginning, tokens)?);
            Ok(KeptFile { name, bytes: KeyFiles::bytes(self.parts(), tokens, self.head) })
        };
        let prefix = prompts.first().map(|prompt| file(&prompt.tokens[..from], from));
        let of_prompt = |prompt: &Prompt| {
            let beginning = prompt.beginning();
            file(beginning, beginning.len().saturating_sub(from))
        };
        prefix.into_iter().chain(prompts.iter().map(of_prompt)).collect()
    }

    fn read_ahead(&self, prompts: &[Prompt], told: Told<'_>) -> std::result::Result<usize, KeepError> {
        let Some(files) = self.files() else { return Ok(0) };
        let prefix = self.prefix(prompts)?;
        let from = prefix.as_ref().map_or(0, |prefix| prefix.len());
        if let (Some(prefix), Some(prompt)) = (&prefix, prompts.first()) {
            let beginning = &prompt.tokens[..from];
            if !self.is_kept(&files, beginning, from)? {
                let digest = self.digest(&files, beginning, from)?;
                files.write(&digest, prefix).map_err(|source| {
                    KeepError::File(GenerateError::Keep { path: files.path(&digest), source })
                })?;
            }
        }
        let shared: Vec<Arc<Keys>> = prefix.into_iter().collect();
        let mut read = 0;
        for prompt in prompts {
            let beginning = prompt.beginning();
            if beginning.len() <= from || self.is_kept(&files, beginning, beginning.len() - from)? {
                continue;
            }
            self.write(&files, beginning, &shared, told)?;
            read += 1;
        }
        Ok(read)
    }
}

fn bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
