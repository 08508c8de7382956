//! What was submitted, as JSON or as a form: names and texts.

use axum::extract::{FromRequest, Request};
use bz_http::{Errors, Form, Json, Problem, Validate, extract::is_form};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::app::AppState;

/// The most inputs of a submission.
const MOST_INPUTS: usize = 200;
/// The longest text of an input, in characters.
const MOST_CHARACTERS: usize = 10_000;

/// The inputs that have something in them.
#[derive(Debug, Default)]
pub(super) struct Inputs(Vec<(String, String)>);

/// A form's pairs.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Pairs(Vec<(String, String)>);

impl Validate for Pairs {
    fn validate(&self, errors: &mut Errors) {
        limits(errors, &self.0);
    }
}

/// A flat object.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Object(Map<String, Value>);

impl Validate for Object {
    fn validate(&self, errors: &mut Errors) {
        for (name, value) in &self.0 {
            if value.is_object() || value.is_array() {
                let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
                errors.add(
                    pointer,
                    "invalid_value",
                    "must be a text, a number, true, false or null",
                );
            }
        }
        limits(errors, &self.texts());
    }
}

impl Object {
    fn texts(&self) -> Vec<(String, String)> {
        let text = |value: &Value| match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(yes) => Some(yes.to_string()),
            _ => None,
        };
        let pairs = self.0.iter();
        pairs
            .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
            .collect()
    }
}

fn limits(errors: &mut Errors, pairs: &[(String, String)]) {
    if pairs.len() > MOST_INPUTS {
        errors.add("", "too_many", "must have at most 200 inputs");
    }
    for (name, value) in pairs {
        if value.chars().count() > MOST_CHARACTERS || name.chars().count() > 200 {
            errors.add(
                "",
                "too_long",
                "must have texts of at most 10,000 characters",
            );
        }
    }
}

impl Inputs {
    /// Reads a request's body.
    ///
    /// # Errors
    /// 400, 413, 415 and 422 of what is no form.
    pub(super) async fn read(request: Request, app: &AppState) -> Result<Self, Problem> {
        let pairs = if is_form(request.headers()) {
            Form::<Pairs>::from_request(request, app).await?.0.0
        } else {
            Json::<Object>::from_request(request, app).await?.0.texts()
        };
        let filled = pairs
            .into_iter()
            .map(|(name, text)| (name, text.trim().to_owned()));
        Ok(Self(filled.filter(|(_, text)| !text.is_empty()).collect()))
    }

    /// The first text of a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(input, _)| input == name);
        found.map(|(_, text)| text.as_str())
    }

    /// Whether a box of a name was ticked.
    pub(super) fn is_ticked(&self, name: &str) -> bool {
        self.get(name).is_some_and(|text| {
            !matches!(text.to_lowercase().as_str(), "false" | "0" | "no" | "off")
        })
    }

    /// The `utm_` parameters, without the prefix that all have.
    pub(super) fn utm(&self) -> Map<String, Value> {
        let utm = self.0.iter().filter(|(name, _)| name.starts_with("utm_"));
        utm.take(20)
            .map(|(name, text)| (name.clone(), Value::from(cut(text, 500))))
            .collect()
    }
}

/// A text cut to a bearable length.
pub(super) fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}
