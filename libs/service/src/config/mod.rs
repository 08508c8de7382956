//! Configuration: environment variables, read once, checked completely, documented where they are read.
//!
//! ```
//! use bz_service::config::{Config, Env};
//!
//! #[derive(Debug, Clone)]
//! struct Settings {
//!     model: String,
//!     workers: u32,
//!     key: Option<bz_kernel::SecretString>,
//! }
//!
//! impl Config for Settings {
//!     fn read(env: &mut Env) -> Option<Self> {
//!         // Every variable is read before the first `?`, so that all problems are reported at once.
//!         let model = env.text("LLM_MODEL", "Model that answers.").or("llama3.2");
//!         let workers = env.number("WORKERS", "How many.").within(1, 64).or("4");
//!         let key = env.secret("LLM_API_KEY", "Key of the model provider.").optional();
//!         Some(Self { model: model?, workers: workers?, key: key? })
//!     }
//! }
//!
//! let mut env = Env::from_map([("WORKERS", "9")]);
//! let settings = Settings::read(&mut env);
//! assert!(env.finish().is_ok());
//! assert_eq!(settings.unwrap().workers, 9);
//! ```

mod address;
mod core;
mod egress;
mod env;
pub mod reference;
mod server;
mod var;

pub use self::address::{OperatorDatabase, operator_database, redis_url};
pub use self::core::{CoreConfig, SiblingUrls};
pub use self::egress::egress;
pub use env::{ConfigProblems, Env, Problem, Row, WhenUnset};
pub use server::ServerConfig;
pub use var::Var;

/// A service's own configuration.
pub trait Config: Sized + Clone + Send + Sync + 'static {
    /// Reads every variable of the service. `None` when one of them has a problem; the problems are in `env`.
    fn read(env: &mut Env) -> Option<Self>;
}

/// A service without a configuration of its own.
impl Config for () {
    fn read(_: &mut Env) -> Option<Self> {
        Some(())
    }
}
