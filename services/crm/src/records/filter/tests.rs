#![cfg(test)]

use super::*;
use crate::leads::LEAD;
use serde_json::json;

fn faults(filter: Value) -> Vec<String> {
    let filter: Filter = serde_json::from_value(filter).unwrap();
    let context = Context {
        record: LEAD,
        custom: &[],
        me: UserId::from_uuid(uuid::Uuid::nil()),
    };
    let Err(problem) = filter.check(context) else {
        return Vec::new();
    };
    let errors = problem.document().errors;
    errors
        .into_iter()
        .map(|fault| format!("{} {}", fault.pointer.unwrap_or_default(), fault.code))
        .collect()
}

#[test]
fn a_good_filter_has_no_faults() {
    let good = json!({ "all": [
        { "field": "status", "op": "in", "value": ["new", "working"] },
        { "any": [
            { "field": "score", "op": "gte", "value": 70 },
            { "field": "owner_id", "value": "me" },
            { "not": { "field": "tags", "op": "any", "value": ["vip"] } }
        ]},
        { "field": "created_at", "op": "lt", "value": "2026-01-01" },
        { "field": "annual_revenue", "op": "gt", "value": "1000.50" },
        { "field": "city", "op": "is_null", "value": false }
    ]});
    assert!(faults(good).is_empty());
}

#[test]
fn every_fault_is_named_with_its_place() {
    let bad = json!({ "all": [
        { "field": "status", "value": "sleeping" },
        { "field": "nothing", "value": 1 },
        { "any": [{ "field": "score", "op": "gte", "value": "many" }] },
        { "field": "custom.plan", "value": "pro" },
        { "field": "status", "op": "gt", "value": "new" },
        { "field": "utm", "value": "x" }
    ]});
    assert_eq!(
        faults(bad),
        [
            "/all/0/value invalid_value",
            "/all/1/value unknown_field",
            "/all/2/any/0/value invalid_value",
            "/all/3/value unknown_field",
            "/all/4/value unknown_operator",
            "/all/5/value not_filterable",
        ]
    );
}
