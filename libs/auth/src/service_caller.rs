//! The sibling service behind a request.

use std::marker::PhantomData;

use axum::extract::{FromRef, FromRequestParts};
use bz_http::Problem;
use http::request::Parts;

use crate::{Permission, Verifier, bearer};

/// A service that calls on its own behalf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceCaller {
    /// Its name: `analytics`.
    pub client: String,
}

/// A service whose token has `P` among its scopes. Users' tokens are not let in, whatever the user's role.
#[derive(Debug)]
pub struct Service<P>(pub ServiceCaller, PhantomData<fn() -> P>);

impl<P: Permission, S> FromRequestParts<S> for Service<P>
where
    S: Send + Sync,
    Verifier: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let (claims, _) = bearer::authenticate(parts, &Verifier::from_ref(state)).await?;
        if claims.tid.is_some() || !claims.has_scope(P::NAME) {
            return Err(bearer::forbidden(P::NAME));
        }
        tracing::Span::current().record("client.id", claims.client_id.as_str());
        Ok(Self(
            ServiceCaller {
                client: claims.client_id.clone(),
            },
            PhantomData,
        ))
    }
}
