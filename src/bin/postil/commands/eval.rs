use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use postil::evaluate::{Question, RECALL_AT, Recall, Scores, questions};
use postil::{AskOptions, Database, Mode, open_generator};
use serde_json::json;

use crate::args::{Eval, ModeArg};
use crate::plot::{self, Curve};
use crate::{meter, open, render};

/// One row of the comparison.
struct Row {
    generator: String,
    mode: Mode,
    k: usize,
    scores: Scores,
}

pub(crate) fn run(args: &Eval) -> Result<ExitCode> {
    let mut asked = questions(&args.questions)?;
    asked.truncate(args.limit.unwrap_or(usize::MAX));
    if asked.is_empty() {
        bail!("{}: it has no questions", args.questions.display());
    }
    let recall =
        open::existing_to_read(&args.database)?.evaluate_retrieval(&asked, &options(args).retrieval())?;
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
        true => render::json(&as_json(&asked, &recall, &rows))?,
        false => print(&asked, &recall, &rows)?,
    }
    // Last, so that a plot that cannot be drawn costs no scores.
    if let Some(path) = &args.plot {
        let curves = rows.iter().map(|row| Curve { name: row.name(), bins: &row.scores.reliability });
        plot::reliability(path, &curves.collect::<Vec<_>>())
            .with_context(|| format!("cannot draw {}", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn with_generator(args: &Eval, name: &str) -> Result<Database> {
    let encoder = open::existing_to_read(&args.database)?.encoder()?;
    let generator = open_generator(name, &encoder)?;
    Ok(Database::options().encoder(encoder).generator(generator).open_to_read(&args.database)?)
}

fn row(
    args: &Eval,
    db: &Database,
    asked: &[Question],
    generator: &str,
    mode: ModeArg,
    k: usize,
    bar: &ProgressBar,
) -> Result<Row> {
    let options = AskOptions { k, mode: mode.into(), ..options(args) };
    let scores = db.evaluate(asked, &options, &|_| bar.inc(1))?;
    Ok(Row { generator: generator.to_owned(), mode: options.mode, k, scores })
}

fn options(args: &Eval) -> AskOptions {
    let (candidates, words_weight) = (args.words.candidates, args.words.words_weight);
    let unread_prior = args.unread_prior;
    AskOptions { candidates, words_weight, unread_prior, ..AskOptions::default() }
}

impl Row {
    fn name(&self) -> String {
        format!("{} {} k={}", self.generator, render::mode(self.mode), self.k)
    }
}

fn as_json(asked: &[Question], recall: &Recall, rows: &[Row]) -> serde_json::Value {
    let recall: serde_json::Map<_, _> =
        RECALL_AT.iter().zip(recall.at).map(|(k, share)| (k.to_string(), json!(share))).collect();
    let results: Vec<_> = rows
        .iter()
        .map(|row| {
            let scores = &row.scores;
            let bin = |bin: &postil::evaluate::Bin| {
                json!({ "answers": bin.answers, "probability": bin.probability, "right": bin.right })
            };
            json!({
                "generator": row.generator, "mode": render::mode(row.mode), "k": row.k,
                "em": scores.exact_match, "f1": scores.f1,
                "em_always": scores.exact_match_always, "f1_always": scores.f1_always,
                "abstained": scores.abstained, "auroc": scores.abstention_auroc,
                "abstention_f1": scores.abstention_f1,
                "citation_precision": scores.citation_precision, "gold_posterior": scores.gold_posterior,
                "calibration_error": scores.calibration_error,
                "reliability": scores.reliability.iter().map(bin).collect::<Vec<_>>(),
                "p50_ms": scores.p50_ms, "p95_ms": scores.p95_ms,
            })
        })
        .collect();
    // The first result stands at the top as well, so that one setting is read without a list.
    let mut value = json!({ "questions": asked.len(), "recall": recall, "results": results });
    let first = value["results"][0].as_object().cloned().unwrap_or_default();
    if let Some(object) = value.as_object_mut() {
        object.extend(first);
    }
    value
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
    render::text(&lines.join("\n"))
}
