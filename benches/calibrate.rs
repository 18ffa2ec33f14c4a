//! Fits the prior's temperature, the threshold of "no answer" and the confidence in an answer, for
//! a generator that can say "no answer", on questions with known answers: newwiki.heldout and the
//! first half of squad2.heldout, k = 5. With `--among` each question is asked twice: over the set's
//! own passages, and over these mixed with others, since a database usually holds more than a few
//! hundred.
//!
//!     cargo bench --bench calibrate -- [--generator reader|FOLDER] [--keep 0.99] [--among PASSAGES] [--limit 300]
//!         [--write CONFIG.json] [--dump OUTPUTS.jsonl]
//!
//! The threshold is the lowest that keeps the share `--keep` of the F1 reached when every
//! answerable question is answered. Withholding a right answer is the worse mistake, since a wrong
//! one is shown with its probability and its source. The temperature is the one that gives the
//! passages asked about the highest mean log prior, over the questions where they are among the k.
//! The F1 of answers hardly depends on it. The confidence is a logistic regression
//! (`ConfidenceFit`) that predicts if a given answer is exactly right. Prints one JSON line per
//! temperature, then the choice; `--write` stores the choice in a model's config.json.
//!
//! Candidates are searched once, under all k passages at temperature 1, then ranked again at each
//! temperature under the passages worth reading.
#![allow(clippy::unwrap_used, reason = "a benchmark stops at the first failure")]

mod corpus;
mod harness;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Parser;
use corpus::{Question, Remembering};
use postil::evaluate::{exact_match, f1, roc_area};
use postil::{Database, RetrieveOptions};
use postil_contract::{ConfidenceFit, Generator, Passage};
use postil_generator::{
    BeamOptions, Constraints, DEFAULT_BEAMS, DEFAULT_UNREAD_PRIOR, Mode, abstention_score, exhaustive,
    log_sum_exp, name_weights, prior, union, worth_reading,
};
use serde::Serialize;
use serde_json::json;

const SETS: [(&str, bool); 2] = [("newwiki.heldout", false), ("squad2.heldout", true)];
const K: usize = 5;
const TEMPERATURES: [f32; 9] = [0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0];

#[derive(Parser)]
struct Args {
    /// Name or folder of the generator
    #[arg(long, default_value = "reader")]
    generator: String,
    /// Share of the F1 of answerable questions to keep
    #[arg(long, default_value_t = 0.99)]
    keep: f64,
    /// Number of questions from each set, evenly spread over it; by default, all
    #[arg(long)]
    limit: Option<usize>,
    /// The config.json that receives the choice
    #[arg(long)]
    write: Option<PathBuf>,
    /// A corpus that answers none of the questions: each set is asked once alone and once mixed
    /// with these passages
    #[arg(long)]
    among: Option<PathBuf>,
    /// File for the generator's outputs, one JSON line per question
    #[arg(long)]
    dump: Option<PathBuf>,
}

#[derive(Serialize)]
struct Candidate {
    f1: f64,
    exact_match: f64,
    /// log p(y|x,z), `[passages]`.
    log_likelihoods: Vec<f64>,
}

/// Output of a generator for one question.
#[derive(Serialize)]
struct Heard {
    is_answerable: bool,
    /// `true` for each passage of the document that was asked about, `[passages]`.
    asked_for: Vec<bool>,
    scores: Vec<f32>,
    /// log p(no answer|x,z), `[passages]`.
    silence: Vec<f64>,
    /// See `name_weights`; `[passages]`.
    weights: Vec<f64>,
    candidates: Vec<Candidate>,
}

fn main() {
    let args: Args = harness::args();
    let encoder = Arc::new(Remembering::new(postil::open_model(postil::DEFAULT_MODEL).unwrap()));
    let scale = f64::from(postil_contract::Encoder::profile(&*encoder).score_scale);
    let generator = postil::open_generator(&args.generator, &(encoder.clone() as _)).unwrap();
    let (mut heard, mut dump) = (Vec::new(), String::new());
    let corpora = [None].into_iter().chain(args.among.as_deref().map(Some));
    for ((set, only_first_half), among) in corpora.flat_map(|among| SETS.map(|set| (set, among))) {
        let db = database(set, among, encoder.clone());
        let path = corpus::data_folder().join(format!("eval/{set}.jsonl"));
        let mut questions = corpus::questions(&path).unwrap();
        if only_first_half {
            questions.truncate(questions.len() / 2);
        }
        let step = args.limit.map_or(1, |limit| questions.len().div_ceil(limit.max(1)));
        for question in questions.iter().step_by(step) {
            let new = hear(&db, &*generator, scale, question);
            let line =
                json!({ "set": set, "among": among.is_some(), "question": question.question, "heard": new });
            dump.push_str(&format!("{line}\n"));
            heard.push(new);
        }
    }
    if let Some(path) = &args.dump {
        std::fs::write(path, dump).unwrap();
    }
    let (mut best, mut chosen) = (f64::NEG_INFINITY, (1.0, 1.0, Vec::new()));
    for temperature in TEMPERATURES {
        let outcomes: Vec<Outcome> =
            heard.iter().map(|heard| heard.outcome(scale / f64::from(temperature))).collect();
        let threshold = threshold(&outcomes, args.keep);
        let mean =
            |f1: &dyn Fn(&Outcome) -> f64| outcomes.iter().map(f1).sum::<f64>() / outcomes.len() as f64;
        let f1 = mean(&|o| if o.abstention_score > threshold { f64::from(!o.is_answerable) } else { o.f1 });
        let log_priors: Vec<f64> = outcomes.iter().filter_map(|o| o.log_prior).collect();
        let log_prior = log_priors.iter().sum::<f64>() / log_priors.len() as f64;
        let of_kind = |is_answerable| outcomes.iter().filter(move |o| o.is_answerable == is_answerable);
        let abstained = |is_answerable| {
            let silent = of_kind(is_answerable).filter(|o| o.abstention_score > threshold).count();
            silent as f64 / of_kind(is_answerable).count() as f64
        };
        let signs: Vec<(f64, bool)> =
            outcomes.iter().map(|o| (o.abstention_score, !o.is_answerable)).collect();
        harness::print(&json!({
            "temperature": temperature, "log_prior": log_prior, "threshold": threshold,
            "f1": f1, "f1_always": mean(&|o| o.f1),
            "abstained": { "answerable": abstained(true), "unanswerable": abstained(false) },
            "auroc": roc_area(&signs),
        }));
        if log_prior > best {
            (best, chosen) = (log_prior, (temperature, threshold, outcomes));
        }
    }
    let (temperature, threshold, mut outcomes) = chosen;
    outcomes.retain(|o| o.abstention_score <= threshold);
    let fit = fitted(&outcomes);
    let rounded = |value: f64| (value * 1e4).round() / 1e4;
    let calibration = json!({
        "prior_temperature": rounded(f64::from(temperature)),
        "no_answer_threshold": rounded(threshold),
        "confidence": {
            "offset": rounded(fit.offset),
            "probability": rounded(fit.probability),
            "abstention": rounded(fit.abstention),
        },
    });
    harness::print(&json!({
        "questions": heard.len(), "given": outcomes.len(), "calibration": calibration, "log_prior": best,
        "log_loss": { "probability": log_loss(&outcomes, |o| o.probability),
            "confidence": log_loss(&outcomes, |o| fit.confidence(o.probability, o.abstention_score)) },
    }));
    if let Some(path) = args.write {
        let mut config: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        config["calibration"] = calibration;
        std::fs::write(path, serde_json::to_string_pretty(&config).unwrap() + "\n").unwrap();
    }
}

fn database(set: &str, among: Option<&Path>, encoder: Arc<Remembering>) -> Database {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/eval");
    std::fs::create_dir_all(&folder).unwrap();
    let mut documents =
        corpus::documents(&corpus::data_folder().join(format!("eval/{set}.corpus.jsonl"))).unwrap();
    documents.extend(among.into_iter().flat_map(|path| corpus::documents(path).unwrap()));
    let name = if among.is_some() { format!("{set}.among.postil") } else { format!("{set}.postil") };
    let db = Database::options().encoder(encoder).open(folder.join(name)).unwrap();
    db.ingest_all(documents, &postil::Watch::default()).unwrap();
    db
}

fn hear(db: &Database, generator: &dyn Generator, scale: f64, question: &Question) -> Heard {
    let found = db.retrieve(&question.question, &RetrieveOptions::new(K)).unwrap();
    let passages: Vec<Passage<'_>> =
        found.iter().map(|found| Passage { title: &found.hit.heading, text: &found.hit.text }).collect();
    let scores: Vec<f32> = found.iter().map(|found| found.relevance).collect();
    let asked_for = found.iter().map(|found| found.hit.key == question.pid).collect();
    let log_prior = prior(&scores, scale);
    let mut decoding = generator.start(&question.question, &passages).unwrap();
    let silent = decoding.no_answer().expect("a generator that can say \"no answer\"");
    let silence = exhaustive(&mut *decoding, vec![vec![silent]], Mode::Sequence, &log_prior).unwrap();
    let constraints = Constraints { barred: vec![silent], ..Constraints::new(64).within(&decoding.form()) };
    let options = BeamOptions::quick(DEFAULT_BEAMS);
    let found = union(&mut *decoding, Mode::Sequence, &log_prior, &constraints, &options);
    let candidates = found.unwrap().into_iter().map(|found| {
        let text = decoding.text(&found.tokens);
        let (said, gold) = (text.trim(), &question.answers);
        Candidate {
            f1: f1(said, gold),
            exact_match: exact_match(said, gold),
            log_likelihoods: found.marginal.log_likelihoods,
        }
    });
    let candidates = candidates.collect();
    Heard {
        is_answerable: !question.answers.is_empty(),
        asked_for,
        scores,
        weights: name_weights(&question.question, &passages),
        silence: silence[0].marginal.log_likelihoods.clone(),
        candidates,
    }
}

#[derive(Clone, Copy)]
struct Outcome {
    is_answerable: bool,
    /// Log prior of the document that was asked about; `None` when it was not retrieved.
    log_prior: Option<f64>,
    /// F1 of the likeliest answer, given or withheld; 0 when there is none.
    f1: f64,
    /// `true` if the likeliest answer is exactly right; `false` when there is none.
    is_right: bool,
    /// p(y|x) of the likeliest answer.
    probability: f64,
    abstention_score: f64,
}

impl Heard {
    fn outcome(&self, scale: f64) -> Outcome {
        let of_all = prior(&self.scores, scale);
        let read = worth_reading(&of_all, DEFAULT_UNREAD_PRIOR);
        let log_prior = prior(&self.scores[..read], scale);
        let marginal =
            |log_likelihoods: &[f64]| log_sum_exp(log_prior.iter().zip(log_likelihoods).map(|(p, l)| p + l));
        let log_prob = |candidate: &Candidate| marginal(&candidate.log_likelihoods);
        let best = self.candidates.iter().max_by(|a, b| log_prob(a).total_cmp(&log_prob(b)));
        let asked_for = of_all.iter().zip(&self.asked_for).filter(|(_, is)| **is).map(|(prior, _)| *prior);
        let asked_for = log_sum_exp(asked_for);
        Outcome {
            is_answerable: self.is_answerable,
            log_prior: asked_for.is_finite().then_some(asked_for),
            f1: best.filter(|_| self.is_answerable).map_or(0.0, |best| best.f1),
            is_right: best.is_some_and(|best| self.is_answerable && best.exact_match == 1.0),
            probability: best.map_or(0.0, |best| log_prob(best).exp().min(1.0)),
            abstention_score: abstention_score(&self.silence[..read], &self.weights[..read]),
        }
    }
}

/// The lowest threshold: withholding the answers whose abstention score is above it keeps at least
/// the share `keep` of the answerable questions' F1.
fn threshold(outcomes: &[Outcome], keep: f64) -> f64 {
    let mut answerable: Vec<&Outcome> = outcomes.iter().filter(|o| o.is_answerable).collect();
    answerable.sort_by(|a, b| a.abstention_score.total_cmp(&b.abstention_score));
    let needed = keep * answerable.iter().map(|o| o.f1).sum::<f64>();
    let mut kept = 0.0;
    let reaches = |outcome: &&&Outcome| {
        kept += outcome.f1;
        kept >= needed
    };
    answerable.iter().find(reaches).map_or(1.0, |outcome| outcome.abstention_score)
}

/// The maximum-likelihood regression for these outcomes (Newton's method). A weak prior, equal to
/// one more question of each kind, keeps the factors small.
fn fitted(outcomes: &[Outcome]) -> ConfidenceFit {
    const STEPS: usize = 50;
    let mut weights = [0.0f64; 3];
    for _ in 0..STEPS {
        let (mut gradient, mut curvature) = (weights.map(|weight| -weight), [[0.0; 3]; 3]);
        for (at, row) in curvature.iter_mut().enumerate() {
            row[at] = 1.0;
        }
        for outcome in outcomes {
            let [probability, abstention] =
                ConfidenceFit::features(outcome.probability, outcome.abstention_score);
            let x = [1.0, probability, abstention];
            let log_odds: f64 = x.iter().zip(weights).map(|(x, weight)| x * weight).sum();
            let right = 1.0 / (1.0 + (-log_odds).exp());
            for (i, row) in curvature.iter_mut().enumerate() {
                gradient[i] += x[i] * (f64::from(outcome.is_right) - right);
                row.iter_mut().zip(x).for_each(|(cell, other)| *cell += x[i] * other * right * (1.0 - right));
            }
        }
        let step = solved(curvature, gradient);
        weights.iter_mut().zip(step).for_each(|(weight, step)| *weight += step);
    }
    let [offset, probability, abstention] = weights;
    ConfidenceFit { offset, probability, abstention }
}

/// The solution x of a x = b, for a positive definite matrix a.
fn solved(mut a: [[f64; 3]; 3], mut b: [f64; 3]) -> [f64; 3] {
    for at in 0..3 {
        for below in at + 1..3 {
            let factor = a[below][at] / a[at][at];
            let pivot = a[at];
            a[below].iter_mut().zip(pivot).for_each(|(cell, above)| *cell -= factor * above);
            b[below] -= factor * b[at];
        }
    }
    for at in (0..3).rev() {
        let known: f64 = (at + 1..3).map(|column| a[at][column] * b[column]).sum();
        b[at] = (b[at] - known) / a[at][at];
    }
    b
}

/// Mean negative log-likelihood of the outcomes, in nats.
fn log_loss(outcomes: &[Outcome], right: impl Fn(&Outcome) -> f64) -> f64 {
    let of = |outcome: &Outcome| {
        let p = right(outcome).clamp(1e-6, 1.0 - 1e-6);
        -if outcome.is_right { p.ln() } else { (1.0 - p).ln() }
    };
    outcomes.iter().map(of).sum::<f64>() / outcomes.len().max(1) as f64
}
