use super::*;

const SHAPE: Shape = Shape {
    single: &["userName", "displayName", "name", "active"],
    multiple: &["emails", "members"],
    read_only: &["id", "meta"],
};

fn patched(operations: Value) -> Result<Value, String> {
    let mut user = json!({
        "userName": "ada", "displayName": "Ada", "name": { "givenName": "Ada" },
        "emails": [{ "value": "ada@example.com", "type": "work", "primary": true }],
        "members": [{ "value": "1" }, { "value": "2" }],
    });
    let request = Map::from_iter([("Operations".to_owned(), operations)]);
    let members = user.as_object_mut().unwrap();
    apply(members, &SHAPE, &request)
        .map(|()| user)
        .map_err(|problem| problem.code().to_owned())
}

fn after(operation: Value) -> Value {
    patched(Value::Array(vec![operation])).unwrap()
}

#[test]
fn single_values_are_set_and_removed_by_any_spelling_of_their_names() {
    let set = json!({ "op": "Replace", "path": "USERNAME", "value": "eve" });
    assert_eq!(after(set)["userName"], "eve");
    let urn = "urn:ietf:params:scim:schemas:core:2.0:User:displayName";
    let removed = after(json!({ "op": "remove", "path": urn }));
    assert!(removed.get("displayName").is_none());
    let part = after(json!({ "op": "add", "path": "name.familyName", "value": "L" }));
    assert_eq!(
        part["name"],
        json!({ "givenName": "Ada", "familyName": "L" })
    );
    let merged = after(json!({ "op": "add", "path": "name", "value": { "familyName": "L" } }));
    assert_eq!(
        merged["name"],
        json!({ "givenName": "Ada", "familyName": "L" })
    );
    let many = json!({ "op": "replace", "value": {
        "active": false, "name.familyName": "L", "unknown": 1, "id": "x",
    } });
    let many = after(many);
    assert_eq!(
        (&many["active"], &many["name"]["familyName"]),
        (&json!(false), &json!("L"))
    );
    assert!(many.get("id").is_none() && many.get("unknown").is_none());
}

#[test]
fn elements_are_added_changed_and_removed() {
    let value = json!({ "value": "new@example.com", "primary": true });
    let added = after(json!({ "op": "add", "path": "emails", "value": [value] }));
    assert_eq!(added["emails"][1], value);
    assert!(added["emails"][0].get("primary").is_none());
    let path = r#"emails[type eq "work"].value"#;
    let changed = after(json!({ "op": "replace", "path": path, "value": "b@example.com" }));
    assert_eq!(changed["emails"][0]["value"], "b@example.com");
    let members = |operation| after(operation)["members"].clone();
    let removed = json!({ "op": "remove", "path": r#"members[value eq "1"]"# });
    assert_eq!(members(removed), json!([{ "value": "2" }]));
    let named = json!({ "op": "remove", "path": "members", "value": [{ "value": "2" }] });
    assert_eq!(members(named), json!([{ "value": "1" }]));
    let again =
        json!({ "op": "add", "path": "members", "value": [{ "value": "2" }, { "value": "3" }] });
    assert_eq!(members(again).as_array().unwrap().len(), 3);
    let replaced = json!({ "op": "replace", "path": "members", "value": [{ "value": "9" }] });
    assert_eq!(members(replaced), json!([{ "value": "9" }]));
    let none = after(json!({ "op": "remove", "path": "members" }));
    assert!(none.get("members").is_none());
}

#[test]
fn what_cannot_be_done_is_refused_with_its_code() {
    let table = [
        (json!({ "op": "remove" }), "noTarget"),
        (json!({ "op": "move", "path": "active" }), "invalidSyntax"),
        (json!({ "op": "add", "path": "active" }), "invalidValue"),
        (json!({ "op": "add", "value": 1 }), "invalidValue"),
        (
            json!({ "op": "add", "path": "shoeSize", "value": 1 }),
            "invalidPath",
        ),
        (json!({ "op": "add", "path": 1, "value": 1 }), "invalidPath"),
        (
            json!({ "op": "add", "path": "emails[", "value": 1 }),
            "invalidPath",
        ),
        (
            json!({ "op": "add", "path": "emails[x]y", "value": 1 }),
            "invalidPath",
        ),
        (
            json!({ "op": "add", "path": "active[a pr]", "value": 1 }),
            "invalidPath",
        ),
        (
            json!({ "op": "replace", "path": "id", "value": 1 }),
            "mutability",
        ),
        (
            json!({ "op": "replace", "path": r#"emails[type eq "home"].value"#, "value": "x" }),
            "noTarget",
        ),
        (json!(1), "invalidSyntax"),
    ];
    for (operation, code) in table {
        assert_eq!(
            patched(json!([operation])),
            Err(code.to_owned()),
            "{operation}"
        );
    }
    assert_eq!(patched(json!(1)), Err("invalidSyntax".into()));
    let many = vec![json!({ "op": "remove", "path": "active" }); 101];
    assert_eq!(patched(json!(many)), Err("tooMany".into()));
}
