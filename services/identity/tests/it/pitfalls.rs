//! Every known pitfall has a test that names it; docs/security.md lists them.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

const PITFALLS: &str = include_str!("pitfalls.txt");
const BEGIN: &str = "<!-- pitfalls -->";
const END: &str = "<!-- end of pitfalls -->";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The tests that name a pitfall: `(file, function)` by number.
fn tests() -> BTreeMap<u32, Vec<(String, String)>> {
    let mut found = BTreeMap::new();
    for part in ["libs", "services"] {
        walk(&root().join(part), &mut found);
    }
    found
}

fn walk(directory: &Path, found: &mut BTreeMap<u32, Vec<(String, String)>>) {
    let mut entries: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            read(&path, found);
        }
    }
}

fn read(path: &Path, found: &mut BTreeMap<u32, Vec<(String, String)>>) {
    let text = fs::read_to_string(path).unwrap();
    let name = path
        .strip_prefix(root())
        .unwrap()
        .to_string_lossy()
        .into_owned();
    let mut waiting: Vec<u32> = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("/// Pitfall") {
            let numbers = rest.strip_prefix('s').unwrap_or(rest);
            let numbers = numbers.split_once(':').map_or("", |(numbers, _)| numbers);
            waiting.extend(
                numbers
                    .split(',')
                    .filter_map(|n| n.trim().parse::<u32>().ok()),
            );
        } else if let Some(function) = function(line) {
            for number in waiting.drain(..) {
                let tests: &mut Vec<_> = found.entry(number).or_default();
                tests.push((name.clone(), function.to_owned()));
            }
        }
    }
}

fn function(line: &str) -> Option<&str> {
    let line = line.strip_prefix("async ").unwrap_or(line);
    line.strip_prefix("fn ")?.split(['(', '<']).next()
}

fn table(tests: &BTreeMap<u32, Vec<(String, String)>>) -> String {
    let mut out = String::new();
    for line in PITFALLS.lines().filter(|line| !line.is_empty()) {
        if let Some(part) = line.strip_prefix("## ") {
            write!(
                out,
                "\n### {part}\n\n| | pitfall | test |\n| --- | --- | --- |\n"
            )
            .unwrap();
        } else if let Some((number, pitfall)) = numbered(line) {
            let tests = tests.get(&number).map_or(&[][..], Vec::as_slice);
            let cell = |(file, test): &(String, String)| format!("[`{test}`](../{file})");
            let cells: Vec<String> = tests.iter().map(cell).collect();
            let cells = if cells.is_empty() {
                "none yet".to_owned()
            } else {
                cells.join("<br>")
            };
            writeln!(out, "| {number} | {pitfall} | {cells} |").unwrap();
        }
    }
    out
}

fn numbered(line: &str) -> Option<(u32, &str)> {
    let (number, pitfall) = line.split_once(' ')?;
    Some((number.parse().ok()?, pitfall))
}

#[test]
fn every_pitfall_has_a_test_and_the_table_of_them_is_the_current_one() {
    let tests = tests();
    let known: Vec<u32> = PITFALLS
        .lines()
        .filter_map(numbered)
        .map(|(number, _)| number)
        .collect();
    assert_eq!(known, (1..=72).collect::<Vec<u32>>());
    for number in tests.keys() {
        assert!(known.contains(number), "there is no pitfall {number}");
    }
    let path = root().join("docs/security.md");
    let document = fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let current = format!("{before}{BEGIN}\n{}\n{END}{after}", table(&tests));
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, &current).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap();
    assert_eq!(committed, current, "run the test with BLESS=1");
    let missing: Vec<_> = known
        .iter()
        .filter(|number| !tests.contains_key(number))
        .collect();
    assert!(missing.is_empty(), "no test names {missing:?}");
}
