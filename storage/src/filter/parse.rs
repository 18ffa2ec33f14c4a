//! Text to filter: recursive descent over bytes, with bounded depth.
//!
//! ```text
//! any     = all { "or" all }
//! all     = one { "and" one }
//! one     = "not" one | "(" any ")" | "true" | "false" | "exists" "(" field ")" | "missing" "(" field ")" | field test
//! test    = operator literal | "in" "[" literals "]" | "contains" scalar | "exists"
//! field   = word | `quoted` | "quoted" | 'quoted'
//! literal = scalar | "[" scalars "]"
//! scalar  = string | number | "true" | "false" | "null"
//! ```

use super::ast::{KEYWORDS, is_word};
use super::{Filter, Operator, Value};
use crate::error::{Result, StorageError};
use std::str::FromStr;

/// How deep parentheses and `not` may nest: far more than anyone writes, far less than a stack holds.
const MAX_DEPTH: usize = 64;

impl FromStr for Filter {
    type Err = StorageError;

    fn from_str(text: &str) -> Result<Self> {
        let mut parser = Parser { text, at: 0, depth: 0 };
        let filter = parser.any()?;
        parser.space();
        if parser.at < text.len() {
            return Err(parser.expected("`and`, `or` or the end"));
        }
        Ok(filter)
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn expected(&self, expected: &str) -> StorageError {
        StorageError::Filter { position: self.at, expected: expected.to_owned() }
    }

    fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Takes the symbol if it comes next.
    fn symbol(&mut self, symbol: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(symbol);
        if found {
            self.at += symbol.len();
        }
        found
    }

    fn need(&mut self, symbol: &str) -> Result<()> {
        if self.symbol(symbol) { Ok(()) } else { Err(self.expected(&format!("`{symbol}`"))) }
    }

    /// The bare word that comes next, not taken.
    fn peek_word(&mut self) -> &'a str {
        self.space();
        let rest = self.rest();
        if !rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            return "";
        }
        &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())]
    }

    fn word(&mut self, word: &str) -> bool {
        let found = self.peek_word() == word;
        if found {
            self.at += word.len();
        }
        found
    }

    fn any(&mut self) -> Result<Filter> {
        let first = self.all()?;
        if self.peek_word() != "or" {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.word("or") {
            parts.push(self.all()?);
        }
        Ok(Filter::Any(parts))
    }

    fn all(&mut self) -> Result<Filter> {
        let first = self.one()?;
        if self.peek_word() != "and" {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.word("and") {
            parts.push(self.one()?);
        }
        Ok(Filter::All(parts))
    }

    fn one(&mut self) -> Result<Filter> {
        if self.depth == MAX_DEPTH {
            return Err(self.expected(&format!("at most {MAX_DEPTH} levels of nesting")));
        }
        self.depth += 1;
        let filter = self.one_within_depth();
        self.depth -= 1;
        filter
    }

    fn one_within_depth(&mut self) -> Result<Filter> {
        if self.symbol("(") {
            let inner = self.any()?;
            self.need(")")?;
            return Ok(inner);
        }
        match self.peek_word() {
            "not" => {
                self.word("not");
                return Ok(Filter::Not(Box::new(self.one()?)));
            }
            "true" => {
                self.word("true");
                return Ok(Filter::All(Vec::new()));
            }
            "false" => {
                self.word("false");
                return Ok(Filter::Any(Vec::new()));
            }
            "exists" => {
                self.word("exists");
                self.need("(")?;
                let field = self.field()?;
                self.need(")")?;
                return Ok(Filter::Exists { field });
            }
            // Also the name of a field, which no parenthesis follows.
            "missing" if self.rest()["missing".len()..].trim_start().starts_with('(') => {
                self.word("missing");
                self.need("(")?;
                let field = self.field()?;
                self.need(")")?;
                return Ok(Filter::Missing { field });
            }
            _ => {}
        }
        let field = self.field()?;
        self.test(field)
    }

    fn field(&mut self) -> Result<String> {
        self.space();
        if let Some(quote) = self.rest().chars().next().filter(|c| matches!(c, '`' | '"' | '\'')) {
            return self.quoted(quote);
        }
        let word = self.peek_word();
        if word.is_empty() || KEYWORDS.contains(&word) {
            return Err(self.expected("a field name, `not` or `(`"));
        }
        self.at += word.len();
        Ok(word.to_owned())
    }

    fn test(&mut self, field: String) -> Result<Filter> {
        let operators = [
            ("==", "eq", Operator::Equal),
            ("!=", "ne", Operator::NotEqual),
            ("<=", "le", Operator::LessOrEqual),
            (">=", "ge", Operator::GreaterOrEqual),
            ("<", "lt", Operator::Less),
            (">", "gt", Operator::Greater),
        ];
        for (symbol, word, operator) in operators {
            if self.symbol(symbol) || self.word(word) {
                return Ok(Filter::Compare { field, operator, value: self.literal()? });
            }
        }
        if self.word("in") {
            return Ok(Filter::OneOf { field, values: self.list(Self::literal)? });
        }
        if self.word("contains") {
            return Ok(Filter::Contains { field, value: self.scalar()? });
        }
        if self.word("exists") {
            return Ok(Filter::Exists { field });
        }
        Err(self.expected("a comparison (==, !=, <, <=, >, >=), `in`, `contains` or `exists`"))
    }

    fn list<T>(&mut self, item: fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.need("[")?;
        let mut items = Vec::new();
        if self.symbol("]") {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.symbol("]") {
                return Ok(items);
            }
            if !self.symbol(",") {
                return Err(self.expected("`,` or `]`"));
            }
        }
    }

    fn literal(&mut self) -> Result<Value> {
        self.space();
        match self.rest().starts_with('[') {
            true => self.list(Self::scalar).map(Value::List),
            false => self.scalar(),
        }
    }

    fn scalar(&mut self) -> Result<Value> {
        self.space();
        match self.rest().chars().next() {
            Some('"' | '\'') => self.string().map(Value::String),
            Some(c) if c.is_ascii_digit() || matches!(c, '-' | '+' | '.') => self.number(),
            _ if self.word("true") => Ok(Value::Bool(true)),
            _ if self.word("false") => Ok(Value::Bool(false)),
            _ if self.word("null") => Ok(Value::Null),
            _ => Err(self.expected("a value: \"text\", a number, true, false or null")),
        }
    }

    fn string(&mut self) -> Result<String> {
        self.space();
        match self.rest().chars().next() {
            Some(quote @ ('"' | '\'')) => self.quoted(quote),
            _ => Err(self.expected("a quoted text")),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String> {
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

    fn number(&mut self) -> Result<Value> {
        let rest = self.rest();
        let in_number = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '+' | '-');
        let text = &rest[..rest.find(|c| !in_number(c)).unwrap_or(rest.len())];
        let value = Value::number(&as_json(text)).ok_or_else(|| self.expected("a number"))?;
        self.at += text.len();
        Ok(value)
    }
}

/// A number as JSON writes it: without a plus, without needless zeros before it, and with digits on both sides of its
/// point.
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn field() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z_][a-z0-9_.-]{0,6}",
            any::<String>(),
            Just("and".to_owned()),
            Just("missing".to_owned()),
            Just("null".to_owned()),
            Just(String::new())
        ]
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<String>().prop_map(Value::String),
            any::<i64>().prop_map(Value::Integer),
            any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(Value::Float),
            any::<bool>().prop_map(Value::Bool),
            (1u64 << 63..).prop_map(Value::Unsigned),
            "-?[1-9][0-9]{20,30}(\\.[0-9]{1,9})?(e-?[0-9]{1,4})?"
                .prop_map(|text| Value::number(&text).unwrap()),
            Just(Value::Null),
        ]
    }

    fn literal() -> impl Strategy<Value = Value> {
        prop_oneof![value(), proptest::collection::vec(value(), 0..3).prop_map(Value::List)]
    }

    fn filter() -> impl Strategy<Value = Filter> {
        let operator = prop_oneof![
            Just(Operator::Equal),
            Just(Operator::NotEqual),
            Just(Operator::Less),
            Just(Operator::LessOrEqual),
            Just(Operator::Greater),
            Just(Operator::GreaterOrEqual),
        ];
        let leaf = prop_oneof![
            (field(), operator, literal()).prop_map(|(field, operator, value)| Filter::Compare {
                field,
                operator,
                value
            }),
            (field(), proptest::collection::vec(literal(), 0..4))
                .prop_map(|(field, values)| Filter::OneOf { field, values }),
            (field(), value()).prop_map(|(field, value)| Filter::Contains { field, value }),
            field().prop_map(Filter::exists),
            field().prop_map(Filter::missing),
            Just(Filter::All(Vec::new())),
            Just(Filter::Any(Vec::new())),
        ];
        leaf.prop_recursive(5, 40, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::All),
                proptest::collection::vec(inner.clone(), 2..4).prop_map(Filter::Any),
                inner.prop_map(|filter| !filter),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_displayed_parses_back_to_itself(filter in filter()) {
            prop_assert_eq!(filter.to_string().parse::<Filter>().unwrap(), filter);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in any::<String>()) {
            let _ = text.parse::<Filter>();
        }

        #[test]
        fn no_text_of_its_own_symbols_makes_the_parser_panic(text in "[a-c(\\[\\])\"'`\\\\<>=!, 0-9.einot-]{0,40}") {
            let _ = text.parse::<Filter>();
        }
    }

    #[test]
    fn numbers_are_read_exactly_and_as_freely_as_people_write_them() {
        for (text, same) in [
            ("+5", "5"),
            ("007", "7"),
            (".5", "0.5"),
            ("-.5e1", "-0.5e1"),
            ("5.", "5.0"),
            ("5.e3", "5.0e3"),
            ("00.5", "0.5"),
            ("18446744073709551615", "18446744073709551615"),
            ("0012345678901234567890123", "12345678901234567890123"),
            ("1e999", "1e999"),
        ] {
            let filter: Filter = format!("n == {text}").parse().unwrap();
            assert_eq!(filter, Filter::eq("n", Value::number(same).unwrap()), "{text}");
        }
        for text in [".", "-", "+", "e5", "5e", "1.2.3", "inf", "nan", "0x10", "1_000", "--1"] {
            assert!(format!("n == {text}").parse::<Filter>().is_err(), "{text}");
        }
    }

    #[test]
    fn missing_is_a_condition_and_the_name_of_a_field() {
        assert_eq!("missing(a.b)".parse::<Filter>().unwrap(), Filter::missing("a.b"));
        assert_eq!("not missing ( `a b` )".parse::<Filter>().unwrap(), !Filter::missing("a b"));
        assert_eq!("missing == 1".parse::<Filter>().unwrap(), Filter::eq("missing", 1));
        assert_eq!("null == null".parse::<Filter>().unwrap(), Filter::eq("null", Value::Null));
    }

    #[test]
    fn errors_say_where_and_what() {
        for (text, position) in [
            ("", 0),
            ("a", 1),
            ("a == ", 5),
            ("a == 1 b", 7),
            ("(a == 1", 7),
            ("a in [1 2]", 8),
            ("a == \"x", 7),
        ] {
            match text.parse::<Filter>() {
                Err(StorageError::Filter { position: got, .. }) => assert_eq!(got, position, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn nesting_without_end_is_an_error_and_not_an_overflow() {
        for open in ["(", "not ", "not("] {
            assert!(open.repeat(100_000).parse::<Filter>().is_err());
        }
    }
}
