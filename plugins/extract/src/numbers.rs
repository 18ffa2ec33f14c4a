//! Numbers of a workbook as their cells show them.

/// Days of 1900-01-01 before the epoch of [`date`], in the count of workbooks, in which 1900 was a
/// leap year.
const EPOCH_1900: i64 = 25_569;
/// The same for workbooks that count from 1904.
const EPOCH_1904: i64 = 24_107;

/// The way a cell shows its number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Style {
    General,
    /// Digits after the point, and whether thousands are parted.
    Fixed(usize, bool),
    Percent(usize),
    Date,
    Time,
    DateTime,
}

impl Style {
    /// The style of a format: its number, and its code where the workbook has its own.
    pub(crate) fn new(id: usize, code: Option<&str>) -> Self {
        let Some(code) = code else {
            return match id {
                1 => Self::Fixed(0, false),
                2 => Self::Fixed(2, false),
                3 | 37 | 38 => Self::Fixed(0, true),
                4 | 39 | 40 => Self::Fixed(2, true),
                9 => Self::Percent(0),
                10 => Self::Percent(2),
                14..=17 => Self::Date,
                18..=21 | 45..=47 => Self::Time,
                22 => Self::DateTime,
                _ => Self::General,
            };
        };
        let code = bare(code.split(';').next().unwrap_or(code)).to_lowercase();
        let has = |letters: &[char]| code.contains(letters);
        let (is_date, is_time) = (has(&['y', 'd']), has(&['h', 's']));
        let digits = code
            .split_once('.')
            .map_or(0, |(_, end)| end.chars().take_while(|c| matches!(c, '0' | '#' | '?')).count());
        match () {
            () if is_date && is_time => Self::DateTime,
            () if is_date || code.contains("mmm") => Self::Date,
            () if is_time => Self::Time,
            () if code.contains('%') => Self::Percent(digits),
            () if code.contains('0') || code.contains('#') => Self::Fixed(digits, code.contains(",")),
            () => Self::General,
        }
    }
}

/// A format code without quoted text, colors and padding.
fn bare(code: &str) -> String {
    let (mut bare, mut skip_to, mut skip_one) = (String::new(), None, false);
    for c in code.chars() {
        match (skip_one, skip_to, c) {
            (true, ..) => skip_one = false,
            (_, Some(end), c) if c == end => skip_to = None,
            (_, Some(_), _) => {}
            (_, _, '"') => skip_to = Some('"'),
            (_, _, '[') => skip_to = Some(']'),
            (_, _, '\\' | '_' | '*') => skip_one = true,
            (_, _, c) => bare.push(c),
        }
    }
    bare
}

/// A number as text.
pub(crate) fn shown(number: f64, style: &Style, from_1904: bool) -> String {
    if !number.is_finite() {
        return number.to_string();
    }
    match *style {
        Style::General => general(number),
        Style::Fixed(digits, parted) => {
            let text = format!("{:.*}", digits.min(20), number);
            if parted { thousands(&text) } else { text }
        }
        Style::Percent(digits) => format!("{:.*}%", digits.min(20), number * 100.0),
        Style::Date => date(number, from_1904),
        Style::Time => time(number),
        Style::DateTime => format!("{} {}", date(number, from_1904), time(number)),
    }
}

fn general(number: f64) -> String {
    let text = format!("{number}");
    if text.len() <= 16 {
        return text;
    }
    // Digits that only rounding made are not shown.
    let text = format!("{number:.10}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn thousands(text: &str) -> String {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, end) = rest.find('.').map_or((rest, ""), |at| rest.split_at(at));
    let mut parted = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            parted.push(',');
        }
        parted.push(digit);
    }
    format!("{sign}{parted}{end}")
}

/// A day as `2024-03-01`.
fn date(number: f64, from_1904: bool) -> String {
    let days = number.floor() as i64 - if from_1904 { EPOCH_1904 } else { EPOCH_1900 };
    // Hinnant's `civil_from_days`, from 1970-01-01.
    let z = days.clamp(-100_000_000, 100_000_000) + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

fn time(number: f64) -> String {
    let seconds = (number.rem_euclid(1.0) * 86_400.0).round() as u32 % 86_400;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_look_as_in_their_cells() {
        let of = |number: f64, id: usize, code: Option<&str>| shown(number, &Style::new(id, code), false);
        assert_eq!(of(45_352.0, 14, None), "2024-03-01");
        assert_eq!(of(45_352.75, 22, None), "2024-03-01 18:00:00");
        assert_eq!(of(1_234_567.5, 4, None), "1,234,567.50");
        assert_eq!(of(0.125, 170, Some("0.0%")), "12.5%");
        assert_eq!(of(3.0, 0, None), "3");
        assert_eq!(of(1599.0, 171, Some("[$$-409]#,##0.00;[Red]-0")), "1,599.00");
        assert_eq!(of(2.0, 172, Some("\"day\" 0")), "2");
        assert_eq!(shown(0.0, &Style::Date, true), "1904-01-01");
    }
}
