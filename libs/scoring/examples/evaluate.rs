//! Trains on a CSV file and prints how good the models are and how long they take:
//! `cargo run --release -p bz-scoring --example evaluate -- FILE SEPARATOR OUTCOME=WON [drop=a,b] [test=FILE]
//! [boosting=JSON] [what=test|seeds|validate|small|newest]`

use std::collections::HashSet;
use std::time::Instant;
use std::{env, fs};

use bz_scoring::{
    Boosting, Dataset, DatasetBuilder, Metrics, Mode, Model, Options, Reasons, Rng, Row, fit, train,
};

type Failure = Box<dyn std::error::Error>;

struct File {
    names: Vec<String>,
    rows: Vec<Vec<String>>,
    outcome: usize,
    won: String,
    drop: HashSet<String>,
}

impl File {
    fn row(&self, at: usize) -> Row<'_> {
        let cells = self.names.iter().zip(&self.rows[at]).enumerate();
        let wanted = cells
            .filter(|(column, (name, _))| *column != self.outcome && !self.drop.contains(*name));
        wanted.fold(Row::new(), |row, (_, (name, value))| {
            row.with(name.as_str(), value.as_str())
        })
    }

    fn won(&self, at: usize) -> bool {
        self.rows[at][self.outcome] == self.won
    }

    fn data(&self, rows: &[usize], apart: i64) -> Dataset {
        let mut builder = DatasetBuilder::new();
        for at in rows {
            builder.push(&self.row(*at), self.won(*at), *at as i64 * apart);
        }
        builder.finish()
    }
}

fn line(what: &str, file: &File, model: &Model, rows: &[usize]) {
    let probabilities: Vec<f64> = rows
        .iter()
        .map(|at| model.probability(&file.row(*at)))
        .collect();
    let won: Vec<bool> = rows.iter().map(|at| file.won(*at)).collect();
    let Some(m) = Metrics::of(&probabilities, &won) else {
        return;
    };
    println!(
        "{what:28} auc {:.4}  pr {:.4}  brier {:.5}  loss {:.5}  lift {:.2}  ece {:.4}",
        m.roc_auc, m.pr_auc, m.brier, m.log_loss, m.lift_top10, m.ece
    );
}

/// Seconds that this thread has had a core, where the system says so (Linux): other programs do not count.
fn core_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ')
        .next()
        .and_then(|spent| spent.parse::<f64>().ok())
        .map_or(0.0, |spent| spent / 1e9)
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (start, core) = (Instant::now(), core_seconds());
    let done = work();
    println!(
        "{what:28} {:.3} s, {:.3} s of a core",
        start.elapsed().as_secs_f64(),
        core_seconds() - core
    );
    done
}

/// Trains on four fifths of the training rows and measures on the last, three times: for the choice of settings.
fn validate(file: &File, training: &[usize], options: &Options) {
    let mut sums = [0.0; 5];
    for seed in 0..3 {
        let mut rows = training.to_vec();
        Rng::new(100 + seed).shuffle(&mut rows);
        let test = rows.split_off(rows.len() * 4 / 5);
        let Some(model) = fit(
            &file.data(&rows, 0),
            options.pinned.unwrap_or(Mode::Gbdt),
            options,
        ) else {
            continue;
        };
        let probabilities: Vec<f64> = test
            .iter()
            .map(|at| model.probability(&file.row(*at)))
            .collect();
        let won: Vec<bool> = test.iter().map(|at| file.won(*at)).collect();
        if let Some(m) = Metrics::of(&probabilities, &won) {
            for (sum, value) in sums
                .iter_mut()
                .zip([m.roc_auc, m.pr_auc, m.brier, m.log_loss, m.ece])
            {
                *sum += value / 3.0;
            }
        }
    }
    println!(
        "validation: auc {:.5}  pr {:.5}  brier {:.5}  loss {:.5}  ece {:.5}",
        sums[0], sums[1], sums[2], sums[3], sums[4]
    );
}

/// Trains with three seeds and measures each and their mean on the test rows.
fn seeds(file: &File, training: &[usize], test: &[usize], options: &Options) {
    let won: Vec<bool> = test.iter().map(|at| file.won(*at)).collect();
    let data = file.data(training, 0);
    let mut sums = [0.0; 6];
    for seed in 1..=3 {
        let options = Options {
            seed,
            ..options.clone()
        };
        let core = core_seconds();
        let Some(model) = fit(&data, options.pinned.unwrap_or(Mode::Gbdt), &options) else {
            continue;
        };
        let core = core_seconds() - core;
        let probabilities: Vec<f64> = test
            .iter()
            .map(|at| model.probability(&file.row(*at)))
            .collect();
        let Some(m) = Metrics::of(&probabilities, &won) else {
            continue;
        };
        let values = [m.roc_auc, m.pr_auc, m.brier, m.log_loss, m.ece, core];
        println!("seed {seed}: {}", numbers(&values));
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += value / 3.0;
        }
    }
    println!("mean:   {}", numbers(&sums));
}

fn numbers(values: &[f64; 6]) -> String {
    let [auc, pr, brier, loss, ece, core] = values;
    format!(
        "auc {auc:.4}  pr {pr:.4}  brier {brier:.5}  loss {loss:.5}  ece {ece:.4}  {core:.2} s of a core"
    )
}

/// Log loss on the test rows after training on few.
fn small(file: &File, training: &[usize], test: &[usize], options: &Options) {
    let won: Vec<bool> = test.iter().map(|at| file.won(*at)).collect();
    for n in [50, 100, 200, 500, 1_000, 5_000] {
        let (mut losses, mut chosen) = ([0.0; 2], Vec::new());
        for draw in 0..5 {
            let mut rows = training.to_vec();
            Rng::new(draw).shuffle(&mut rows);
            rows.truncate(n);
            let data = file.data(&rows, 0);
            for (mode, sum) in [Mode::Logistic, Mode::Gbdt].into_iter().zip(&mut losses) {
                let Some(model) = fit(&data, mode, options) else {
                    continue;
                };
                let probabilities: Vec<f64> = test
                    .iter()
                    .map(|at| model.probability(&file.row(*at)))
                    .collect();
                *sum += Metrics::of(&probabilities, &won).map_or(f64::NAN, |m| m.log_loss) / 5.0;
            }
            chosen.push(train(data, options).report.mode);
        }
        println!(
            "{n:5} rows: logistic {:.4}  boosting {:.4}  chosen {chosen:?}",
            losses[0], losses[1]
        );
    }
}

fn speed(file: &File, model: &Model, test: &[usize]) {
    for (what, reasons, most) in [
        ("with path reasons", Reasons::Path, 8_000),
        ("with exact reasons", Reasons::Exact, 2_000),
    ] {
        let mut times: Vec<f64> = Vec::new();
        for at in test.iter().take(most) {
            let row = file.row(*at);
            let start = Instant::now();
            let scored = model.explain(&row, reasons);
            times.push(start.elapsed().as_secs_f64() * 1e6);
            assert!(
                (scored.base + scored.contributions.iter().map(|c| c.log_odds).sum::<f64>()
                    - scored.log_odds)
                    .abs()
                    < 1e-6
            );
        }
        times.sort_by(f64::total_cmp);
        println!(
            "{what:28} median {:.1} µs, p99 {:.1} µs",
            times[times.len() / 2],
            times[times.len() * 99 / 100]
        );
    }
    let rows: Vec<Row<'_>> = test.iter().map(|at| file.row(*at)).collect();
    timed("100,000 leads rescored", || {
        (0..100_000)
            .map(|at| model.score(&rows[at % rows.len()]).probability)
            .sum::<f64>()
    });
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let option = |name: &str| {
        arguments
            .iter()
            .find_map(|argument| argument.strip_prefix(name)?.strip_prefix('='))
    };
    let [path, separator, outcome] = arguments.get(..3).ok_or("FILE SEPARATOR OUTCOME=WON")? else {
        return Err("FILE SEPARATOR OUTCOME=WON".into());
    };
    let text = fs::read_to_string(path)?;
    let cells = |line: &str| {
        line.split(separator.as_str())
            .map(|cell| cell.trim_matches('"').to_owned())
            .collect::<Vec<_>>()
    };
    let mut lines = text.lines();
    let names = cells(lines.next().ok_or("an empty file")?);
    let (outcome, won) = outcome.split_once('=').ok_or("OUTCOME=WON")?;
    let outcome = names
        .iter()
        .position(|name| name == outcome)
        .ok_or("no such column")?;
    let drop = option("drop")
        .map(|drop| drop.split(',').map(str::to_owned).collect())
        .unwrap_or_default();
    let file = File {
        names,
        rows: lines.map(cells).collect(),
        outcome,
        won: won.to_owned(),
        drop,
    };
    let test: HashSet<usize> = match option("test") {
        Some(path) => fs::read_to_string(path)?
            .lines()
            .filter_map(|line| line.trim().parse().ok())
            .collect(),
        None => HashSet::new(),
    };
    let (test, training): (Vec<usize>, Vec<usize>) =
        (0..file.rows.len()).partition(|at| test.contains(at));
    let boosting = option("boosting")
        .map(serde_json::from_str::<Boosting>)
        .transpose()?
        .unwrap_or_default();
    let options = Options {
        boosting,
        allow_protected: file.names.iter().cloned().collect(),
        seed: 1,
        ..Options::default()
    };
    match option("what").unwrap_or("test") {
        "validate" => validate(&file, &training, &options),
        "seeds" => seeds(&file, &training, &test, &options),
        "small" => small(&file, &training, &test, &options),
        "newest" => {
            let old: Vec<usize> = (0..file.rows.len() * 4 / 5).collect();
            let new: Vec<usize> = (file.rows.len() * 4 / 5..file.rows.len()).collect();
            for mode in [Mode::Logistic, Mode::Gbdt] {
                if let Some(model) = fit(&file.data(&old, 0), mode, &options) {
                    line(mode.label(), &file, &model, &new);
                }
            }
        }
        _ => {
            let data = timed("read", || file.data(&training, 0));
            for mode in [Mode::Logistic, Mode::Gbdt] {
                let model = timed(mode.label(), || fit(&data, mode, &options)).ok_or("no model")?;
                line(mode.label(), &file, &model, &test);
                let bytes = model.to_bytes()?;
                println!("{:28} {} bytes", "file", bytes.len());
                if option("show").is_some() {
                    println!("{}", String::from_utf8(bytes)?);
                }
                speed(&file, &model, &test);
            }
            let trained = timed("choice and training", || train(data, &options));
            println!(
                "{}: {}",
                trained.report.mode.label(),
                trained.report.mode_reason
            );
        }
    }
    Ok(())
}
