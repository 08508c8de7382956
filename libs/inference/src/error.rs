/// Why a model cannot be loaded or does not answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("a file of the model cannot be read")]
    File(#[from] std::io::Error),
    /// A file is not what it should be.
    #[error("a file of the model is not as expected: {0}")]
    Format(String),
    /// The request does not fit into the model.
    #[error("{tokens} tokens do not fit into the model's {limit}")]
    TooLong {
        /// Of the prompt and the longest answer.
        tokens: usize,
        /// Of the model.
        limit: usize,
    },
    /// The JSON schema cannot be followed.
    #[error("the JSON schema cannot be followed: {0}")]
    Schema(String),
    /// The libraries underneath failed.
    #[error("the model failed: {0}")]
    Engine(String),
}

impl From<candle_core::Error> for Error {
    fn from(error: candle_core::Error) -> Self {
        Self::Engine(error.to_string())
    }
}
