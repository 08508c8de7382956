//! The identity service.

use std::process::ExitCode;

fn main() -> ExitCode {
    bz_service::main::<identity::Identity>()
}
