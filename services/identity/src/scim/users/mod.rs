//! Users as a directory sees them (RFC 7643 section 4.1).

mod apply;
mod create;
mod delete;
pub(super) mod store;

use bz_http::Problem;
use bz_kernel::UserId;
use bz_tenant::{DbError, TenantTx};
use serde_json::{Map, Value, json};

use super::{
    body::{boolean, member, text},
    discovery::USER_SCHEMA,
    error::bad_request,
    patch::Shape,
    query::Wanted,
    resource::{Record, Resource},
};
use crate::{app::AppState, changes::By, users::Email};

/// What a directory writes of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WriteUser {
    pub(super) user_name: String,
    pub(super) email: String,
    pub(super) external_id: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) given_name: Option<String>,
    pub(super) family_name: Option<String>,
    pub(super) active: bool,
}

/// A user.
#[derive(Debug, Clone)]
pub(super) struct ScimUser {
    pub(super) id: UserId,
    pub(super) written: WriteUser,
    pub(super) record: Record,
}

impl WriteUser {
    fn to_resource(&self) -> Map<String, Value> {
        let mut resource = Map::new();
        let mut set = |name: &str, value: Value| {
            resource.insert(name.to_owned(), value);
        };
        set("userName", json!(self.user_name));
        set("active", json!(self.active));
        set("emails", json!([{ "value": self.email, "type": "work" }]));
        for (name, value) in [
            ("externalId", &self.external_id),
            ("displayName", &self.display_name),
        ] {
            if let Some(value) = value {
                set(name, json!(value));
            }
        }
        let parts = [
            ("givenName", &self.given_name),
            ("familyName", &self.family_name),
        ];
        let parts: Map<String, Value> = parts
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?))))
            .collect();
        if !parts.is_empty() {
            set("name", Value::Object(parts));
        }
        resource
    }
}

impl Resource for ScimUser {
    type Id = UserId;
    type Written = WriteUser;

    const NAME: &'static str = "User";
    const SCHEMA: &'static str = USER_SCHEMA;
    const SHAPE: Shape = Shape {
        single: &["userName", "externalId", "displayName", "name", "active"],
        multiple: &["emails"],
        read_only: &["id", "meta", "schemas", "groups"],
    };

    fn id(&self) -> UserId {
        self.id
    }

    fn record(&self) -> &Record {
        &self.record
    }

    fn to_resource(&self, _: &AppState) -> Map<String, Value> {
        self.written.to_resource()
    }

    fn read(resource: &Map<String, Value>) -> Result<WriteUser, Problem> {
        let user_name = text(resource, "userName", 254)?
            .ok_or_else(|| bad_request("invalidValue", "userName is required."))?;
        let empty = Map::new();
        let name = member(resource, "name").and_then(Value::as_object);
        let name = name.unwrap_or(&empty);
        let active = member(resource, "active").map_or(Ok(true), boolean)?;
        Ok(WriteUser {
            email: email(resource, &user_name)?,
            external_id: text(resource, "externalId", 254)?,
            display_name: text(resource, "displayName", 120)?,
            given_name: text(name, "givenName", 120)?,
            family_name: text(name, "familyName", 120)?,
            user_name,
            active,
        })
    }

    fn read_new(resource: &Map<String, Value>) -> Result<WriteUser, Problem> {
        let mut user = Self::read(resource)?;
        if user.display_name.is_none() {
            user.display_name = create::full_name(resource, &user);
        }
        Ok(user)
    }

    async fn find(tx: &mut TenantTx, id: UserId) -> Result<Option<Self>, DbError> {
        store::find(tx, id).await
    }

    async fn list(tx: &mut TenantTx, wanted: &Wanted) -> Result<(i64, Vec<Self>), Problem> {
        store::list(tx, wanted).await
    }

    async fn create(
        tx: &mut TenantTx,
        app: &AppState,
        by: By<'_>,
        wanted: &WriteUser,
    ) -> Result<UserId, Problem> {
        create::create(tx, app, by, wanted).await
    }

    async fn apply(
        self,
        tx: &mut TenantTx,
        app: &AppState,
        by: By<'_>,
        wanted: &WriteUser,
    ) -> Result<(), Problem> {
        apply::apply(tx, app, by, &self, wanted).await
    }

    async fn delete(self, tx: &mut TenantTx, app: &AppState, by: By<'_>) -> Result<(), Problem> {
        delete::delete(tx, app, by, self.id).await
    }
}

/// The one address that a user has: the primary one of those given, else the first, else the name itself.
fn email(resource: &Map<String, Value>, user_name: &str) -> Result<String, Problem> {
    let emails = member(resource, "emails");
    let all = match emails {
        Some(Value::Array(all)) => all.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let is_primary = |email: &&Value| email["primary"] == true;
    let chosen = all.iter().find(is_primary).or_else(|| all.first());
    let address = match chosen {
        Some(email) => email["value"]
            .as_str()
            .or_else(|| email.as_str())
            .unwrap_or_default(),
        None => user_name,
    };
    Email::parse(address)
        .map(|email| email.as_str().to_owned())
        .map_err(|_| bad_request("invalidValue", "emails must have an e-mail address."))
}
