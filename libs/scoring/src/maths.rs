//! Log-odds, and numbers that a file keeps exactly.

/// Probability of log-odds.
#[must_use]
pub fn logistic(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds).exp())
}

/// Log-odds of a probability; those of 0 and 1 are as far out as a probability of 1e-9.
#[must_use]
pub fn logit(probability: f64) -> f64 {
    let p = probability.clamp(1e-9, 1.0 - 1e-9);
    (p / (1.0 - p)).ln()
}

/// Rounds to `digits` significant digits, at most 15: such a number is read back from decimal text bit by bit, so a
/// stored model is the trained model.
pub(crate) fn round(number: f64, digits: usize) -> f64 {
    if !number.is_finite() || number.abs() < 1e-12 {
        return 0.0;
    }
    format!("{number:.*e}", digits.clamp(1, 15) - 1)
        .parse()
        .unwrap_or(number)
}

/// Log loss of one outcome.
pub(crate) fn loss(log_odds: f64, won: bool) -> f64 {
    let z = if won { -log_odds } else { log_odds };
    // ln(1 + e^z) without overflow
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

/// Share of true ones.
pub(crate) fn share(won: impl Iterator<Item = bool>) -> f64 {
    let (mut hits, mut all) = (0_usize, 0_usize);
    for won in won {
        hits += usize::from(won);
        all += 1;
    }
    if all == 0 {
        0.0
    } else {
        hits as f64 / all as f64
    }
}
