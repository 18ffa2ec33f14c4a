//! Fits the prior's temperature, the threshold of "no answer" and the confidence in an answer, for
//! a generator that can say "no answer", on questions with known answers, of several kinds.
//!
//!     cargo bench --bench calibrate -- --set KIND=DATABASE,QUESTIONS [--set ...]
//!         [--generator reader|FOLDER] [--temperature T] [--keep 0.99] [--limit 300] [--write CONFIG.json]
//!         [--dump OUTPUTS.jsonl]
//!
//! `DATABASE` comes from `postil ingest`, `QUESTIONS` is as `postil eval` reads it; a question may
//! have a `filter`, the documents it is asked of. Each kind counts the same, however many sets and
//! questions it has. `plugins/generator/training/calibration.py` makes the sets that the reader was
//! fitted on.
//!
//! The temperature is the one that gives the documents asked about the highest mean log prior, over
//! the questions where they are among the k. The confidence is a logistic regression
//! (`ConfidenceFit`) that predicts if an answer is exactly right. An answer is withheld when its
//! abstention score is above one bound, or its confidence below another; of all pairs of bounds that
//! keep, in each kind, the share `--keep` of the F1 of answerable questions, give or take one
//! question, the pair with the highest F1 is chosen. Withholding a right answer is the worse mistake,
//! since a wrong one is shown with its confidence and its source. Prints one JSON line per temperature, one per kind, with the
//! confidence of fits that did not see the fifth of the questions they are measured on, then the
//! choice; `--write` stores it in a model's config.json.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first failure")]

mod harness;
mod logistic;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;
use logistic::{Given, calibration_error, fitted, log_loss};
use postil::evaluate::{exact_match, f1, roc_area};
use postil::{AskOptions, Database, Error, Filter, ReadOnlyDatabase};
use postil_contract::{Encoder, Signs};
use postil_generator::{log_sum_exp, prior};
use serde::{Deserialize, Serialize};
use serde_json::json;

const TEMPERATURES: [f32; 9] = [0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0];
/// Parts of each set that are measured by fits to the others.
const FOLDS: usize = 5;
/// Number of steps between 0 and 1 of the bounds that are tried.
const STEPS: usize = 100;

#[derive(Parser)]
struct Args {
    /// Name or folder of the generator
    #[arg(long, default_value = "reader")]
    generator: String,
    /// A kind of questions, a database, and the questions asked of it
    #[arg(long = "set", value_name = "KIND=DATABASE,QUESTIONS", required = true, value_parser = set)]
    sets: Vec<Set>,
    /// Temperature of the prior; by default, it is fitted
    #[arg(long)]
    temperature: Option<f32>,
    /// Share of the F1 of answerable questions to keep in each kind
    #[arg(long, default_value_t = 0.99)]
    keep: f64,
    /// Number of questions from each set, evenly spread over it; by default, all
    #[arg(long)]
    limit: Option<usize>,
    /// The config.json that receives the choice
    #[arg(long)]
    write: Option<PathBuf>,
    /// File for what was heard, one JSON line per question
    #[arg(long)]
    dump: Option<PathBuf>,
}

#[derive(Clone)]
struct Set {
    kind: String,
    database: PathBuf,
    questions: PathBuf,
}

fn set(text: &str) -> Result<Set, String> {
    let parts = text.split_once('=').and_then(|(kind, paths)| Some((kind, paths.split_once(',')?)));
    let (kind, (database, questions)) = parts.ok_or("expected KIND=DATABASE,QUESTIONS")?;
    Ok(Set { kind: kind.to_owned(), database: database.into(), questions: questions.into() })
}

#[derive(Clone, Deserialize)]
struct Question {
    question: String,
    #[serde(default)]
    answers: Vec<String>,
    pid: Option<String>,
    filter: Option<String>,
}

/// The passages found for a question.
struct Found {
    relevance: Vec<f32>,
    /// `true` for each passage of the document that was asked about, `[passages]`.
    asked_for: Vec<bool>,
}

/// The likeliest answer to a question; never withheld.
#[derive(Serialize)]
struct Heard {
    kind: String,
    question: String,
    answer: String,
    is_answerable: bool,
    /// Part of its set, below [`FOLDS`].
    fold: usize,
    f1: f64,
    is_right: bool,
    /// p(y|x), p(y|x,z) of the likeliest passage, and the abstention score.
    signs: [f64; 3],
    /// Its weight: each kind adds up to 1.
    weight: f64,
}

impl Heard {
    fn abstention_score(&self) -> f64 {
        self.signs[2]
    }

    fn given(&self) -> Given {
        let [probability, read_probability, abstention_score] = self.signs;
        let signs = Signs { probability, read_probability, abstention_score };
        Given { signs, is_right: self.is_right, weight: self.weight }
    }
}

fn main() {
    let args: Args = harness::args();
    let encoder: Arc<dyn Encoder> = postil::open_model(postil::DEFAULT_MODEL).unwrap();
    let scale = encoder.profile().score_scale;
    let generator = postil::open_generator(&args.generator, &encoder).unwrap();
    let open = |path: &Path| {
        let options = Database::options().encoder(encoder.clone()).generator(generator.clone());
        options.open_read_only(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let sets: Vec<(String, ReadOnlyDatabase, Vec<Question>)> = args
        .sets
        .iter()
        .map(|set| {
            let all: Vec<Question> = harness::json_lines(&set.questions);
            let step = args.limit.map_or(1, |limit| all.len().div_ceil(limit.max(1)).max(1));
            (set.kind.clone(), open(&set.database), all.into_iter().step_by(step).collect())
        })
        .collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (kind, _, questions) in &sets {
        *counts.entry(kind).or_default() += questions.len();
    }
    let temperature = args.temperature.unwrap_or_else(|| temperature(&sets, &counts, scale));
    let mut heard: Vec<Heard> = Vec::new();
    for (kind, db, questions) in &sets {
        let weight = 1.0 / counts[kind.as_str()] as f64;
        for (number, question) in questions.iter().enumerate() {
            // Neighbours are often about the same passage, and stay in the same part.
            let fold = number * FOLDS / questions.len();
            heard.extend(hear(db, question, scale / temperature).map(|heard| Heard {
                kind: kind.clone(),
                fold,
                weight,
                ..heard
            }));
        }
    }
    if let Some(path) = &args.dump {
        let lines = heard.iter().map(|heard| serde_json::to_string(heard).unwrap() + "\n");
        std::fs::write(path, lines.collect::<String>()).unwrap();
    }
    choose(&args, temperature, &heard);
}

/// The temperature under which the documents asked about have the highest mean log prior.
fn temperature(
    sets: &[(String, ReadOnlyDatabase, Vec<Question>)],
    counts: &BTreeMap<&str, usize>,
    scale: f32,
) -> f32 {
    let mut found: Vec<(f64, Found)> = Vec::new();
    for (kind, db, questions) in sets {
        for question in questions {
            let Some(pid) = &question.pid else { continue };
            let passages = db.retrieve(&question.question, &options(question).retrieval()).unwrap();
            let asked_for = passages.iter().map(|found| &found.hit.key == pid).collect();
            let relevance = passages.iter().map(|found| found.relevance).collect();
            found.push((1.0 / counts[kind.as_str()] as f64, Found { relevance, asked_for }));
        }
    }
    let mean = |temperature: f32| {
        let log_priors = found.iter().filter_map(|(weight, Found { relevance, asked_for })| {
            let of_all = prior(relevance, f64::from(scale / temperature));
            let of_asked = of_all.iter().zip(asked_for).filter(|(_, is)| **is).map(|(prior, _)| *prior);
            let log_prior = log_sum_exp(of_asked);
            log_prior.is_finite().then_some((*weight, log_prior))
        });
        let (weights, sum) = log_priors.fold((0.0, 0.0), |(w, s), (weight, p)| (w + weight, s + weight * p));
        sum / weights
    };
    let (mut best, mut chosen) = (f64::NEG_INFINITY, 1.0);
    for temperature in TEMPERATURES {
        let log_prior = mean(temperature);
        harness::print(&json!({ "temperature": temperature, "log_prior": log_prior }));
        if log_prior > best {
            (best, chosen) = (log_prior, temperature);
        }
    }
    chosen
}

/// Options under which no answer is withheld.
fn options(question: &Question) -> AskOptions {
    let mut options = AskOptions::new().no_answer_threshold(1.0);
    options.filter = question.filter.as_ref().map(|filter| filter.parse::<Filter>().unwrap());
    options
}

/// The answer to a question; `None` when it is refused, or nothing is found for it.
fn hear(db: &ReadOnlyDatabase, question: &Question, score_scale: f32) -> Option<Heard> {
    let answer = match db.ask_with(&question.question, &options(question).score_scale(score_scale)) {
        Err(Error::SeveralQuestions { .. } | Error::Encode(_) | Error::Generate(_)) => return None,
        answer => answer.unwrap(),
    };
    let Signs { probability, read_probability, abstention_score } = answer.signs?;
    let is_answerable = !question.answers.is_empty();
    Some(Heard {
        kind: String::new(),
        question: question.question.clone(),
        answer: answer.text.clone(),
        is_answerable,
        fold: 0,
        f1: if is_answerable { f1(&answer.text, &question.answers) } else { 0.0 },
        is_right: is_answerable && exact_match(&answer.text, &question.answers) == 1.0,
        signs: [probability, read_probability, abstention_score],
        weight: 0.0,
    })
}

/// Bounds outside of which an answer is withheld.
#[derive(Clone, Copy)]
struct Bounds {
    most_abstention: f64,
    least_confidence: f64,
}

/// An answer with the confidence that a fit to other parts gives it.
struct Judged<'a> {
    heard: &'a Heard,
    confidence: f64,
}

impl Judged<'_> {
    fn is_withheld(&self, bounds: Bounds) -> bool {
        self.heard.abstention_score() > bounds.most_abstention || self.confidence < bounds.least_confidence
    }

    /// F1 with abstention: 1 for withholding where there is no answer.
    fn f1(&self, bounds: Bounds) -> f64 {
        if self.is_withheld(bounds) { f64::from(!self.heard.is_answerable) } else { self.heard.f1 }
    }
}

/// Prints the scores of each kind and the choice, and writes the choice.
fn choose(args: &Args, temperature: f32, heard: &[Heard]) {
    let fit_to = |is_in: &dyn Fn(&Heard) -> bool| {
        fitted(&heard.iter().filter(|heard| is_in(heard)).map(Heard::given).collect::<Vec<_>>())
    };
    let fits: Vec<_> = (0..FOLDS).map(|fold| fit_to(&|heard| heard.fold != fold)).collect();
    let confidence = |heard: &Heard| fits[heard.fold].confidence(&heard.given().signs);
    let judged: Vec<Judged<'_>> =
        heard.iter().map(|heard| Judged { heard, confidence: confidence(heard) }).collect();
    let bounds = bounds(&judged, args.keep);
    let kinds: BTreeSet<&str> = heard.iter().map(|heard| heard.kind.as_str()).collect();
    for kind in kinds {
        let all: Vec<&Judged<'_>> = judged.iter().filter(|judged| judged.heard.kind == kind).collect();
        let mean = |f1: &dyn Fn(&Judged<'_>) -> f64| {
            all.iter().map(|judged| f1(judged)).sum::<f64>() / all.len() as f64
        };
        let abstained = |is_answerable| {
            let of_kind: Vec<_> =
                all.iter().filter(|judged| judged.heard.is_answerable == is_answerable).collect();
            let silent = of_kind.iter().filter(|judged| judged.is_withheld(bounds)).count();
            silent as f64 / of_kind.len().max(1) as f64
        };
        let scores: Vec<(f64, bool)> =
            all.iter().map(|judged| (judged.heard.abstention_score(), !judged.heard.is_answerable)).collect();
        let given = all.iter().filter(|judged| !judged.is_withheld(bounds));
        let given: Vec<_> = given.map(|judged| (judged.heard.given(), judged.confidence)).collect();
        let by_probability: Vec<_> =
            given.iter().map(|(given, _)| (*given, given.signs.probability)).collect();
        harness::print(&json!({
            "kind": kind, "questions": all.len(), "given": given.len(),
            "f1": mean(&|judged| judged.f1(bounds)), "f1_always": mean(&|judged| judged.heard.f1),
            "abstained": { "answerable": abstained(true), "unanswerable": abstained(false) },
            "auroc": roc_area(&scores),
            "calibration_error": { "probability": calibration_error(&by_probability),
                "confidence": calibration_error(&given) },
        }));
    }
    let of_all: Vec<_> = judged.iter().map(|judged| (judged.heard.given(), judged.confidence)).collect();
    let fit = fit_to(&|_| true);
    let rounded = |value: f64| (value * 1e4).round() / 1e4;
    let calibration = json!({
        "prior_temperature": rounded(f64::from(temperature)),
        "no_answer_threshold": rounded(bounds.most_abstention),
        "min_confidence": rounded(bounds.least_confidence),
        "confidence": {
            "offset": rounded(fit.offset),
            "probability": rounded(fit.probability),
            "read_probability": rounded(fit.read_probability),
            "abstention": rounded(fit.abstention),
        },
    });
    harness::print(&json!({
        "questions": heard.len(), "calibration": calibration, "log_loss": log_loss(&of_all),
    }));
    if let Some(path) = &args.write {
        let mut config: serde_json::Value = harness::json(path);
        config["calibration"] = calibration;
        std::fs::write(path, serde_json::to_string_pretty(&config).unwrap() + "\n").unwrap();
    }
}

/// The bounds with the highest F1 among those that keep, in each kind, the share `keep` of the
/// answerable questions' F1, give or take one question.
fn bounds(judged: &[Judged<'_>], keep: f64) -> Bounds {
    let all = Bounds { most_abstention: 1.0, least_confidence: 0.0 };
    // A kind of a hundred questions cannot tell a share of .99 from one of 1.
    let answerable = |bounds: Bounds, kind: &str| {
        let of_kind = judged.iter().filter(|judged| judged.heard.is_answerable && judged.heard.kind == kind);
        of_kind.map(|judged| judged.f1(bounds)).sum::<f64>()
    };
    let kinds: BTreeSet<&str> = judged.iter().map(|judged| judged.heard.kind.as_str()).collect();
    let needed: Vec<(&str, f64)> =
        kinds.into_iter().map(|kind| (kind, keep * answerable(all, kind) - 1.0)).collect();
    let pairs = (STEPS / 2..=STEPS).flat_map(|most| (0..STEPS / 2).map(move |least| (most, least)));
    let step = 1.0 / STEPS as f64;
    let pairs = pairs.map(|(most, least)| Bounds {
        most_abstention: most as f64 * step,
        least_confidence: least as f64 * step,
    });
    let kept =
        pairs.filter(|bounds| needed.iter().all(|(kind, needed)| answerable(*bounds, kind) >= *needed));
    let of_all =
        |bounds: &Bounds| judged.iter().map(|judged| judged.heard.weight * judged.f1(*bounds)).sum::<f64>();
    kept.max_by(|a, b| of_all(a).total_cmp(&of_all(b))).unwrap_or(all)
}
