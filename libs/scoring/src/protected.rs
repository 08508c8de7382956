//! Attributes of people that a score should not rest on (Charter of Fundamental Rights of the EU, article 21; US Equal
//! Credit Opportunity Act). They are left out of training unless the tenant says otherwise, field by field.

/// What an attribute is called, and the words that give it away in a field's key or label. Two words stand next to one
/// another there.
const TABLE: &[(&str, &[&str])] = &[
    (
        "age",
        &[
            "age",
            "ages",
            "birth",
            "birthday",
            "birthdate",
            "birthyear",
            "dob",
            "yob",
            "alter",
            "geburtsdatum",
            "vozrast",
        ],
    ),
    (
        "sex",
        &[
            "sex",
            "gender",
            "geschlecht",
            "pronoun",
            "pronouns",
            "salutation",
            "anrede",
            "male",
            "female",
        ],
    ),
    (
        "nationality",
        &[
            "nationality",
            "citizenship",
            "citizen",
            "birthplace",
            "nationalität",
            "native language",
            "mother tongue",
        ],
    ),
    (
        "ethnicity",
        &[
            "race",
            "racial",
            "ethnic",
            "ethnicity",
            "ethnie",
            "tribe",
            "caste",
            "skin",
        ],
    ),
    (
        "religion",
        &[
            "religion",
            "religious",
            "faith",
            "church",
            "creed",
            "denomination",
        ],
    ),
    (
        "marital status",
        &[
            "marital",
            "married",
            "divorced",
            "spouse",
            "familienstand",
            "civil status",
            "marriage",
        ],
    ),
    (
        "disability",
        &[
            "disability",
            "disabled",
            "handicap",
            "behinderung",
            "impairment",
        ],
    ),
    (
        "health",
        &[
            "health",
            "medical",
            "diagnosis",
            "illness",
            "pregnant",
            "pregnancy",
        ],
    ),
    (
        "sexual orientation",
        &["orientation", "lgbt", "lgbtq", "transgender"],
    ),
    ("family", &["children", "kids", "parental", "maternity"]),
    (
        "politics",
        &[
            "political",
            "politics",
            "party affiliation",
            "union membership",
            "trade union",
        ],
    ),
    ("genetics", &["genetic", "dna", "biometric"]),
];

/// The protected attribute that a field seems to hold, by its key or its label.
#[must_use]
pub fn attribute(key: &str, label: &str) -> Option<&'static str> {
    let texts = [words(key), words(label)];
    let says = |given: &str| {
        let wanted: Vec<&str> = given.split(' ').collect();
        texts.iter().any(|text| {
            text.windows(wanted.len())
                .any(|window| window == wanted.as_slice())
        })
    };
    TABLE
        .iter()
        .find(|(_, given)| given.iter().any(|given| says(given)))
        .map(|(name, _)| *name)
}

/// The words of `customField_name` and the like, in small letters.
fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut small_before = false;
    for letter in text.chars() {
        if !letter.is_alphabetic() || (letter.is_uppercase() && small_before) {
            words.push(String::new());
        }
        if letter.is_alphabetic()
            && let Some(word) = words.last_mut()
        {
            word.extend(letter.to_lowercase());
        }
        small_before = letter.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protected_attributes_are_found_in_keys_and_labels() {
        for (key, label, found) in [
            ("age", "", "age"),
            ("customer_age", "", "age"),
            ("cf_17", "Date of birth", "age"),
            ("maritalStatus", "", "marital status"),
            ("f", "Gender (self-reported)", "sex"),
            ("native-language", "", "nationality"),
        ] {
            assert_eq!(attribute(key, label), Some(found), "{key} {label}");
        }
    }

    #[test]
    fn a_word_inside_another_word_is_not_it() {
        for key in [
            "page_views",
            "stage",
            "language",
            "average_order",
            "agency",
            "Essex",
            "trace_id",
            "embrace",
            "sage50",
        ] {
            assert_eq!(attribute(key, key), None, "{key}");
        }
    }
}
