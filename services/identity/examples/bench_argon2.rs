//! Prints the bare rate of Argon2id of this machine: `cargo run --release --example bench_argon2 -- [seconds] [threads]`.

use std::time::Duration;

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .map(|text| text.parse::<usize>().unwrap_or(0));
    let seconds = numbers.next().filter(|n| *n > 0).unwrap_or(5);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = numbers.next().filter(|n| *n > 0).unwrap_or(cores);
    let rate = identity::passwords::bench(Duration::from_secs(seconds as u64), threads);
    println!(
        "{rate:.1} hashes/s on {threads} threads ({} in {:.1?})",
        rate.hashes, rate.elapsed
    );
}
