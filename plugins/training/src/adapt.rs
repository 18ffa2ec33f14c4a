//! Adaptation of an encoder to documents, without labels.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use postil_checkpoint::ModelFolder;
use postil_encoder::{BertEncoder, Parts};

use crate::held_out::{HeldOut, divide, recall, reciprocal};
use crate::material::{Masking, passage_ids, query_ids};
use crate::run::{BatchLoss, RunSettings, Stepped, run};
use crate::{
    Batch, Bert, Compared, MaskedWords, Objective, Parameters, Random, Section, Source, TrainError, export,
    loss,
};

/// Fewest passages that an adaptation is begun with.
const LEAST_PASSAGES: usize = 64;
/// Attempts to find a passage with a pair for an objective.
const ATTEMPTS: usize = 64;
/// Longest query in tokens.
const QUERY_TOKENS: usize = 48;

/// Options of an adaptation.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct AdaptOptions {
    /// Objectives, taken in turn.
    pub objectives: Vec<Objective>,
    /// Pairs in a batch, whose passages are each other's negatives; twice as many texts are masked.
    pub pairs: usize,
    /// Longest passage in training, in tokens; longer ones are cut.
    pub max_tokens: usize,
    /// Masks all pieces of a word or none.
    pub whole_words: bool,
    /// Settings of the run.
    pub run: RunSettings,
}

impl Default for AdaptOptions {
    fn default() -> Self {
        let run = RunSettings { minutes: Some(20.0), ..RunSettings::default() };
        let objectives = vec![Objective::Crop, Objective::Heading];
        Self { objectives, pairs: 32, max_tokens: 128, whole_words: false, run }
    }
}

/// Share of the held-out questions whose passage is among the first 1, 5 and 10.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct RecallRow {
    /// Recall at 1, 5 and 10.
    pub recall: [f64; 3],
    /// Mean reciprocal rank, within the first ten.
    pub reciprocal_rank: f64,
}

impl RecallRow {
    fn of(ranks: &[usize]) -> Self {
        let reciprocal = reciprocal(ranks);
        Self {
            recall: [1, 5, 10].map(|k| recall(ranks, k)),
            reciprocal_rank: reciprocal.iter().sum::<f64>() / ranks.len().max(1) as f64,
        }
    }
}

/// The result of an adaptation.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Adapted {
    /// Scores of the parent on held-out questions.
    pub before: RecallRow,
    /// Scores of the adapted encoder on the same.
    pub after: RecallRow,
    /// Their difference in reciprocal rank.
    pub compared: Compared,
    /// Number of steps taken.
    pub steps: u64,
    /// Loss at the end, averaged over the last steps.
    pub loss: f64,
    /// Tokens read in a second of training.
    pub tokens_per_second: f64,
    /// The adapted encoder's folder; `None` when it is not better beyond noise, and nothing was kept.
    pub folder: Option<PathBuf>,
}

/// Trains the encoder in `parent` on `documents`, and keeps the result at `to`, where nothing may
/// be, if it finds passages of held-out documents better beyond noise. `state` is the file from
/// which an interrupted run goes on; it is removed at the end.
///
/// # Errors
/// [`TrainError`]; nothing is at `to` then.
pub fn adapt(
    parent: &Path,
    documents: Vec<Source>,
    options: &AdaptOptions,
    (state, to): (&Path, &Path),
    watch: &mut dyn FnMut(&Stepped) -> ControlFlow<()>,
) -> Result<Adapted, TrainError> {
    let folder = ModelFolder::open(parent)?;
    let parts = Parts::open(&folder)?;
    let unsupported =
        |reason: &str| TrainError::Unsupported { path: parent.to_owned(), reason: reason.to_owned() };
    if parts.pooling() == postil_encoder::Pooling::Max {
        return Err(unsupported("it pools by maximum, which cannot be trained"));
    }
    if options.objectives.is_empty() {
        return Err(unsupported("no objective was chosen"));
    }
    let (training, held_out) = divide(documents);
    let passages: usize = training.iter().map(|document| document.passages.len()).sum();
    let questions = HeldOut::of(&held_out, &training);
    let got = passages.min(questions.questions() * 4);
    if got < LEAST_PASSAGES {
        return Err(TrainError::TooFew { got, least: LEAST_PASSAGES });
    }
    let measured = |path: &Path| -> Result<Vec<usize>, TrainError> {
        let encoder = BertEncoder::open(path)?;
        questions.ranks(&encoder).map_err(|error| candle_core::Error::msg(error.to_string()).into())
    };
    let before = measured(parent)?;

    let mut trainer = Trainer::new(&folder, parts, &training, options)?;
    let name = format!("adapt {}, {options:?}, {passages} passages", folder.name());
    let parameters = trainer.parameters.clone();
    let last = run(
        &parameters,
        &options.run,
        (state, &name),
        &mut |random, step| trainer.batch(random, step),
        watch,
    )?;

    // Beside its place and hidden, until it is known to be better.
    let file = to.file_name().unwrap_or_default().to_string_lossy();
    let trial = to.with_file_name(format!(".trial-{file}"));
    if trial.exists() {
        std::fs::remove_dir_all(&trial).map_err(TrainError::io(&trial))?;
    }
    export(&folder, &parameters, "", &trial)?;
    let after = measured(&trial)?;
    let compared = Compared::of(&reciprocal(&before), &reciprocal(&after));
    let mut adapted = Adapted {
        before: RecallRow::of(&before),
        after: RecallRow::of(&after),
        compared,
        steps: last.map_or(0, |last| last.step),
        loss: last.map_or(0.0, |last| last.loss),
        tokens_per_second: last.map_or(0.0, |last| last.tokens_per_second),
        folder: None,
    };
    if compared.is_better() {
        let card = card(&folder, options, &adapted, training.len());
        std::fs::write(trial.join("README.md"), card).map_err(TrainError::io(&trial))?;
        std::fs::rename(&trial, to).map_err(TrainError::io(to))?;
        adapted.folder = Some(to.to_owned());
    } else {
        std::fs::remove_dir_all(&trial).map_err(TrainError::io(&trial))?;
    }
    match std::fs::remove_file(state) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(TrainError::io(state)(error)),
        _ => Ok(adapted),
    }
}

struct Trainer<'a> {
    parts: Parts,
    bert: Bert,
    parameters: Parameters,
    masking: Option<Masking>,
    documents: &'a [Source],
    /// Document and passage of every passage.
    places: Vec<(usize, usize)>,
    options: &'a AdaptOptions,
}

impl<'a> Trainer<'a> {
    fn new(
        folder: &ModelFolder,
        parts: Parts,
        documents: &'a [Source],
        options: &'a AdaptOptions,
    ) -> Result<Self, TrainError> {
        let bert = Bert::new(parts.config().clone(), parts.prefix());
        let weights = folder.weights()?;
        let has_masks = options.objectives.contains(&Objective::Mlm);
        let mut parameters = Parameters::load(&weights, |name| {
            bert.reads(name) || has_masks && name.starts_with("cls.predictions.")
        })?;
        let mut masking = None;
        if has_masks {
            masking = Some(Masking::new(&parts, options.whole_words, folder.path())?);
            MaskedWords::complete(&bert, &mut parameters)?;
        }
        let places = documents.iter().enumerate();
        let places = places.flat_map(|(index, source)| (0..source.passages.len()).map(move |at| (index, at)));
        Ok(Self { parts, bert, parameters, masking, documents, places: places.collect(), options })
    }

    fn batch(&mut self, random: &mut Random, step: u64) -> Result<BatchLoss, TrainError> {
        let objectives = &self.options.objectives;
        let objective = objectives[(step % objectives.len() as u64) as usize];
        match (objective, &self.masking) {
            (Objective::Mlm, Some(masking)) => self.masked(masking, random),
            _ => self.pairs(objective, random),
        }
    }

    fn masked(&self, masking: &Masking, random: &mut Random) -> Result<BatchLoss, TrainError> {
        let (mut rows, mut places, mut words) = (Vec::new(), Vec::new(), Vec::new());
        let mut start = 0;
        // A batch in which nothing is asked is drawn again; of long texts there is none.
        while places.is_empty() {
            (rows, places, words, start) = Default::default();
            for _ in 0..2 * self.options.pairs {
                let (document, at) = self.places[random.below(self.places.len())];
                let section = &self.documents[document].passages[at];
                let masked =
                    masking.apply(&passage_ids(&self.parts, section, self.options.max_tokens)?, random);
                places.extend(masked.places.iter().map(|place| (start + place) as u32));
                words.extend(masked.words);
                start += masked.ids.len();
                rows.push(masked.ids);
            }
        }
        let rows: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
        let states = self.bert.forward(&self.parameters, &Batch::new(&rows, None)?)?;
        let loss = MaskedWords::loss(&self.bert, &self.parameters, &states, &places, &words)?;
        Ok(BatchLoss { loss, tokens: start })
    }

    /// A batch of pairs, each of another document where there are enough.
    fn pairs(&self, objective: Objective, random: &mut Random) -> Result<BatchLoss, TrainError> {
        let (mut queries, mut passages) = (Vec::new(), Vec::new());
        let mut used = std::collections::HashSet::new();
        for _ in 0..self.options.pairs * ATTEMPTS {
            if queries.len() == self.options.pairs {
                break;
            }
            let (document, at) = self.places[random.below(self.places.len())];
            if used.len() < self.documents.len() && used.contains(&document) {
                continue;
            }
            let source = &self.documents[document];
            // A heading or a neighbour that this passage has not is made up for by its own words.
            let pair =
                objective.pair(source, at, random).or_else(|| Objective::Crop.pair(source, at, random));
            let Some((query, Section { heading, text })) = pair else { continue };
            used.insert(document);
            queries.push(query_ids(&self.parts, &query, QUERY_TOKENS)?);
            passages.push(passage_ids(&self.parts, &Section { heading, text }, self.options.max_tokens)?);
        }
        if queries.len() < 2 {
            return Err(TrainError::TooFew { got: queries.len(), least: 2 });
        }
        let rows: Vec<&[u32]> = queries.iter().chain(&passages).map(Vec::as_slice).collect();
        let tokens = rows.iter().map(|row| row.len()).sum();
        let (pooling, normalizes) = (self.parts.pooling(), self.parts.normalizes());
        let vectors = self.bert.embed(&self.parameters, &Batch::new(&rows, None)?, pooling, normalizes)?;
        let count = queries.len();
        let (queries, passages) = (vectors.narrow(0, 0, count)?, vectors.narrow(0, count, count)?);
        let scale = f64::from(self.parts.score_scale());
        let forth = loss::contrastive(&queries, &passages.contiguous()?, scale)?;
        Ok(BatchLoss { loss: forth, tokens })
    }
}

fn card(parent: &ModelFolder, options: &AdaptOptions, adapted: &Adapted, documents: usize) -> String {
    let objectives: Vec<&str> = options.objectives.iter().map(|objective| objective.name()).collect();
    let license = parent
        .text_if_present("README.md")
        .ok()
        .flatten()
        .and_then(|text| text.lines().find_map(|line| line.strip_prefix("license:").map(str::to_owned)))
        .unwrap_or_else(|| " that of its parent".to_owned());
    let row = |name: &str, row: &RecallRow| {
        let [one, five, ten] = row.recall;
        format!("| {name} | {one:.3} | {five:.3} | {ten:.3} | {:.3} |", row.reciprocal_rank)
    };
    let Compared { questions, low, high, .. } = adapted.compared;
    format!(
        "---\nlicense:{license}\npipeline_tag: sentence-similarity\nlibrary_name: sentence-transformers\n---\n\n\
         # {parent}, adapted\n\n\
         `{parent}`, trained further on {documents} documents of a Postil database, without labels.\n\n\
         - Objectives: {objectives}, {steps} steps of {pairs} pairs, rate {rate:e}, seed {seed}.\n\
         - License: {license}, as its parent. The documents it learned from are not in it, but it may say \
         something about them.\n\n\
         Questions made of documents that it has not learned from ({questions}):\n\n\
         | | recall@1 | recall@5 | recall@10 | reciprocal rank |\n|---|---|---|---|---|\n{before}\n{after}\n\n\
         The difference in reciprocal rank is between {low:.3} and {high:.3} (95 %, paired bootstrap).\n",
        parent = parent.name(),
        license = license.trim_start_matches(' '),
        objectives = objectives.join(", "),
        steps = adapted.steps,
        pairs = options.pairs,
        rate = options.run.learning_rate,
        seed = options.run.seed,
        before = row("parent", &adapted.before),
        after = row("adapted", &adapted.after),
    )
}
