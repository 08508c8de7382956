//! Trains the intent classifier of the chatbot and measures rules and classifier by cross-validation.
//!
//! ```console
//! cargo run --release -p chatbot --example train_intents -- DIR/intents_en.csv services/chatbot/src/understand/classify/intents.bin
//! ```
//!
//! Without the second path it only measures. It fails when the bars are missed. It learns from the rows of HWU (NLU-Evaluation-Data, CC BY 4.0) and CLINC150
//! (CC BY 3.0); those of MTOD (CC BY-SA) are only measured with.

mod measure;
mod trainer;

use std::error::Error;

use measure::{Crossed, Sample};

/// The least macro-F1 of the five classes by cross-validation.
const MACRO_F1: f64 = 0.95;
/// The greatest share of out-of-domain messages that something is done about.
const ACTED: f64 = 0.03;

/// The rows of a CSV text (RFC 4180) after its header.
fn samples(text: &str) -> Vec<Sample> {
    let mut rows = vec![vec![String::new()]];
    let mut inside = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let Some(row) = rows.last_mut() else { break };
        let Some(cell) = row.last_mut() else { break };
        match c {
            '"' if inside && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => inside = !inside,
            ',' if !inside => row.push(String::new()),
            '\n' if !inside => rows.push(vec![String::new()]),
            '\r' if !inside => {}
            _ => cell.push(c),
        }
    }
    let sample = |row: Vec<String>| {
        Some(Sample {
            source: row.first()?.clone(),
            action: row.get(4)?.clone(),
            text: row.get(5)?.clone(),
        })
    };
    rows.into_iter().skip(1).filter_map(sample).collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let input = arguments
        .next()
        .ok_or("usage: train_intents INTENTS_EN.CSV [WEIGHTS]")?;
    let samples = samples(&std::fs::read_to_string(input)?);
    let Crossed {
        all,
        trainable,
        never,
        answers,
        model,
    } = measure::cross_validate(&samples, |sample, intent| {
        println!(
            "miss\t{}\t{}\t{intent:?}\t{}",
            sample.source, sample.action, sample.text
        );
    });
    println!("temperature {}", model.temperature);
    trainable.print("hwu and clinc150, other folds");
    never.print("mtod, never trained on");
    all.print("all");
    println!("answers while a question waits: {answers:?}");
    if all.macro_f1() < MACRO_F1 || all.acted_share() > ACTED {
        return Err("below the bar: macro-F1 0.95, out-of-domain acted on 3 %".into());
    }
    if let Some(output) = arguments.next() {
        std::fs::write(output, model.write())?;
    }
    Ok(())
}
