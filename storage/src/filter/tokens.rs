//! The tokens of a filter: words, symbols, texts and numbers.

use super::Value;
use super::ast::is_word;
use crate::error::{Result, StorageError};

/// A text and the position up to which it is read.
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// True if only white space is left.
    pub(super) fn at_end(&mut self) -> bool {
        self.space();
        self.at == self.text.len()
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Returns the error at this place, which says what would be valid.
    pub(super) fn expected(&self, expected: &str) -> StorageError {
        StorageError::Filter { position: self.at, expected: expected.to_owned() }
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Takes the symbol if it comes next; true if it did.
    pub(super) fn symbol(&mut self, symbol: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(symbol);
        if found {
            self.at += symbol.len();
        }
        found
    }

    /// Takes the symbol; an error if it does not come next.
    pub(super) fn need(&mut self, symbol: &str) -> Result<()> {
        if self.symbol(symbol) { Ok(()) } else { Err(self.expected(&format!("`{symbol}`"))) }
    }

    /// Returns the bare word that comes next, without taking it.
    pub(super) fn peek_word(&mut self) -> &'a str {
        self.space();
        let rest = self.rest();
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return "";
        }
        &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())]
    }

    /// Takes the word if it comes next; true if it did.
    pub(super) fn word(&mut self, word: &str) -> bool {
        let found = self.peek_word() == word;
        if found {
            self.at += word.len();
        }
        found
    }

    /// Takes the bare word that comes next.
    pub(super) fn take_word(&mut self) {
        self.at += self.peek_word().len();
    }

    /// Returns the character that comes next, without taking it.
    pub(super) fn peek(&mut self) -> Option<char> {
        self.space();
        self.rest().chars().next()
    }

    /// Returns the character after `word` and the white space behind it, if `word` comes next;
    /// takes nothing.
    pub(super) fn peek_behind(&self, word: &str) -> Option<char> {
        self.rest().get(word.len()..)?.trim_start().chars().next()
    }

    /// Takes the text in quotation marks that comes next.
    pub(super) fn quoted(&mut self, quote: char) -> Result<String> {
        let mut out = String::new();
        let body = &self.rest()[quote.len_utf8()..];
        let mut chars = body.char_indices();
        while let Some((i, c)) = chars.next() {
            if c == quote {
                self.at += quote.len_utf8() + i + c.len_utf8();
                return Ok(out);
            }
            if c != '\\' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, 't')) => out.push('\t'),
                Some((_, 'r')) => out.push('\r'),
                Some((_, c @ ('\\' | '"' | '\'' | '`'))) => out.push(c),
                _ => {
                    self.at += quote.len_utf8() + i;
                    return Err(self.expected("an escape: \\n, \\t, \\r, \\\\ or an escaped quote"));
                }
            }
        }
        self.at = self.text.len();
        Err(self.expected(&format!("a closing {quote}")))
    }

    /// Takes the number that comes next.
    pub(super) fn number(&mut self) -> Result<Value> {
        let rest = self.rest();
        let in_number = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-');
        let text = &rest[..rest.find(|c| !in_number(c)).unwrap_or(rest.len())];
        let value = Value::unquoted(&as_json(text)).ok_or_else(|| self.expected("a number"))?;
        self.at += text.len();
        Ok(value)
    }
}

/// Returns a number as JSON writes it: without a plus or needless leading zeros, and with digits on
/// both sides of its point.
fn as_json(text: &str) -> String {
    let (sign, number) = match text.strip_prefix('-') {
        Some(number) => ("-", number),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let whole = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    let (whole, after) = number.split_at(whole);
    let (fraction, exponent) = match after.strip_prefix('.') {
        Some(after) => after.split_at(after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len())),
        None => ("", after),
    };
    if whole.is_empty() && fraction.is_empty() {
        return text.to_owned();
    }
    let significant = whole.trim_start_matches('0');
    let whole = if significant.is_empty() { "0" } else { significant };
    let point = match after.starts_with('.') {
        true if fraction.is_empty() => ".0",
        true => ".",
        false => "",
    };
    [sign, whole, point, fraction, exponent].concat()
}
