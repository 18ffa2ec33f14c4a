//! Configurations as published, for every family.

use super::parameters::LoadError;

/// True when a configuration has the key, even with the value null.
pub(super) fn said(config: &str, key: &str) -> Result<bool, LoadError> {
    Ok(raw(config)?.get(key).is_some())
}

/// Parses a configuration and keeps its nulls.
pub(super) fn raw(json: &str) -> Result<serde_json::Value, LoadError> {
    serde_json::from_str(json).map_err(|error| LoadError::Config { reason: error.to_string() })
}

/// Parses a configuration in which a null field means the same as an absent one.
pub(crate) fn parse<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, LoadError> {
    postil_checkpoint::settings(raw(json)?).map_err(|reason| LoadError::Config { reason })
}

/// Refuses a configuration with a feature that no family here supports.
pub(super) fn check(config: &str) -> Result<(), LoadError> {
    let config = raw(config)?;
    let unsupported = |what, value| Err(LoadError::Unsupported { what, value });
    let quantized = &config["quantization_config"];
    if !quantized.is_null() {
        let method = quantized["quant_method"].as_str();
        return unsupported(
            "quantization_config",
            method.map_or_else(|| quantized.to_string(), str::to_owned),
        );
    }
    let field = "partial_rotary_factor";
    let places = [&config[field], &config["rope_parameters"][field], &config["rope_scaling"][field]];
    match places.into_iter().find(|place| !place.is_null() && place.as_f64() != Some(1.0)) {
        Some(part) => unsupported(field, part.to_string()),
        None => Ok(()),
    }
}
