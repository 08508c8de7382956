//! What `LLM_PROVIDERS` says.

use std::{path::PathBuf, str::FromStr};

use serde::Deserialize;
use url::Url;

/// How a provider is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// OpenAI's API: Ollama, Groq, OpenAI, vLLM, llama.cpp's server.
    #[serde(rename = "openai")]
    OpenAi,
    /// Anthropic's API.
    Anthropic,
    /// The model within the process.
    InProcess,
}

/// One provider.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// What it is called in `/health`, accounts and requests.
    pub name: String,
    /// How it is spoken to.
    pub kind: Kind,
    /// Its address; Anthropic's own when not given.
    pub base_url: Option<Url>,
    /// A file with its key.
    pub api_key_file: Option<PathBuf>,
    /// The model it is asked for.
    pub model: String,
    /// Whether the model calls tools; when not, it is asked to choose an action within a JSON schema.
    #[serde(default = "yes")]
    pub supports_tools: bool,
    /// The most tokens of a request with its answer.
    pub context: Option<u64>,
    /// Price of a million tokens of requests.
    #[serde(default)]
    pub input_price: f64,
    /// Price of a million tokens of answers.
    #[serde(default)]
    pub output_price: f64,
}

const fn yes() -> bool {
    true
}

/// The list, in the order in which they are tried.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Providers(pub Vec<ProviderConfig>);

impl FromStr for Providers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let providers: Vec<ProviderConfig> = if text.trim_start().starts_with('[') {
            serde_json::from_str(text).map_err(|error| error.to_string())?
        } else {
            let file = std::fs::read(text).map_err(|error| format!("{text}: {error}"))?;
            serde_json::from_slice(&file).map_err(|error| error.to_string())?
        };
        for (index, provider) in providers.iter().enumerate() {
            let name = &provider.name;
            if name.is_empty() || providers[..index].iter().any(|other| other.name == *name) {
                return Err(format!(
                    "give every provider a name of its own, unlike {name:?}"
                ));
            }
            if provider.kind == Kind::OpenAi && provider.base_url.is_none() {
                return Err(format!("give {name} a base_url"));
            }
            let prices = [provider.input_price, provider.output_price];
            if !prices.iter().all(|price| (0.0..=1e6).contains(price)) {
                return Err(format!("give {name} prices between 0 and 1000000"));
            }
        }
        Ok(Self(providers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_and_what_is_wrong_with_one_is_said() {
        let good = r#"[
            {"name": "groq", "kind": "openai", "base_url": "https://api.groq.com/openai", "model": "llama-3.3-70b-versatile",
             "api_key_file": "/run/secrets/groq", "input_price": 0.59, "output_price": 0.79, "context": 131072},
            {"name": "claude", "kind": "anthropic", "model": "claude-sonnet"},
            {"name": "local", "kind": "in_process", "model": "smollm2-135m"}]"#;
        let providers: Providers = good.parse().unwrap();
        let kinds: Vec<Kind> = providers.0.iter().map(|provider| provider.kind).collect();
        assert_eq!(kinds, [Kind::OpenAi, Kind::Anthropic, Kind::InProcess]);
        assert!(providers.0[0].supports_tools);
        for (bad, says) in [
            (
                r#"[{"name": "a", "kind": "openai", "model": "m"}]"#,
                "base_url",
            ),
            (
                r#"[{"name": "", "kind": "in_process", "model": "m"}]"#,
                "name",
            ),
            (
                r#"[{"name": "a", "kind": "anthropic", "model": "m", "input_price": -1}]"#,
                "prices",
            ),
            (
                r#"[{"name": "a", "kind": "other", "model": "m"}]"#,
                "unknown variant",
            ),
            ("/nowhere/providers.json", "/nowhere/providers.json"),
        ] {
            let error = bad.parse::<Providers>().unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
