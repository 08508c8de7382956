use super::*;
use crate::Rng;
use crate::features::{Feature, FeatureKind, Matrix};

/// Two numbers, one of them with gaps, and a word; the outcome depends on all three and on two together.
fn sample(rows: usize) -> (Matrix, Vec<Feature>, Vec<bool>) {
    let mut rng = Rng::new(5);
    let mut matrix = Matrix {
        columns: vec![Vec::new(), Vec::new(), Vec::new()],
        rows,
    };
    let mut won = Vec::new();
    for _ in 0..rows {
        let (a, b, word) = (rng.below(100) as f64, rng.below(10) as f64, rng.below(8));
        let missing = rng.happens(0.2);
        let z = a / 25.0 - 2.0
            + if b > 5.0 { 1.0 } else { -1.0 }
            + if word % 3 == 0 { 1.5 } else { -0.5 }
            + if missing { 1.0 } else { 0.0 };
        won.push(rng.happens(crate::logistic(z)));
        for (column, value) in
            matrix
                .columns
                .iter_mut()
                .zip([a, if missing { f64::NAN } else { b }, word as f64])
        {
            column.push(value);
        }
    }
    let words = (0..6).map(|word| format!("w{word}")).collect();
    let kinds = [
        FeatureKind::Number,
        FeatureKind::Number,
        FeatureKind::Category(words),
    ];
    let features = kinds
        .into_iter()
        .enumerate()
        .map(|(field, kind)| Feature { field, kind })
        .collect();
    (matrix, features, won)
}

fn grown(rounds: usize) -> (Forest, Matrix) {
    let (matrix, features, won) = sample(3_000);
    let settings = Boosting {
        rounds,
        learning_rate: 0.1,
        ..Boosting::default()
    };
    let binned = Binned::new(&matrix, &features, settings.bins);
    let rows: Vec<u32> = (0..3_000).collect();
    (
        fit(
            Boosted {
                binned: &binned,
                won: &won,
                seed: 1,
            },
            rows,
            &settings,
        ),
        matrix,
    )
}

/// Expected answer of a tree when only some features are known.
fn expected(tree: &Tree, node: usize, inputs: &[f64], known: u32) -> f64 {
    let here = tree.nodes[node];
    if here.is_leaf() {
        return here.value;
    }
    if known >> here.feature & 1 == 1 {
        return expected(tree, tree.next(&here, inputs) as usize, inputs, known);
    }
    let child = |child: u32| {
        tree.nodes[child as usize].cover * expected(tree, child as usize, inputs, known)
    };
    (child(here.left) + child(here.left + 1)) / here.cover
}

#[test]
fn exact_reasons_are_the_shapley_values_by_their_definition() {
    let (forest, matrix) = grown(20);
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    let mut inputs = Vec::new();
    for row in 0..50 {
        matrix.row(row, &mut inputs);
        let mut by_definition = [0.0; 3];
        for tree in &forest.trees {
            for order in orders {
                let mut known = 0;
                for feature in order {
                    let before = expected(tree, 0, &inputs, known);
                    known |= 1 << feature;
                    by_definition[feature] += (expected(tree, 0, &inputs, known) - before) / 6.0;
                }
            }
        }
        let mut fast = [0.0; 3];
        forest.shapley_contributions(&inputs, &mut fast);
        for (fast, slow) in fast.iter().zip(by_definition) {
            assert!((fast - slow).abs() < 1e-9, "{fast} against {slow}");
        }
    }
}

#[test]
fn both_kinds_of_reasons_add_up_to_the_log_odds_of_the_trees() {
    let (forest, matrix) = grown(100);
    let mut inputs = Vec::new();
    for row in 0..200 {
        matrix.row(row, &mut inputs);
        let slow = forest.start
            + forest
                .trees
                .iter()
                .map(|tree| walk(tree, &inputs))
                .sum::<f64>();
        assert!((forest.log_odds(&inputs) - slow).abs() < 1e-6);
        let (mut path, mut exact) = ([0.0; 3], [0.0; 3]);
        forest.path_contributions(&inputs, &mut path);
        forest.shapley_contributions(&inputs, &mut exact);
        for sum in [path, exact].map(|reasons| forest.base() + reasons.iter().sum::<f64>()) {
            assert!((sum - slow).abs() < 1e-6, "{sum} against {slow}");
        }
    }
}

fn walk(tree: &Tree, inputs: &[f64]) -> f64 {
    let mut node = tree.nodes[0];
    while !node.is_leaf() {
        node = tree.nodes[tree.next(&node, inputs) as usize];
    }
    node.value
}

#[test]
fn a_forest_in_a_file_answers_as_the_trained_one() {
    let (forest, matrix) = grown(50);
    let text = serde_json::to_string(&forest).unwrap();
    let read: Forest = serde_json::from_str(&text).unwrap();
    let mut inputs = Vec::new();
    for row in 0..200 {
        matrix.row(row, &mut inputs);
        assert_eq!(
            forest.log_odds(&inputs).to_bits(),
            read.log_odds(&inputs).to_bits()
        );
    }
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
}

#[test]
fn trees_whose_children_are_not_there_are_not_read() {
    let tree = r#"{"feature":[0,-1],"value":[1.0,0.5],"left":[1,0],"cover":[9,4],"by_word":[],"missing_left":[],"sets":[]}"#;
    assert!(serde_json::from_str::<Tree>(tree).is_err());
}

#[test]
fn boosting_finds_what_words_and_gaps_say() {
    let (matrix, features, won) = sample(6_000);
    let binned = Binned::new(&matrix, &features, 255);
    let fold_of = crate::folds::stratified(&won, 5, 1);
    let input = Boosted {
        binned: &binned,
        won: &won,
        seed: 1,
    };
    let chosen = choose(input, &fold_of, &Boosting::default());
    let probabilities: Vec<f64> = chosen
        .out_of_fold
        .iter()
        .map(|z| crate::logistic(*z))
        .collect();
    let metrics = crate::Metrics::of(&probabilities, &won).unwrap();
    assert!(metrics.roc_auc > 0.83 && metrics.ece < 0.03, "{metrics:?}");
}
