use super::layout::{Piece, Slot};
use crate::LoadError;

/// Default instruction for a chat model.
///
/// The passage comes first, so that it is read once for all questions. Small models answer in whole
/// sentences unless the last thing they read asks for a few words. It does not offer "I don't know":
/// usually one passage of five holds the answer, and the other four would agree on "I don't know"
/// and outvote it in the mixture.
pub const DEFAULT_CHAT_INSTRUCTION: &str = "Answer the question from the passage.\n\n<passage>\n{passage}\n</passage>\n\n\
     Question: {question}\nShort answer, a few words copied from the passage:";

/// Default instruction for a T5: the form of SQuAD among the tasks that T5, and later Flan-T5, was
/// trained on (Raffel et al. 2020, appendix D.15).
pub const DEFAULT_T5_INSTRUCTION: &str = "question: {question} context: {passage}";

/// Default text that a model without a chat template continues. Passage and question are put on one
/// line each, so that neither can begin a line of its own.
pub const DEFAULT_COMPLETION: &str = "Passage: {passage}\nQuestion: {question}\nAnswer:";

const SLOTS: [(&str, Slot); 4] = [
    ("{question}", Slot::Question),
    ("{passage}", Slot::Passage),
    ("{title}", Slot::Title),
    ("{text}", Slot::Text),
];

/// Splits an instruction at its slots: `{question}`; `{passage}`, which is title and text; or
/// `{title}` and `{text}` apart. All other text is kept unchanged.
///
/// # Errors
/// [`LoadError::Template`] when the question or the passage's text has no place in it.
pub(super) fn parse(instruction: &str) -> Result<Vec<Piece>, LoadError> {
    let (mut pieces, mut rest) = (Vec::new(), instruction);
    let next =
        |rest: &str| SLOTS.iter().filter_map(|(name, slot)| Some((rest.find(name)?, *name, *slot))).min();
    while let Some((at, name, slot)) = next(rest) {
        pieces.extend([Piece::Text(rest[..at].to_owned()), Piece::Slot(slot)]);
        rest = &rest[at + name.len()..];
    }
    pieces.push(Piece::Text(rest.to_owned()));
    pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
    check(&pieces)?;
    Ok(pieces)
}

/// Fails unless both question and passage have a slot.
pub(super) fn check(pieces: &[Piece]) -> Result<(), LoadError> {
    let has =
        |wanted: &[Slot]| pieces.iter().any(|p| matches!(p, Piece::Slot(slot) if wanted.contains(slot)));
    let missing = match (has(&[Slot::Question]), has(&[Slot::Passage, Slot::Text])) {
        (true, true) => return Ok(()),
        (false, _) => "the question",
        (true, false) => "the passage",
    };
    Err(LoadError::Template { reason: format!("it has no place for {missing}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_is_split_at_its_slots_and_other_braces_stay() {
        let pieces = parse("{x} {title}: {text}{question}?").unwrap();
        let text = |text: &str| Piece::Text(text.to_owned());
        let expected = [
            text("{x} "),
            Piece::Slot(Slot::Title),
            text(": "),
            Piece::Slot(Slot::Text),
            Piece::Slot(Slot::Question),
            text("?"),
        ];
        assert_eq!(pieces, expected);
    }

    #[test]
    fn an_instruction_without_question_or_passage_is_refused() {
        for (instruction, said) in
            [("{passage}", "question"), ("{question} {title}", "passage"), ("", "question")]
        {
            assert!(parse(instruction).unwrap_err().to_string().contains(said), "{instruction}");
        }
        for default in [DEFAULT_CHAT_INSTRUCTION, DEFAULT_T5_INSTRUCTION, DEFAULT_COMPLETION] {
            assert!(parse(default).is_ok(), "{default}");
        }
    }
}
