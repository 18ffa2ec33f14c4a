//! Short lists of many numbers, for messages.

/// Numbers that a message lists before it only counts the rest.
const LISTED: usize = 5;

/// Returns text such as `"3, 4, 9 and 12 more"`; `None` if there are no numbers.
pub(crate) fn few(numbers: impl IntoIterator<Item = u64>) -> Option<String> {
    let mut numbers = numbers.into_iter();
    let listed: Vec<String> = numbers.by_ref().take(LISTED).map(|number| number.to_string()).collect();
    if listed.is_empty() {
        return None;
    }
    let listed = listed.join(", ");
    Some(match numbers.count() {
        0 => listed,
        more => format!("{listed} and {more} more"),
    })
}

#[cfg(test)]
mod tests {
    use super::few;

    #[test]
    fn some_are_listed_and_the_others_counted() {
        assert_eq!(few([]), None);
        assert_eq!(few([7, 9]).as_deref(), Some("7, 9"));
        assert_eq!(few(0..12).as_deref(), Some("0, 1, 2, 3, 4 and 7 more"));
    }
}
