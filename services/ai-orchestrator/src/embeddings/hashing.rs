//! Embeddings without a model: signed feature hashing of words, pairs of words and character trigrams (Weinberger et
//! al., "Feature Hashing for Large Scale Multitask Learning", 2009). It knows no meanings, but texts that share words
//! or parts of words come close to each other, in any language that writes words.

use aws_lc_rs::digest;

/// Name under which these vectors are stored; vectors of different models are never compared.
pub const MODEL: &str = "hashing-384";
/// Numbers in a vector.
pub const DIMENSIONS: usize = 384;

/// The unit vector of a text; all zeros for a text without a letter or digit.
#[must_use]
pub fn embed(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0_f32; DIMENSIONS];
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    for word in &words {
        add(&mut vector, "w", word, 1.0);
        let padded: Vec<char> = format!("^{word}$").chars().collect();
        for trigram in padded.windows(3) {
            add(&mut vector, "t", &trigram.iter().collect::<String>(), 0.4);
        }
    }
    for pair in words.windows(2) {
        add(&mut vector, "p", &pair.join(" "), 0.7);
    }
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
    vector
}

/// Adds a feature at the place and with the sign that its hash names, so that collisions cancel out on average.
fn add(vector: &mut [f32], kind: &str, feature: &str, weight: f32) {
    let hash = digest::digest(&digest::SHA256, format!("{kind}:{feature}").as_bytes());
    let bytes = hash.as_ref();
    let place = usize::from(u16::from_le_bytes([bytes[0], bytes[1]])) % DIMENSIONS;
    vector[place] += if bytes[2] & 1 == 0 { weight } else { -weight };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn similarity(a: &str, b: &str) -> f32 {
        embed(a).iter().zip(embed(b)).map(|(x, y)| x * y).sum()
    }

    #[test]
    fn texts_that_share_words_are_closer_than_texts_that_do_not() {
        let near = similarity("call Ada about the invoice", "the invoice of Ada");
        let far = similarity("call Ada about the invoice", "quarterly marketing budget");
        assert!(near > far + 0.2, "{near} against {far}");
    }

    #[test]
    fn a_typing_error_keeps_texts_close() {
        assert!(similarity("Invoice", "Invoise") > similarity("Invoice", "Meeting") + 0.2);
    }

    #[test]
    fn vectors_have_length_one_and_repeat() {
        let vector = embed("Größe: 10 кг");
        assert!((vector.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-5);
        assert_eq!(vector, embed("Größe: 10 кг"));
        assert_eq!(embed(" ?! "), vec![0.0; DIMENSIONS]);
    }
}
