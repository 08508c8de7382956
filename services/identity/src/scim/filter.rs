//! Filters (RFC 7644 section 3.4.2.2), read with a limit on their length and depth, so that none costs more than it may.

use serde_json::Value;

/// The longest filter, in bytes.
const MOST_BYTES: usize = 2000;
/// How deep parentheses and negations may be nested.
const DEEPEST: usize = 10;

/// A filter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    /// Both.
    And(Box<Filter>, Box<Filter>),
    /// At least one.
    Or(Box<Filter>, Box<Filter>),
    /// Not.
    Not(Box<Filter>),
    /// The attribute has a value.
    Present(String),
    /// The attribute compares so. Its name is in lower case, without the schema's URN: `name.givenname`.
    Compare(String, Operator, Value),
}

/// How an attribute is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Contains,
    StartsWith,
    EndsWith,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Operator {
    fn parse(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "eq" => Self::Equal,
            "ne" => Self::NotEqual,
            "co" => Self::Contains,
            "sw" => Self::StartsWith,
            "ew" => Self::EndsWith,
            "gt" => Self::Greater,
            "ge" => Self::GreaterOrEqual,
            "lt" => Self::Less,
            "le" => Self::LessOrEqual,
            _ => return None,
        })
    }
}

/// The text is no filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum InvalidFilter {
    #[error("the filter is too long")]
    TooLong,
    #[error("the filter is nested too deep")]
    TooDeep,
    #[error("the filter ends too early")]
    End,
    #[error("the filter has something unexpected at character {0}")]
    Unexpected(usize),
}

impl Filter {
    /// Reads a filter.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidFilter> {
        if text.len() > MOST_BYTES {
            return Err(InvalidFilter::TooLong);
        }
        let mut reader = Reader { text, at: 0 };
        let filter = reader.any(0, "")?;
        reader.skip_blanks();
        if reader.at == text.len() {
            Ok(filter)
        } else {
            Err(InvalidFilter::Unexpected(reader.at))
        }
    }

    /// Whether an element of a list passes. An attribute that it does not have equals nothing.
    pub(super) fn passes(&self, element: &Value) -> bool {
        match self {
            Self::And(one, other) => one.passes(element) && other.passes(element),
            Self::Or(one, other) => one.passes(element) || other.passes(element),
            Self::Not(filter) => !filter.passes(element),
            Self::Present(name) => value_of(element, name).is_some(),
            Self::Compare(name, operator, wanted) => {
                let value = value_of(element, name);
                match (operator, value, wanted) {
                    (Operator::NotEqual, value, wanted) => {
                        !value.is_some_and(|it| same(it, wanted))
                    }
                    (Operator::Equal, Some(value), wanted) => same(value, wanted),
                    (operator, Some(Value::String(text)), Value::String(part)) => {
                        let (text, part) = (text.to_lowercase(), part.to_lowercase());
                        match operator {
                            Operator::Contains => text.contains(&part),
                            Operator::StartsWith => text.starts_with(&part),
                            Operator::EndsWith => text.ends_with(&part),
                            Operator::Greater => text > part,
                            Operator::GreaterOrEqual => text >= part,
                            Operator::Less => text < part,
                            Operator::LessOrEqual => text <= part,
                            Operator::Equal | Operator::NotEqual => false,
                        }
                    }
                    _ => false,
                }
            }
        }
    }
}

fn value_of<'a>(element: &'a Value, name: &str) -> Option<&'a Value> {
    let members = element.as_object()?;
    super::body::member(members, name)
}

fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => one.to_lowercase() == other.to_lowercase(),
        _ => one == other,
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    /// `a or b`: what binds least. `prefix` is the attribute whose brackets the filter stands in.
    fn any(&mut self, depth: usize, prefix: &str) -> Result<Filter, InvalidFilter> {
        let mut left = self.all(depth, prefix)?;
        while self.takes_word("or") {
            let right = self.all(depth, prefix)?;
            left = Filter::Or(left.into(), right.into());
        }
        Ok(left)
    }

    fn all(&mut self, depth: usize, prefix: &str) -> Result<Filter, InvalidFilter> {
        let mut left = self.one(depth, prefix)?;
        while self.takes_word("and") {
            let right = self.one(depth, prefix)?;
            left = Filter::And(left.into(), right.into());
        }
        Ok(left)
    }

    fn one(&mut self, depth: usize, prefix: &str) -> Result<Filter, InvalidFilter> {
        if depth > DEEPEST {
            return Err(InvalidFilter::TooDeep);
        }
        if self.takes("(") {
            let inner = self.any(depth + 1, prefix)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.takes_word("not") {
            self.expect("(")?;
            let inner = self.any(depth + 1, prefix)?;
            self.expect(")")?;
            return Ok(Filter::Not(inner.into()));
        }
        let name = self.attribute(prefix)?;
        if prefix.is_empty() && self.takes("[") {
            let inner = self.any(depth + 1, &name)?;
            self.expect("]")?;
            return Ok(inner);
        }
        let at = self.at;
        let word = self.word();
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(name));
        }
        let operator = Operator::parse(word).ok_or(InvalidFilter::Unexpected(at))?;
        Ok(Filter::Compare(name, operator, self.value()?))
    }

    /// The name in lower case, without the schema's URN.
    fn attribute(&mut self, prefix: &str) -> Result<String, InvalidFilter> {
        let at = self.at;
        let word = self.word();
        let name = word.rsplit_once(':').map_or(word, |(_, name)| name);
        let is_good = |b: u8| b.is_ascii_alphanumeric() || b"$-_.".contains(&b);
        if name.is_empty() || !name.bytes().all(is_good) {
            return Err(if self.rest().is_empty() && word.is_empty() {
                InvalidFilter::End
            } else {
                InvalidFilter::Unexpected(at)
            });
        }
        let name = name.to_ascii_lowercase();
        Ok(if prefix.is_empty() {
            name
        } else {
            format!("{prefix}.{name}")
        })
    }

    fn value(&mut self) -> Result<Value, InvalidFilter> {
        self.skip_blanks();
        let at = self.at;
        if self.rest().is_empty() {
            return Err(InvalidFilter::End);
        }
        let wrong = InvalidFilter::Unexpected(at);
        if !self.rest().starts_with('"') {
            let value: Result<Value, _> = serde_json::from_str(self.word());
            let is_scalar = |value: &Value| !value.is_object() && !value.is_array();
            return value.ok().filter(is_scalar).ok_or(wrong);
        }
        // A text may have anything in it, so JSON says where it ends.
        let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter::<Value>();
        let value = values.next().and_then(Result::ok).ok_or(wrong)?;
        // Written as an escape it passes the checks of the query; nothing that is stored has it.
        if value.as_str().is_some_and(|text| text.contains('\0')) {
            return Err(wrong);
        }
        self.at += values.byte_offset();
        Ok(value)
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches(' ').len();
    }

    /// What comes before the next blank, bracket or parenthesis.
    fn word(&mut self) -> &'a str {
        self.skip_blanks();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest
            .find([' ', '(', ')', '[', ']', '"'])
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn takes(&mut self, sign: &str) -> bool {
        self.skip_blanks();
        let is_next = self.rest().starts_with(sign);
        if is_next {
            self.at += sign.len();
        }
        is_next
    }

    fn takes_word(&mut self, wanted: &str) -> bool {
        let at = self.at;
        let is_next = self.word().eq_ignore_ascii_case(wanted);
        if !is_next {
            self.at = at;
        }
        is_next
    }

    fn expect(&mut self, sign: &str) -> Result<(), InvalidFilter> {
        if self.takes(sign) {
            Ok(())
        } else if self.rest().is_empty() {
            Err(InvalidFilter::End)
        } else {
            Err(InvalidFilter::Unexpected(self.at))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn equal(name: &str, value: impl Into<Value>) -> Filter {
        Filter::Compare(name.into(), Operator::Equal, value.into())
    }

    #[test]
    fn filters_are_read_as_the_standard_binds_them() {
        let table = [
            (r#"userName eq "Ada""#, equal("username", "Ada")),
            (
                r#"urn:ietf:params:scim:schemas:core:2.0:User:userName Eq "a""#,
                equal("username", "a"),
            ),
            ("active eq true", equal("active", true)),
            (r#"emails[value eq "a"]"#, equal("emails.value", "a")),
            ("title pr", Filter::Present("title".into())),
            (
                r#"a eq 1 or b eq 2 and c eq 3"#,
                Filter::Or(
                    equal("a", 1).into(),
                    Filter::And(equal("b", 2).into(), equal("c", 3).into()).into(),
                ),
            ),
            (
                r#"(a eq 1 or b eq 2) and not (c eq 3)"#,
                Filter::And(
                    Filter::Or(equal("a", 1).into(), equal("b", 2).into()).into(),
                    Filter::Not(equal("c", 3).into()).into(),
                ),
            ),
            (r#"a eq "x \" or b eq \"y""#, equal("a", "x \" or b eq \"y")),
        ];
        for (text, expected) in table {
            assert_eq!(Filter::parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let deep = format!("{}a pr{}", "(".repeat(40), ")".repeat(40));
        let long = format!("a eq \"{}\"", "x".repeat(3000));
        let table = [
            "",
            " ",
            "a",
            "a eq",
            "a eq b",
            "a eq {}",
            "a eq [1]",
            "a xx 1",
            "(a pr",
            "a pr)",
            "a pr b pr",
            "not a pr",
            "a[b[c pr]]",
            "a[b pr",
            "' OR 1=1 --",
            "a;b pr",
            "a eq \"x",
            r#"a eq "x\u0000""#,
            "é pr",
            "a pr and",
            &deep,
            &long,
        ];
        for text in table {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn elements_are_compared_without_regard_to_case() {
        let element = json!({ "value": "Ada@example.com", "primary": true });
        let table = [
            (r#"value eq "ada@EXAMPLE.com""#, true),
            (r#"value sw "ada" and primary eq true"#, true),
            (r#"value co "@ex" and not (primary eq true)"#, false),
            (r#"type ne "home""#, true),
            (r#"type pr or value ew ".com""#, true),
            (r#"value gt "z""#, false),
        ];
        for (text, expected) in table {
            assert_eq!(
                Filter::parse(text).unwrap().passes(&element),
                expected,
                "{text}"
            );
        }
    }
}
