//! Registration: how a tenant and its owner come to be.

mod enrol;
mod owner;
pub(crate) mod register;
mod replay;

use bz_http::{Errors, Problem, Validate};
use bz_kernel::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use self::owner::{NewOwner, create_owner};
use crate::{passwords, users::Email};

/// The longest name of a person or a tenant, in characters.
const MOST_NAME_CHARACTERS: usize = 120;

/// Who may register, and what it takes to log in afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegistrationPolicy {
    /// Registering logs in at once. For development and closed networks.
    AutoLogin,
    /// The address must be verified before the first login.
    Verified,
    /// Nobody registers.
    Disabled,
}

impl RegistrationPolicy {
    /// Whether a login needs a verified address.
    #[must_use]
    pub const fn needs_verified_email(self) -> bool {
        matches!(self, Self::Verified)
    }
}

impl std::str::FromStr for RegistrationPolicy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto_login" => Ok(Self::AutoLogin),
            "verified" => Ok(Self::Verified),
            "disabled" => Ok(Self::Disabled),
            _ => Err("must be auto_login, verified or disabled".to_owned()),
        }
    }
}

/// A registration.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RegisterRequest {
    /// The address, which is the login name.
    #[schema(example = "ada@example.com", max_length = 254)]
    email: String,
    /// The password: 8 to 128 characters, not one of those that are tried first.
    #[schema(
        example = "correct horse battery staple",
        min_length = 8,
        max_length = 128
    )]
    password: String,
    /// What the user wants to be called.
    #[schema(example = "Ada Lovelace", max_length = 120)]
    name: Option<String>,
    /// Name of the tenant that is made; the user's name or the address when left out.
    #[schema(example = "Analytical Engines", max_length = 120)]
    tenant_name: Option<String>,
}

impl Validate for RegisterRequest {
    fn validate(&self, errors: &mut Errors) {
        if Email::parse(&self.email).is_err() {
            errors.add("/email", "invalid_email", "is not an e-mail address");
        }
        let names = [("/name", &self.name), ("/tenant_name", &self.tenant_name)];
        for (pointer, name) in names {
            if let Some(name) = name {
                check_name(pointer, name, errors);
            }
        }
        let context = [
            Some(&self.email),
            self.name.as_ref(),
            self.tenant_name.as_ref(),
        ];
        let context: Vec<&str> = context.into_iter().flatten().map(String::as_str).collect();
        if let Some(weakness) =
            passwords::weakness(&SecretString::from(self.password.as_str()), &context)
        {
            errors.add("/password", weakness.code(), weakness.message());
        }
    }
}

/// Adds what is wrong with the name of a person or a tenant.
pub(crate) fn check_name(pointer: &'static str, name: &str, errors: &mut Errors) {
    let name = name.trim();
    if name.is_empty() {
        errors.add(pointer, "blank", "must not be blank: leave it out");
    } else if name.chars().count() > MOST_NAME_CHARACTERS {
        errors.add(pointer, "too_long", "must have at most 120 characters");
    } else if name.chars().any(char::is_control) {
        errors.add(
            pointer,
            "control_character",
            "must not contain control characters",
        );
    }
}

/// A registration with its texts in their normalised form.
struct Applicant {
    email: Email,
    password: SecretString,
    name: Option<String>,
    tenant_name: String,
}

impl TryFrom<RegisterRequest> for Applicant {
    type Error = Problem;

    fn try_from(request: RegisterRequest) -> Result<Self, Problem> {
        let email = Email::parse(&request.email)
            .map_err(|_| Problem::invalid("/email", "invalid_email", "is not an e-mail address"))?;
        let name = request.name.map(|name| name.trim().to_owned());
        let tenant_name = request.tenant_name.map(|name| name.trim().to_owned());
        let tenant_name = tenant_name
            .or_else(|| name.clone())
            .unwrap_or_else(|| email.local().to_owned());
        Ok(Self {
            email,
            password: request.password.into(),
            name,
            tenant_name,
        })
    }
}

/// The answer when the address has to be verified first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VerificationRequired {
    /// `verification_required`.
    status: &'static str,
}
