//! An answer for notebooks: each clause tinted by its likeliest source, then the sources.

use std::fmt::Write;

use postil::{Answer, Citation};

/// Hues of the sources, in degrees, far from each other in turn; both themes of a notebook show them.
const HUES: [u16; 6] = [210, 35, 130, 280, 0, 175];

/// The answer as HTML. Texts of documents and models are escaped.
pub(crate) fn html(answer: &Answer) -> String {
    let mut out = String::from("<div class=\"postil-answer\">");
    let mut citations = &answer.citations;
    if answer.no_answer {
        let _ = write!(out, "<p>No answer found (probability {:.2}).</p>", answer.no_answer_probability);
        if let Some(nearest) = answer.alternatives.first() {
            citations = &nearest.citations;
            let _ = write!(out, "<p>Nearest: <em>{}</em></p>", escaped(&nearest.text));
        }
    } else {
        out.push_str("<p>");
        for stretch in answer.stretches() {
            let marks: String =
                stretch.notes.iter().map(|note| format!("<sup>[{}]</sup>", note + 1)).collect();
            let text = escaped(stretch.text);
            match stretch.notes.first() {
                Some(note) => {
                    let _ = write!(out, "<span style=\"{}\">{text}{marks}</span>", tint(*note));
                }
                None => out.push_str(&text),
            }
        }
        out.push_str(if answer.finished { "</p>" } else { " …</p>" });
    }
    if !citations.is_empty() {
        out.push_str("<ol>");
        citations.iter().enumerate().for_each(|(note, citation)| write_source(&mut out, note, citation));
        out.push_str("</ol>");
    }
    out.push_str("</div>");
    out
}

fn write_source(out: &mut String, note: usize, citation: &Citation) {
    let place = match citation.line {
        Some(line) => format!("{}:{line}", citation.source),
        None => citation.source.clone(),
    };
    let (place, quote) = (escaped(&place), escaped(&citation.quote));
    let (begin, end) = (citation.range.start, citation.range.end);
    let _ = write!(
        out,
        "<li><span style=\"{}\">{place}</span>, bytes {begin}–{end}, posterior {:.2}<br><q>{quote}</q></li>",
        tint(note),
        citation.posterior
    );
}

fn tint(note: usize) -> String {
    format!("background:hsla({},80%,55%,.25);border-radius:3px;padding:0 2px", HUES[note % HUES.len()])
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
