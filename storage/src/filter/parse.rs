//! Text to filter: recursive descent over tokens, with bounded depth.
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

use super::ast::KEYWORDS;
use super::tokens::Tokens;
use super::{Filter, Operator, Value};
use crate::error::{Result, StorageError};
use std::str::FromStr;

/// Deepest nesting of parentheses and `not`: far more than anyone writes, far less than the stack
/// holds.
const MAX_DEPTH: usize = 64;

impl FromStr for Filter {
    type Err = StorageError;

    fn from_str(text: &str) -> Result<Self> {
        let mut parser = Parser { tokens: Tokens::of(text), depth: 0 };
        let filter = parser.any()?;
        if !parser.tokens.at_end() {
            return Err(parser.tokens.expected("`and`, `or` or the end"));
        }
        Ok(filter)
    }
}

struct Parser<'a> {
    tokens: Tokens<'a>,
    depth: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Filter> {
        let first = self.all()?;
        if self.tokens.peek_word() != "or" {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.tokens.word("or") {
            parts.push(self.all()?);
        }
        Ok(Filter::Any(parts))
    }

    fn all(&mut self) -> Result<Filter> {
        let first = self.one()?;
        if self.tokens.peek_word() != "and" {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.tokens.word("and") {
            parts.push(self.one()?);
        }
        Ok(Filter::All(parts))
    }

    fn one(&mut self) -> Result<Filter> {
        if self.depth == MAX_DEPTH {
            return Err(self.tokens.expected(&format!("at most {MAX_DEPTH} levels of nesting")));
        }
        self.depth += 1;
        let filter = self.one_within_depth();
        self.depth -= 1;
        filter
    }

    fn one_within_depth(&mut self) -> Result<Filter> {
        if self.tokens.symbol("(") {
            let inner = self.any()?;
            self.tokens.need(")")?;
            return Ok(inner);
        }
        match self.tokens.peek_word() {
            "not" => {
                self.tokens.word("not");
                return Ok(Filter::Not(Box::new(self.one()?)));
            }
            "true" => {
                self.tokens.word("true");
                return Ok(Filter::All(Vec::new()));
            }
            "false" => {
                self.tokens.word("false");
                return Ok(Filter::Any(Vec::new()));
            }
            "exists" => {
                self.tokens.word("exists");
                self.tokens.need("(")?;
                let field = self.field()?;
                self.tokens.need(")")?;
                return Ok(Filter::Exists { field });
            }
            // `missing` is also a field's name if no parenthesis follows.
            "missing" if self.tokens.peek_behind("missing") == Some('(') => {
                self.tokens.word("missing");
                self.tokens.need("(")?;
                let field = self.field()?;
                self.tokens.need(")")?;
                return Ok(Filter::Missing { field });
            }
            _ => {}
        }
        let field = self.field()?;
        self.test(field)
    }

    fn field(&mut self) -> Result<String> {
        if let Some(quote) = self.tokens.peek().filter(|c| matches!(c, '`' | '"' | '\'')) {
            return self.tokens.quoted(quote);
        }
        let word = self.tokens.peek_word();
        if word.is_empty() || KEYWORDS.contains(&word) {
            return Err(self.tokens.expected("a field name, `not` or `(`"));
        }
        self.tokens.word(word);
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
            if self.tokens.symbol(symbol) || self.tokens.word(word) {
                return Ok(Filter::Compare { field, operator, value: self.literal()? });
            }
        }
        if self.tokens.word("in") {
            return Ok(Filter::OneOf { field, values: self.list(Self::literal)? });
        }
        if self.tokens.word("contains") {
            return Ok(Filter::Contains { field, value: self.scalar()? });
        }
        if self.tokens.word("exists") {
            return Ok(Filter::Exists { field });
        }
        Err(self.tokens.expected("a comparison (==, !=, <, <=, >, >=), `in`, `contains` or `exists`"))
    }

    fn list<T>(&mut self, item: fn(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.tokens.need("[")?;
        let mut items = Vec::new();
        if self.tokens.symbol("]") {
            return Ok(items);
        }
        loop {
            items.push(item(self)?);
            if self.tokens.symbol("]") {
                return Ok(items);
            }
            if !self.tokens.symbol(",") {
                return Err(self.tokens.expected("`,` or `]`"));
            }
        }
    }

    fn literal(&mut self) -> Result<Value> {
        match self.tokens.peek() {
            Some('[') => self.list(Self::scalar).map(Value::List),
            _ => self.scalar(),
        }
    }

    fn scalar(&mut self) -> Result<Value> {
        match self.tokens.peek() {
            Some(quote @ ('"' | '\'')) => self.tokens.quoted(quote).map(Value::String),
            Some(c) if c.is_ascii_digit() || matches!(c, '-' | '+' | '.') => self.tokens.number(),
            _ => match Value::unquoted(self.tokens.peek_word()) {
                Some(value) => {
                    self.tokens.take_word();
                    Ok(value)
                }
                None => Err(self.tokens.expected("a value: \"text\", a number, true, false or null")),
            },
        }
    }
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
