//! Tests of what has tables of its own to be found by: tags, and the tenant's own fields.

use serde_json::Value;

use super::{
    Op, Test,
    sql::{Typed, Writer, flag},
};
use crate::records::custom::{Definition, column_of};

impl Writer<'_, '_> {
    pub(super) fn tags(&mut self, test: &Test, pointer: &str) {
        let record = self.context.record.name;
        let negated = matches!(test.op, Op::Ne | Op::Nin);
        if test.op == Op::IsNull {
            let empty = flag(&test.value).unwrap_or(true);
            self.sql
                .push(if empty { "tags = '{}'" } else { "tags <> '{}'" });
            return;
        }
        if !matches!(
            test.op,
            Op::Eq | Op::Ne | Op::In | Op::Nin | Op::Any | Op::All
        ) {
            return self.fault(
                pointer,
                "unknown_operator",
                "tags know eq, ne, any, all, in, nin and is_null".to_owned(),
            );
        }
        let mut names: Vec<String> = Vec::new();
        for value in self.values(test, pointer, &|text: &str| {
            Ok(Typed::Text(text.to_owned()))
        }) {
            if let Typed::Text(text) = value
                && !names.contains(&text)
            {
                names.push(text);
            }
        }
        let count = i64::try_from(names.len()).unwrap_or(i64::MAX);
        self.sql
            .push(if negated { "id NOT IN (" } else { "id IN (" });
        self.sql
            .push("SELECT record_id FROM crm.record_tags WHERE record_type = ")
            .bind(record);
        self.sql.push(" AND tag = ANY(").bind(names).push(")");
        if test.op == Op::All {
            self.sql
                .push(" GROUP BY record_id HAVING count(*) = ")
                .bind(count);
        }
        self.sql.push(")");
    }

    pub(super) fn custom(&mut self, key: &str, test: &Test, pointer: &str) {
        let record = self.context.record.name;
        let found = self
            .context
            .custom
            .iter()
            .find(|field| field.record_type == record && field.key == key);
        let Some(field) = found else {
            return self.fault(
                pointer,
                "unknown_field",
                format!("custom.{key} is not defined"),
            );
        };
        if !field.filterable {
            return self.fault(
                pointer,
                "not_filterable",
                format!("custom.{key} was defined without filterable"),
            );
        }
        let (column, kind) = column_of(field);
        let negated = matches!(test.op, Op::Ne | Op::Nin)
            || test.op == Op::IsNull && flag(&test.value) == Some(true);
        self.sql
            .push(if negated { "id NOT IN (" } else { "id IN (" });
        self.sql
            .push("SELECT record_id FROM crm.custom_values WHERE field_id = ")
            .bind(field.id);
        let test = Test {
            op: match test.op {
                Op::Ne => Op::Eq,
                Op::Nin => Op::In,
                op => op,
            },
            value: stored(field, &test.value),
            field: test.field.clone(),
        };
        match test.op {
            Op::IsNull => {
                if flag(&test.value).is_none() {
                    self.fault(pointer, "invalid_value", "must be true or false".to_owned());
                }
            }
            Op::Any => {
                self.sql.push(" AND ");
                self.column(column, kind, &Test { op: Op::In, ..test }, pointer);
            }
            _ => {
                self.sql.push(" AND ");
                self.column(column, kind, &test, pointer);
            }
        }
        self.sql.push(")");
    }
}

/// The value as it is stored to be compared: some texts in lower case (the function `custom_texts` of the schema).
fn stored(field: &Definition, value: &Value) -> Value {
    match value {
        Value::String(text) if matches!(field.kind.as_str(), "text" | "email" | "url") => {
            text.to_lowercase().into()
        }
        Value::Array(list) => list.iter().map(|value| stored(field, value)).collect(),
        value => value.clone(),
    }
}
