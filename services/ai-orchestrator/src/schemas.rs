//! JSON schemas that tenants and their servers write. Whether something follows one is looked at on a thread that serves
//! everybody, so that none may take for ever: a schema that forks again and again, or comes back to itself by two ways, can
//! take twice as long with each level of what is looked at.

use jsonschema::Validator;
use serde_json::Value;

/// How many parts a schema may have, with each reference as what it refers to.
const MOST_PARTS: usize = 10_000;

/// Schemas that apply to the same thing as the one that has them.
const SAME: &[&str] = &["allOf", "anyOf", "oneOf", "not", "if", "then", "else"];
/// Schemas that apply to any of its members.
const MEMBERS: &[&str] = &[
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
];
/// Schemas that apply to its items.
const ITEMS: &[&str] = &[
    "items",
    "prefixItems",
    "additionalItems",
    "unevaluatedItems",
    "contains",
];
/// References that are no places within the schema.
const ELSEWHERE: &[&str] = &["$dynamicRef", "$recursiveRef"];

/// What says whether something follows a schema; none for one that cannot be read, or might take for ever.
pub(crate) fn validator(schema: &Value) -> Option<Validator> {
    ends(schema).then(|| jsonschema::validator_for(schema).ok())?
}

fn ends(schema: &Value) -> bool {
    let mut walk = Walk {
        root: schema,
        left: MOST_PARTS,
        open: vec![(schema, 0)],
        place: Vec::new(),
        returns: Vec::new(),
    };
    walk.part(schema)
}

/// A step from a thing into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step<'a> {
    /// The member of that name.
    Named(&'a str),
    /// Any of its members.
    Member,
    /// Any of its items.
    Item,
}

/// A walk through all parts of a schema as they are applied.
struct Walk<'a> {
    root: &'a Value,
    left: usize,
    /// The parts that are being applied by reference, and how deep in the thing each was.
    open: Vec<(&'a Value, usize)>,
    /// The place in the thing that the part at hand is about.
    place: Vec<Step<'a>>,
    /// The places at which a part came back to itself.
    returns: Vec<Vec<Step<'a>>>,
}

impl<'a> Walk<'a> {
    /// Whether a part, and everything that it applies, ends.
    fn part(&mut self, part: &'a Value) -> bool {
        let Some(keywords) = part.as_object() else {
            // `true` and `false`; what is no schema at all cannot be read either.
            return true;
        };
        let elsewhere = ELSEWHERE.iter().any(|word| keywords.contains_key(*word));
        let renamed = !std::ptr::eq(part, self.root) && keywords.get("$id").is_some();
        if self.left == 0 || elsewhere || renamed {
            return false;
        }
        self.left -= 1;
        keywords
            .iter()
            .all(|(keyword, value)| match keyword.as_str() {
                "$ref" => self.reference(value),
                word if SAME.contains(&word) => self.each(value),
                word if MEMBERS.contains(&word) => self.inside(Step::Member, value),
                word if ITEMS.contains(&word) => self.inside(Step::Item, value),
                "properties" => self.named(value, Step::Named),
                "patternProperties" => self.named(value, |_| Step::Member),
                "dependentSchemas" | "dependencies" => self.members(value),
                _ => true,
            })
    }

    fn reference(&mut self, to: &'a Value) -> bool {
        let place = to.as_str().and_then(|to| to.strip_prefix('#'));
        let Some(part) = place.and_then(|place| self.root.pointer(place)) else {
            return false;
        };
        let before = self.open.iter().find(|(open, _)| std::ptr::eq(*open, part));
        if let Some((_, depth)) = before {
            // At the same place once more it would never end, and by two ways twice as late with each level.
            let deeper = self.place.len() > *depth;
            let by_one_way = !self.returns.iter().any(|one| overlap(one, &self.place));
            self.returns.push(self.place.clone());
            return deeper && by_one_way;
        }
        self.open.push((part, self.place.len()));
        let ends = self.part(part);
        self.open.pop();
        ends
    }

    fn each(&mut self, value: &'a Value) -> bool {
        match value {
            Value::Array(parts) => parts.iter().all(|part| self.part(part)),
            part => self.part(part),
        }
    }

    fn inside(&mut self, step: Step<'a>, value: &'a Value) -> bool {
        self.place.push(step);
        let ends = self.each(value);
        self.place.pop();
        ends
    }

    fn named(&mut self, value: &'a Value, step: impl Fn(&'a str) -> Step<'a>) -> bool {
        let mut members = value.as_object().into_iter().flatten();
        members.all(|(name, part)| self.inside(step(name), part))
    }

    fn members(&mut self, value: &'a Value) -> bool {
        let mut members = value.as_object().into_iter().flatten();
        members.all(|(_, part)| self.part(part))
    }
}

/// Whether two ways may be the same, or one the beginning of the other.
fn overlap(one: &[Step<'_>], other: &[Step<'_>]) -> bool {
    let mut steps = one.iter().zip(other);
    steps.all(|steps| match steps {
        (Step::Item, step) | (step, Step::Item) => *step == Step::Item,
        (Step::Member, _) | (_, Step::Member) => true,
        (one, other) => one == other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::builtin;
    use serde_json::json;

    #[test]
    fn what_people_write_is_taken() {
        let person = json!({ "type": "object", "properties": { "name": { "type": "string" } } });
        let tree = json!({
            "type": "object",
            "properties": { "left": { "$ref": "#" }, "right": { "anyOf": [{ "$ref": "#" }, { "type": "null" }] } },
        });
        let filter = json!({
            "$defs": { "filter": { "oneOf": [
                { "properties": { "and": { "type": "array", "items": { "$ref": "#/$defs/filter" } } } },
                { "properties": { "or": { "type": "array", "items": { "$ref": "#/$defs/filter" } } } },
                { "properties": { "field": { "type": "string" } } },
            ] } },
            "properties": {
                "where": { "oneOf": [{ "$ref": "#/$defs/filter" }, { "items": { "$ref": "#/$defs/filter" } }] },
                "having": { "$ref": "#/$defs/filter" },
            },
        });
        let twice = json!({
            "$defs": { "money": { "type": "object", "properties": { "amount": { "type": "string" } } } },
            "properties": { "net": { "$ref": "#/$defs/money" }, "gross": { "$ref": "#/$defs/money" } },
        });
        for schema in [person, tree, filter, twice, json!({})] {
            assert!(validator(&schema).is_some(), "{schema}");
        }
        assert!(
            builtin()
                .iter()
                .all(|tool| validator(&tool.parameters).is_some())
        );
    }

    #[test]
    fn what_might_take_for_ever_is_not() {
        let (again, x) = (
            json!({ "$ref": "#" }),
            |part: &Value| json!({ "properties": { "x": part } }),
        );
        for schema in [
            again.clone(),
            json!({ "allOf": [again] }),
            json!({ "properties": { "x": { "anyOf": [again, again] } } }),
            json!({ "anyOf": [x(&again), x(&again)] }),
            // Every second level, and every level: as many ways as Fibonacci's rabbits.
            x(&json!({ "anyOf": [again, x(&again)] })),
            json!({ "properties": { "x": again }, "patternProperties": { "x": again } }),
            json!({ "items": again, "contains": again }),
            json!({
                "$defs": { "b": { "properties": { "x": { "anyOf": [{ "$ref": "#/$defs/b" }, again] } } } },
                "properties": { "x": { "$ref": "#/$defs/b" } },
            }),
            json!({ "$ref": "#/$defs/none" }),
            json!({ "$ref": "https://example.com/schema" }),
            json!({ "properties": 7 }),
        ] {
            assert!(validator(&schema).is_none(), "{schema}");
        }
    }
}
