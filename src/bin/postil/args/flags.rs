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
