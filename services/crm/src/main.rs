//! The CRM's binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    bz_service::main::<crm::Crm>()
}
