//! How sure it is that two records are the same. Each thing that they share speaks for it with a weight, and weights add up
//! like independent witnesses; what differs where it should not takes a part away.

use super::{Keys, Reason, tail};

/// Names that are less alike than this are different names.
const DIFFERENT_NAME: f64 = 0.75;
/// Names that are at least this alike may be one name misspelt.
const SIMILAR_NAME: f64 = 0.88;

/// The score of two records, 0 to 1, and why.
pub(crate) fn score(a: &Keys, b: &Keys) -> (f64, Vec<Reason>) {
    let mut sum = Sum::default();
    if shared(&a.external_id, &b.external_id) {
        sum.witness("external_id", "same", 1.0, 1.0);
    }
    let same_email = shared(&a.email, &b.email);
    if same_email {
        sum.witness("email", "same", 1.0, 0.97);
    }
    phone(a, b, &mut sum);
    if a.owns_domain && shared(&a.domain, &b.domain) {
        sum.witness("domain", "same", 1.0, 0.95);
    } else if a.owns_domain && a.domain.is_some() && b.domain.is_some() {
        sum.doubt("domain", 0.0, 0.6);
    }
    let name = name(a, b, &mut sum);
    if name >= SIMILAR_NAME {
        company(a, b, &mut sum);
    }
    if (0.0..DIFFERENT_NAME).contains(&name) && !a.owns_domain {
        sum.doubt("name", name, if same_email { 0.95 } else { 0.5 });
    }
    if let (Some(one), Some(other)) = (&a.email, &b.email)
        && !same_email
    {
        sum.doubt("email", strsim::normalized_levenshtein(one, other), 0.8);
    }
    sum.done()
}

fn shared(a: &Option<String>, b: &Option<String>) -> bool {
    a.is_some() && a == b
}

fn phone(a: &Keys, b: &Keys, sum: &mut Sum) {
    let (Some(one), Some(other)) = (a.phone.as_deref(), b.phone.as_deref()) else {
        return;
    };
    if one == other {
        sum.witness("phone", "same", 1.0, 0.85);
    } else if tail(one).is_some() && tail(one) == tail(other) {
        sum.witness("phone", "same_ending", 0.9, 0.75);
    }
}

/// How alike the names are; below 0 when one is not known.
fn name(a: &Keys, b: &Keys, sum: &mut Sum) -> f64 {
    let (Some(one), Some(other)) = (a.name.as_deref(), b.name.as_deref()) else {
        return -1.0;
    };
    let alike = similarity(one, other);
    if alike >= 1.0 {
        sum.witness("name", "same", 1.0, if a.owns_domain { 0.7 } else { 0.5 });
    } else if alike >= SIMILAR_NAME {
        sum.witness("name", "similar", alike, 0.4 * alike);
    }
    alike
}

fn company(a: &Keys, b: &Keys, sum: &mut Sum) {
    if let (Some(one), Some(other)) = (a.company.as_deref(), b.company.as_deref()) {
        let alike = similarity(one, other);
        if alike >= SIMILAR_NAME {
            let how = if alike >= 1.0 { "same" } else { "similar" };
            return sum.witness("company_name", how, alike, 0.5 * alike);
        }
    }
    if !a.owns_domain && shared(&a.domain, &b.domain) {
        sum.witness("domain", "same", 1.0, 0.4);
    }
}

/// How alike two names are, whatever the order of their words.
fn similarity(one: &str, other: &str) -> f64 {
    let sorted = |text: &str| {
        let mut words: Vec<&str> = text.split(' ').collect();
        words.sort_unstable();
        words.join(" ")
    };
    let (one, other) = (sorted(one), sorted(other));
    strsim::jaro_winkler(&one, &other).max(strsim::normalized_damerau_levenshtein(&one, &other))
}

#[derive(Default)]
struct Sum {
    /// The probability that all witnesses are wrong.
    wrong: Option<f64>,
    doubts: Option<f64>,
    reasons: Vec<Reason>,
}

impl Sum {
    fn witness(&mut self, field: &str, how: &str, similarity: f64, weight: f64) {
        self.wrong = Some(self.wrong.unwrap_or(1.0) * (1.0 - weight));
        self.reason(field, how, similarity);
    }

    fn doubt(&mut self, field: &str, similarity: f64, keeps: f64) {
        self.doubts = Some(self.doubts.unwrap_or(1.0) * keeps);
        self.reason(field, "different", similarity);
    }

    fn reason(&mut self, field: &str, how: &str, similarity: f64) {
        self.reasons.push(Reason {
            field: field.to_owned(),
            how: how.to_owned(),
            similarity: hundredths(similarity),
        });
    }

    fn done(self) -> (f64, Vec<Reason>) {
        let sure = 1.0 - self.wrong.unwrap_or(1.0);
        // What another system calls by one id is one.
        let certain = self
            .reasons
            .iter()
            .any(|reason| reason.field == "external_id");
        let kept = if certain {
            1.0
        } else {
            self.doubts.unwrap_or(1.0)
        };
        (hundredths(sure * kept), self.reasons)
    }
}

fn hundredths(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::duplicates::SAME;

    fn person(name: &str, email: &str, phone: &str, company: &str) -> Keys {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Keys {
            email: some(email),
            phone: some(phone),
            domain: email.split_once('@').map(|(_, domain)| domain.to_owned()),
            name: some(name),
            company: some(company),
            ..Keys::default()
        }
    }

    #[test]
    fn what_is_surely_the_same_is_above_the_line_and_what_may_be_two_people_below() {
        let ada = person(
            "ada lovelace",
            "ada@engines.example",
            "49301234567",
            "engines",
        );
        let same = [
            person("ada lovelace", "ada@engines.example", "", ""),
            person("a lovelace", "ada@engines.example", "", ""),
            person("lovelace ada", "", "49301234567", ""),
            person("ada lovelace", "", "0301234567", "engines"),
        ];
        for other in same {
            let (score, reasons) = score(&ada, &other);
            assert!(score >= SAME, "{other:?} {score} {reasons:?}");
        }
        let perhaps = [
            // A colleague on the same switchboard, a namesake, somebody with a second address.
            person(
                "grace hopper",
                "grace@engines.example",
                "49301234567",
                "engines",
            ),
            person("ada lovelace", "", "", ""),
            person("ada lovelace", "", "", "engines"),
            person("ada lovelace", "ada@other.example", "", ""),
        ];
        for other in perhaps {
            let (score, reasons) = score(&ada, &other);
            assert!(score > 0.0 && score < SAME, "{other:?} {score} {reasons:?}");
        }
        assert_eq!(
            score(&ada, &person("grace hopper", "g@x.example", "", "")).0,
            0.0
        );
    }

    #[test]
    fn a_misspelt_name_in_the_same_company_is_found_and_says_why() {
        let (score, reasons) = score(
            &person("jon smith", "", "", "engines"),
            &person("john smith", "", "", "engines"),
        );
        assert!(score > 0.5, "{score}");
        let fields: Vec<_> = reasons
            .iter()
            .map(|reason| (reason.field.as_str(), reason.how.as_str()))
            .collect();
        assert_eq!(fields, [("name", "similar"), ("company_name", "same")]);
    }

    #[test]
    fn two_records_in_either_order_have_the_same_score() {
        let (a, b) = (
            person("ada byron", "a@b.example", "12345678", "x"),
            person("ada byrn", "a@c.example", "0012345678", "x"),
        );
        assert_eq!(score(&a, &b), score(&b, &a));
    }
}
