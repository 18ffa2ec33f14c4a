use super::Answer;

/// A part of an answer's text that has the same sources throughout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch<'a> {
    /// Its text; the texts of all stretches make up the answer's.
    pub text: &'a str,
    /// Positions among [`Answer::citations`] of the passages it is credited to, likeliest for the
    /// answer first. Empty: unsupported, or supported by more passages than are listed.
    pub notes: Vec<usize>,
}

impl Answer {
    /// The text split where its sources change.
    ///
    /// A citation that no clause is credited to supports the answer as a whole, such as an unlikely
    /// one with the same words: it is put with the last stretch.
    pub fn stretches(&self) -> Vec<Stretch<'_>> {
        let notes = |sources: &[usize]| -> Vec<usize> {
            (0..self.citations.len()).filter(|n| sources.contains(&self.citations[*n].passage)).collect()
        };
        let mut found: Vec<(std::ops::Range<usize>, Vec<usize>)> = Vec::new();
        for span in &self.spans {
            let notes = notes(&span.sources);
            match found.last_mut() {
                Some((range, same)) if *same == notes => range.end = span.range.end,
                _ => found.push((span.range.clone(), notes)),
            }
        }
        let is_used = |n: &usize| found.iter().any(|(_, notes)| notes.contains(n));
        let unused: Vec<usize> = (0..self.citations.len()).filter(|n| !is_used(n)).collect();
        if let Some((_, last)) = found.last_mut() {
            last.extend(unused);
            last.sort_unstable();
        }
        found.into_iter().map(|(range, notes)| Stretch { text: &self.text[range], notes }).collect()
    }
}
