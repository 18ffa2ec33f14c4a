//! Decoders against stored decodings: ids equal, scores within the models' tolerance.

use std::ops::ControlFlow;

use postil_contract::{Decoding, TokenId};
use postil_generator::{
    BeamOptions, Constraints, EarlyStopping, LanguageModel, Mode, Proposed, Ranked, Said, beam, fast, greedy,
    prior, thorough, union,
};
use serde_json::Value;

use crate::golden_models::{Errors, floats, ids, load, prompts, tensors};
use crate::support::golden;

const POSTERIOR: f64 = 5e-4;

/// One question of one model.
struct Case<'a> {
    model: &'a LanguageModel,
    prompts: &'a [Vec<TokenId>],
    log_prior: Vec<f64>,
    constraints: Constraints,
    beams: usize,
    /// Number of tokens at the start of stored sequences that are not part of the answer.
    skip: usize,
    tolerance: f64,
}

impl Case<'_> {
    fn decoding(&self) -> Box<dyn Decoding + '_> {
        self.model.start(self.prompts).unwrap()
    }

    fn tokens(&self, stored: &Value) -> Vec<TokenId> {
        ids(stored)[self.skip..].to_vec()
    }

    /// Options of the stored searches: with a length penalty, or comparing log-probabilities.
    fn options(&self, penalized: bool) -> BeamOptions {
        match penalized {
            true => BeamOptions {
                length_penalty: 1.0,
                early_stopping: EarlyStopping::Hopeless,
                ..BeamOptions::new(self.beams)
            },
            false => BeamOptions::new(self.beams),
        }
    }

    fn check_greedy(&self, mode: Mode, stored: &Value) {
        let mut watched = Vec::new();
        let watch = &mut |said: Said<'_>| {
            watched.push(said.token);
            ControlFlow::Continue(())
        };
        let found =
            greedy(self.decoding().as_mut(), mode, &self.log_prior, &self.constraints, 0.0, watch).unwrap();
        assert_eq!(found.tokens, self.tokens(&stored["tokens"]));
        assert_eq!(found.tokens, watched);
    }

    /// Checks that the best answers agree, and the others unless two are tied within rounding.
    fn check_beam(&self, errors: &mut Errors, mode: Mode, penalized: bool, stored: &Value) {
        let options = self.options(penalized);
        let found =
            beam(self.decoding().as_mut(), mode, &self.log_prior, &self.constraints, &options).unwrap();
        let all = stored["min_margin"].as_f64().unwrap() > 2.0 * self.tolerance;
        for (i, (Ranked { score, hypothesis }, stored)) in
            found.iter().zip(stored["nbest"].as_array().unwrap()).enumerate()
        {
            if i == 0 || all {
                assert_eq!(hypothesis.tokens, self.tokens(&stored["tokens"]), "place {i}");
                errors.check("beam score", *score, &stored["score"], self.tolerance);
            }
        }
    }

    fn thorough(&self) -> Vec<Proposed> {
        let options = self.options(true);
        thorough(self.decoding().as_mut(), Mode::Sequence, &self.log_prior, &self.constraints, &options)
            .unwrap()
    }

    fn check_thorough(&self, errors: &mut Errors, candidates: &[Value], best: &Value) {
        let found = self.thorough();
        assert_eq!(found[0].hypothesis.tokens, self.tokens(best));
        assert_eq!(found.len(), candidates.len());
        for stored in candidates {
            let tokens = self.tokens(&stored["tokens"]);
            let same = found
                .iter()
                .find(|p| p.hypothesis.tokens == tokens)
                .expect("a stored candidate is not found");
            let in_docs: Vec<usize> = ids(&stored["found_in_docs"]).into_iter().map(|z| z as usize).collect();
            assert_eq!(same.found_in, in_docs);
            errors.check(
                "candidate rag_sequence_ll",
                same.hypothesis.marginal.log_prob,
                &stored["rag_sequence_ll"],
                self.tolerance,
            );
            errors.check("candidate fast_ll", same.fast_log_prob, &stored["fast_ll"], self.tolerance);
            for (got, expected) in
                same.hypothesis.marginal.posterior.iter().zip(stored["posterior"].as_array().unwrap())
            {
                errors.check("candidate posterior", *got, expected, POSTERIOR);
            }
        }
        let fastest = fast(found.clone());
        let stored = |stored: &&Value| stored["fast_ll"].as_f64().unwrap();
        let expected = candidates.iter().max_by(|a, b| stored(a).total_cmp(&stored(b))).unwrap();
        assert_eq!(fastest[0].hypothesis.tokens, self.tokens(&expected["tokens"]));
        self.check_union(&found);
    }

    /// Checks that the result is at least as good as either of its parts.
    fn check_union(&self, thorough: &[Proposed]) {
        let (mut decoding, options) = (self.decoding(), self.options(true));
        let found =
            union(decoding.as_mut(), Mode::Sequence, &self.log_prior, &self.constraints, &options).unwrap();
        let best = |finished: bool| {
            let of = thorough.iter().map(|p| &p.hypothesis).filter(|h| h.finished == finished);
            of.map(|h| h.marginal.log_prob).fold(f64::NEG_INFINITY, f64::max)
        };
        assert!(found[0].marginal.log_prob >= best(found[0].finished) - self.tolerance);
        assert!(found[0].finished || best(true) == f64::NEG_INFINITY);
    }
}

fn encoder_decoder(model: &str, tolerance: f64) {
    let Some(golden) = golden::read::<Value>(&format!("golden_{model}.json")) else { return };
    let (tensors, prompts) = (tensors(model), prompts(&golden));
    let mut errors = Errors::default();
    let loaded = load(model, "config.json", &tensors, None);
    for (kind, stored) in golden["generation"].as_object().unwrap() {
        let settings = &stored["settings"];
        let number = |name: &str| settings[name].as_u64().map(|v| v as usize);
        for (b, prompts) in prompts.iter().enumerate() {
            eprintln!("{model} {kind} question {b}");
            let case = Case {
                model: &loaded,
                prompts,
                log_prior: prior(&floats(&golden["inputs"]["doc_scores"][b]), 1.0),
                constraints: Constraints {
                    forced_first: number("forced_bos_token_id").map(|v| v as TokenId),
                    forced_last: number("forced_eos_token_id").map(|v| v as TokenId),
                    ..Constraints::new(number("max_length").unwrap() - 1)
                },
                beams: number("num_beams").unwrap(),
                skip: 1,
                tolerance,
            };
            let (token, sequence) = (&stored["rag_token"], &stored["rag_sequence"][b]);
            case.check_greedy(Mode::Token, &token["greedy"][b]);
            case.check_beam(&mut errors, Mode::Token, true, &token["beam"][b]);
            case.check_beam(&mut errors, Mode::Token, false, &token["beam_canonical"][b]);
            case.check_greedy(Mode::Sequence, &sequence["joint_greedy"]);
            case.check_beam(&mut errors, Mode::Sequence, false, &sequence["joint_beam_canonical"]);
            case.check_thorough(
                &mut errors,
                sequence["candidates"].as_array().unwrap(),
                &sequence["best_by_exact_ll"],
            );
        }
    }
    errors.report(model);
}

fn decoder_only(model: &str) {
    let Some(golden) = golden::read::<Value>(&format!("golden_{model}.json")) else { return };
    let (tensors, prompts) = (tensors(model), prompts(&golden));
    let mut errors = Errors::default();
    let loaded = load(model, "config.json", &tensors, None);
    for (b, stored) in golden["generation"].as_array().unwrap().iter().enumerate() {
        eprintln!("{model} question {b}");
        let number = |name: &str| golden[name].as_u64().unwrap() as usize;
        let case = Case {
            model: &loaded,
            prompts: &prompts[b],
            log_prior: prior(&floats(&golden["inputs"]["doc_scores"][b]), 1.0),
            constraints: Constraints::new(number("max_new_tokens")),
            beams: number("num_beams"),
            skip: 0,
            tolerance: 2e-4,
        };
        for (mode, name) in [(Mode::Token, "rag_token"), (Mode::Sequence, "rag_sequence_joint")] {
            case.check_greedy(mode, &stored[name]["greedy"]);
            case.check_beam(&mut errors, mode, true, &stored[name]["beam"]);
            case.check_beam(&mut errors, mode, false, &stored[name]["beam_canonical"]);
        }
        let thorough = &stored["rag_sequence_thorough"];
        case.check_thorough(
            &mut errors,
            thorough["candidates_ranked"].as_array().unwrap(),
            &thorough["best"],
        );
    }
    errors.report(model);
}

#[test]
fn golden_bart_decodings_are_reproduced() {
    encoder_decoder("bart", 2e-4);
}

#[test]
fn golden_t5_decodings_are_reproduced() {
    encoder_decoder("t5", 5e-4);
}

#[test]
fn golden_llama_decodings_are_reproduced() {
    decoder_only("llama");
}

#[test]
fn golden_qwen2_decodings_are_reproduced() {
    decoder_only("qwen2");
}

#[test]
fn golden_qwen3_decodings_are_reproduced() {
    decoder_only("qwen3");
}
