use postil_checkpoint::{ModelFolder, TokenSetting};
use serde::Deserialize;
use serde_json::Value;

use super::opened::{MAX_WINDOW, Opened};
use crate::model::{OneOrMany, parse};
use crate::prompt::{ChatTemplate, Form, RetrievalSettings, Vocabulary};
use crate::{LanguageModel, LoadError};

/// Length in tokens that published T5 models were trained with; T5's positions themselves have no
/// limit.
const T5_TOKENS: usize = 512;

#[derive(Default, Deserialize)]
struct TokenizerConfig {
    chat_template: Option<Templates>,
    bos_token: Option<TokenSetting>,
    eos_token: Option<TokenSetting>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Templates {
    One(String),
    Named(Vec<Named>),
}

#[derive(Deserialize)]
struct Named {
    name: String,
    template: String,
}

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    model_type: String,
    n_positions: Option<usize>,
}

#[derive(Deserialize)]
struct Stops {
    stop_strings: Option<OneOrMany<String>>,
}

/// Opens the model in a folder of the Hugging Face layout.
pub(super) fn open(folder: &ModelFolder) -> Result<Opened, LoadError> {
    let config: Value = folder.json("config.json")?;
    let generation: Option<Value> = folder.json_if_present("generation_config.json")?;
    let (config, generation) = (config.to_string(), generation.map(|generation| generation.to_string()));
    let model = LanguageModel::load(&folder.name(), &config, generation.as_deref(), &folder.weights()?)?;
    let vocabulary = Vocabulary::new(folder.tokenizer()?)?;

    let retrieval = RetrievalSettings::of(&config)?;
    let Config { model_type, n_positions } = parse(&config)?;
    let limit = model.window().unwrap_or(n_positions.unwrap_or(T5_TOKENS));
    let (form, window) = match (retrieval, model_type.as_str()) {
        (Some(settings), _) => {
            let window = limit.min(settings.max_combined_length);
            (Form::Retrieval(settings), window)
        }
        (None, "bart") => (Form::Retrieval(RetrievalSettings::of_paper()), limit),
        (None, "t5" | "mt5") => (Form::Instruction, limit),
        _ => (chat(folder)?.map_or(Form::Completion, Form::Chat), limit.min(MAX_WINDOW)),
    };
    let stops = generation.as_deref().map(parse::<Stops>).transpose()?.and_then(|stops| stops.stop_strings);
    let stop_strings = stops.map(Vec::from).unwrap_or_default();
    Ok(Opened { model, vocabulary, form, window, stop_strings })
}

/// The chat template, from `chat_template.jinja` or `tokenizer_config.json`.
fn chat(folder: &ModelFolder) -> Result<Option<ChatTemplate>, LoadError> {
    let config: TokenizerConfig = folder.settings_if_present("tokenizer_config.json")?.unwrap_or_default();
    let source = match (folder.text_if_present("chat_template.jinja")?, config.chat_template) {
        (Some(source), _) | (None, Some(Templates::One(source))) => Some(source),
        (None, Some(Templates::Named(mut named))) => {
            let default = named.iter().position(|template| template.name == "default");
            default.map(|at| named.swap_remove(at).template)
        }
        (None, None) => None,
    };
    let content = |token: Option<TokenSetting>| token.map(String::from).unwrap_or_default();
    let (bos_token, eos_token) = (content(config.bos_token), content(config.eos_token));
    Ok(source.map(|source| ChatTemplate { source, bos_token, eos_token }))
}
