//! Numbers that keep the value that was written.
//!
//! A number becomes an integer of 64 bits or a float if one of these is displayed as a number of
//! the same value; otherwise its text is kept. A float stands for the shortest decimal that reads
//! back as the same float (Steele and White 1990, "How to print floating-point numbers accurately";
//! Rust displays it so), so that the compared value is the displayed one.

use std::cmp::Ordering;

/// Largest number of digits in an exponent: no number with a longer one can be written out.
const MAX_EXPONENT_DIGITS: usize = 15;

/// A number as it is written in JSON, of any length.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal(String);

impl Decimal {
    /// Keeps the text of a number that no machine type keeps exactly.
    pub(super) fn written(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Returns the number as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A number at the beginning of a text.
pub(crate) struct Written {
    pub(super) number: Number,
    /// Bytes of the number in the text.
    pub(crate) end: usize,
    /// True if it has neither fraction nor exponent.
    pub(super) is_whole: bool,
}

impl Written {
    /// Reads a number as defined by RFC 8259, section 6; `None` if `text` does not begin with one,
    /// or if its exponent is too long.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let digits_from =
            |at: usize| at + bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let start = usize::from(bytes.first() == Some(&b'-'));
        let whole_end = digits_from(start);
        if whole_end == start || (bytes[start] == b'0' && whole_end > start + 1) {
            return None;
        }
        let (mut end, mut fraction) = (whole_end, "");
        if bytes.get(end) == Some(&b'.') {
            let fraction_end = digits_from(end + 1);
            fraction = &text[end + 1..fraction_end];
            if fraction.is_empty() {
                return None;
            }
            end = fraction_end;
        }
        let mut exponent = 0;
        let mut is_whole = fraction.is_empty();
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let exponent_end = digits_from(end + 1 + sign);
            let digits = &text[end + 1 + sign..exponent_end];
            let significant = digits.trim_start_matches('0');
            if digits.is_empty() || significant.len() > MAX_EXPONENT_DIGITS {
                return None;
            }
            exponent = significant.parse().unwrap_or(0);
            if bytes[end + 1] == b'-' {
                exponent = -exponent;
            }
            (end, is_whole) = (exponent_end, false);
        }
        let number = Number::new(start == 1, &text[start..whole_end], fraction, exponent);
        Some(Self { number, end, is_whole })
    }
}

/// A number in parts: 0.DIGITS times 10 to the power of `exponent`. Zero has no digits.
#[derive(Debug, PartialEq)]
pub(super) struct Number {
    is_negative: bool,
    /// Digits, without zeros at either end.
    digits: Vec<u8>,
    exponent: i64,
}

impl Number {
    fn new(is_negative: bool, whole: &str, fraction: &str, exponent: i64) -> Self {
        let digits = [whole.as_bytes(), fraction.as_bytes()].concat();
        let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
        let after = digits.iter().rev().take_while(|&&digit| digit == b'0').count();
        let significant = digits.get(zeros..digits.len() - after).unwrap_or_default();
        let is_zero = significant.is_empty();
        Self {
            is_negative: is_negative && !is_zero,
            digits: significant.to_vec(),
            exponent: if is_zero { 0 } else { exponent + whole.len() as i64 - zeros as i64 },
        }
    }

    pub(super) fn of_text(text: &str) -> Self {
        Written::read(text).map_or_else(|| Self::new(false, "0", "", 0), |written| written.number)
    }

    /// Converts a finite float.
    pub(super) fn of_float(float: f64) -> Self {
        Self::of_text(&format!("{float:e}"))
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        // Negative, zero, positive.
        let sign = |number: &Self| match number.digits.is_empty() {
            true => 0,
            false if number.is_negative => -1,
            false => 1,
        };
        let by_sign = sign(self).cmp(&sign(other));
        let by_size = || self.exponent.cmp(&other.exponent).then_with(|| self.digits.cmp(&other.digits));
        by_sign.then_with(|| if self.is_negative { by_size().reverse() } else { by_size() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;
    use proptest::prelude::*;

    fn read(text: &str) -> Value {
        Value::number(text).unwrap_or_else(|| panic!("{text} is a number"))
    }

    #[test]
    fn a_number_gets_the_type_that_keeps_it() {
        for (text, value) in [
            ("0", Value::Integer(0)),
            ("-0", Value::Float(-0.0)),
            ("9223372036854775807", Value::Integer(i64::MAX)),
            ("-9223372036854775808", Value::Integer(i64::MIN)),
            ("9223372036854775808", Value::Unsigned(1 << 63)),
            ("18446744073709551615", Value::Unsigned(u64::MAX)),
            ("1.0", Value::Float(1.0)),
            ("0.1", Value::Float(0.1)),
            ("1E5", Value::Float(1e5)),
            ("5e-324", Value::Float(5e-324)),
            ("1.7976931348623157e+308", Value::Float(f64::MAX)),
        ] {
            assert_eq!(read(text), value, "{text}");
        }
        for text in [
            "18446744073709551616",
            "-9223372036854775809",
            "12345678901234567890123",
            "0.1000000000000000055511",
            "9007199254740993.0",
            "1e400",
            "1e-400",
        ] {
            assert!(matches!(&read(text), Value::Decimal(decimal) if decimal.as_str() == text), "{text}");
            assert_eq!(read(text).to_string(), text);
        }
        for text in ["", "-", "01", "+1", ".5", "1.", "1e", "1e+", "NaN", "1 ", "0x1", "1e1000000000000000"] {
            assert_eq!(Value::number(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_float_is_displayed_as_a_number_that_it_is_read_from(float in any::<f64>()) {
            prop_assume!(float.is_finite());
            let read = Value::number(&Value::Float(float).to_string());
            prop_assert!(matches!(read, Some(Value::Float(same)) if same.to_bits() == float.to_bits()));
        }

        #[test]
        fn a_number_that_is_read_is_displayed_with_the_value_it_had(
            text in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?",
        ) {
            let said = read(&text).to_string();
            prop_assert!(Number::of_text(&said).compare(&Number::of_text(&text)).is_eq(), "{text} as {said}");
        }
    }
}
