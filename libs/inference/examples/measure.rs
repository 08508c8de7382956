//! Loads the models of a folder and measures them on one thread: `cargo run --release -p bz-inference --example measure
//! -- MODEL_DIR`. The README of the AI orchestrator has the numbers.
#![expect(clippy::unwrap_used, reason = "a measurement that fails has no result")]

use std::{ops::ControlFlow, path::PathBuf, time::Instant};

use bz_inference::{ChatModel, Encoder, Generate, Role, Turn, on_one_thread};

/// Seconds that this thread was on a processor: a measure that other work on the machine disturbs little.
fn worked() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    told.split_whitespace()
        .next()
        .unwrap()
        .parse::<f64>()
        .unwrap()
        / 1e9
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        / 1024
}

fn main() {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap());
    let _pool = on_one_thread().unwrap();
    let begun = Instant::now();
    let encoder = Encoder::load(&folder.join("all-MiniLM-L6-v2")).unwrap();
    println!(
        "all-MiniLM-L6-v2: loaded in {} ms, resident {} MiB",
        begun.elapsed().as_millis(),
        resident()
    );
    let text = "remind me to call Ada about the invoice tomorrow";
    encoder.embed(text).unwrap();
    let (begun, count) = (worked(), 200);
    for _ in 0..count {
        encoder.embed(text).unwrap();
    }
    println!(
        "  {:.0} embeddings a second of its thread's time",
        f64::from(count) / (worked() - begun)
    );
    let begun = Instant::now();
    let file = folder
        .join("smollm2-135m")
        .join("SmolLM2-135M-Instruct.Q4_1.gguf");
    let chat = ChatModel::load(&file, 2048).unwrap();
    println!(
        "smollm2-135m: loaded in {} ms, resident {} MiB",
        begun.elapsed().as_millis(),
        resident()
    );
    let request = |words: usize, max_tokens| Generate {
        turns: vec![Turn {
            role: Role::User,
            content: format!("{}Say hello in one sentence.", "word ".repeat(words)),
        }],
        schema: None,
        max_tokens,
        temperature: 0.0,
        seed: 1,
    };
    for (words, tokens) in [(0, 24), (0, 128), (400, 1)] {
        let mut first = None;
        let begun = worked();
        let made = chat.generate(&request(words, tokens), &mut |piece| {
            if first.is_none() && !piece.is_empty() {
                first = Some(worked() - begun);
            }
            ControlFlow::Continue(())
        });
        let made = made.unwrap();
        let first = first.unwrap_or_else(|| worked() - begun);
        let rest = worked() - begun - first;
        println!(
            "  prompt {:.0} tokens a second, answer {:.0}: {:?}",
            made.prompt_tokens as f64 / first,
            (made.completion_tokens - 1) as f64 / rest.max(1e-9),
            made.text
        );
    }
    println!("resident {} MiB", resident());
}
