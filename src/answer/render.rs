use std::fmt::{self, Write};

use super::certainty::Nearest;
use super::{Answer, Citation, PassagePosterior};
use crate::Place;

/// Styles a piece of a rendering, given its text and the position among [`Answer::citations`] of
/// its likeliest source; `None` without one.
type Paint<'a> = &'a dyn Fn(&str, Option<usize>) -> String;

/// Longest stretch of a passage that is shown whole, in characters.
const SHOWN_CHARS: usize = 240;

impl Answer {
    /// The answer with numbered notes, then how sure it is and the sources, as
    /// [`Display`](fmt::Display) has it; each piece passes through `paint`, with the position among
    /// [`Answer::citations`] of its likeliest source. `paint` may add colours, and remove control
    /// characters that a document could drive a terminal with.
    pub fn render_with(&self, paint: &dyn Fn(&str, Option<usize>) -> String) -> String {
        let mut out = String::new();
        // Writing to a string does not fail.
        let _ =
            if self.no_answer { self.write_no_answer(&mut out, paint) } else { self.write(&mut out, paint) };
        out
    }

    /// The part of [`Answer::render_with`] after the text, how sure it is and the sources: for an
    /// answer that was already shown token by token.
    pub fn render_sources_with(&self, paint: &dyn Fn(&str, Option<usize>) -> String) -> String {
        let mut out = String::new();
        let _ = self.write_sources(&mut out, paint);
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
        self.write_sources(out, paint)
    }

    fn write_sources(&self, out: &mut String, paint: Paint<'_>) -> fmt::Result {
        write!(out, "\n{}", self.certainty())?;
        if !self.citations.is_empty() {
            out.write_str("\n")?;
        }
        for (note, citation) in self.citations.iter().enumerate() {
            let number = paint(&format!("[{}]", note + 1), Some(note));
            let share = format!("posterior among passages {:.2}", citation.posterior);
            write!(out, "\n{number} {}, {share}", paint(&place(citation), None))?;
            write_quote(out, citation, paint)?;
            if let Some(elsewhere) = elsewhere(&self.text, citation) {
                write!(out, "\n    ({elsewhere})")?;
            }
        }
        Ok(())
    }

    fn write_no_answer(&self, out: &mut String, paint: Paint<'_>) -> fmt::Result {
        out.write_str(&paint(&self.refusal(), None))?;
        let Some(nearest) = self.nearest() else { return Ok(()) };
        out.write_str("\n\nThe nearest passage: ")?;
        match nearest {
            Nearest::Quoted(citation) => {
                out.write_str(&paint(&place(citation), None))?;
                write_quote(out, citation, paint)
            }
            Nearest::Whole(passage) => {
                write!(
                    out,
                    "{}\n    {}",
                    paint(&whole_place(passage), None),
                    paint(&beginning(passage), None)
                )
            }
        }
    }
}

impl fmt::Display for Answer {
    /// The answer with its notes, then how sure it is and the sources.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render_with(&|text, _| text.to_owned()))
    }
}

fn write_quote(out: &mut String, citation: &Citation, paint: Paint<'_>) -> fmt::Result {
    if !citation.headline().is_empty() {
        write!(out, "\n    {}", paint(citation.headline(), None))?;
    }
    if !citation.copies.is_empty() {
        write!(out, "\n    also in {}", paint(&Place::names(&citation.copies), None))?;
    }
    write!(out, "\n    {}", paint(&format!("\u{201c}{}\u{201d}", on_one_line(&citation.quote)), None))
}

/// `text` with each run of whitespace, line feeds included, as one blank.
fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A remark on a quote without the answer when the answer stands in the title or headings.
pub(super) fn elsewhere(answer: &str, citation: &Citation) -> Option<&'static str> {
    place_of_answer(answer, &citation.quote, &citation.heading, &citation.title)
}

fn place_of_answer(answer: &str, quote: &str, heading: &str, title: &str) -> Option<&'static str> {
    let plain = |text: &str| on_one_line(text).to_lowercase();
    let answer = plain(answer);
    let answer = answer.trim_end_matches(['.', '!', '?']);
    let holds = |text: &str| plain(text).contains(answer);
    match () {
        () if answer.is_empty() || holds(quote) => None,
        () if holds(heading) => Some("the answer stands in the heading, not in the quote"),
        () if holds(title) => Some("the answer stands in the title, not in the quote"),
        () => None,
    }
}

/// The place of a citation as a person opens it: file and line, or page, or sheet; bytes only where
/// there is no other.
pub(super) fn place(citation: &Citation) -> String {
    let Citation { source, document, range, .. } = citation;
    let name = match citation.line {
        // Line numbers of a record are not those of its file.
        Some(line) if document == source => format!("{source}:{line}"),
        _ if document == source => source.clone(),
        _ => format!("{source} ({document})"),
    };
    match &citation.locator {
        Some(locator) => format!("{name}, {locator}"),
        None if citation.line.is_some() || !citation.headline().is_empty() => name,
        None => format!("{name}, bytes {}-{}", range.start, range.end),
    }
}

/// The place of a whole passage.
pub(super) fn whole_place(passage: &PassagePosterior) -> String {
    let PassagePosterior { source, locator, heading, title, range, .. } = passage;
    match (locator, if heading.is_empty() { title } else { heading }) {
        (Some(locator), _) => format!("{source}, {locator}"),
        (None, headline) if !headline.is_empty() => format!("{source}, {headline}"),
        (None, _) => format!("{source}, bytes {}-{}", range.start, range.end),
    }
}

/// A passage's first words, quoted.
pub(super) fn beginning(passage: &PassagePosterior) -> String {
    let line = on_one_line(&passage.text);
    match line.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("\u{201c}{}…\u{201d}", &line[..end]),
        None => format!("\u{201c}{line}\u{201d}"),
    }
}

#[cfg(test)]
mod tests {
    use super::place_of_answer;

    #[test]
    fn a_quote_without_the_answer_says_that_the_title_or_heading_has_it() {
        let quote = "It lists\nand installs packages.";
        assert_eq!(place_of_answer("installs Packages.", quote, "apt > maint", "apt"), None);
        let said = place_of_answer("Maint", quote, "apt > maint", "maint").unwrap();
        assert!(said.contains("heading"), "{said}");
        let said = place_of_answer("apt", quote, "", "apt(8)").unwrap();
        assert!(said.contains("title"), "{said}");
        // Words of a model's own stand nowhere, and no quote is to blame for it.
        assert_eq!(place_of_answer("a package manager", quote, "", "apt"), None);
    }
}
