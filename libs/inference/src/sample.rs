//! Which token comes next.

/// The tokens that are looked at first.
const FEW: usize = 128;

/// Draws tokens, the same ones for the same seed.
pub(crate) struct Sampler {
    temperature: f32,
    state: u64,
}

impl Sampler {
    /// The likeliest token at temperature 0; the likelier the more often above it.
    pub(crate) const fn new(temperature: f32, seed: u64) -> Self {
        Self {
            temperature,
            state: seed | 1,
        }
    }

    /// One of the tokens that are allowed; none when none is.
    pub(crate) fn draw(&mut self, logits: &[f32], allowed: impl Fn(u32) -> bool) -> Option<u32> {
        let mut order: Vec<(f32, u32)> = logits
            .iter()
            .zip(0..)
            .map(|(logit, token)| (self.key(*logit), token))
            .collect();
        let greater = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0);
        // Almost always one of the first is allowed, so that the others need no order.
        let few = FEW.min(order.len());
        if few < order.len() {
            order.select_nth_unstable_by(few, greater);
        }
        order[..few].sort_unstable_by(greater);
        let is_allowed = |(_, token): &&(f32, u32)| allowed(*token);
        if let Some((_, token)) = order[..few].iter().find(is_allowed) {
            return Some(*token);
        }
        order[few..].sort_unstable_by(greater);
        order[few..]
            .iter()
            .find(is_allowed)
            .map(|(_, token)| *token)
    }

    /// The greatest key is drawn: the logit itself, or with noise that makes that a draw by the model's odds (Gumbel).
    fn key(&mut self, logit: f32) -> f32 {
        if self.temperature <= 0.0 {
            return logit;
        }
        let noise = -(-self.uniform().max(f32::MIN_POSITIVE).ln())
            .max(f32::MIN_POSITIVE)
            .ln();
        logit / self.temperature + noise
    }

    /// Between 0 and 1: xorshift64* (Vigna, 2016).
    fn uniform(&mut self) -> f32 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        let bits = self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 40;
        bits as f32 / 16_777_216.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cold_takes_the_likeliest_that_is_allowed_and_warm_follows_the_odds() {
        let logits = [0.0, 2.0, -50.0, 1.0];
        assert_eq!(Sampler::new(0.0, 9).draw(&logits, |_| true), Some(1));
        assert_eq!(
            Sampler::new(0.0, 9).draw(&logits, |token| token != 1),
            Some(3)
        );
        assert_eq!(Sampler::new(0.0, 9).draw(&logits, |_| false), None);
        let mut sampler = Sampler::new(1.0, 9);
        let mut counts = [0_u32; 4];
        for _ in 0..10_000 {
            counts[sampler.draw(&logits, |_| true).unwrap() as usize] += 1;
        }
        // softmax: 0.090, 0.665, 0, 0.245
        assert!(
            counts[2] == 0 && (6_400..6_900).contains(&counts[1]),
            "{counts:?}"
        );
        assert!((2_250..2_650).contains(&counts[3]), "{counts:?}");
    }

    #[test]
    fn a_token_far_down_is_found_when_only_it_is_allowed() {
        let logits: Vec<f32> = (0..1_000_u16).map(f32::from).collect();
        assert_eq!(
            Sampler::new(0.0, 1).draw(&logits, |token| token == 7),
            Some(7)
        );
    }
}
