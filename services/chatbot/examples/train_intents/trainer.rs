//! Multinomial logistic regression with L2 by AdaGrad, one row at a time in a fixed random order.

use chatbot::understand::classify::{BUCKETS, Class, Features, Model, softmax};

const CLASSES: usize = Class::ALL.len();
const RATE: f32 = 0.25;
const EPOCHS: usize = 25;
/// L2 on each weight of a row's features.
const L2: f32 = 2e-5;
/// How often what the rules say is hidden, in per cent: they were written by people who had seen these rows, so they are
/// more often right here than they will be.
const HIDDEN: u64 = 60;

/// A labelled message.
#[derive(Debug, Clone)]
pub struct Row {
    pub features: Features,
    pub class: Class,
}

/// Weights before they become bytes.
pub struct Weights {
    bias: [f32; CLASSES],
    weights: Vec<f32>,
}

/// A small fixed generator (xorshift64*), so that training twice gives the same weights.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at as u64 + 1) as usize);
        }
    }
}

/// Trains on rows.
pub fn train(rows: &[&Row]) -> Weights {
    let size = CLASSES * BUCKETS as usize;
    let mut model = Weights {
        bias: [0.0; CLASSES],
        weights: vec![0.0; size],
    };
    let mut seen = vec![1e-6_f32; size];
    let mut random = Random(0x5eed);
    let mut order: Vec<&Row> = rows.to_vec();
    for epoch in 0..EPOCHS {
        random.shuffle(&mut order);
        let rate = RATE / (1.0 + epoch as f32 * 0.1);
        for row in &order {
            let hint: &[u32] = if random.below(100) < HIDDEN {
                &[]
            } else {
                &row.features.hint
            };
            step(&mut model, &mut seen, row, hint, rate);
        }
    }
    model
}

fn step(model: &mut Weights, seen: &mut [f32], row: &Row, hint: &[u32], rate: f32) {
    let norm = 1.0 / (row.features.text.len().max(1) as f32).sqrt();
    let active = row
        .features
        .text
        .iter()
        .map(|bucket| (*bucket, norm))
        .chain(hint.iter().map(|bucket| (*bucket, 1.0)));
    let active: Vec<(u32, f32)> = active.collect();
    let mut sums = model.bias;
    for (class, sum) in sums.iter_mut().enumerate() {
        let offset = class * BUCKETS as usize;
        for (bucket, value) in &active {
            *sum += model.weights[offset + *bucket as usize] * value;
        }
    }
    let chances = softmax(sums);
    for (class, chance) in chances.into_iter().enumerate() {
        let wanted = f32::from(u8::from(class == row.class as usize));
        let error = chance - wanted;
        model.bias[class] -= rate * 0.02 * error;
        let offset = class * BUCKETS as usize;
        for (bucket, value) in &active {
            let at = offset + *bucket as usize;
            let gradient = error * value + L2 * model.weights[at];
            seen[at] += gradient * gradient;
            model.weights[at] -= rate * gradient / seen[at].sqrt();
        }
    }
}

/// One byte a weight.
pub fn quantise(weights: &Weights, temperature: f32) -> Model {
    let mut scale = [1.0; CLASSES];
    let mut bytes = Vec::with_capacity(weights.weights.len());
    for (class, part) in weights.weights.chunks(BUCKETS as usize).enumerate() {
        let most = part.iter().fold(1e-6_f32, |most, w| most.max(w.abs()));
        scale[class] = most / 127.0;
        bytes.extend(part.iter().map(|w| (w / scale[class]).round() as i8));
    }
    Model {
        temperature,
        bias: weights.bias,
        scale,
        weights: bytes,
    }
}

/// The temperature with which the probabilities of rows that were not trained on fit best.
pub fn temperature(held_out: &[(Class, [f32; CLASSES])]) -> f32 {
    let loss = |temperature: f32| -> f32 {
        let one = |(class, chances): &(Class, [f32; CLASSES])| {
            let sums = chances.map(|chance| chance.max(1e-9).ln() / temperature);
            -softmax(sums)[*class as usize].max(1e-9).ln()
        };
        held_out.iter().map(one).sum()
    };
    (5..60)
        .map(|step| step as f32 * 0.1)
        .min_by(|a, b| loss(*a).total_cmp(&loss(*b)))
        .unwrap_or(1.0)
}
