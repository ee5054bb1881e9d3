//! What a model can do, from what its configuration says it is. A new architecture is added here, and nowhere else in the
//! library.

use serde_json::Value;

/// A kind of model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Architecture {
    /// The vision networks and the language model that come with the program, or others of their kind.
    Starter,
    /// Whisper, which knows this many languages.
    Whisper {
        /// Languages.
        languages: u64,
    },
    /// A language model of the Llama family.
    Llama,
    /// CogVLM2, which sees pictures.
    CogVlm,
    /// One that this program does not know.
    Unknown(String),
}

/// What a model is calibrated on when it is quantized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CalibratedOn {
    /// Plain text.
    Text,
    /// Recordings with their words.
    Recordings,
    /// Pictures with answers about them.
    Pictures,
}

/// Tokens of a Whisper for several languages without those that name them; English ones have fewer than with the 99 of the first.
const WHISPER_TOKENS: u64 = 51_766;
const FIRST_LANGUAGES: u64 = 99;

impl Architecture {
    /// What a configuration (`config.json`) says.
    pub fn of(config: &Value) -> Self {
        let model_type = config.get("model_type").and_then(Value::as_str).unwrap_or_default();
        // It is known by this name alone.
        let architectures = config.get("architectures").and_then(Value::as_array);
        if architectures.is_some_and(|names| names.iter().any(|name| name == "CogVLMForCausalLM")) {
            return Self::CogVlm;
        }
        match model_type {
            "llama" => Self::Llama,
            "whisper" => {
                let tokens = config.get("vocab_size").and_then(Value::as_u64).unwrap_or_default();
                let languages = tokens.saturating_sub(WHISPER_TOKENS);
                Self::Whisper { languages: if languages < FIRST_LANGUAGES { 1 } else { languages } }
            }
            "" => Self::Unknown("without a name".into()),
            other => Self::Unknown(other.into()),
        }
    }

    /// What it can do, in words.
    pub fn abilities(&self) -> Vec<String> {
        let abilities: &[&str] = match self {
            Self::Starter => &["reads text", "answers questions about the text"],
            Self::Whisper { .. } => &["understands speech"],
            Self::Llama => &["is a language model, which answers in the command rpiq generate"],
            Self::CogVlm => &["answers questions about a picture, in the command rpiq ask"],
            Self::Unknown(_) => &[],
        };
        abilities.iter().map(ToString::to_string).collect()
    }

    /// Languages it knows, in words, as far as the architecture tells.
    pub fn languages(&self) -> Vec<String> {
        match self {
            Self::Starter | Self::Whisper { languages: 1 } => vec!["English".into()],
            Self::Whisper { languages } => vec!["English".into(), format!("{} other languages", languages - 1)],
            // Another edition of CogVLM2, of the same configuration, knows Chinese too.
            Self::CogVlm => vec!["English".into()],
            Self::Llama | Self::Unknown(_) => vec![],
        }
    }

    /// Whether the program can be set to answer with it.
    pub fn answers(&self) -> bool {
        *self == Self::Starter
    }

    /// What it is calibrated on; `None` if it cannot be quantized here.
    pub fn calibrated_on(&self) -> Option<CalibratedOn> {
        match self {
            Self::Llama => Some(CalibratedOn::Text),
            Self::Whisper { .. } => Some(CalibratedOn::Recordings),
            Self::CogVlm => Some(CalibratedOn::Pictures),
            // Its halves are quantized by its own recipe.
            Self::Starter | Self::Unknown(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whisper_tells_its_languages_by_its_vocabulary() {
        let whisper =
            |tokens: u64| Architecture::of(&json!({"model_type": "whisper", "vocab_size": tokens})).languages();
        assert_eq!(whisper(51_864), ["English"]);
        assert_eq!(whisper(51_865), ["English", "98 other languages"]);
        assert_eq!(whisper(51_866), ["English", "99 other languages"]);
        assert_eq!(whisper(0), ["English"]);
    }

    #[test]
    fn what_is_not_known_can_do_nothing() {
        for config in [json!({}), json!({"model_type": 3}), json!([]), json!({"model_type": "opera"})] {
            let unknown = Architecture::of(&config);
            assert!(matches!(unknown, Architecture::Unknown(_)) && unknown.abilities().is_empty());
            assert_eq!((unknown.calibrated_on(), unknown.answers()), (None, false));
        }
        assert_eq!(Architecture::of(&json!({"model_type": "llama"})), Architecture::Llama);
        // As the published model has it, without a model_type.
        let cogvlm = Architecture::of(&json!({"architectures": ["CogVLMForCausalLM"], "hidden_size": 4096}));
        assert_eq!(cogvlm, Architecture::CogVlm);
        assert!(!cogvlm.abilities().is_empty() && !cogvlm.answers());
    }
}
