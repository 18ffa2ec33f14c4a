use postil_contract::{Decoding, GenerateError, Generator};

use super::decode::Decode;
use super::options::AnswerOptions;
use crate::decode::{beam, exhaustive, fast, greedy, sample, thorough, union};
use crate::{Hypothesis, Watch};

/// The result of a search.
pub(super) struct Found {
    /// The answers, best first; may be empty.
    pub(super) hypotheses: Vec<Hypothesis>,
    /// "No answer", from a generator that can say it; `None` from any other.
    pub(super) silence: Option<Hypothesis>,
    /// True when the hypotheses are all possible answers.
    pub(super) are_all: bool,
    /// True when each token of the best answer was passed to the watcher as it was chosen.
    pub(super) watched: bool,
}

/// Searches as the options say; exhaustively when the answers are finitely many.
///
/// "No answer" is scored apart: under most of the k passages it is by far the likeliest answer, and
/// would displace the answer of the one passage that has it.
pub(super) fn search(
    generator: &dyn Generator,
    decoding: &mut dyn Decoding,
    log_prior: &[f64],
    options: &AnswerOptions,
    watch: Watch<'_>,
) -> Result<Found, GenerateError> {
    let mode = options.mode;
    let mut constraints = options.constraints.within(&decoding.form());
    let silent = decoding.no_answer();
    if let Some(candidates) = decoding.candidates() {
        let mut hypotheses = exhaustive(decoding, candidates, mode, log_prior)?;
        let is_silence = |h: &Hypothesis| silent.is_some() && h.tokens.first().copied() == silent;
        let silence = hypotheses.iter().position(is_silence).map(|at| hypotheses.remove(at));
        return Ok(Found { hypotheses, silence, are_all: true, watched: false });
    }
    let silence = match silent {
        Some(token) => exhaustive(decoding, vec![vec![token]], mode, log_prior)?.pop(),
        None => None,
    };
    constraints.barred.extend(silent);
    let constraints = &constraints;
    let is_fixed = generator.vocabulary_is_fixed();
    let (search, undecoded) = (options.search_by(generator), options.undecoded_posterior);
    let hypotheses = match &search {
        Decode::Greedy => vec![greedy(decoding, mode, log_prior, constraints, undecoded, watch)?],
        Decode::Sample(sampling) => {
            vec![sample(decoding, mode, log_prior, constraints, sampling, undecoded, watch)?]
        }
        Decode::Thorough(beams) if is_fixed => {
            let proposed = thorough(decoding, mode, log_prior, constraints, beams)?;
            proposed.into_iter().map(|p| p.hypothesis).collect()
        }
        Decode::Fast(beams) if is_fixed => {
            let proposed = fast(thorough(decoding, mode, log_prior, constraints, beams)?);
            proposed.into_iter().map(|p| p.hypothesis).collect()
        }
        Decode::Union(beams) if is_fixed => union(decoding, mode, log_prior, constraints, beams)?,
        Decode::Beam(beams) | Decode::Thorough(beams) | Decode::Fast(beams) | Decode::Union(beams) => {
            let ranked = beam(decoding, mode, log_prior, constraints, beams)?;
            ranked.into_iter().map(|ranked| ranked.hypothesis).collect()
        }
    };
    let watched = search.streams();
    Ok(Found { hypotheses, silence, are_all: false, watched })
}
