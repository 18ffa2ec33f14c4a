//! A custom generator: its answers are the numbers in the passages. It says how probable each next
//! token is under each passage; Postil marginalizes over the passages, decides and cites.
//!
//! A real one runs a language model: `open_generator` opens those that Postil knows, by their
//! folder or GGUF file.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::ops::Range;
use std::sync::Arc;

use postil::plugin::{AnswerScores, Decoding, GenerateError, Generator, LogProbs, Passage, TokenId};
use postil::{AskOptions, Database, Document, HashEncoder};

/// The token that ends an answer; the others are numbers that stand in the passages.
const END: TokenId = 0;

struct Numbers;

/// The rows of a decoding: the tokens so far, under every passage.
struct Saying {
    numbers: Vec<String>,
    passages: Vec<String>,
    rows: Vec<Vec<Vec<TokenId>>>,
}

impl Generator for Numbers {
    fn name(&self) -> &str {
        "numbers"
    }

    fn vocabulary_is_fixed(&self) -> bool {
        false
    }

    fn start<'a>(
        &'a self,
        _: &str,
        passages: &[Passage<'_>],
    ) -> Result<Box<dyn Decoding + 'a>, GenerateError> {
        let passages: Vec<String> = passages.iter().map(|passage| passage.text.to_owned()).collect();
        let words = passages.iter().flat_map(|text| text.split(|c: char| !c.is_ascii_digit()));
        let mut numbers: Vec<String> = words.filter(|word| !word.is_empty()).map(str::to_owned).collect();
        numbers.sort();
        numbers.dedup();
        let rows = vec![vec![Vec::new(); passages.len()]];
        Ok(Box::new(Saying { numbers, passages, rows }))
    }
}

impl Saying {
    /// p(next | passage, said): a number in the passage is ten times likelier than another one.
    fn line(&self, passage: usize, said: &[TokenId]) -> Vec<f32> {
        let weight = |token: usize| match (token, said) {
            (0, []) => 0.0,
            (0, _) => 1.0,
            (_, []) if self.passages[passage].contains(&self.numbers[token - 1]) => 10.0,
            (_, []) => 1.0,
            _ => 0.0f32,
        };
        let weights: Vec<f32> = (0..self.vocabulary()).map(weight).collect();
        let total: f32 = weights.iter().sum();
        weights.iter().map(|weight| (weight / total).ln()).collect()
    }
}

impl Decoding for Saying {
    fn passages(&self) -> usize {
        self.passages.len()
    }

    fn vocabulary(&self) -> usize {
        self.numbers.len() + 1
    }

    fn log_probs(&mut self) -> Result<LogProbs, GenerateError> {
        let lines = self.rows.iter().flat_map(|row| row.iter().enumerate());
        let values = lines.flat_map(|(passage, said)| self.line(passage, said)).collect();
        LogProbs::new(self.passages(), self.vocabulary(), values)
    }

    fn advance_each(&mut self, parents: &[usize], tokens: &[TokenId]) -> Result<(), GenerateError> {
        let k = self.passages();
        let next = |at: usize| {
            let mut said = self.rows[parents[at]][at % k].clone();
            said.push(tokens[at]);
            said
        };
        self.rows = (0..tokens.len() / k).map(|row| (row * k..(row + 1) * k).map(next).collect()).collect();
        Ok(())
    }

    fn restart(&mut self) {
        self.rows = vec![vec![Vec::new(); self.passages()]];
    }

    fn score(&mut self, answers: &[Vec<TokenId>]) -> Result<Vec<AnswerScores>, GenerateError> {
        let k = self.passages();
        let score = |answer: &Vec<TokenId>| {
            let at = |i: usize, z: usize| Some(self.line(z, &answer[..i])[answer[i] as usize]);
            let values = (0..answer.len()).flat_map(|i| (0..k).map(move |z| at(i, z))).collect();
            AnswerScores::new(k, values)
        };
        answers.iter().map(score).collect()
    }

    fn is_end(&self, token: TokenId) -> bool {
        token == END
    }

    fn no_answer(&self) -> Option<TokenId> {
        None
    }

    /// All possible answers: they are few.
    fn candidates(&self) -> Option<Vec<Vec<TokenId>>> {
        Some((1..self.vocabulary() as TokenId).map(|number| vec![number, END]).collect())
    }

    fn text(&self, tokens: &[TokenId]) -> String {
        tokens
            .iter()
            .filter(|token| **token != END)
            .map(|token| self.numbers[*token as usize - 1].as_str())
            .collect()
    }

    fn origin(&self, passage: usize, tokens: &[TokenId]) -> Option<Range<usize>> {
        let number = self.text(tokens);
        self.passages[passage].find(&number).map(|start| start..start + number.len())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let home = tempfile::tempdir()?;
    let db = Database::options()
        .encoder(Arc::new(HashEncoder::default()))
        .generator(Arc::new(Numbers))
        .open(home.path().join("fees.postil"))?;
    db.ingest(Document::new("fees", "The yearly fee is 40 euros."))?;
    db.ingest(Document::new("rooms", "The library has 12 rooms."))?;

    let answer =
        db.ask_with("How high is the yearly fee?", &AskOptions::new().min_evidence(f64::NEG_INFINITY))?;
    println!("{answer}");
    assert_eq!(answer.text, "40");
    assert_eq!(answer.citations()[0].document, "fees");
    Ok(())
}
