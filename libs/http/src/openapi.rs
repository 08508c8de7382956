//! What all OpenAPI documents share.

use bz_kernel::ServiceInfo;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContactBuilder, Info, InfoBuilder, OpenApi, OpenApiBuilder,
    SecurityRequirement,
};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use crate::problem::ProblemDocument;
use crate::validation::FieldError;

/// The document of a service without its paths: title, version, the bearer token, the problem document.
#[must_use]
pub fn base(service: &ServiceInfo, description: &str) -> OpenApi {
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("An access token of the identity service."))
        .build();
    let components = ComponentsBuilder::new()
        .schema(ProblemDocument::name(), ProblemDocument::schema())
        .schema(FieldError::name(), FieldError::schema())
        .security_scheme("bearer", SecurityScheme::Http(bearer))
        .build();
    OpenApiBuilder::new()
        .info(info(service, description))
        .components(Some(components))
        .security(Some([SecurityRequirement::new(
            "bearer",
            Vec::<String>::new(),
        )]))
        .build()
}

fn info(service: &ServiceInfo, description: &str) -> Info {
    InfoBuilder::new()
        .title(service.health_name)
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(description))
        .contact(Some(ContactBuilder::new().name(Some("BizOSaaS")).build()))
        .build()
}

macro_rules! problem_set {
    ($($(#[$doc:meta])* $name:ident { $($variant:ident = $status:literal, $text:literal;)+ })+) => {
        $(
            $(#[$doc])*
            #[derive(Debug, IntoResponses)]
            pub enum $name {
                $(
                    #[doc = $text]
                    #[response(status = $status, content_type = "application/problem+json")]
                    $variant(#[to_schema] ProblemDocument),
                )+
            }
        )+
    };
}

problem_set! {
    /// What reading one record may answer besides the record.
    ReadProblems {
        Unauthenticated = 401, "No token, or a bad one";
        Forbidden = 403, "The permission is missing";
        NotFound = 404, "Not there, or another tenant's";
        Unavailable = 503, "Cannot answer right now; try again";
        Deadline = 504, "Took too long";
    }

    /// What reading a list may answer besides the page.
    ListProblems {
        Unauthenticated = 401, "No token, or a bad one";
        Forbidden = 403, "The permission is missing";
        Invalid = 422, "A parameter is not valid";
        Unavailable = 503, "Cannot answer right now; try again";
        Deadline = 504, "Took too long";
    }

    /// What creating may answer besides the record.
    WriteProblems {
        Malformed = 400, "The body is not JSON";
        Unauthenticated = 401, "No token, or a bad one";
        Forbidden = 403, "The permission is missing";
        TooLarge = 413, "The body is too large";
        MediaType = 415, "The body is not application/json";
        Invalid = 422, "The body or a header is not valid";
        Unavailable = 503, "Cannot answer right now; try again";
        Deadline = 504, "Took too long";
    }

    /// What changing or deleting a record may answer besides the record.
    ChangeProblems {
        Malformed = 400, "The body is not JSON";
        Unauthenticated = 401, "No token, or a bad one";
        Forbidden = 403, "The permission is missing";
        NotFound = 404, "Not there, or another tenant's";
        Conflict = 409, "Conflicts with the current state";
        PreconditionFailed = 412, "The version has changed";
        TooLarge = 413, "The body is too large";
        MediaType = 415, "The body is not application/json";
        Invalid = 422, "The body or a header is not valid";
        Unavailable = 503, "Cannot answer right now; try again";
        Deadline = 504, "Took too long";
    }

    /// What a call that another server has to answer may answer besides the result.
    GatewayProblems {
        Malformed = 400, "The body is not JSON";
        Unauthenticated = 401, "No token, or a bad one";
        Forbidden = 403, "The permission is missing";
        TooLarge = 413, "The body is too large";
        MediaType = 415, "The body is not application/json";
        Invalid = 422, "The body is not valid, or was refused upstream";
        BadGateway = 502, "The server behind failed";
        Unavailable = 503, "No server behind, or it cannot be reached";
        Deadline = 504, "Took too long";
    }
}
