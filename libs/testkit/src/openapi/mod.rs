//! The operations of an OpenAPI document, and requests made from it.

mod sample;

use http::Method;
use serde_json::{Map, Value};

pub use sample::sample;
pub(crate) use sample::type_of;

use crate::{Client, client::TestRequest};

/// An OpenAPI document as JSON, with its references followed.
#[derive(Clone, Debug)]
pub struct Document(Value);

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In a header or a cookie.
    Elsewhere,
}

/// A parameter of an operation.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub place: Place,
    /// Whether it must be given.
    pub required: bool,
    /// Its schema.
    pub schema: Value,
}

/// The body that an operation takes.
#[derive(Clone, Debug)]
pub struct RequestBody {
    /// Its first media type.
    pub content_type: String,
    /// A body that fits the schema.
    pub sample: Value,
    /// Its schema, references followed at the top.
    pub schema: Value,
}

/// One operation of the document.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The method.
    pub method: Method,
    /// The path with its parameters in braces.
    pub path: String,
    /// Parameters, those of the path in its order.
    pub parameters: Vec<Parameter>,
    /// The body.
    pub body: Option<RequestBody>,
    /// The permission that it asks for: the first scope of its bearer token.
    pub permission: Option<String>,
}

impl Document {
    /// Reads a document.
    ///
    /// # Panics
    /// When the document does not serialise.
    #[must_use]
    pub fn of(document: &utoipa::openapi::OpenApi) -> Self {
        Self(serde_json::to_value(document).expect("an OpenAPI document serialises"))
    }

    /// Every operation.
    #[must_use]
    pub fn operations(&self) -> Vec<Operation> {
        let mut operations = Vec::new();
        for (path, item) in self.0["paths"].as_object().into_iter().flatten() {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if let Some(method) = method_of(method) {
                    operations.push(self.operation(method, path, item, operation));
                }
            }
        }
        operations
    }

    /// Follows a `$ref`, if `value` is one.
    #[must_use]
    pub fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let pointer = value
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|target| target.strip_prefix('#'));
        match pointer.and_then(|pointer| self.0.pointer(pointer)) {
            Some(target) => self.resolve(target),
            None => value,
        }
    }

    fn operation(&self, method: Method, path: &str, item: &Value, operation: &Value) -> Operation {
        let all = [item, operation]
            .into_iter()
            .filter_map(|holder| holder["parameters"].as_array())
            .flatten();
        let mut parameters: Vec<Parameter> =
            all.map(|parameter| self.parameter(parameter)).collect();
        parameters.sort_by_key(|parameter| path.find(&format!("{{{}}}", parameter.name)));
        let body = operation
            .get("requestBody")
            .and_then(|body| self.body(self.resolve(body)));
        Operation {
            method,
            path: path.to_owned(),
            parameters,
            body,
            permission: permission(operation),
        }
    }

    fn parameter(&self, parameter: &Value) -> Parameter {
        let parameter = self.resolve(parameter);
        Parameter {
            name: parameter["name"].as_str().unwrap_or_default().to_owned(),
            place: match parameter["in"].as_str() {
                Some("path") => Place::Path,
                Some("query") => Place::Query,
                _ => Place::Elsewhere,
            },
            required: parameter["required"].as_bool().unwrap_or(false),
            schema: self.resolve(&parameter["schema"]).clone(),
        }
    }

    fn body(&self, body: &Value) -> Option<RequestBody> {
        let (content_type, media) = body["content"].as_object()?.iter().next()?;
        let schema = self.resolve(&media["schema"]);
        let sample = media
            .get("example")
            .cloned()
            .unwrap_or_else(|| sample(self, schema));
        Some(RequestBody {
            content_type: content_type.clone(),
            sample,
            schema: schema.clone(),
        })
    }
}

fn permission(operation: &Value) -> Option<String> {
    let requirements = operation["security"].as_array().into_iter().flatten();
    let mut scopes = requirements.filter_map(|requirement| requirement["bearer"].as_array());
    Some(scopes.next()?.first()?.as_str()?.to_owned())
}

fn method_of(name: &str) -> Option<Method> {
    match name {
        "get" => Some(Method::GET),
        "put" => Some(Method::PUT),
        "post" => Some(Method::POST),
        "delete" => Some(Method::DELETE),
        "patch" => Some(Method::PATCH),
        _ => None,
    }
}

impl Operation {
    /// `GET /api/leads/{id}`, as the lists of exceptions name it.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether it is meant to change something.
    #[must_use]
    pub fn changes_something(&self) -> bool {
        self.method != Method::GET
    }

    /// The parameters of the path, in its order.
    pub fn path_parameters(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters
            .iter()
            .filter(|parameter| parameter.place == Place::Path)
    }

    /// The path and the query with `values` in place of the path's parameters and with what the query requires.
    #[must_use]
    pub fn uri(&self, document: &Document, values: &[String]) -> String {
        let mut uri = self.path.clone();
        for (parameter, value) in self.path_parameters().zip(values) {
            uri = uri.replace(&format!("{{{}}}", parameter.name), value);
        }
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for parameter in self
            .parameters
            .iter()
            .filter(|it| it.place == Place::Query && it.required)
        {
            query.append_pair(
                &parameter.name,
                &as_text(&sample(document, &parameter.schema)),
            );
        }
        let query = query.finish();
        if query.is_empty() {
            uri
        } else {
            format!("{uri}?{query}")
        }
    }

    /// A request with a body that fits.
    pub(crate) fn request(&self, client: &Client, uri: &str) -> TestRequest {
        let request = client.request(self.method.clone(), uri);
        match &self.body {
            Some(body) => request.body(&body.content_type, body.encode(&body.sample)),
            None => request,
        }
    }

    /// Values for the path's parameters that fit their schemas; ids of things that do not exist.
    #[must_use]
    pub fn sample_path(&self, document: &Document) -> Vec<String> {
        self.path_parameters()
            .map(|parameter| as_text(&sample(document, &parameter.schema)))
            .collect()
    }
}

impl RequestBody {
    /// The properties of the schema.
    #[must_use]
    pub fn properties(&self) -> Map<String, Value> {
        self.schema["properties"]
            .as_object()
            .cloned()
            .unwrap_or_default()
    }

    /// The sample as the bytes of the media type.
    #[must_use]
    pub fn encode(&self, value: &Value) -> Vec<u8> {
        if self.content_type != "application/x-www-form-urlencoded" {
            return value.to_string().into_bytes();
        }
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in value.as_object().into_iter().flatten() {
            form.append_pair(name, &as_text(value));
        }
        form.finish().into_bytes()
    }
}

fn as_text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}
