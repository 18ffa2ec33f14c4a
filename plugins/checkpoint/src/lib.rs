//! Reads a model folder in the Hugging Face layout, or a GGUF file: its files, tokenizer, weights
//! and fingerprint.
//!
//! Everything here reads local files and trusts none of them: a missing, truncated or inconsistent
//! file is a [`CheckpointError`] that names the file and the damage, and every size stated inside a
//! file is checked against the file's length before memory is allocated for it. Only `fetch::add`,
//! behind the feature `fetch` and only when called, opens a connection.
//!
//! file | responsibility
//! ---|---
//! `bounded.rs` | reads whole files up to a limit
//! `folder.rs` | finds and reads the files of one model
//! `settings.rs` | configurations, where null means the default
//! `tokenizer.rs` | the tokenizer of a folder
//! `tokens.rs` | converts text to tokens and back
//! `word_pieces.rs` | a BERT's tokenizer from its vocabulary alone
//! `weights/` | tensors by name, as f32 or int8 codes
//! `gguf/` | a model in one GGUF file: settings, tokenizer, places of tensors
//! `fingerprint.rs` | the digest of everything that decides a model's output
//! `home.rs` | the folder of models, and those in it
//! `naming.rs` | names on a hub, and the folders they are installed in
//! `kind.rs` | the part that a model plays
//! `known.rs` | models whose files are pinned by digest, and their verification
//! `record.rs` | digests of the files of any other model, from when it was added
//! `describe.rs` | kind, family, size and license of an installed model
//! `fetch/` | adds a model to the home (feature `fetch`)

mod bounded;
mod describe;
mod error;
#[cfg(feature = "fetch")]
pub mod fetch;
mod fingerprint;
mod folder;
mod gguf;
mod home;
mod kind;
mod known;
mod naming;
mod record;
mod settings;
mod tokenizer;
mod tokens;
mod weights;
mod word_pieces;

pub use describe::Description;
pub use error::{CheckpointError, Damage};
pub use fingerprint::{Fingerprint, file_digest};
pub use folder::ModelFolder;
pub use gguf::{GgufFile, GgufTensor, GgufValue};
pub use home::{HOME_VARIABLE, Installed, list, locate, model_home};
pub use kind::ModelKind;
pub use known::{KnownModel, Mismatch, PinnedFile, Wheel, known_model, known_models, verify};
pub use naming::is_hub_name;
pub use record::{Record, RecordedFile};
pub use settings::{TokenSetting, settings};
pub use tokenizer::{load_question_tokenizer, load_tokenizer};
pub use tokens::{Tokenizer, TokenizerError, Tokens};
pub use weights::{TensorEntry, Weights};
