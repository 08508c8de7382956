//! What a directory sends, for `crate::fuzzing`.

use serde_json::{Map, Value, json};
use sqlx::{Execute, Postgres, QueryBuilder};

use super::{filter::Filter, groups, patch, resource::Resource, sql, users};

/// Filters: as conditions they carry nothing of the text, and all that they bind can be bound.
pub fn scim_filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let Ok(filter) = Filter::parse(text) else {
        return;
    };
    assert!(!has_nul(&filter), "{text:?}");
    filter.passes(&json!({ "value": "a", "type": "work", "primary": true }));
    for column in [users::store::column, groups::store::column] {
        let mut query: QueryBuilder<'_, Postgres> = QueryBuilder::new("");
        if sql::push(&mut query, &filter, column).is_err() {
            continue;
        }
        let mut query = query.build();
        let sql = query.sql();
        let depth = sql.bytes().try_fold(0_u32, |depth, byte| match byte {
            b'(' => Some(depth + 1),
            b')' => depth.checked_sub(1),
            _ => Some(depth),
        });
        assert_eq!(depth, Some(0), "{text:?}: {sql}");
        assert!(!sql.contains(['"', ';', '\\', '\0']), "{text:?}: {sql}");
        let bound = query.take_arguments();
        assert!(bound.is_ok(), "{text:?}");
    }
}

fn has_nul(filter: &Filter) -> bool {
    match filter {
        Filter::And(one, other) | Filter::Or(one, other) => has_nul(one) || has_nul(other),
        Filter::Not(inner) => has_nul(inner),
        Filter::Present(name) => name.contains('\0'),
        Filter::Compare(name, _, value) => {
            name.contains('\0') || value.as_str().is_some_and(|text| text.contains('\0'))
        }
    }
}

/// Changes: whatever a directory sends, the resource is still one, and has nothing that it did not have.
pub fn scim_patch(data: &[u8]) {
    let Ok(Value::Object(request)) = serde_json::from_slice(data) else {
        return;
    };
    let resource = json!({
        "userName": "ada", "active": true, "name": { "givenName": "Ada" },
        "emails": [{ "value": "ada@example.com", "type": "work" }],
        "displayName": "Crew", "members": [{ "value": "1" }, { "value": "2" }],
    });
    for shape in [&users::ScimUser::SHAPE, &groups::ScimGroup::SHAPE] {
        let mut members: Map<String, Value> = resource.as_object().cloned().unwrap_or_default();
        let _refused = patch::apply(&mut members, shape, &request);
        let known = |name: &str| {
            shape.single.contains(&name)
                || shape.multiple.contains(&name)
                || resource.get(name).is_some()
        };
        assert!(members.keys().all(|name| known(name)), "{members:?}");
        let _refused = users::ScimUser::read(&members);
        let _refused = groups::ScimGroup::read(&members);
    }
}
