//! An answer as one text, with the places in it that are cited.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use serde_json::{Value, json};

use crate::Failure;
use crate::app::{App, Named};
use crate::files::id_of;
use crate::served::{Answered, Ask, Cited, Json};
use crate::uri::uri;
use crate::work::Work;

/// A whole answer.
pub(super) struct Said {
    pub(super) text: String,
    pub(super) places: Vec<Place>,
    /// Tokens of the answers.
    pub(super) tokens: usize,
    /// As the native API gives it, one for each question.
    pub(super) json: Vec<Json>,
}

/// Characters of the text that a citation stands behind.
pub(super) struct Place {
    chars: Range<usize>,
    cited: Cited,
}

impl Place {
    /// As chat completions have it.
    pub(super) fn url_citation(&self) -> Value {
        let Cited { document, title, .. } = &self.cited;
        let title = if title.is_empty() { document } else { title };
        let mut citation = self.own_fields();
        citation["type"] = json!("url_citation");
        citation["url_citation"] = json!({
            "start_index": self.chars.start, "end_index": self.chars.end, "url": uri(document), "title": title,
        });
        citation
    }

    /// As responses have it.
    pub(super) fn file_citation(&self) -> Value {
        let mut citation = self.own_fields();
        citation["type"] = json!("file_citation");
        citation["index"] = json!(self.chars.end);
        citation["file_id"] = json!(id_of(&self.cited.document));
        citation["filename"] = json!(self.cited.document);
        citation["start_index"] = json!(self.chars.start);
        citation["end_index"] = json!(self.chars.end);
        citation
    }

    fn own_fields(&self) -> Value {
        let Cited { quote, range, posterior, .. } = &self.cited;
        json!({ "quote": quote, "range": [range.start, range.end], "posterior": posterior })
    }
}

/// Asks, and waits for the whole answer: one that was shown in part could still be withheld.
pub(super) async fn ask(app: &App, named: &Named, ask: Ask) -> Result<Said, Failure> {
    let served = Arc::clone(&named.served);
    let answered =
        app.turns.run(Work::Question, move || served.ask(&ask, &mut |_| ControlFlow::Continue(()))).await?;
    Ok(said(answered))
}

fn said(answered: Vec<Answered>) -> Said {
    let mut said = Said { text: String::new(), places: Vec::new(), tokens: 0, json: Vec::new() };
    for Answered { text, withheld, citations, tokens, json, .. } in answered {
        if !said.text.is_empty() {
            said.text.push_str("\n\n");
        }
        let begin = said.text.chars().count();
        said.tokens += tokens;
        said.json.push(json);
        if let Some(reason) = withheld {
            said.text += &format!("The documents do not answer this: {reason}.");
            continue;
        }
        let whole = 0..text.len();
        for cited in citations {
            let ranges = if cited.words.is_empty() { vec![whole.clone()] } else { cited.words.clone() };
            for range in ranges {
                let chars = |end: usize| begin + text.get(..end).map_or(0, |text| text.chars().count());
                said.places.push(Place { chars: chars(range.start)..chars(range.end), cited: cited.clone() });
            }
        }
        said.text += &text;
    }
    said.places.sort_by_key(|place| (place.chars.start, place.chars.end));
    said
}

/// Pieces of a text as a stream gives them: words, each with the space before it.
pub(super) fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut begin, mut was_space) = (0, true);
    for (at, character) in text.char_indices() {
        if character.is_whitespace() && !was_space {
            pieces.push(&text[begin..at]);
            begin = at;
        }
        was_space = character.is_whitespace();
    }
    pieces.extend(Some(&text[begin..]).filter(|rest| !rest.is_empty()));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_words_and_together_the_text() {
        assert_eq!(pieces("20 weeks of\n\n leave "), ["20", " weeks", " of", "\n\n leave", " "]);
        assert_eq!(pieces(""), [""; 0]);
    }

    #[test]
    fn a_place_is_counted_in_characters_of_the_whole_text() {
        let cited = |words: Option<Range<usize>>| Cited {
            document: "d".into(),
            title: String::new(),
            quote: "q".into(),
            range: 3..4,
            posterior: 0.5,
            words: words.into_iter().collect(),
        };
        let answered = |text: &str, citations| Answered {
            question: "?".into(),
            text: text.into(),
            withheld: None,
            tokens: 1,
            citations,
            json: serde_json::value::to_raw_value(&1).unwrap(),
        };
        let said = said(vec![answered("é", vec![]), answered("né b", vec![cited(Some(4..5)), cited(None)])]);
        assert_eq!(said.text, "é\n\nné b");
        let chars: Vec<_> = said.places.iter().map(|place| place.chars.clone()).collect();
        assert_eq!(chars, [3..7, 6..7]);
        assert_eq!(said.places[1].file_citation()["index"], 7);
        assert_eq!(said.places[1].url_citation()["url_citation"]["url"], "postil://doc/d");
    }
}
