//! Filters in query strings: `status=new&score[gte]=70&tags[any]=a,b&custom.plan[in]=pro,team`.

use bz_http::{Errors, Problem};
use serde_json::Value;

use super::{AllOf, Filter, Op, Test};

/// The filter that these parameters write. The names that a list has for other things were taken out before.
///
/// # Errors
/// 422 for an operator that there is not.
pub(crate) fn from_query(pairs: &[(String, String)]) -> Result<Filter, Problem> {
    let mut all = Vec::with_capacity(pairs.len());
    for (name, value) in pairs {
        let (field, op) = match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
            Some((field, op)) => {
                let op = serde_json::from_value::<Op>(Value::from(op));
                (field, op.map_err(|_| unknown_operator(name))?)
            }
            None => (name.as_str(), Op::Eq),
        };
        all.push(Filter::Test(Test {
            field: field
                .strip_prefix("cf.")
                .map_or_else(|| field.to_owned(), |key| format!("custom.{key}")),
            op,
            value: match op {
                Op::In | Op::Nin | Op::Any | Op::All => value.split(',').collect(),
                _ => Value::from(value.as_str()),
            },
        }));
    }
    Ok(Filter::All(AllOf { all }))
}

fn unknown_operator(name: &str) -> Problem {
    let mut errors = Errors::default();
    errors.add_parameter(
        name.to_owned(),
        "unknown_operator",
        "knows eq, ne, in, nin, gt, gte, lt, lte, like, contains, is_null, any and all",
    );
    Problem::validation(errors)
}
