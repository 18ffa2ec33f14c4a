//! Questions to answers.
