//! Contacts: people.

mod duplicates;
mod endpoints;
mod list;
mod timeline;
mod transfer;

use bz_http::{Errors, Routes, Validate};
use bz_kernel::{CompanyId, ContactId};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    app::AppState,
    duplicates::{Key, Keys},
    normal,
    records::{Fields, Rules, column::json_columns, record, sql::Columns, validate_common},
    rules,
};

bz_auth::permissions! {
    /// See contacts.
    ContactsRead = "contacts:read",
    /// Create, change and delete contacts.
    ContactsWrite = "contacts:write",
}

/// The routes of this resource.
pub(crate) fn routes() -> Routes<AppState> {
    endpoints::routes()
        .merge(list::routes())
        .merge(timeline::routes())
        .merge(transfer::routes())
        .merge(duplicates::routes())
}

/// A further e-mail address or phone number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// The address or number.
    pub value: String,
    /// What it is for: `work`, `home`. At most 50 characters.
    #[schema(max_length = 50)]
    pub label: Option<String>,
}

json_columns!(Vec<Address>);

record! {
    /// A person.
    pub struct Contact(ContactId) = CONTACT: "contact", "contacts";

    /// What a client writes of a contact. At least one of first name, last name and e-mail is needed.
    #[schema(example = json!({ "first_name": "Grace", "last_name": "Hopper" }))]
    writes CreateContact {
        /// Given name, at most 200 characters.
        #[schema(max_length = 200)]
        first_name: Option<String>,
        /// Family name, at most 200 characters.
        #[schema(max_length = 200)]
        last_name: Option<String>,
        /// Main e-mail address, at most 254 characters.
        #[schema(max_length = 254)]
        email: Option<String>,
        /// Other e-mail addresses, at most 20.
        #[serde(default)]
        #[schema(max_items = 20)]
        emails: Vec<Address>,
        /// Main phone number in any form, at most 50 characters.
        #[schema(max_length = 50)]
        phone: Option<String>,
        /// Other phone numbers, at most 20.
        #[serde(default)]
        #[schema(max_items = 20)]
        phones: Vec<Address>,
        /// Job title, at most 200 characters.
        #[schema(max_length = 200)]
        title: Option<String>,
        /// The company that the person works for.
        company_id: Option<CompanyId>,
        /// Web address, at most 500 characters.
        #[schema(max_length = 500)]
        website: Option<String>,
        /// Street and number, at most 300 characters.
        #[schema(max_length = 300)]
        street: Option<String>,
        /// City, at most 100 characters.
        #[schema(max_length = 100)]
        city: Option<String>,
        /// State or region, at most 100 characters.
        #[schema(max_length = 100)]
        region: Option<String>,
        /// Postal code, at most 20 characters.
        #[schema(max_length = 20)]
        postal_code: Option<String>,
        /// Country, at most 100 characters.
        #[schema(max_length = 100)]
        country: Option<String>,
        /// Birthday.
        birthday: Option<NaiveDate>,
        /// Whether the person wants to be left alone.
        #[serde(default)]
        do_not_contact: bool,
        /// What the person agreed to, when and how, at most 16 KiB.
        #[serde(default)]
        #[schema(value_type = Object)]
        consent: Map<String, Value>,
        /// More about the person, at most 10,000 characters.
        #[schema(max_length = 10_000)]
        description: Option<String>,
    }

    reads {
        /// When something last happened with the person.
        last_activity_at: Option<DateTime<Utc>>,
    }
}

impl Validate for CreateContact {
    fn validate(&self, errors: &mut Errors) {
        let texts = [
            ("/first_name", &self.first_name, 200),
            ("/last_name", &self.last_name, 200),
            ("/phone", &self.phone, 50),
            ("/title", &self.title, 200),
            ("/website", &self.website, 500),
            ("/street", &self.street, 300),
            ("/city", &self.city, 100),
            ("/region", &self.region, 100),
            ("/postal_code", &self.postal_code, 20),
            ("/country", &self.country, 100),
            ("/description", &self.description, 10_000),
        ];
        for (pointer, text, longest) in texts {
            rules::optional_text(errors, pointer, text.as_deref(), longest);
        }
        rules::optional_email(errors, "/email", self.email.as_deref());
        for (list, name) in [(&self.emails, "emails"), (&self.phones, "phones")] {
            addresses(errors, name, list);
        }
        rules::small_object(errors, "/consent", &self.consent);
        let names = [&self.first_name, &self.last_name, &self.email];
        if names.iter().all(|name| name.is_none()) {
            errors.add(
                "",
                "name_required",
                "give at least one of first_name, last_name and email",
            );
        }
        validate_common(errors, self.common());
    }
}

fn addresses(errors: &mut Errors, name: &str, list: &[Address]) {
    if list.len() > 20 {
        errors.add(format!("/{name}"), "too_many", "must have at most 20");
    }
    for (n, address) in list.iter().enumerate() {
        let pointer = format!("/{name}/{n}/value");
        if name == "emails" {
            rules::optional_email(errors, pointer, Some(&address.value));
        } else {
            rules::optional_text(errors, pointer, Some(&address.value), 50);
        }
        let label = format!("/{name}/{n}/label");
        rules::optional_text(errors, label, address.label.as_deref(), 50);
    }
}

impl Rules for Contact {
    type Wanted = CreateContact;

    const SORTS: &'static [(&'static str, &'static str)] = &[("name", "name_norm")];

    const KEYS: &'static [Key] = &[Key::Email, Key::Phone, Key::Name];

    fn keys(wanted: &CreateContact) -> Keys {
        let (first, last) = (wanted.first_name.as_deref(), wanted.last_name.as_deref());
        Keys {
            email: wanted.email.as_deref().and_then(normal::email),
            phone: wanted.phone.as_deref().and_then(normal::phone),
            domain: wanted.email.as_deref().and_then(normal::domain),
            name: normal::full_name(first, last),
            company: wanted.company_id.map(|id| id.to_string()),
            ..Keys::default()
        }
    }

    fn derive(wanted: &CreateContact, out: &mut Columns) {
        let name = normal::full_name(wanted.first_name.as_deref(), wanted.last_name.as_deref());
        out.set(
            "email_norm",
            wanted.email.as_deref().and_then(normal::email),
        )
        .set("name_norm", name)
        .set(
            "phone_norm",
            wanted.phone.as_deref().and_then(normal::phone),
        );
    }
}
