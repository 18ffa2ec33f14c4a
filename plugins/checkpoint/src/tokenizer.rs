use tokenizers::{PaddingParams, Tokenizer, TruncationParams};

use crate::folder::read_bounded;
use crate::{CheckpointError, Damage, ModelFolder};

/// Largest `tokenizer.json` read; the largest published ones have some 30 MB.
const MAX_TOKENIZER_BYTES: u64 = 256 << 20;

/// The folder's `tokenizer.json`, with truncation and padding switched off.
///
/// Published files carry both (all-MiniLM-L6-v2: cut and pad to 128), as traces of how they were made,
/// not of what the model can read: cutting would be silent and padding is never needed here.
///
/// # Errors
/// [`CheckpointError::Missing`] without the file, [`CheckpointError::Corrupt`] when it is no tokenizer.
pub fn load_tokenizer(folder: &ModelFolder) -> Result<Tokenizer, CheckpointError> {
    const FILE: &str = "tokenizer.json";
    let path = folder.file(FILE);
    if !path.is_file() {
        return Err(CheckpointError::Missing { path: folder.path().to_owned(), file: FILE.to_owned() });
    }
    let unreadable = |reason: String| CheckpointError::corrupt(&path, Damage::Unreadable { reason });
    let bytes = read_bounded(&path, MAX_TOKENIZER_BYTES)?;
    let mut tokenizer = Tokenizer::from_bytes(&bytes).map_err(|source| unreadable(source.to_string()))?;
    tokenizer.with_padding(None::<PaddingParams>);
    tokenizer.with_truncation(None::<TruncationParams>).map_err(|source| unreadable(source.to_string()))?;
    Ok(tokenizer)
}
