//! Arguments of the commands that ask: `search`, `ask`, `eval`.

use std::path::PathBuf;

use clap::Args;

use super::flags::{Filter, Output, Reading};

#[derive(Args)]
pub(crate) struct Search {
    /// The database
    pub(crate) database: PathBuf,
    /// The text to look for
    pub(crate) query: String,
    /// Number of passages
    #[arg(short, default_value_t = 10)]
    pub(crate) k: usize,
    /// Scan every vector instead of searching the graph
    #[arg(long)]
    pub(crate) exact: bool,
    /// The share of the nearest passages that the search is to find, on average: more takes longer
    #[arg(long, default_value_t = postil::DEFAULT_RECALL, value_parser = share, conflicts_with = "exact")]
    pub(crate) recall: f32,
    #[command(flatten)]
    pub(crate) words: Words,
    #[command(flatten)]
    pub(crate) filter: Filter,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// Options of ranking by the words of a question.
#[derive(Args)]
pub(crate) struct Words {
    /// Nearest passages that are ranked by their words as well
    #[arg(long, value_name = "COUNT", default_value_t = postil::DEFAULT_CANDIDATES)]
    pub(crate) candidates: usize,
    /// Nats that having the question's words adds to a passage at most; 0 ranks by meaning alone
    #[arg(
        long,
        value_name = "NATS",
        default_value_t = postil::DEFAULT_WORDS_WEIGHT,
        allow_negative_numbers = true
    )]
    pub(crate) words_weight: f32,
}

#[derive(Args)]
pub(crate) struct Ask {
    /// The database
    pub(crate) database: PathBuf,
    /// The question
    pub(crate) question: String,
    /// Number of passages the answer is marginalized over
    #[arg(short, default_value_t = postil::DEFAULT_K)]
    pub(crate) k: usize,
    /// Share of the prior that may be left unread: the last passages, when together they have no
    /// more; 0 reads all
    #[arg(long, value_name = "0..1", default_value_t = postil::DEFAULT_UNREAD_PRIOR)]
    pub(crate) unread_prior: f64,
    /// One passage behind the whole answer, `sequence`, or one behind each token, `token`
    #[arg(long, default_value_t)]
    pub(crate) mode: postil::Mode,
    /// The generator that writes the answer; `auto` asks reader, and an installed language model (or
    /// that of auto:NAME) for explanations and where reader has no answer
    #[arg(long, value_name = "NAME|PATH", default_value = postil::DEFAULT_GENERATOR)]
    pub(crate) generator: String,
    /// Decoding by a generator that writes freely: greedy, beam=4, thorough=4, fast=4, union=4,
    /// sample=SEED or sample=SEED,temperature=0.8,top_k=40,top_p=0.9,min_p=0.05
    /// [default: greedy for decoder-only language models and with --stream, else union=4]
    #[arg(long, value_name = "HOW", verbatim_doc_comment)]
    pub(crate) decode: Option<postil::Decode>,
    /// Longest such answer, in tokens
    #[arg(long, value_name = "TOKENS", default_value_t = postil::DEFAULT_MAX_TOKENS)]
    pub(crate) max_tokens: usize,
    /// Nats by which the passages must make an answer likelier than reading nothing does
    #[arg(
        long,
        value_name = "NATS",
        default_value_t = postil::DEFAULT_MIN_EVIDENCE,
        allow_negative_numbers = true
    )]
    pub(crate) min_evidence: f64,
    /// Abstention score above which an answer is withheld, of a generator that can say "no answer";
    /// 1 gives every answer [default: what was fitted for the generator]
    #[arg(long, value_name = "0..1")]
    pub(crate) no_answer_threshold: Option<f64>,
    /// Withhold an answer that is less probably right than this; 0 withholds none [default: what was
    /// fitted for the generator, or 0 with --no-answer-threshold]
    #[arg(long, value_name = "0..1")]
    pub(crate) min_probability: Option<f64>,
    /// Print tokens as they come, then the sources
    #[arg(long, conflicts_with_all = ["markdown", "json"])]
    pub(crate) stream: bool,
    /// Show which passages each token came from, and the evidence
    #[arg(long, conflicts_with_all = ["markdown", "json"])]
    pub(crate) explain: bool,
    /// Print Markdown, with footnotes
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
    #[command(flatten)]
    pub(crate) words: Words,
    #[command(flatten)]
    pub(crate) filter: Filter,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args)]
pub(crate) struct Warm {
    /// The database; the files are kept beside it, in a folder of its name with `.read` appended
    pub(crate) database: PathBuf,
    /// The language model that reads, which `ask` is to be given too; auto is the one that auto asks
    #[arg(long, value_name = "NAME|PATH", default_value = postil::AUTO)]
    pub(crate) generator: String,
    /// MiB to keep at most; a passage of 200 tokens takes 5 with Qwen2.5-0.5B, 9 with SmolLM2-135M
    #[arg(long, value_name = "MIB", default_value_t = postil::DEFAULT_WARM_BYTES >> 20)]
    pub(crate) limit: u64,
    #[command(flatten)]
    pub(crate) reading: Reading,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Args)]
pub(crate) struct Eval {
    /// The database; a question's pid is the key of a document in it
    pub(crate) database: PathBuf,
    /// Questions, one JSON object a line: question, answers (empty: unanswerable), pid; those with
    /// a kind are scored by kind
    pub(crate) questions: PathBuf,
    /// List the questions that were answered wrong, with what was said and what is right
    #[arg(long)]
    pub(crate) wrong: bool,
    /// Number of passages an answer is marginalized over; several to compare
    #[arg(short, value_delimiter = ',', default_values_t = [postil::DEFAULT_K])]
    pub(crate) k: Vec<usize>,
    /// Share of the prior that may be left unread: the last passages, when together they have no
    /// more; 0 reads all
    #[arg(long, value_name = "0..1", default_value_t = postil::DEFAULT_UNREAD_PRIOR)]
    pub(crate) unread_prior: f64,
    /// Modes to compare: sequence, token
    #[arg(long, value_delimiter = ',', default_values_t = [postil::Mode::Sequence, postil::Mode::Token])]
    pub(crate) mode: Vec<postil::Mode>,
    /// The generator that writes the answers; several to compare
    #[arg(
        long,
        value_name = "NAME|PATH",
        value_delimiter = ',',
        default_values_t = [postil::DEFAULT_GENERATOR.to_owned()]
    )]
    pub(crate) generator: Vec<String>,
    /// Ask the first so many questions only
    #[arg(long, value_name = "COUNT")]
    pub(crate) limit: Option<usize>,
    /// Draw the reliability curves to this SVG file
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) words: Words,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// A number from 0 to 1.
fn share(text: &str) -> Result<f32, String> {
    let share: f32 = text.parse().map_err(|_| "it is no number".to_owned())?;
    (0.0..=1.0).contains(&share).then_some(share).ok_or_else(|| "it is not from 0 to 1".to_owned())
}
