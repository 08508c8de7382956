//! What the grammar lets through and what it does not.

use serde_json::json;

use super::*;

fn follows(schema: &Value, text: &str) -> bool {
    let mut grammar = Grammar::new(schema).unwrap();
    for byte in text.as_bytes() {
        if !grammar.allows(&[*byte]) {
            return false;
        }
        grammar.accept(&[*byte]);
    }
    grammar.may_end()
}

#[test]
fn what_follows_a_schema_is_allowed_and_nothing_else() {
    let todo = json!({
        "type": "object",
        "properties": {
            "action": { "enum": ["create", "delete"] },
            "n": { "type": ["integer", "null"] },
            "title": { "type": "string", "minLength": 1, "maxLength": 5 },
            "tags": { "type": "array", "items": { "type": "boolean" }, "maxItems": 2 },
        },
        "required": ["action", "title"],
        "additionalProperties": false,
    });
    for good in [
        r#"{"action":"create","title":"a"}"#,
        r#"{"action":"delete","n":-12,"title":"G\"öße"}"#,
        r#"{"action":"create","n":null,"tags":[true,false],"title":"x"}"#,
        r#"{"action":"create","tags":[],"title":"x"}"#,
    ] {
        assert!(follows(&todo, good), "{good}");
        assert!(serde_json::from_str::<Value>(good).is_ok());
    }
    for bad in [
        r#"{"action":"create"}"#,
        r#"{"title":"a","action":"create"}"#,
        r#"{"action":"change","title":"a"}"#,
        r#"{"action":"create","title":""}"#,
        r#"{"action":"create","title":"abcdef"}"#,
        r#"{"action":"create","n":01,"title":"a"}"#,
        r#"{"action":"create","n":1.5,"title":"a"}"#,
        r#"{"action":"create","tags":[true,true,true],"title":"a"}"#,
        r#"{"action":"create","title":"a"}x"#,
    ] {
        assert!(!follows(&todo, bad), "{bad}");
    }
}

#[test]
fn schemas_may_choose_refer_and_contain_themselves() {
    let tree = json!({
        "$ref": "#/$defs/tree",
        "$defs": { "tree": { "anyOf": [
            { "const": "leaf" },
            { "type": "object", "properties": { "left": { "$ref": "#/$defs/tree" } }, "required": ["left"] },
        ] } },
    });
    assert!(follows(&tree, r#"{"left":{"left":"leaf"}}"#));
    assert!(!follows(&tree, r#"{"left":{"left":"branch"}}"#));
    let open = json!({ "type": "object" });
    assert!(follows(&open, r#"{"a":[1.5,{"b":null}],"c":"d"}"#));
    assert!(!follows(&open, "[1]"));
}

#[test]
fn a_schema_that_cannot_be_followed_is_refused() {
    for schema in [
        json!({ "type": "nonsense" }),
        json!({ "not": {} }),
        json!({ "$ref": "#/nowhere" }),
        json!([]),
        json!({ "enum": [] }),
        json!({ "$ref": "#" }),
    ] {
        assert!(
            matches!(Grammar::new(&schema), Err(Error::Schema(_))),
            "{schema}"
        );
    }
}

#[test]
fn several_bytes_at_once_are_taken_like_one_after_the_other() {
    let schema = json!({ "type": "string", "maxLength": 3 });
    let mut grammar = Grammar::new(&schema).unwrap();
    assert!(grammar.allows("\"öö".as_bytes()) && !grammar.allows("\"abcd".as_bytes()));
    grammar.accept("\"ö".as_bytes());
    assert!(!grammar.may_end() && grammar.allows(b"ab\""));
    grammar.accept(b"ab\"");
    assert!(grammar.is_complete());
}
