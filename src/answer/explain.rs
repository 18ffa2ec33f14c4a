use std::fmt::Write;

use postil_generator::Span;

use super::Answer;
use super::certainty::basis;

/// Passages that get a column; the rest share one, so that a line stays within 80 characters.
const MAX_COLUMNS: usize = 8;
/// Longest piece of text in a table, in characters.
const CELL_CHARS: usize = 20;
/// Longest text on its own line, in characters.
const LINE_CHARS: usize = 56;

impl Answer {
    /// An explanation of the answer, as tables for a terminal: its tokens by the posteriors of the
    /// passages, then the passages, the clauses they are credited with, and the evidence.
    pub fn explain(&self) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ = writeln!(out, "Generator: {}.\n", self.generator);
        let _ = self.write_tokens(&mut out);
        let _ = self.write_passages(&mut out);
        let _ = self.write_spans(&mut out);
        let _ = self.write_evidence(&mut out);
        out
    }

    /// The passages as they are numbered, p1 first: those cited in the order of their notes, so that
    /// note 1 is p1, then the rest in the order of their scores.
    fn numbered(&self) -> Vec<usize> {
        let cited: Vec<usize> = self.citations.iter().map(|citation| citation.passage).collect();
        let rest = (0..self.passages.len()).filter(|z| !cited.contains(z));
        cited.iter().copied().chain(rest).collect()
    }

    /// Passages with a column: the likeliest, in the order of their numbers.
    fn columns(&self, numbered: &[usize]) -> Vec<(usize, usize)> {
        let mut order: Vec<(usize, usize)> = numbered.iter().copied().enumerate().collect();
        order.sort_by(|(_, a), (_, b)| self.passages[*b].posterior.total_cmp(&self.passages[*a].posterior));
        order.truncate(MAX_COLUMNS);
        order.sort_unstable();
        order
    }

    fn write_tokens(&self, out: &mut String) -> std::fmt::Result {
        if self.tokens.is_empty() {
            return Ok(());
        }
        let columns = self.columns(&self.numbered());
        let has_rest = columns.len() < self.passages.len();
        write!(out, "{:CELL_CHARS$} {:>7}", "token", "log p")?;
        for (number, _) in &columns {
            write!(out, " {:>5}", format!("p{}", number + 1))?;
        }
        writeln!(out, "{}", if has_rest { "  rest" } else { "" })?;
        for token in &self.tokens {
            let text = if token.text.is_empty() { "-".to_owned() } else { cell(&token.text, CELL_CHARS) };
            write!(out, "{text:CELL_CHARS$} {:>7.2}", token.log_prob)?;
            let shown: Vec<f64> = columns.iter().map(|(_, z)| token.posterior[*z]).collect();
            shown.iter().try_for_each(|posterior| write!(out, " {posterior:>5.2}"))?;
            if has_rest {
                let rest = token.posterior.iter().sum::<f64>() - shown.iter().sum::<f64>();
                write!(out, " {:>5.2}", rest.max(0.0))?;
            }
            out.push('\n');
        }
        out.push('\n');
        Ok(())
    }

    fn write_passages(&self, out: &mut String) -> std::fmt::Result {
        if self.passages.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "{:>7} {:>6} {:>5} {:>5} {:>9}  source",
            "passage", "score", "words", "prior", "posterior"
        )?;
        for (number, z) in self.numbered().into_iter().enumerate() {
            let passage = &self.passages[z];
            let note = self.citations.iter().position(|citation| citation.passage == z);
            let note = note.map_or(String::new(), |note| format!(" [{}]", note + 1));
            let range = &passage.range;
            let read = match passage.shortened {
                true => ", its end left out",
                false if passage.prior == 0.0 => ", not read",
                false => "",
            };
            writeln!(
                out,
                "{:>7} {:>6.3} {:>5.2} {:>5.2} {:>9.2}  {}, bytes {}-{}{read}{note}",
                format!("p{}", number + 1),
                passage.score,
                passage.words,
                passage.prior,
                passage.posterior,
                bounded(&passage.source, LINE_CHARS),
                range.start,
                range.end
            )?;
        }
        out.push('\n');
        Ok(())
    }

    fn write_spans(&self, out: &mut String) -> std::fmt::Result {
        if self.spans.is_empty() {
            return Ok(());
        }
        writeln!(out, "credited to: posterior, nats over reading nothing")?;
        let numbered = self.numbered();
        let number = |z: usize| numbered.iter().position(|other| *other == z).unwrap_or(z) + 1;
        for Span { range, posterior, log_ratio, sources, .. } in &self.spans {
            write!(out, "  {}:", cell(&self.text[range.clone()], LINE_CHARS))?;
            let shown = sources.iter().take(MAX_COLUMNS);
            for z in shown.clone() {
                write!(out, " p{} {:.2} {:+.2};", number(*z), posterior[*z], log_ratio[*z])?;
            }
            match sources.len() - shown.len() {
                0 if sources.is_empty() => write!(out, " unsupported")?,
                0 => {}
                more => write!(out, " and {more} more")?,
            }
            out.push('\n');
        }
        out.push('\n');
        Ok(())
    }

    fn write_evidence(&self, out: &mut String) -> std::fmt::Result {
        let given = (!self.no_answer).then_some(self.text.as_str());
        let weighed = given.or(self.alternatives.first().map(|nearest| nearest.text.as_str()));
        if let (Some(evidence), Some(text)) = (&self.evidence, weighed) {
            writeln!(out, "evidence for {}:", cell(text, LINE_CHARS))?;
            writeln!(
                out,
                "  {:+.2} nats over reading nothing, {:+.2} per token; grounded {:.2}",
                evidence.log_ratio, evidence.log_ratio_per_token, evidence.grounded_probability
            )?;
            let split = evidence.disagreement;
            writeln!(
                out,
                "  entropy of the answer: passages unsure {:.2} nats, in disagreement {:.2}",
                split.unsure, split.disagree
            )?;
        }
        if let (Some(withheld), Some(text)) = (&self.withheld, weighed) {
            writeln!(out, "withheld {}: {withheld}", cell(text, LINE_CHARS))?;
        }
        let basis = self.evidence.as_ref().map_or("", basis);
        let (probability, score) = (self.no_answer_probability, self.abstention_score);
        write!(out, "no answer: probability {probability:.2}{basis}; abstention score {score:.2}")
    }
}

/// `text` in quotes, control characters spelled out, cut to `chars`.
fn cell(text: &str, chars: usize) -> String {
    bounded(&format!("{text:?}"), chars)
}

fn bounded(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars.saturating_sub(1)) {
        Some((end, last)) if end + last.len_utf8() < text.len() => format!("{}…", &text[..end]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{bounded, cell};

    #[test]
    fn a_cell_is_bounded_and_spells_out_what_would_move_the_cursor() {
        assert_eq!(cell("a\n\u{1b}", 20), r#""a\n\u{1b}""#);
        assert_eq!((bounded("abcd", 4), bounded("abcde", 4)), ("abcd".to_owned(), "abc…".to_owned()));
        assert_eq!(bounded("éééé", 3), "éé…");
    }
}
