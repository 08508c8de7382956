//! What a SCIM request asks for in its query (RFC 7644 sections 3.4.2 and 3.9).

use bz_http::Problem;
use serde::Deserialize;
use serde_json::Value;

use super::{error::bad_request, filter::Filter};

/// The most resources in one page, and how many there are when none is asked for.
pub(super) const MOST_ITEMS: i64 = 100;

/// The query.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScimQuery {
    filter: Option<String>,
    start_index: Option<i64>,
    count: Option<i64>,
    attributes: Option<String>,
    excluded_attributes: Option<String>,
}

impl ScimQuery {
    /// The filter.
    ///
    /// # Errors
    /// 400 `invalidFilter`.
    pub(super) fn filter(&self) -> Result<Option<Filter>, Problem> {
        let parsed = self.filter.as_deref().map(Filter::parse).transpose();
        parsed.map_err(|error| bad_request("invalidFilter", error.to_string()))
    }

    /// The number of the first resource, from 1; what is less is 1.
    pub(super) fn start(&self) -> i64 {
        self.start_index.unwrap_or(1).clamp(1, i64::from(i32::MAX))
    }

    /// How many resources at most; what is less than none is none.
    pub(super) fn count(&self) -> i64 {
        self.count.unwrap_or(MOST_ITEMS).clamp(0, MOST_ITEMS)
    }

    /// Leaves of a resource what is asked for.
    pub(super) fn project(&self, resource: &mut Value) {
        let Some(members) = resource.as_object_mut() else {
            return;
        };
        let is_always = |name: &str| matches!(name, "schemas" | "id");
        if let Some(wanted) = &self.attributes {
            members.retain(|name, _| is_always(name) || names(wanted, name));
        } else if let Some(unwanted) = &self.excluded_attributes {
            members.retain(|name, _| is_always(name) || !names(unwanted, name));
        }
    }
}

/// Whether a list of attributes, or of parts of attributes, names one.
fn names(list: &str, attribute: &str) -> bool {
    list.split(',').any(|name| {
        let name = name.trim();
        let name = name.rsplit_once(':').map_or(name, |(_, name)| name);
        let name = name.split('.').next().unwrap_or_default();
        name.eq_ignore_ascii_case(attribute)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_resource_has_what_is_asked_for_and_always_its_id() {
        let project = |query: &ScimQuery| {
            let mut user =
                json!({ "schemas": [], "id": "1", "userName": "a", "name": {}, "meta": {} });
            query.project(&mut user);
            user.as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
        };
        let wanted = ScimQuery {
            attributes: Some(
                "USERNAME, urn:ietf:params:scim:schemas:core:2.0:User:name.givenName".into(),
            ),
            ..ScimQuery::default()
        };
        assert_eq!(project(&wanted), ["id", "name", "schemas", "userName"]);
        let unwanted = ScimQuery {
            excluded_attributes: Some("meta,id,name".into()),
            ..ScimQuery::default()
        };
        assert_eq!(project(&unwanted), ["id", "schemas", "userName"]);
    }
}
