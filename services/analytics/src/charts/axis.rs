//! Round numbers for an axis.

/// An axis of numbers: from where to where, and what is marked.
pub(super) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) ticks: Vec<f64>,
}

impl Axis {
    /// For numbers from `low` to `high`, zero included, with about `wanted` marks at round numbers.
    pub(super) fn of(values: impl Iterator<Item = f64>, wanted: usize) -> Self {
        let (mut low, mut high) = (0.0_f64, 0.0_f64);
        let mut whole = true;
        for value in values.filter(|value| value.is_finite()) {
            (low, high) = (low.min(value), high.max(value));
            whole &= value.fract() == 0.0;
        }
        if low == high {
            high = 1.0;
        }
        let rough = (high - low) / wanted.max(1) as f64;
        let mut step = round_step(rough);
        if whole {
            step = step.max(1.0);
        }
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let count = (last - first) as usize;
        let ticks = (0..=count).map(|n| (first + n as f64) * step).collect();
        Self {
            low: first * step,
            high: last * step,
            ticks,
        }
    }

    /// Where a number stands: 0 at the low end, 1 at the high end.
    pub(super) fn share(&self, value: f64) -> f32 {
        ((value - self.low) / (self.high - self.low)) as f32
    }
}

/// The next of 1, 2, 2.5, 5 times a power of ten.
fn round_step(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.log10().floor());
    let part = rough / power;
    let round = [1.0, 2.0, 2.5, 5.0]
        .into_iter()
        .find(|it| part <= *it + 1e-9);
    round.unwrap_or(10.0) * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_at_round_numbers_and_zero_is_one_of_them() {
        let marks = |values: &[f64]| Axis::of(values.iter().copied(), 4).ticks;
        assert_eq!(marks(&[3.0, 87.0]), [0.0, 25.0, 50.0, 75.0, 100.0]);
        assert_eq!(marks(&[1.0, 2.0]), [0.0, 1.0, 2.0]);
        assert_eq!(marks(&[-30.0, 40.0]), [-40.0, -20.0, 0.0, 20.0, 40.0]);
        assert_eq!(marks(&[0.0]), [0.0, 1.0]);
        assert_eq!(marks(&[]), [0.0, 1.0]);
    }
}
