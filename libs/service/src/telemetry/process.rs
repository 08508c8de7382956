//! The process's own numbers, read from `/proc` when scraped. Names as in the Prometheus client conventions.

use std::fs;

use metrics::{describe_gauge, gauge};

/// Kernel clock ticks a second as `/proc` reports them; 100 on every Linux ABI (man 5 proc, USER_HZ).
const TICKS_PER_SECOND: f64 = 100.0;

pub(super) fn describe() {
    describe_gauge!("process_resident_memory_bytes", "Resident memory");
    describe_gauge!("process_cpu_seconds_total", "User and system CPU time");
    describe_gauge!("process_open_fds", "Open file descriptors");
    describe_gauge!("process_threads", "Threads");
}

/// Reads the numbers now. Elsewhere than on Linux there are none.
pub(super) fn record() {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(kib) = field(&status, "VmRSS:") {
        gauge!("process_resident_memory_bytes").set(kib * 1024.0);
    }
    if let Some(threads) = field(&status, "Threads:") {
        gauge!("process_threads").set(threads);
    }
    if let Some(seconds) = cpu_seconds(&fs::read_to_string("/proc/self/stat").unwrap_or_default()) {
        gauge!("process_cpu_seconds_total").set(seconds);
    }
    if let Ok(descriptors) = fs::read_dir("/proc/self/fd") {
        // One of them is the directory being read.
        gauge!("process_open_fds").set(descriptors.count().saturating_sub(1) as f64);
    }
}

fn field(status: &str, name: &str) -> Option<f64> {
    status
        .lines()
        .find_map(|line| line.strip_prefix(name))?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

/// Fields 14 and 15 of `/proc/self/stat`, counted after the command name, which may hold spaces.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11).map(str::parse::<f64>);
    Some((fields.next()?.ok()? + fields.next()?.ok()?) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_found_behind_a_name_with_spaces_and_brackets() {
        let stat = "7 (a b) c) S 1 7 7 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 4 0 100";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(cpu_seconds(""), None);
    }

    #[test]
    fn fields_of_the_status_are_read() {
        assert_eq!(
            field("Name:\tx\nVmRSS:\t   1234 kB\n", "VmRSS:"),
            Some(1234.0)
        );
        assert_eq!(field("Name:\tx\n", "VmRSS:"), None);
    }
}
