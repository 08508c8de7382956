//! Models within the process, without a network and without code in C: [`Encoder`] makes sentence embeddings with MiniLM,
//! [`ChatModel`] answers chats with a small Llama (SmolLM2), also within a JSON schema.
//!
//! Everything runs on the thread that calls it. [`on_one_thread`] makes sure of that for the libraries underneath, which
//! would otherwise take all cores from a server that has requests to answer.
#![warn(missing_docs)]

mod chat;
mod encoder;
mod error;
mod grammar;
mod llama;
mod sample;
mod schema;
mod tensors;
mod text;

pub use chat::{ChatModel, Finish, Generate, Generated, Role, Turn};
pub use encoder::Encoder;
pub use error::Error;

/// Makes this thread its own pool of one for the linear algebra underneath, for as long as the guard lives. Without it
/// the first product of matrices would start a thread on every core.
///
/// # Errors
/// When the thread belongs to a pool already.
pub fn on_one_thread() -> Result<impl Sized, Error> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread()
        .build()
        .map_err(|error| Error::Engine(error.to_string()))
}
