use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::ProgressBar;
use postil::evaluate::{KindScores, Question, RECALL_AT, Recall, Scored, Scores, questions};
use postil::{AskOptions, Database, Mode, ReadOnlyDatabase, Watch, open_generator};
use serde::Serialize;

use crate::flags::{Output, Words};
use crate::plot::{self, Curve};
use crate::{meter, open, render};

/// Score the answers to questions with known answers
#[derive(Args)]
pub(crate) struct Eval {
    /// The database; a question's pid is the key of a document in it
    database: PathBuf,
    /// Questions, one JSON object a line: question, answers (empty: unanswerable), pid; those with
    /// a kind are scored by kind
    questions: PathBuf,
    /// List the questions that were answered wrong, with what was said and what is right
    #[arg(long)]
    wrong: bool,
    /// Number of passages an answer is marginalized over; several to compare
    #[arg(short, value_delimiter = ',', default_values_t = [postil::DEFAULT_K])]
    k: Vec<usize>,
    /// Share of the prior that may be left unread: the last passages, when together they have no
    /// more; 0 reads all
    #[arg(long, value_name = "0..1", default_value_t = postil::DEFAULT_UNREAD_PRIOR)]
    unread_prior: f64,
    /// Modes to compare: sequence, token
    #[arg(long, value_delimiter = ',', default_values_t = [postil::Mode::Sequence, postil::Mode::Token])]
    mode: Vec<postil::Mode>,
    /// The generator that writes the answers; several to compare
    #[arg(
        long,
        value_name = "NAME|PATH",
        value_delimiter = ',',
        default_values_t = [postil::DEFAULT_GENERATOR.to_owned()]
    )]
    generator: Vec<String>,
    /// Ask the first so many questions only
    #[arg(long, value_name = "COUNT")]
    limit: Option<usize>,
    /// Draw the reliability curves to this SVG file
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    #[command(flatten)]
    words: Words,
    #[command(flatten)]
    output: Output,
}

/// The JSON output. The fields of the first result are repeated at the top, so that a single
/// setting needs no list.
#[derive(Serialize)]
struct Table<'a> {
    questions: usize,
    recall: Recall,
    #[serde(flatten)]
    first: Option<&'a Row>,
    results: &'a [Row],
}

/// One row of the comparison.
#[derive(Serialize)]
struct Row {
    generator: String,
    mode: Mode,
    k: usize,
    #[serde(flatten)]
    scores: Scores,
    /// The questions that were answered wrong; `None` unless asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    wrong: Option<Vec<Wrong>>,
}

/// A question that was answered wrong.
#[derive(Serialize)]
struct Wrong {
    #[serde(flatten)]
    question: Question,
    said: String,
    probability: f64,
    no_answer: bool,
    f1: f64,
    /// The document behind the answer.
    document: Option<String>,
    quote: Option<String>,
}

pub(crate) fn run(args: &Eval) -> Result<ExitCode> {
    let mut asked = questions(&args.questions)?;
    asked.truncate(args.limit.unwrap_or(usize::MAX));
    if asked.is_empty() {
        bail!("{}: it has no questions", args.questions.display());
    }
    let recall = open::existing_to_read(&args.database)?.evaluate_retrieval(
        &asked,
        &options(args).retrieval(),
        &Watch::default(),
    )?;
    let bar = meter::counter(asked.len() * args.generator.len() * args.mode.len() * args.k.len());
    let mut rows = Vec::new();
    for generator in &args.generator {
        let db = with_generator(args, generator)?;
        for mode in &args.mode {
            for &k in &args.k {
                rows.push(row(args, &db, &asked, generator, *mode, k, &bar)?);
            }
        }
    }
    bar.finish_and_clear();
    match args.output.json {
        true => {
            let (first, results) = (rows.first(), rows.as_slice());
            render::json(&Table { questions: asked.len(), recall, first, results })?;
        }
        false => print(&asked, &recall, &rows)?,
    }
    // Last, so that a failed plot loses no scores.
    if let Some(path) = &args.plot {
        let curves = rows.iter().map(|row| Curve { name: row.name(), bins: &row.scores.reliability });
        plot::reliability(path, &curves.collect::<Vec<_>>())
            .with_context(|| format!("cannot draw {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn with_generator(args: &Eval, name: &str) -> Result<ReadOnlyDatabase> {
    let encoder = open::existing_to_read(&args.database)?.encoder()?;
    let generator = open_generator(name, &encoder)?;
    Ok(Database::options().encoder(encoder).generator(generator).open_read_only(&args.database)?)
}

fn row(
    args: &Eval,
    db: &ReadOnlyDatabase,
    asked: &[Question],
    generator: &str,
    mode: Mode,
    k: usize,
    bar: &ProgressBar,
) -> Result<Row> {
    let options = options(args).k(k).mode(mode);
    let mut wrong = args.wrong.then(Vec::new);
    let scores = db.evaluate(asked, &options, &Watch::new().progress(&|_| bar.inc(1)), &mut |scored| {
        if let Some(wrong) = wrong.as_mut().filter(|_| scored.exact_match < 1.0) {
            wrong.push(Wrong::of(scored));
        }
    })?;
    Ok(Row { generator: generator.to_owned(), mode: options.mode, k, scores, wrong })
}

fn options(args: &Eval) -> AskOptions {
    AskOptions::new()
        .candidates(args.words.candidates)
        .words_weight(args.words.words_weight)
        .unread_prior(args.unread_prior)
}

impl Wrong {
    fn of(scored: &Scored<'_>) -> Self {
        let cited = scored.citations.first();
        Self {
            question: scored.question.clone(),
            said: scored.said.to_owned(),
            probability: scored.probability,
            no_answer: scored.no_answer,
            f1: scored.f1,
            document: cited.map(|cited| cited.document.clone()),
            quote: cited.map(|cited| cited.quote.clone()),
        }
    }

    fn print(&self, lines: &mut Vec<String>) {
        let Question { question, answers, kind, .. } = &self.question;
        let kind = kind.as_ref().map_or_else(String::new, |kind| format!(" ({kind})"));
        lines.push(format!("\n{question}{kind}"));
        let said = if self.said.is_empty() { "nothing" } else { &self.said };
        let withheld = if self.no_answer { ", withheld" } else { "" };
        lines.push(format!("    said   {said}, probability {:.2}{withheld}", self.probability));
        let right = if answers.is_empty() { "no answer".to_owned() } else { answers.join(" / ") };
        lines.push(format!("    right  {right}"));
        if let (Some(document), Some(quote)) = (&self.document, &self.quote) {
            lines.push(format!("    from   {document}: \u{201c}{}\u{201d}", quote.trim()));
        }
    }
}

impl Row {
    fn name(&self) -> String {
        format!("{} {} k={}", self.generator, self.mode, self.k)
    }
}

fn print(asked: &[Question], recall: &Recall, rows: &[Row]) -> Result<()> {
    let answerable = asked.iter().filter(|question| !question.answers.is_empty()).count();
    let mut lines = vec![format!("{} questions, {answerable} of them answerable", asked.len())];
    if recall.questions > 0 {
        let at: Vec<String> =
            RECALL_AT.iter().zip(recall.at).map(|(k, share)| format!("@{k} {share:.3}")).collect();
        lines.push(format!("passage recall {}", at.join("  ")));
    }
    lines.push(format!(
        "\n{:<24} {:>5} {:>5} {:>9} {:>9} {:>6} {:>9} {:>6} {:>7} {:>7}",
        "", "EM", "F1", "F1 always", "abstained", "AUROC", "citations", "ECE", "p50 ms", "p95 ms"
    ));
    for row in rows {
        let scores = &row.scores;
        lines.push(format!(
            "{:<24} {:>5.1} {:>5.1} {:>9.1} {:>9.3} {:>6} {:>9.3} {:>6.3} {:>7.0} {:>7.0}",
            row.name(),
            100.0 * scores.exact_match,
            100.0 * scores.f1,
            100.0 * scores.f1_always,
            scores.abstained,
            scores.abstention_auroc.map_or_else(|| "-".to_owned(), |area| format!("{area:.3}")),
            scores.citation_precision,
            scores.calibration_error,
            scores.p50_ms,
            scores.p95_ms,
        ));
    }
    for row in rows.iter().filter(|row| !row.scores.kinds.is_empty()) {
        lines.push(format!(
            "\n{:<24} {:>9} {:>5} {:>5} {:>9}",
            row.name(),
            "questions",
            "EM",
            "F1",
            "abstained"
        ));
        for KindScores { kind, questions, exact_match, f1, abstained } in &row.scores.kinds {
            let (exact, f1) = (100.0 * exact_match, 100.0 * f1);
            lines.push(format!("  {kind:<22} {questions:>9} {exact:>5.1} {f1:>5.1} {abstained:>9.3}"));
        }
    }
    for row in rows {
        let Some(wrong) = row.wrong.as_ref().filter(|wrong| !wrong.is_empty()) else { continue };
        lines.push(format!("\n{}, {} answered wrong:", row.name(), wrong.len()));
        wrong.iter().for_each(|wrong| wrong.print(&mut lines));
    }
    render::text(&lines.join("\n"))
}
