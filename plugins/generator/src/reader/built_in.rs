use super::ReaderGenerator;
use crate::LoadError;

impl ReaderGenerator {
    /// Loads the reader that ships with this crate, `models/reader`, embedded in the program.
    ///
    /// # Errors
    /// Never with the files that ship; see [`ReaderGenerator::open`].
    pub fn built_in() -> Result<Self, LoadError> {
        let config = include_bytes!("../../models/reader/config.json");
        let tokenizer = include_bytes!("../../models/reader/tokenizer.json");
        let weights = include_bytes!("../../models/reader/model.safetensors");
        Self::from_bytes(config, tokenizer, weights.to_vec())
    }
}
