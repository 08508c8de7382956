//! Rebuilds the crate when a migration is added, changed or removed: the macro that embeds them does not tell cargo.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
