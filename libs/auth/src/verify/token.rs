//! One token: its header, its signature, its claims.

use jsonwebtoken::{Algorithm, DecodingKey, Validation};

use super::{AuthError, LEEWAY_SECONDS, key_set::is_kid};
use crate::{Claims, mint::TOKEN_TYPE};

/// Checks what a header may say before any key is looked up, and answers the key's id.
///
/// Headers that tell the verifier where to get a key, or what else it must understand, are refused unread (RFC 8725
/// sections 3.5 and 3.10).
pub(super) fn check_header(token: &str) -> Result<String, AuthError> {
    let header =
        jsonwebtoken::decode_header(token).map_err(|_| AuthError::Invalid("unreadable header"))?;
    if header.alg != Algorithm::EdDSA {
        return Err(AuthError::Invalid("algorithm"));
    }
    if header.typ.as_deref() != Some(TOKEN_TYPE) {
        return Err(AuthError::Invalid("type"));
    }
    let foreign = [
        header.jku.is_some(),
        header.x5u.is_some(),
        header.x5c.is_some(),
        header.jwk.is_some(),
        header.crit.is_some(),
    ];
    if foreign.contains(&true) {
        return Err(AuthError::Invalid("header names its own key or extensions"));
    }
    header
        .kid
        .filter(|kid| is_kid(kid))
        .ok_or(AuthError::Invalid("key id"))
}

/// Verifies the signature, and reads the claims of a token that is for us.
pub(super) fn open(
    token: &str,
    key: &DecodingKey,
    issuer: &str,
    audience: &str,
) -> Result<Claims, AuthError> {
    let mut validation = Validation::new(Algorithm::EdDSA);
    // The library reads the machine's clock; `check_times` reads the injected one.
    validation.validate_exp = false;
    validation.set_audience(&[audience]);
    validation.set_issuer(&[issuer]);
    validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
    let data = jsonwebtoken::decode::<Claims>(token, key, &validation).map_err(|error| {
        use jsonwebtoken::errors::ErrorKind as Kind;
        AuthError::Invalid(match error.kind() {
            Kind::InvalidSignature => "signature",
            Kind::InvalidIssuer => "issuer",
            Kind::InvalidAudience => "audience",
            Kind::Json(_) | Kind::MissingRequiredClaim(_) | Kind::InvalidClaimFormat(_) => "claims",
            _ => "unreadable",
        })
    })?;
    if data.claims.iss == issuer {
        Ok(data.claims)
    } else {
        Err(AuthError::Invalid("issuer"))
    }
}

/// Checks a token's times against `now`.
pub(super) fn check_times(claims: &Claims, now: u64) -> Result<(), AuthError> {
    if now >= claims.exp.saturating_add(LEEWAY_SECONDS) {
        return Err(AuthError::Expired);
    }
    let latest_start = now + LEEWAY_SECONDS;
    if claims.nbf > latest_start || claims.iat > latest_start {
        return Err(AuthError::Invalid("not valid yet"));
    }
    Ok(())
}
