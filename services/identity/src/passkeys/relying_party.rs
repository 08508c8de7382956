//! Who we are for a browser: the domain that passkeys belong to, and the origins that may use them.

use std::{ops::Deref, sync::Arc};

use url::Url;
use webauthn_rs::{Webauthn, WebauthnBuilder};

/// The domain that passkeys belong to, and the origins that may use them: what the ceremonies are held with. Cheap to clone.
#[derive(Clone, Debug)]
pub struct RelyingParty(Arc<Webauthn>);

impl RelyingParty {
    /// The relying party of these origins. Without an id the passkeys belong to the first origin's host.
    ///
    /// # Errors
    /// What is wrong, in words: no origin, an origin with a path, or one outside the domain.
    pub fn new(origins: &[String], id: Option<String>) -> Result<Self, String> {
        let origins: Vec<Url> = origins
            .iter()
            .map(|text| origin(text))
            .collect::<Result<_, _>>()?;
        let (first, rest) = origins.split_first().ok_or("needs at least one origin")?;
        let id = id.unwrap_or_else(|| first.domain().unwrap_or_default().to_owned());
        let within = |origin| {
            WebauthnBuilder::new(&id, origin).map_err(|_| format!("{origin} is not within {id}"))
        };
        for origin in rest {
            within(origin)?;
        }
        let builder = rest
            .iter()
            .fold(within(first)?, WebauthnBuilder::append_allowed_origin);
        let webauthn = builder.rp_name("BizOSaaS").build();
        webauthn
            .map(|webauthn| Self(Arc::new(webauthn)))
            .map_err(|error| error.to_string())
    }
}

impl Deref for RelyingParty {
    type Target = Webauthn;

    fn deref(&self) -> &Webauthn {
        &self.0
    }
}

fn origin(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("{text:?} is not an origin: {error}"))?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if bare && matches!(url.scheme(), "https" | "http") {
        Ok(url)
    } else {
        Err(format!(
            "{text:?} is not an origin: scheme, host and port only"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn party(origins: &[&str], id: Option<&str>) -> Result<RelyingParty, String> {
        let origins: Vec<String> = origins.iter().map(ToString::to_string).collect();
        RelyingParty::new(&origins, id.map(ToOwned::to_owned))
    }

    #[test]
    fn origins_belong_to_the_domain() {
        assert!(party(&["http://localhost:3000"], None).is_ok());
        let two = ["https://app.example.com", "https://id.example.com:8443"];
        assert!(party(&two, Some("example.com")).is_ok());
        assert!(party(&two, None).is_err());
        for bad in [
            "",
            "example.com",
            "ftp://example.com",
            "https://example.com/app",
            "https://192.0.2.1",
        ] {
            assert!(party(&[bad], None).is_err(), "{bad}");
        }
        assert!(party(&[], None).is_err());
    }
}
