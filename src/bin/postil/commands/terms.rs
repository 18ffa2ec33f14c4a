use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::render;

/// Explain the words that help and output use
#[derive(Args)]
#[command(after_help = TERMS)]
pub(crate) struct Terms {}

const TERMS: &str = "\
passage      a stretch of a document, about as long as a paragraph; what is searched and cited
encoder      the model that makes a vector of each passage; near vectors mean the same
score        similarity of a passage and the question in meaning, 1 at most
words        share of the question's words that a passage has, rare words counting more; from 0 to 1
relevance    score and words together: what passages are ranked by

probability  how often an answer like this one is right, measured on questions with known answers
             (`confidence` in JSON; `probability` there is the model's own, before that measurement)
no answer    the documents do not say; given when that is likelier, or no answer is sure enough
prior        probability that a passage holds the answer, before the answer was known
posterior    probability that the answer came from a passage, among those found: where it is from,
             not whether it is true
evidence     how much likelier the passages make an answer than reading nothing does, in nats
nat          a logarithm of a probability ratio: 1 nat is 2.7 times, 2 are 7.4 times, 5 are 148 times

recall       share of the nearest passages that a search finds
segment      a file of passages with its search index; the newest passages have none yet and are
             scanned
precision    bits that a number of a vector has on disk: full, 32, or half, 16
prune        to remove documents whose file is gone, or is left out now";

pub(crate) fn run(_: &Terms) -> Result<ExitCode> {
    render::text(TERMS)?;
    Ok(ExitCode::SUCCESS)
}
