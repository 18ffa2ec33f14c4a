//! Passages that stop being decoded, against full decoding.

use std::ops::ControlFlow;

use postil_contract::{GenerateError, Generator, Passage};
use postil_generator::{
    AnswerOptions, Constraints, Decode, LanguageGenerator, Retrieved, Sampling, answer, answer_watched,
};

use crate::UNWATCHED;
use crate::support::folder::{CHATML, Folder};

fn passages() -> Vec<Retrieved<'static>> {
    let of = |text, relevance| Retrieved { passage: Passage::untitled(text), relevance };
    vec![of("Twenty days of leave.", 0.4), of("None at all.", 0.3), of("", 0.1)]
}

fn options(search: Decode, max_tokens: usize) -> AnswerOptions {
    // Random weights ignore the passages: the answer is looked at whatever its evidence.
    let min_evidence = f64::NEG_INFINITY;
    AnswerOptions {
        search: Some(search),
        constraints: Constraints::new(max_tokens),
        min_evidence,
        ..AnswerOptions::new(20.0)
    }
}

#[test]
fn a_passage_that_stops_being_decoded_changes_an_answer_by_no_more_than_its_share() {
    let generator = LanguageGenerator::open(Folder::llama(900, Some(CHATML)).path()).unwrap();
    let mut stopped = 0;
    for (search, share) in
        [Decode::Greedy, Decode::Sample(Sampling::new(5))].iter().flat_map(|s| [(s, 0.004), (s, 0.2)])
    {
        let ask = |undecoded_posterior| {
            let options = AnswerOptions {
                undecoded_posterior,
                unread_prior: 0.0,
                credit_log_ratio: f64::NEG_INFINITY,
                ..options(search.clone(), 12)
            };
            let (mut streamed, mut silent) = (0.0, 0);
            let found =
                answer_watched(&generator, "How many?", &passages(), &options, UNWATCHED, &mut |token| {
                    streamed += token.log_prob;
                    silent += token.posterior.iter().filter(|share| **share == 0.0).count();
                    ControlFlow::Continue(())
                });
            (found.unwrap(), streamed, silent)
        };
        let ((found, streamed, silent), (whole, _, none)) = (ask(share), ask(0.0));
        assert_eq!((&found.text, none), (&whole.text, 0));
        stopped += silent;
        let gone = whole.log_probability.exp() - streamed.exp();
        assert!((-1e-9..=share).contains(&gone), "{gone} of {share}");
        assert!((found.log_probability - whole.log_probability).abs() < 1e-4);
        let parts = found.spans.iter().zip(&whole.spans).map(|(a, b)| (&a.posterior, &b.posterior));
        for (found, whole) in parts.chain([(&found.posteriors, &whole.posteriors)]) {
            found.iter().zip(whole).for_each(|(a, b)| assert!((a - b).abs() < 1e-4, "{found:?} {whole:?}"));
        }
    }
    assert!(stopped > 0, "no passage stopped");
    let options = AnswerOptions { undecoded_posterior: 1.5, ..options(Decode::Greedy, 4) };
    assert!(matches!(
        answer(&generator, "How many?", &passages(), &options),
        Err(GenerateError::Value { .. })
    ));
}

#[test]
fn scores_under_some_passages_are_those_under_all() {
    let generator = LanguageGenerator::open(Folder::llama(900, Some(CHATML)).path()).unwrap();
    let texts: Vec<Passage<'_>> = passages().iter().map(|p| p.passage).collect();
    let mut decoding = generator.start("How many?", &texts).unwrap();
    let answers = [vec![7, 3, 4], vec![7, 2]];
    let all = decoding.score(&answers).unwrap();
    let some = decoding.score_under(&answers, &[1]).unwrap();
    for (all, some) in all.iter().zip(&some) {
        for (all, some) in all.tokens().zip(some.tokens()) {
            assert!((all[1].unwrap() - some[1].unwrap()).abs() < 1e-5);
            assert_eq!((some[0], some[2]), (None, None));
        }
    }
    let whole = decoding.log_probs().unwrap();
    decoding.restart();
    assert!(decoding.restrict(&[0, 2]));
    let some = decoding.log_probs().unwrap();
    assert!(some.line(0, 1).iter().all(|v| *v == f32::NEG_INFINITY));
    for z in [0, 2] {
        whole.line(0, z).iter().zip(some.line(0, z)).for_each(|(a, b)| assert!((a - b).abs() < 1e-5));
    }
    decoding.restart();
    assert!(decoding.log_probs().unwrap().line(0, 1)[0] > f32::NEG_INFINITY);
}
