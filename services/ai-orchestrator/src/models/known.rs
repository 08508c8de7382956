//! The models that can be loaded: pinned files, as `scripts/fetch-models` brings them.

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    /// Texts as vectors.
    Embeddings,
    /// Chats.
    Chat,
}

/// A model.
pub(crate) struct Known {
    /// Name for programs, and of its folder in `MODEL_DIR`.
    pub(crate) name: &'static str,
    pub(crate) purpose: Purpose,
    /// Its files with their SHA-256.
    pub(crate) files: &'static [(&'static str, &'static str)],
}

/// The model that makes vectors when a request names none.
pub(crate) const EMBEDDINGS: &str = "all-MiniLM-L6-v2";
/// The model that chats.
pub(crate) const CHAT: &str = "smollm2-135m";
/// The file that the chat model is loaded from.
pub(crate) const CHAT_FILE: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";

/// All of them.
pub(crate) const KNOWN: [Known; 2] = [
    Known {
        name: EMBEDDINGS,
        purpose: Purpose::Embeddings,
        files: &[
            (
                "config.json",
                "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            ),
            (
                "tokenizer.json",
                "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            ),
            (
                "model.safetensors",
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            ),
        ],
    },
    Known {
        name: CHAT,
        purpose: Purpose::Chat,
        files: &[(
            CHAT_FILE,
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        )],
    },
];
