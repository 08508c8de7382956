//! What a catalogue must hold to. It is data, so nothing else sees to it.

use std::collections::BTreeSet;

use super::{CURRENCY, Catalogue, Formula, Metric, PLATFORM, Storage};
use crate::query::Unit;

/// Every broken rule.
pub(super) fn faults(catalogue: &Catalogue) -> Vec<String> {
    let mut faults = Vec::new();
    names(catalogue, &mut faults);
    for metric in catalogue.metrics() {
        match power(catalogue, metric, &metric.formula) {
            Err(fault) => faults.push(format!("{}: {fault}", metric.key)),
            Ok(0) if metric.unit == Unit::Money => {
                faults.push(format!("{}: is not money and so named", metric.key));
            }
            Ok(1) if metric.unit != Unit::Money => {
                faults.push(format!("{}: is money and not so named", metric.key));
            }
            Ok(0 | 1) => {}
            Ok(_) => faults.push(format!("{}: is money by money", metric.key)),
        }
    }
    faults
}

fn names(catalogue: &Catalogue, faults: &mut Vec<String>) {
    let mut seen = BTreeSet::new();
    let mut name = |owner: String, name: &str, marks: &[char]| {
        let plain = |c: char| {
            c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || marks.contains(&c)
        };
        if name.is_empty() || !name.chars().all(plain) {
            faults.push(format!("{owner} {name}: is not a name"));
        }
        if !seen.insert(format!("{owner} {name}")) {
            faults.push(format!("{owner} {name}: is there twice"));
        }
    };
    for dataset in catalogue.datasets() {
        name("dataset".to_owned(), &dataset.key, &['-']);
        let own = dataset.dimensions.iter().map(String::as_str);
        for dimension in own.chain([PLATFORM, CURRENCY, "time"]) {
            name(format!("dimension of {}", dataset.key), dimension, &[]);
        }
        for measure in &dataset.measures {
            name(format!("measure of {}", dataset.key), &measure.name, &[]);
            let field = measure.field.as_deref().unwrap_or("none");
            name(format!("{} of {}", measure.name, dataset.key), field, &[]);
        }
    }
    for metric in catalogue.metrics() {
        name("metric".to_owned(), &metric.key, &['-', '.']);
    }
}

/// How often money is multiplied in: 1 for an amount, 0 for a count or a quotient of amounts.
fn power(catalogue: &Catalogue, metric: &Metric, formula: &Formula) -> Result<i32, String> {
    let of = |part: &Formula| power(catalogue, metric, part);
    let alike = |parts: &[Formula]| {
        let powers: BTreeSet<i32> = parts.iter().map(of).collect::<Result<_, _>>()?;
        match powers.len() {
            1 => Ok(powers.into_iter().sum()),
            0 => Err("has no parts".to_owned()),
            _ => Err("adds money to something else".to_owned()),
        }
    };
    match formula {
        Formula::Measure { measure, event } => {
            let Some((dataset, found)) = catalogue.measure(metric.family(), measure) else {
                return Err(format!("there is no measure {measure}"));
            };
            if event.is_some() && dataset.storage != Storage::Events {
                return Err("only events have names".to_owned());
            }
            Ok(i32::from(found.unit == Unit::Money))
        }
        Formula::Ratio { ratio, .. } => Ok(of(&ratio[0])? - of(&ratio[1])?),
        Formula::Sum { sum } => alike(sum),
        Formula::Difference { difference } => alike(&**difference),
        Formula::Product { product } => product.iter().map(of).sum(),
        Formula::Share { share } => of(share).map(|_| 0),
    }
}
