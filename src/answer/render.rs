use std::fmt::{self, Write};

use postil_generator::{Basis, Evidence};

use super::{Alternative, Answer, Citation};
use crate::Place;

/// Styles a piece of a rendering, given its text and the position among [`Answer::citations`] of
/// its likeliest source; `None` without one.
type Paint<'a> = &'a dyn Fn(&str, Option<usize>) -> String;

/// Least probability of being right for an answer to be shown without a warning.
const SURE: f64 = 0.6;

impl Answer {
    /// The answer with numbered notes, then the sources, as [`Display`](fmt::Display) has it; each
    /// piece passes through `paint`, with the position among [`Answer::citations`] of its likeliest
    /// source. `paint` may add colours, and remove control characters that a document could drive a
    /// terminal with.
    pub fn render_with(&self, paint: &dyn Fn(&str, Option<usize>) -> String) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ =
            if self.no_answer { self.write_no_answer(&mut out, paint) } else { self.write(&mut out, paint) };
        out
    }

    /// The sources alone, as [`Answer::render_with`] has them after the text: for an answer that
    /// was already shown token by token.
    pub fn render_sources_with(&self, paint: &dyn Fn(&str, Option<usize>) -> String) -> String {
        let mut out = String::new();
        let _ = write_sources(&mut out, &self.citations, paint);
        out
    }

    fn write(&self, out: &mut String, paint: Paint<'_>) -> fmt::Result {
        for stretch in self.stretches() {
            let shown = stretch.text.trim_end();
            out.write_str(&paint(shown, stretch.notes.first().copied()))?;
            for note in &stretch.notes {
                out.write_str(&paint(&format!(" [{}]", note + 1), Some(*note)))?;
            }
            out.write_str(&paint(&stretch.text[shown.len()..], None))?;
        }
        if !self.finished {
            out.write_str(" …")?;
        }
        match self.confidence {
            Some(confidence) if confidence < SURE => {
                write!(out, "\n(unsure: of answers like this, {:.0} in 100 are right)", 100.0 * confidence)?;
            }
            None if self.no_answer_probability > 0.5 => {
                write!(out, "\n(unsure: \"no answer\" has probability {:.2})", self.no_answer_probability)?;
            }
            _ => {}
        }
        write_sources(out, &self.citations, paint)
    }

    fn write_no_answer(&self, out: &mut String, paint: Paint<'_>) -> fmt::Result {
        write!(out, "No answer found (probability {:.2}).", self.no_answer_probability)?;
        if let Some(nearest) = self.alternatives.first() {
            let text = paint(&format!("{:?}", nearest.text), None);
            write!(out, "\nNearest: {text} ({})", how_sure(nearest))?;
            if let Some(withheld) = &self.withheld {
                write!(out, "\nWithheld because {withheld}.")?;
            }
            if let Some(evidence) = &self.evidence {
                write!(out, "\n{}", evidence_line(evidence))?;
            }
            write_sources(out, &nearest.citations, paint)?;
        }
        Ok(())
    }
}

impl fmt::Display for Answer {
    /// The answer with its notes, then the sources.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render_with(&|text, _| text.to_owned()))
    }
}

/// The basis of the probability of "no answer", in one line.
pub(super) fn evidence_line(evidence: &Evidence) -> String {
    let split = evidence.disagreement;
    let entropy = format!("passages unsure {:.2} nats, in disagreement {:.2}", split.unsure, split.disagree);
    match evidence.basis {
        Basis::NoAnswerToken => format!("Rests on the generator's own \"no answer\"; {entropy}."),
        Basis::NullPassage => {
            format!("Rests on the evidence: {:+.2} nats over reading nothing; {entropy}.", evidence.log_ratio)
        }
    }
}

/// The certainty of an answer that was not given, in words.
pub(super) fn how_sure(other: &Alternative) -> String {
    match other.confidence {
        Some(confidence) => format!("of such answers, {:.0} in 100 are right", 100.0 * confidence),
        None => format!("probability {:.2}", other.probability),
    }
}

fn write_sources(out: &mut String, citations: &[Citation], paint: Paint<'_>) -> fmt::Result {
    if !citations.is_empty() {
        out.write_str("\n")?;
    }
    for (note, citation) in citations.iter().enumerate() {
        let number = paint(&format!("[{}]", note + 1), Some(note));
        write!(out, "\n{number} {}", paint(&place(citation), None))?;
        if !citation.headline().is_empty() {
            write!(out, "\n    {}", paint(citation.headline(), None))?;
        }
        if !citation.copies.is_empty() {
            write!(out, "\n    also in {}", paint(&Place::names(&citation.copies), None))?;
        }
        write!(out, "\n    {}", paint(&format!("\u{201c}{}\u{201d}", on_one_line(&citation.quote)), None))?;
    }
    Ok(())
}

/// `text` with each run of whitespace, line feeds included, as one blank.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The place of a citation, and its share in the answer: relative to the passages found, not a
/// measure of truth.
pub(super) fn place(citation: &Citation) -> String {
    let Citation { source, document, range, .. } = citation;
    let name = match citation.line {
        // Line numbers of a record are not those of its file.
        Some(line) if document == source => format!("{source}:{line}"),
        _ if document == source => source.clone(),
        _ => format!("{source} ({document})"),
    };
    if let Some(locator) = &citation.locator {
        return format!("{name}, {locator}, posterior among passages {:.2}", citation.posterior);
    }
    format!("{name}, bytes {}-{}, posterior among passages {:.2}", range.start, range.end, citation.posterior)
}
