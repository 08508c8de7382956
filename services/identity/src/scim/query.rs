//! What a SCIM request asks for in its query (RFC 7644 sections 3.4.2 and 3.9).

use bz_http::Problem;
use serde::Deserialize;
use serde_json::Value;

use super::{error::bad_request, filter::Filter};

/// The most resources in one page, and how many there are when none is asked for.
pub(super) const MOST_ITEMS: i64 = 100;

/// A part of a list.
pub(super) struct Wanted {
    /// Which resources.
    pub(super) filter: Option<Filter>,
    /// In which order, if not in that of their making.
    pub(super) sort: Option<Sort>,
    /// From which one on; the first is 1.
    pub(super) start: i64,
    /// How many at most.
    pub(super) count: i64,
}

/// An order.
pub(super) struct Sort {
    /// The attribute, in lower case and without the schema's URN.
    pub(super) by: String,
    /// The greatest first.
    pub(super) descending: bool,
}

/// The query.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ScimQuery {
    filter: Option<String>,
    start_index: Option<i64>,
    count: Option<i64>,
    sort_by: Option<String>,
    sort_order: Option<String>,
    attributes: Option<String>,
    excluded_attributes: Option<String>,
}

impl ScimQuery {
    /// Which resources are wanted, and in which order.
    ///
    /// # Errors
    /// 400 `invalidFilter` or `invalidValue`.
    pub(super) fn wanted(&self) -> Result<Wanted, Problem> {
        Ok(Wanted {
            filter: self.filter()?,
            sort: self.sort()?,
            start: self.start(),
            count: self.count(),
        })
    }

    /// Section 3.4.2.3: ascending unless something else is said.
    fn sort(&self) -> Result<Option<Sort>, Problem> {
        let descending = match self
            .sort_order
            .as_deref()
            .map(str::to_ascii_lowercase)
            .as_deref()
        {
            None | Some("" | "ascending") => false,
            Some("descending") => true,
            Some(_) => {
                let detail = "sortOrder must be ascending or descending.";
                return Err(bad_request("invalidValue", detail));
            }
        };
        let by = self.sort_by.as_deref().filter(|name| !name.is_empty());
        Ok(by.map(|name| {
            let name = name.rsplit_once(':').map_or(name, |(_, name)| name);
            let by = name.to_ascii_lowercase();
            Sort { by, descending }
        }))
    }

    /// The filter.
    ///
    /// # Errors
    /// 400 `invalidFilter`.
    pub(super) fn filter(&self) -> Result<Option<Filter>, Problem> {
        let parsed = self.filter.as_deref().map(Filter::parse).transpose();
        parsed.map_err(|error| bad_request("invalidFilter", error.to_string()))
    }

    /// The number of the first resource, from 1; what is less is 1.
    fn start(&self) -> i64 {
        self.start_index.unwrap_or(1).clamp(1, i64::from(i32::MAX))
    }

    /// How many resources at most; what is less than none is none.
    fn count(&self) -> i64 {
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
