//! Options that several commands take.

use clap::Args;

#[derive(Args)]
pub(crate) struct Filter {
    /// Only documents whose metadata passes, as in: year >= 2020 and author.lang in ["en", "de"]
    #[arg(long, value_name = "EXPRESSION")]
    pub(crate) filter: Option<String>,
}

#[derive(Args, Clone, Copy)]
pub(crate) struct Reading {
    /// Read what was last published, as old as that is, beside whoever has the database open
    #[arg(long)]
    pub(crate) published: bool,
}

#[derive(Args, Clone, Copy)]
pub(crate) struct Output {
    /// Print one JSON object instead of text
    #[arg(long)]
    pub(crate) json: bool,
}

/// Options of ranking by the words of a question.
#[derive(Args)]
pub(crate) struct Words {
    /// Nearest passages that are ranked by their words as well
    #[arg(long, value_name = "COUNT", default_value_t = postil::DEFAULT_CANDIDATES, help_heading = "Advanced")]
    pub(crate) candidates: usize,
    /// Nats that having the question's words adds to a passage at most; 0 ranks by meaning alone
    #[arg(
        long,
        value_name = "NATS",
        default_value_t = postil::DEFAULT_WORDS_WEIGHT,
        allow_negative_numbers = true,
        help_heading = "Advanced"
    )]
    pub(crate) words_weight: f32,
}
