//! A yardstick: how many logins a second the machine could do if nothing but the password hash cost time.

use std::process::ExitCode;
use std::time::Duration;

/// Prints the hashes per second on all cores.
pub(crate) fn argon2(seconds: u64) -> anyhow::Result<ExitCode> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let rate = identity::passwords::bench(Duration::from_secs(seconds), threads);
    println!("{rate:.1}");
    Ok(ExitCode::SUCCESS)
}
