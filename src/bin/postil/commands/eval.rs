use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use postil::evaluate::{KindScores, Question, RECALL_AT, Recall, Scored, Scores, questions};
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
    /// The questions that were answered wrong, if asked for.
    wrong: Vec<Wrong>,
}

/// A question that was answered wrong.
struct Wrong {
    question: Question,
    said: String,
    probability: f64,
    is_withheld: bool,
    f1: f64,
    /// The document and the quote behind what was said.
    from: Option<(String, String)>,
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
        true => render::json(&as_json(&asked, &recall, &rows, args.wrong))?,
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
    let mut wrong = Vec::new();
    let scores = db.evaluate(asked, &options, &mut |scored| {
        bar.inc(1);
        if args.wrong && scored.exact_match < 1.0 {
            wrong.push(Wrong::of(scored));
        }
    })?;
    Ok(Row { generator: generator.to_owned(), mode: options.mode, k, scores, wrong })
}

fn options(args: &Eval) -> AskOptions {
    let (candidates, words_weight) = (args.words.candidates, args.words.words_weight);
    let unread_prior = args.unread_prior;
    AskOptions { candidates, words_weight, unread_prior, ..AskOptions::default() }
}

impl Wrong {
    fn of(scored: &Scored<'_>) -> Self {
        let cited = scored.citations.first();
        Self {
            question: scored.question.clone(),
            said: scored.said.to_owned(),
            probability: scored.probability,
            is_withheld: scored.answer.no_answer,
            f1: scored.f1,
            from: cited.map(|cited| (cited.document.clone(), cited.quote.clone())),
        }
    }

    fn as_json(&self) -> serde_json::Value {
        let Question { question, answers, pid, kind } = &self.question;
        let (document, quote) = self.from.clone().unzip();
        json!({
            "question": question, "kind": kind, "answers": answers, "pid": pid,
            "said": self.said, "probability": self.probability, "no_answer": self.is_withheld, "f1": self.f1,
            "document": document, "quote": quote,
        })
    }

    fn print(&self, lines: &mut Vec<String>) {
        let Question { question, answers, kind, .. } = &self.question;
        let kind = kind.as_ref().map_or_else(String::new, |kind| format!(" ({kind})"));
        lines.push(format!("\n{question}{kind}"));
        let said = if self.said.is_empty() { "nothing" } else { &self.said };
        let withheld = if self.is_withheld { ", withheld" } else { "" };
        lines.push(format!("    said   {said}, probability {:.2}{withheld}", self.probability));
        let right = if answers.is_empty() { "no answer".to_owned() } else { answers.join(" / ") };
        lines.push(format!("    right  {right}"));
        if let Some((document, quote)) = &self.from {
            lines.push(format!("    from   {document}: \u{201c}{}\u{201d}", quote.trim()));
        }
    }
}

impl Row {
    fn name(&self) -> String {
        format!("{} {} k={}", self.generator, render::mode(self.mode), self.k)
    }
}

fn as_json(asked: &[Question], recall: &Recall, rows: &[Row], with_wrong: bool) -> serde_json::Value {
    let recall: serde_json::Map<_, _> =
        RECALL_AT.iter().zip(recall.at).map(|(k, share)| (k.to_string(), json!(share))).collect();
    let results: Vec<_> = rows
        .iter()
        .map(|row| {
            let scores = &row.scores;
            let bin = |bin: &postil::evaluate::Bin| {
                json!({ "answers": bin.answers, "probability": bin.probability, "right": bin.right })
            };
            let kind = |of: &KindScores| {
                json!({
                    "kind": of.kind, "questions": of.questions, "em": of.exact_match, "f1": of.f1,
                    "abstained": of.abstained,
                })
            };
            let mut result = json!({
                "generator": row.generator, "mode": render::mode(row.mode), "k": row.k,
                "em": scores.exact_match, "f1": scores.f1,
                "em_always": scores.exact_match_always, "f1_always": scores.f1_always,
                "abstained": scores.abstained, "auroc": scores.abstention_auroc,
                "abstention_f1": scores.abstention_f1,
                "citation_precision": scores.citation_precision, "gold_posterior": scores.gold_posterior,
                "calibration_error": scores.calibration_error,
                "reliability": scores.reliability.iter().map(bin).collect::<Vec<_>>(),
                "p50_ms": scores.p50_ms, "p95_ms": scores.p95_ms,
                "kinds": scores.kinds.iter().map(kind).collect::<Vec<_>>(),
            });
            if with_wrong {
                result["wrong"] = row.wrong.iter().map(Wrong::as_json).collect();
            }
            result
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
    for row in rows.iter().filter(|row| !row.wrong.is_empty()) {
        lines.push(format!("\n{}, {} answered wrong:", row.name(), row.wrong.len()));
        row.wrong.iter().for_each(|wrong| wrong.print(&mut lines));
    }
    render::text(&lines.join("\n"))
}
