//! The analytics service's binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    bz_service::main::<analytics::Analytics>()
}
