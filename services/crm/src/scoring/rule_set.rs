//! Rules: what a field says about a lead, in points. A hundred points are one in log-odds: 70 double the odds of winning.

use bz_http::{Errors, Validate};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::subject::Subject;

/// Most rules of a set.
const MOST: usize = 200;
/// Most points of a rule, either way.
const MOST_POINTS: f64 = 1_000.0;

/// The rules by which leads are scored without a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleSet {
    /// Probability of a lead of which nothing is known: above 0, below 1.
    pub base_probability: f64,
    /// The rules. Of those with the same feature the first that holds counts.
    #[schema(max_items = 200)]
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rule {
    /// What the rule is about, as the score's reasons name it.
    #[schema(max_length = 100)]
    pub feature: String,
    /// The same for people.
    #[schema(max_length = 200)]
    pub label: String,
    /// Whether it is about who the lead is or about what the lead does.
    #[serde(default)]
    pub group: Group,
    /// When it holds.
    pub when: When,
    /// Points when it holds, -1000 to 1000; 70 double the odds, -70 halve them.
    #[schema(minimum = -1000, maximum = 1000)]
    pub points: f64,
    /// Of a rule that counts: the most points, either way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1000)]
    pub cap: Option<f64>,
    /// Days without anything happening after which half of the points are left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub decay_half_life_days: Option<f64>,
}

/// What a rule is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Group {
    /// Who the lead is.
    #[default]
    Fit,
    /// What the lead does.
    Engagement,
}

/// When a rule holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct When {
    /// A field of leads, `custom.<key>`, `utm.<key>`, `email_domain`, `days_since_update` or `activities_<type>`.
    #[schema(max_length = 200)]
    pub field: String,
    /// How it is looked at.
    pub is: Test,
    /// The words of `one_of` and `has_word`, in any case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 500)]
    pub values: Vec<String>,
    /// Least number of `number`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<f64>,
    /// What the number of `number` is below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below: Option<f64>,
}

/// How a rule looks at a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Test {
    /// There is something.
    Present,
    /// There is nothing.
    Missing,
    /// It is one of `values`.
    OneOf,
    /// It is a text with one of `values` as a whole word.
    HasWord,
    /// It is a number from `at_least` to below `below`.
    Number,
    /// It is a number, and the points count for each one.
    Each,
}

/// What a rule found in a lead.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub feature: String,
    pub label: String,
    pub value: Option<String>,
    pub log_odds: f64,
}

impl RuleSet {
    /// The log-odds of a lead of which nothing is known.
    pub(crate) fn base_log_odds(&self) -> f64 {
        bz_scoring::logit(self.base_probability)
    }

    /// Everything that the rules say about a lead.
    pub(crate) fn evidence(&self, lead: &Subject, now: DateTime<Utc>) -> Vec<Evidence> {
        let mut found: Vec<Evidence> = Vec::new();
        for rule in &self.rules {
            if found.iter().any(|said| said.feature == rule.feature) {
                continue;
            }
            let value = rule.when.value(lead, now);
            if let Some(times) = rule.when.holds(value.as_ref()) {
                let mut points = rule.points * times;
                if let Some(cap) = rule.cap {
                    points = points.clamp(-cap, cap);
                }
                if let Some(half) = rule.decay_half_life_days {
                    points *= 0.5_f64.powf(lead.days_since_update(now) as f64 / half);
                }
                found.push(Evidence {
                    feature: rule.feature.clone(),
                    label: rule.label.clone(),
                    value: value.map(|value| text(&value)),
                    log_odds: points / 100.0,
                });
            }
        }
        found.retain(|said| said.log_odds != 0.0);
        found
    }
}

impl When {
    fn value(&self, lead: &Subject, now: DateTime<Utc>) -> Option<Value> {
        let value = match self.field.as_str() {
            "email_domain" => lead.mail_domain().map_or(Value::Null, Value::from),
            "days_since_update" => lead.days_since_update(now).into(),
            "annual_revenue" => {
                let amount = lead.field("annual_revenue")["amount"].as_str();
                amount
                    .and_then(|amount| amount.parse::<f64>().ok())
                    .map_or(Value::Null, Value::from)
            }
            name => {
                if let Some(key) = name.strip_prefix("custom.") {
                    lead.custom(key).clone()
                } else if let Some(key) = name.strip_prefix("utm.") {
                    lead.field("utm")[key].clone()
                } else if let Some(kind) = name.strip_prefix("activities_") {
                    lead.activities.get(kind).copied().unwrap_or(0).into()
                } else {
                    lead.field(name).clone()
                }
            }
        };
        (!value.is_null()).then_some(value)
    }

    /// How many times the points count; none when the rule does not hold.
    fn holds(&self, value: Option<&Value>) -> Option<f64> {
        let number = value.and_then(|value| match value {
            Value::String(text) => text.parse().ok(),
            other => other.as_f64(),
        });
        let holds = match self.is {
            Test::Present => value.is_some(),
            Test::Missing => value.is_none(),
            Test::OneOf => value.is_some_and(|value| self.one_of(value)),
            Test::HasWord => value
                .and_then(Value::as_str)
                .is_some_and(|text| self.has_word(text)),
            Test::Number => number.is_some_and(|number: f64| {
                self.at_least.is_none_or(|least| number >= least)
                    && self.below.is_none_or(|below| number < below)
            }),
            Test::Each => return number.filter(|number| *number != 0.0),
        };
        holds.then_some(1.0)
    }

    fn one_of(&self, value: &Value) -> bool {
        if let Value::Array(all) = value {
            return all.iter().any(|one| self.one_of(one));
        }
        let value = text(value).to_lowercase();
        self.values
            .iter()
            .any(|wanted| wanted.to_lowercase() == value)
    }

    fn has_word(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        text.split(|c: char| !c.is_alphanumeric()).any(|word| {
            self.values
                .iter()
                .any(|wanted| wanted.to_lowercase() == word)
        })
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), ToOwned::to_owned)
}

impl Validate for RuleSet {
    fn validate(&self, errors: &mut Errors) {
        if !(self.base_probability > 0.0 && self.base_probability < 1.0) {
            let message = "must be above 0 and below 1";
            errors.add("/base_probability", "out_of_range", message);
        }
        if self.rules.len() > MOST {
            errors.add(
                "/rules",
                "too_many",
                format!("must be at most {MOST} rules"),
            );
        }
        for (n, rule) in self.rules.iter().enumerate().take(MOST) {
            rule.check(errors, &format!("/rules/{n}"));
        }
    }
}

impl Rule {
    fn check(&self, errors: &mut Errors, at: &str) {
        for (name, text, longest) in [
            ("feature", &self.feature, 100),
            ("label", &self.label, 200),
            ("when/field", &self.when.field, 200),
        ] {
            if text.trim().is_empty() || text.chars().count() > longest {
                let message = format!("must be 1 to {longest} characters");
                errors.add(format!("{at}/{name}"), "invalid_length", message);
            }
        }
        if self.points.is_nan() || self.points.abs() > MOST_POINTS {
            let message = "must be -1000 to 1000";
            errors.add(format!("{at}/points"), "out_of_range", message);
        }
        if self
            .cap
            .is_some_and(|cap| !(0.0..=MOST_POINTS).contains(&cap))
        {
            errors.add(format!("{at}/cap"), "out_of_range", "must be 0 to 1000");
        }
        if self
            .decay_half_life_days
            .is_some_and(|days| !(1.0..=36_500.0).contains(&days))
        {
            let message = "must be 1 to 36500";
            errors.add(
                format!("{at}/decay_half_life_days"),
                "out_of_range",
                message,
            );
        }
        let words = matches!(self.when.is, Test::OneOf | Test::HasWord);
        if words && (self.when.values.is_empty() || self.when.values.len() > 500) {
            let message = "must be 1 to 500 words";
            errors.add(format!("{at}/when/values"), "required", message);
        }
        if self.when.is == Test::Each && self.cap.is_none() {
            let message = "is required of a rule that counts: the most points that it may give";
            errors.add(format!("{at}/cap"), "required", message);
        }
    }
}
