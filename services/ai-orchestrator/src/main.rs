//! The AI orchestrator's binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    bz_service::main::<ai_orchestrator::AiOrchestrator>()
}
