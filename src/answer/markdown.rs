use super::certainty::Nearest;
use super::render::{beginning, elsewhere, place, whole_place};
use super::{Answer, Citation};

impl Answer {
    /// The answer as Markdown: footnote marks where its sources change, then the footnotes, each
    /// with the place and the words quoted. Texts of documents and models are escaped: they cannot
    /// add markup.
    pub fn to_markdown(&self) -> String {
        let mut out = String::new();
        if self.no_answer {
            out += &format!("{}\n", escape(&self.refusal()));
            if let Some(nearest) = self.nearest() {
                let shown = match nearest {
                    Nearest::Quoted(citation) => footnote(citation),
                    Nearest::Whole(passage) => {
                        format!("{}: {}", escape(&whole_place(passage)), escape(&beginning(passage)))
                    }
                };
                out += &format!("\nThe nearest passage: {shown}\n");
            }
            return out;
        }
        for stretch in self.stretches() {
            let marks: String = stretch.notes.iter().copied().map(mark).collect();
            let is_spaced = stretch.text.ends_with(char::is_whitespace);
            out += &format!("{}{marks}{}", escape(stretch.text), if is_spaced { " " } else { "" });
        }
        out += if self.finished { "\n" } else { " …\n" };
        out += &format!("\n{}\n", self.certainty());
        for (note, citation) in self.citations.iter().enumerate() {
            let share = format!("posterior among passages {:.2}", citation.posterior);
            let remark =
                elsewhere(&self.text, citation).map_or(String::new(), |remark| format!(" ({remark})"));
            out += &format!("\n[^{}]: {}, {share}{remark}\n", note + 1, footnote(citation));
        }
        out
    }
}

fn mark(note: usize) -> String {
    format!("[^{}]", note + 1)
}

fn footnote(citation: &Citation) -> String {
    let title = match citation.headline() {
        "" => String::new(),
        title => format!(" ({})", escape(title)),
    };
    format!("{}{title}: \u{201c}{}\u{201d}", escape(&place(citation)), escape(&citation.quote))
}

/// `text` on one line, with nothing in it that Markdown would act on.
fn escape(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut escaped = String::with_capacity(line.len());
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    for (at, c) in line.char_indices() {
        let opens_block = at == 0 && matches!(c, '#' | '+' | '-' | '=' | ':');
        let numbers_item = at == digits && matches!(c, '.' | ')');
        let is_inline =
            matches!(c, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '!' | '$');
        if opens_block || numbers_item || is_inline {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn a_quote_cannot_open_markup() {
        assert_eq!(escape("# a\n\n- b"), "\\# a - b");
        assert_eq!(escape("12. a 3. b"), "12\\. a 3. b");
        assert_eq!(escape("![x](y) <b> `c` [^1]"), "\\!\\[x\\](y) \\<b\\> \\`c\\` \\[^1\\]");
        assert_eq!(escape("größer 🦀 3.5"), "größer 🦀 3.5");
    }
}
