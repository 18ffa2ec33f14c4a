//! Stand-ins for models, and the folder of reference values.

mod bag_of_words;
mod bigrams;
pub(crate) mod folder;
pub(crate) mod golden;
mod lines;
mod table;

pub(crate) use bag_of_words::BagOfWords;
pub(crate) use bigrams::Bigrams;
pub(crate) use table::TableGenerator;
