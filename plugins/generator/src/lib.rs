//! Answers questions: generation is marginalized over the retrieved passages, after Lewis et al.
//! 2020 (arXiv 2005.11401), and citations are the posteriors of that marginal.
//!
//! A [`Generator`](postil_contract::Generator) gives next-token distributions under each passage
//! and nothing else. Marginalization and search are written once over it; [`answer`] composes them.
//! Nothing here depends on storage or on a passage's identity.
//!
//! folder | responsibility
//! ---|---
//! `marginalize/` | RAG-Sequence and RAG-Token over slices: priors, mixtures, posteriors
//! `decode/` | searches for answers under the mixture
//! `model/` | language models: token ids to logits
//! `language/` | a language model with its tokenizer and prompt, from a folder or a GGUF file
//! `prompt/` | question and passage to tokens
//! `quote/` | the generator that needs no weights: answers are sentences of the passages
//! `reader/` | the default generator: a small trained pointer-generator over BERT
//! `open.rs` | opens the generator at a path
//! `answer/` | the chosen answer, its tokens, citations and alternatives

mod answer;
mod decode;
mod language;
mod marginalize;
mod model;
mod open;
mod prompt;
mod quote;
mod reader;

pub use answer::{
    Answer, AnswerOptions, AnswerToken, Basis, Candidate, Citation, Credit, DEFAULT_BEAMS,
    DEFAULT_CREDIT_LOG_RATIO, DEFAULT_CREDIT_POSTERIOR, DEFAULT_MAX_ALTERNATIVES, DEFAULT_MAX_CITATIONS,
    DEFAULT_MAX_TOKENS, DEFAULT_MIN_EVIDENCE, DEFAULT_UNDECODED_POSTERIOR, DEFAULT_UNREAD_PRIOR, Decode,
    DecodeError, Evidence, Retrieved, Span, Withheld, answer, answer_watched, name_weights,
};
pub use decode::{
    BeamOptions, Constraints, DEFAULT_MARGIN, EarlyStopping, Hypothesis, Proposed, Ranked, Said, Sampling,
    Watch, beam, exhaustive, fast, greedy, sample, thorough, union,
};
pub use language::LanguageGenerator;
pub use marginalize::{
    Disagreement, Groups, Marginal, Mixture, Mode, ModeError, Step, abstention_score, disagreement,
    evidence_log_ratio, grounded_probability, leave_one_out_sequence, leave_one_out_step, log_softmax,
    log_sum_exp, marginal, prior, worth_reading,
};
pub use model::{GenerationSettings, LanguageModel, LoadError, Matrix, TensorSource};
pub use open::open;
pub use prompt::{DEFAULT_CHAT_INSTRUCTION, DEFAULT_COMPLETION, DEFAULT_T5_INSTRUCTION};
pub use quote::{DEFAULT_NO_ANSWER_SIMILARITY, QuoteGenerator};
pub use reader::ReaderGenerator;
