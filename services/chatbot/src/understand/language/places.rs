//! The list that something is put on: "a mi lista de la compra", "auf die Liste Haushalt".

use super::Folded;
use super::lexicon::Lexicon;

/// Takes the list out of an argument: the words `from..to` that are left.
pub(super) fn without(
    message: &str,
    words: &[Folded],
    lexicon: &Lexicon,
    from: usize,
    to: usize,
) -> (usize, usize) {
    let is = |section: &str, at: usize| lexicon.has(section, &words[at].text);
    let Some(noun) = (from..to).find(|at| is("lists", *at)) else {
        return (from, to);
    };
    let mut begin = noun;
    while begin > from && is("links", begin - 1) {
        begin -= 1;
    }
    // "von meiner Haushalt Liste": one more word, when a preposition stands before it.
    if begin == noun && begin > from + 1 && is("links", begin - 2) {
        begin -= 2;
        while begin > from && is("links", begin - 1) {
            begin -= 1;
        }
    }
    if begin > from {
        return (from, begin);
    }
    let mut end = noun + 1;
    while end < to && (is("links", end) || is("lists", end)) {
        end += 1;
    }
    // "en la lista Mercadona manzanas": the list's own name, when something is left after it.
    let named = end < to
        && message[words[end].span.clone()].starts_with(char::is_uppercase)
        && to - end == 2;
    (end + usize::from(named), to)
}
