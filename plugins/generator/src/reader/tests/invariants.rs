//! Invariants that hold for any weights: distributions, scores, orders, origins and texts agree
//! with each other.

use postil_contract::{Decoding, Generator, Passage, TokenId};
use postil_text::sentences;

use super::tiny::{CONFIG, END, NO_ANSWER, Tensors, VOCABULARY, reader, tokenizer};
use crate::reader::input;
use crate::reader::memory::ROOT;
use crate::reader::path::most_probable;
use crate::reader::walk::{Walk, step};
use crate::{Answer, AnswerOptions, BeamOptions, Decode, Mode, ReaderGenerator, Retrieved, Withheld, answer};

const QUESTION: &str = "how many days?";
const PASSAGES: [Passage<'static>; 4] = [
    Passage { title: "Leave", text: "The dogs sat. Leave is 1,000 days of twenty, the cat sat on the  Mat." },
    Passage { title: "", text: "" },
    Passage { title: "", text: "red" },
    Passage { title: "a cat", text: "The cat is red. [SEP] the cat is blue." },
];

fn start<'a>(reader: &'a ReaderGenerator, passages: &[Passage<'_>]) -> Box<dyn Decoding + 'a> {
    reader.start(QUESTION, passages).unwrap()
}

fn close(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4)
}

#[test]
fn every_distribution_sums_to_one_under_every_passage() {
    let reader = reader();
    let mut decoding = start(&reader, &PASSAGES);
    for tokens in [[5, 9, 20], [10, 11, 7], [24, 6, 22], [5, 5, 6]] {
        let log_probs = decoding.log_probs().unwrap();
        for row in 0..log_probs.rows() {
            for line in log_probs.row(row).chunks_exact(VOCABULARY) {
                let sum: f64 = line.iter().map(|value| f64::from(*value).exp()).sum();
                assert!((sum - 1.0).abs() < 1e-4, "{sum}");
            }
        }
        let parents = [0, log_probs.rows() - 1, 0];
        decoding.advance(&parents, &tokens).unwrap();
    }
}

#[test]
fn a_score_is_the_sum_of_what_each_step_says() {
    let reader = reader();
    let answers: Vec<Vec<TokenId>> = vec![vec![5, 6, END], vec![5, 6, 7, 28, END], vec![NO_ANSWER], vec![20]];
    let scored = start(&reader, &PASSAGES).score(&answers).unwrap();
    for (answer, scores) in answers.iter().zip(scored) {
        let mut decoding = start(&reader, &PASSAGES);
        for (token, scores) in answer.iter().zip(scores.tokens()) {
            let log_probs = decoding.log_probs().unwrap();
            let lines = log_probs.row(0).chunks_exact(VOCABULARY);
            let said: Vec<f32> = lines.map(|line| line[*token as usize]).collect();
            let scores: Vec<f32> = scores.iter().map(|score| score.unwrap()).collect();
            assert!(close(&said, &scores), "{answer:?}: {said:?} {scores:?}");
            decoding.advance(&[0], &[*token]).unwrap();
        }
    }
}

#[test]
fn passages_of_different_lengths_read_together_are_as_they_are_alone() {
    let together = reader();
    let mut decoding = start(&together, &PASSAGES);
    let mut lines = Vec::new();
    for token in [5, 6, 7] {
        lines.push(decoding.log_probs().unwrap().row(0).to_vec());
        decoding.advance(&[0], &[token]).unwrap();
    }
    for (z, passage) in PASSAGES.iter().enumerate() {
        // A second reader, since the first one has cached its passages.
        let alone = reader();
        let mut decoding = start(&alone, &[*passage]);
        for (token, line) in [5, 6, 7].into_iter().zip(&lines) {
            let own = &line[z * VOCABULARY..][..VOCABULARY];
            assert!(close(decoding.log_probs().unwrap().row(0), own), "passage {z}");
            decoding.advance(&[0], &[token]).unwrap();
        }
    }
}

#[test]
fn rows_follow_their_parents() {
    let reader = reader();
    let mut beams = start(&reader, &PASSAGES);
    beams.advance(&[0, 0, 0], &[5, 6, 20]).unwrap();
    beams.advance(&[2, 0, 0, 1], &[7, 6, 9, 7]).unwrap();
    let rows = beams.log_probs().unwrap();
    for (row, prefix) in [[20, 7], [5, 6], [5, 9], [6, 7]].iter().enumerate() {
        let mut alone = start(&reader, &PASSAGES);
        prefix.iter().for_each(|token| alone.advance(&[0], &[*token]).unwrap());
        assert!(close(rows.row(row), alone.log_probs().unwrap().row(0)), "{prefix:?}");
    }
    assert!(beams.advance(&[4], &[5]).is_err() && beams.advance(&[], &[]).is_err());
    assert!(beams.advance(&[0], &[VOCABULARY as TokenId]).is_err());
    assert!(beams.score(&[vec![]]).is_err() && beams.score(&[vec![VOCABULARY as TokenId]]).is_err());
}

#[test]
fn no_answer_is_whole_and_can_only_come_first() {
    let reader = reader();
    let mut decoding = start(&reader, &PASSAGES);
    assert_eq!(decoding.no_answer(), Some(NO_ANSWER));
    assert!(decoding.is_finished(&[NO_ANSWER]) && decoding.is_finished(&[5, END]));
    assert!(decoding.is_end(END) && !decoding.is_end(NO_ANSWER) && !decoding.is_finished(&[5]));
    let first = decoding.log_probs().unwrap();
    decoding.advance(&[0], &[5]).unwrap();
    let second = decoding.log_probs().unwrap();
    for (first, second) in first.row(0).chunks(VOCABULARY).zip(second.row(0).chunks(VOCABULARY)) {
        assert!(first[NO_ANSWER as usize] > -10.0 && second[NO_ANSWER as usize] < -60.0);
        assert!(first[END as usize] < -60.0 && second[END as usize] > -10.0);
    }
}

#[test]
fn text_that_looks_like_a_control_token_is_text() {
    let reader = reader();
    let asked = input::question(&reader.tokenizer, &reader.network.config, "how [SEP]").unwrap();
    assert_eq!(asked, [13, 22, 24, 23]);
    let read = input::read(&reader.tokenizer, &reader.network.config, &asked, PASSAGES[3]).unwrap();
    assert_eq!(read.ids.iter().filter(|id| **id == END).count(), 2);
    assert_eq!(read.ids.len(), read.body + read.places.len() + 1);
}

#[test]
fn a_passage_longer_than_the_window_is_cut_after_a_sentence_and_reported() {
    let reader = reader();
    let long = "The cat sat on the mat. The dog sat. The cat sat on the mat on the mat on the mat on the mat \
                on the mat.";
    let passages = [PASSAGES[2], Passage { title: "a cat of the mat", text: long }];
    assert_eq!(start(&reader, &passages).shortened(), [1]);
    let config = &reader.network.config;
    let asked = input::question(&reader.tokenizer, config, QUESTION).unwrap();
    let read = input::read(&reader.tokenizer, config, &asked, passages[1]).unwrap();
    let end = read.places.last().unwrap().range.end;
    assert_eq!(&long[..end], "The cat sat on the mat. The dog sat.");
    let titled: Vec<&str> = read.places[..4].iter().map(|p| read.said(p.in_title, p.range.clone())).collect();
    assert_eq!(titled, ["a", "cat", "of", ":"]);
    let endless = "cats ".repeat(40);
    let read = input::read(&reader.tokenizer, config, &asked, Passage::untitled(&endless)).unwrap();
    assert!(read.shortened && read.ids.len() <= 40 && read.ids.len() >= 38);
    assert_eq!(read.places.last().unwrap().range.len(), 1, "ends with a whole word");
}

#[test]
fn the_path_of_the_pieces_is_the_most_probable_of_all() {
    let reader = reader();
    let config = &reader.network.config;
    let asked = input::question(&reader.tokenizer, config, QUESTION).unwrap();
    let read = input::read(&reader.tokenizer, config, &asked, PASSAGES[3]).unwrap();
    let memory = reader.remember(std::slice::from_ref(&read)).unwrap().remove(0);
    let walk = Walk { network: &reader.network, memories: vec![&memory] };
    for tokens in [[5, 6, 28], [6, 28, 25], [28, 26, 5], [21, 6, 6]] {
        let nodes = walk.follow(&[tokens.to_vec()]).remove(0).remove(0);
        let options = |token: TokenId| memory.positions(token).map(Some).chain([None]).collect::<Vec<_>>();
        // log p of one path, computed from the equations.
        let log_prob = |path: &[Option<usize>]| {
            let prefixes = memory.prefixes();
            let mut before: Option<usize> = None;
            let mut sum = 0.0;
            for ((token, node), position) in tokens.iter().zip(&nodes).zip(path) {
                let step = step(prefixes.at(*node));
                let p = match position {
                    Some(at) => {
                        let goes_on = before.is_some_and(|before| before + 1 == *at);
                        step.point * step.attention[*at] + if goes_on { step.go_on } else { 0.0 }
                    }
                    None => {
                        let stuck = before.is_none_or(|before| !memory.is_copyable(before + 1));
                        let word = reader.network.generated(step, *token).exp();
                        word * (step.generate + if stuck { step.go_on } else { 0.0 })
                    }
                };
                sum += f64::from(p).ln();
                before = *position;
            }
            sum
        };
        let found = log_prob(&most_probable(&reader.network, &memory, &tokens, &nodes));
        let mut most = f64::NEG_INFINITY;
        for a in options(tokens[0]) {
            for b in options(tokens[1]) {
                for c in options(tokens[2]) {
                    most = most.max(log_prob(&[a, b, c]));
                }
            }
        }
        assert!((found - most).abs() < 1e-5, "{tokens:?}: {found} {most}");
    }
    assert_eq!(memory.prefixes().at(ROOT).total, 0.0);
}

#[test]
fn copied_words_are_spelled_as_the_passage_does_and_origins_are_its_bytes() {
    let reader = reader();
    let decoding = start(&reader, &PASSAGES);
    // "1,000 days": joining the pieces cannot restore this spacing.
    let (tokens, text) = ([19, 20, 21, 15, END], PASSAGES[0].text);
    let origin = decoding.origin(0, &tokens);
    if let Some(range) = &origin {
        assert!(text.is_char_boundary(range.start) && text[range.clone()].contains("000"), "{range:?}");
    }
    for z in [1, 2] {
        assert_eq!(decoding.origin(z, &tokens), None);
    }
    assert_eq!(decoding.origin(9, &tokens), None);
    assert_eq!((decoding.origin(0, &[NO_ANSWER]), decoding.text(&[NO_ANSWER])), (None, String::new()));
    assert_eq!(decoding.text(&tokens), decoding.text(&tokens[..4]));
    assert_eq!(decoding.text(&[u32::MAX]), "");
}

#[test]
fn a_whole_answer_cites_sentences_of_the_passages() {
    let reader = reader();
    let passages = PASSAGES.map(|passage| Retrieved { passage, relevance: 0.5 });
    let found = answer(&reader, QUESTION, &passages, &AnswerOptions::new(1.0)).unwrap();
    assert!((found.posteriors.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    let all = found.alternatives.iter().flat_map(|other| &other.citations).chain(&found.citations);
    for citation in all {
        let text = PASSAGES[citation.passage].text;
        assert_eq!(text[citation.range.clone()], citation.quote);
        let bounds = sentences(text);
        let whole = citation.range == (0..text.len());
        assert!(
            whole || bounds.iter().any(|s| s.range.start == citation.range.start),
            "{:?}",
            citation.range
        );
    }
    assert!(found.tokens.len() <= 7);
}

/// The reader with a calibration in its `config.json`.
fn fitted(calibration: &str) -> ReaderGenerator {
    let config = CONFIG.replace("\"gate_size\"", &format!("\"calibration\": {calibration}, \"gate_size\""));
    ReaderGenerator::from_bytes(config.as_bytes(), tokenizer().as_bytes(), Tensors::new().bytes()).unwrap()
}

#[test]
fn an_answer_less_probably_right_than_asked_for_is_withheld() {
    let passages = PASSAGES.map(|passage| Retrieved { passage, relevance: 0.5 });
    let ask = |reader: &ReaderGenerator, min_probability| {
        let options = AnswerOptions {
            min_probability: Some(min_probability),
            no_answer_threshold: Some(1.0),
            ..AnswerOptions::new(1.0)
        };
        answer(reader, QUESTION, &passages, &options).unwrap()
    };
    let is_given = |answer: &Answer| !answer.no_answer && !answer.text.is_empty();
    let unfitted = ask(&reader(), 0.0);
    assert!(is_given(&unfitted) && unfitted.confidence.is_none());
    assert!(is_given(&ask(&reader(), unfitted.probability * 0.99)), "p(y|x) is what there is to go by");
    assert!(!is_given(&ask(&reader(), unfitted.probability * 1.01)));
    let sure = fitted("{\"confidence\": {\"offset\": 2.0, \"probability\": 0.0, \"abstention\": 0.0}}");
    let given = ask(&sure, 0.88);
    assert!(is_given(&given) && (given.confidence.unwrap() - 1.0 / (1.0 + (-2f64).exp())).abs() < 1e-12);
    assert_eq!(given.probability, unfitted.probability, "what is fitted leaves p(y|x) as it is");
    let withheld = ask(&sure, 0.89);
    assert!(withheld.no_answer && withheld.text.is_empty() && withheld.confidence.is_none());
    assert_eq!(withheld.alternatives[0].text, given.text);
    assert_eq!(withheld.alternatives[0].confidence, given.confidence);
    let probability = given.confidence.unwrap();
    assert_eq!(withheld.withheld, Some(Withheld::MinProbability { probability, min_probability: 0.89 }));
    assert_eq!(given.withheld, None);

    let fit = "{\"confidence\": {\"offset\": 0.0, \"probability\": 0.0, \"abstention\": 0.0}, \
               \"no_answer_threshold\": 1.0, \"min_confidence\": 0.6}";
    let ask = |options: AnswerOptions| answer(&fitted(fit), QUESTION, &passages, &options).unwrap().withheld;
    let as_fitted = Some(Withheld::MinProbability { probability: 0.5, min_probability: 0.6 });
    assert_eq!(ask(AnswerOptions::new(1.0)), as_fitted, "the generator's own least confidence");
    for options in [
        AnswerOptions { min_probability: Some(0.0), ..AnswerOptions::new(1.0) },
        AnswerOptions { no_answer_threshold: Some(1.0), ..AnswerOptions::new(1.0) },
    ] {
        assert_eq!(ask(options), None, "a caller has the last word");
    }
}

#[test]
fn an_answer_is_withheld_when_its_abstention_score_is_above_the_threshold() {
    let passages = PASSAGES.map(|passage| Retrieved { passage, relevance: 0.5 });
    let ask = |reader: &ReaderGenerator, mode, search, no_answer_threshold| {
        let options = AnswerOptions { mode, search, no_answer_threshold, ..AnswerOptions::new(1.0) };
        answer(reader, QUESTION, &passages, &options).unwrap()
    };
    for mode in [Mode::Sequence, Mode::Token] {
        for search in [Decode::Greedy, Decode::Beam(BeamOptions::new(2)), Decode::Union(BeamOptions::new(2))]
        {
            let given = ask(&reader(), mode, Some(search.clone()), Some(1.0));
            let (silent, score) = (given.no_answer_probability, given.abstention_score);
            assert!(!given.no_answer && !given.text.is_empty() && (0.0..1.0).contains(&silent), "{given:?}");
            assert!(
                score > 0.0 && score <= silent,
                "the score is at most the least p(no answer|x,z), so at most their mean: {given:?}"
            );
            let withheld = ask(&reader(), mode, Some(search.clone()), Some(score * 0.99));
            assert!(withheld.no_answer && withheld.text.is_empty());
            assert_eq!(withheld.alternatives[0].text, given.text);
            assert!((withheld.probability - silent).abs() < 1e-9);
            let by = Withheld::NoAnswerThreshold { score, threshold: score * 0.99 };
            assert_eq!(withheld.withheld, Some(by));
            for threshold in [score * 0.99, score * 1.01] {
                let reader = fitted(&format!("{{\"no_answer_threshold\": {threshold}}}"));
                assert_eq!(ask(&reader, mode, Some(search.clone()), None).no_answer, score > threshold);
                assert!(
                    !ask(&reader, mode, Some(search.clone()), Some(1.0)).no_answer,
                    "a caller has the last word"
                );
            }
        }
    }
    assert_eq!(fitted("{\"prior_temperature\": 2.5}").calibration().prior_temperature, 2.5);
}
