use std::io::{IsTerminal, Write, stdout};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use postil::{Answer, AskOptions, Database, Decode, Progress, ReadOnlyDatabase, Watch, has_word};
use serde::Serialize;

use crate::flags::{Filter, Output, Reading, Words};
use crate::{exit, interrupt, meter, open, render};

/// Answer a question from the documents, with citations
#[derive(Args)]
pub(crate) struct Ask {
    /// The database
    database: PathBuf,
    /// The question
    question: String,
    /// Number of passages the answer is marginalized over
    #[arg(short, default_value_t = postil::DEFAULT_K)]
    k: usize,
    /// Share of the prior that may be left unread: the last passages, when together they have no
    /// more; 0 reads all
    #[arg(long, value_name = "0..1", default_value_t = postil::DEFAULT_UNREAD_PRIOR, help_heading = "Advanced")]
    unread_prior: f64,
    /// One passage behind the whole answer, `sequence`, or one behind each token, `token`
    #[arg(long, default_value_t, help_heading = "Advanced")]
    mode: postil::Mode,
    /// The generator that writes the answer; `auto` asks reader, and an installed language model (or
    /// that of auto:NAME) for explanations and where reader has no answer
    #[arg(long, value_name = "NAME|PATH", default_value = postil::DEFAULT_GENERATOR)]
    generator: String,
    /// Decoding by a generator that writes freely: greedy, beam=4, thorough=4, fast=4, union=4,
    /// sample=SEED or sample=SEED,temperature=0.8,top_k=40,top_p=0.9,min_p=0.05
    /// [default: greedy for decoder-only language models and with --stream, else union=4]
    #[arg(long, value_name = "HOW", verbatim_doc_comment, help_heading = "Advanced")]
    decode: Option<postil::Decode>,
    /// Longest such answer, in tokens
    #[arg(long, value_name = "TOKENS", default_value_t = postil::DEFAULT_MAX_TOKENS, help_heading = "Advanced")]
    max_tokens: usize,
    /// Nats by which the passages must make an answer likelier than reading nothing does
    #[arg(
        long,
        value_name = "NATS",
        default_value_t = postil::DEFAULT_MIN_EVIDENCE,
        allow_negative_numbers = true,
        help_heading = "Advanced"
    )]
    min_evidence: f64,
    /// Abstention score above which an answer is withheld, of a generator that can say "no answer";
    /// 1 gives every answer [default: what was fitted for the generator]
    #[arg(long, value_name = "0..1", help_heading = "Advanced")]
    no_answer_threshold: Option<f64>,
    /// Withhold an answer that is less probably right than this; 0 withholds none [default: what was
    /// fitted for the generator, or 0 with --no-answer-threshold]
    #[arg(long, value_name = "0..1", help_heading = "Advanced")]
    min_probability: Option<f64>,
    /// Print tokens as they come, then the sources
    #[arg(long, conflicts_with_all = ["markdown", "json"])]
    stream: bool,
    /// Show which passages each token came from, and the evidence
    #[arg(long, conflicts_with_all = ["markdown", "json"])]
    explain: bool,
    /// Print Markdown, with footnotes
    #[arg(long, conflicts_with = "json")]
    markdown: bool,
    #[command(flatten)]
    words: Words,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    output: Output,
}

/// Answers to several questions.
#[derive(Serialize)]
struct Answers<'a> {
    answers: Vec<Asked<'a>>,
}

/// One of several questions, with its answer.
#[derive(Serialize)]
struct Asked<'a> {
    question: &'a str,
    #[serde(flatten)]
    answer: &'a Answer,
}

pub(crate) fn run(args: &Ask) -> Result<ExitCode> {
    let mut options = options(args)?;
    let db =
        open::to_read(&args.database, args.reading, Database::options().generator_named(&args.generator))?;
    // A question that finds nothing would not open it, and hide a mistyped name.
    let generator = db.generator()?;
    open::refuse_emptiness(&db, &args.database)?;
    options.filter = open::filter_on(&db, options.filter)?;
    if !has_word(&args.question) && !args.question.trim().is_empty() {
        eprintln!("the question has no word in it: ask with letters or numbers");
    }
    // An answer that is written token by token is shown as it comes to who watches.
    let watched = !args.output.json && !args.markdown && args.decode.is_none() && stdout().is_terminal();
    let is_auto = args.generator.starts_with(postil::AUTO);
    if args.stream || watched && (generator.prefers_greedy() || is_auto) {
        return stream(&db, args, &options);
    }
    let answers = db.ask_each(&args.question, &options)?;
    if answers.iter().any(|(_, answer)| answer.passages.is_empty()) {
        open::tell_missing_fields(&db, options.filter.as_ref())?;
    }
    match answers.as_slice() {
        [(_, answer)] if args.output.json => render::json(answer)?,
        several if args.output.json => {
            let answers = several.iter().map(|(question, answer)| Asked { question, answer }).collect();
            render::json(&Answers { answers })?;
        }
        [(_, answer)] => show(args, answer)?,
        several => {
            for (number, (question, answer)) in several.iter().enumerate() {
                let gap = if number == 0 { "" } else { "\n" };
                render::text(&format!("{gap}{question}\n"))?;
                show(args, answer)?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(args: &Ask, answer: &Answer) -> Result<()> {
    if args.markdown {
        return render::text(answer.to_markdown().trim_end());
    }
    render::raw(&answer.render_with(&render::paint()))?;
    explain(args, answer)
}

fn options(args: &Ask) -> Result<AskOptions> {
    let mut options = AskOptions::new()
        .k(args.k)
        .unread_prior(args.unread_prior)
        .mode(args.mode)
        .candidates(args.words.candidates)
        .words_weight(args.words.words_weight)
        .max_tokens(args.max_tokens)
        .min_evidence(args.min_evidence);
    options.decode = args.decode.clone().or(args.stream.then_some(Decode::Greedy));
    options.no_answer_threshold = args.no_answer_threshold;
    options.min_probability = args.min_probability;
    options.filter = open::filter(&args.filter)?;
    options.check()?;
    Ok(options)
}

/// Prints tokens as they come; the first Ctrl-C ends the answer, a second one the program.
fn stream(db: &ReadOnlyDatabase, args: &Ask, options: &AskOptions) -> Result<ExitCode> {
    let cancel = interrupt::listen("ending the answer")?;
    let mut out = stdout();
    let (mut failed, mut begun, mut shown) = (None, false, String::new());
    let bar = meter::reading();
    let progress = |progress: &Progress| {
        bar.set_length(progress.total_tokens.unwrap_or_default());
        bar.set_position(progress.tokens_read);
    };
    let watch = Watch::new().progress(&progress).cancel(&cancel);
    let answer = db.ask_watched(&args.question, options, &watch, &mut |token| {
        bar.finish_and_clear();
        let text = if begun { token.text.as_str() } else { token.text.trim_start() };
        begun |= !text.is_empty();
        shown += text;
        if let Err(error) = write!(out, "{}", render::printable(text)).and_then(|()| out.flush()) {
            failed = Some(error);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    let answer = answer?;
    if answer.passages.is_empty() {
        open::tell_missing_fields(db, options.filter.as_ref())?;
    }
    if let Some(error) = failed {
        return Err(error.into());
    }
    if begun {
        render::raw("")?;
    }
    if !answer.no_answer && shown.trim() != answer.text {
        // Later tokens changed the spelling of an earlier one.
        render::text(&answer.text)?;
    }
    if answer.no_answer {
        render::raw(&answer.render_with(&render::paint()))?;
    } else {
        render::raw(answer.render_sources_with(&render::paint()).trim_start_matches('\n'))?;
    }
    explain(args, &answer)?;
    Ok(if cancel.is_cancelled() { ExitCode::from(exit::INTERRUPTED) } else { ExitCode::SUCCESS })
}

fn explain(args: &Ask, answer: &Answer) -> Result<()> {
    if args.explain {
        render::text(&format!("\n{}", answer.explain()))?;
    }
    Ok(())
}
