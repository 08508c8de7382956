//! Requests to the service under test, in process, and their answers.

use std::{convert::Infallible, fmt::Write as _, net::IpAddr, pin::Pin};

use axum::body::Body;
use bytes::Bytes;
use bz_http::ClientIp;
use bz_kernel::{ExposeSecret, SecretString};
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tower::{ServiceExt, util::BoxCloneSyncService};

/// The whole service, layers included, as one function from request to response.
pub(crate) type Route = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// Somebody who calls the service: a user with a token, a sibling, or nobody in particular.
#[derive(Clone)]
pub struct Client {
    route: Route,
    token: Option<SecretString>,
}

impl Client {
    pub(crate) fn new(route: Route, token: Option<SecretString>) -> Self {
        Self { route, token }
    }

    /// The same service called with another token.
    #[must_use]
    pub fn with_token(&self, token: impl Into<SecretString>) -> Self {
        Self {
            route: self.route.clone(),
            token: Some(token.into()),
        }
    }

    /// The token that this client sends.
    #[must_use]
    pub fn token(&self) -> Option<&SecretString> {
        self.token.as_ref()
    }

    /// A `GET` request.
    pub fn get(&self, path: &str) -> TestRequest {
        self.request(Method::GET, path)
    }

    /// A `POST` request with a JSON body.
    pub fn post(&self, path: &str, body: impl Serialize) -> TestRequest {
        self.request(Method::POST, path).json(body)
    }

    /// A `PUT` request with a JSON body.
    pub fn put(&self, path: &str, body: impl Serialize) -> TestRequest {
        self.request(Method::PUT, path).json(body)
    }

    /// A `PATCH` request with a JSON body.
    pub fn patch(&self, path: &str, body: impl Serialize) -> TestRequest {
        self.request(Method::PATCH, path).json(body)
    }

    /// A `DELETE` request.
    pub fn delete(&self, path: &str) -> TestRequest {
        self.request(Method::DELETE, path)
    }

    /// A request without a body.
    ///
    /// # Panics
    /// When `path` cannot stand in a request.
    pub fn request(&self, method: Method, path: &str) -> TestRequest {
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().expect("a path that can stand in a request");
        let request = TestRequest {
            route: self.route.clone(),
            request,
        };
        match &self.token {
            Some(token) => request.header(
                "authorization",
                &format!("Bearer {}", token.expose_secret()),
            ),
            None => request,
        }
    }
}

/// A request that is sent when it is awaited.
#[must_use = "a request is sent when it is awaited"]
pub struct TestRequest {
    route: Route,
    request: Request<Body>,
}

impl TestRequest {
    /// Sets a header.
    ///
    /// # Panics
    /// When name or value cannot stand in a request.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name: HeaderName = name.parse().expect("a header's name");
        self.request
            .headers_mut()
            .insert(name, value.parse().expect("a header's value"));
        self
    }

    /// Comes from this address, as the server would see it; otherwise the service does not know where it comes from.
    pub fn from(mut self, peer: IpAddr) -> Self {
        self.request.extensions_mut().insert(ClientIp(peer));
        self
    }

    /// Sets a JSON body.
    ///
    /// # Panics
    /// When `body` does not serialise.
    pub fn json(self, body: impl Serialize) -> Self {
        let body = serde_json::to_vec(&body).expect("a body that serialises");
        self.body("application/json", body)
    }

    /// Sets the body of an HTML form.
    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        self.body("application/x-www-form-urlencoded", body.finish())
    }

    /// Sets any body.
    pub fn body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        *self.request.body_mut() = Body::from(body.into());
        self.header("content-type", content_type)
    }

    /// Sends the request and leaves the body of the answer unread, for streams.
    ///
    /// # Panics
    /// Never: the service answers every request.
    pub async fn stream(self) -> Response<Body> {
        match self.route.oneshot(self.request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// Sends the request and reads the body of a refusal only: a good answer may be a stream without end.
    pub(crate) async fn headed(self) -> TestResponse {
        let call = self.call();
        let (parts, body) = self.stream().await.into_parts();
        if parts.status.is_client_error() || parts.status.is_server_error() {
            let body = body
                .collect()
                .await
                .expect("the service ends its body")
                .to_bytes();
            return TestResponse {
                call,
                status: parts.status,
                headers: parts.headers,
                body,
            };
        }
        TestResponse {
            call,
            status: parts.status,
            headers: parts.headers,
            body: Bytes::new(),
        }
    }

    fn call(&self) -> String {
        let uri = self.request.uri().to_string();
        format!("{} {uri:.200}", self.request.method())
    }

    async fn send(self) -> TestResponse {
        let call = self.call();
        let (parts, body) = self.stream().await.into_parts();
        let body = body
            .collect()
            .await
            .expect("the service ends its body")
            .to_bytes();
        TestResponse {
            call,
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }
}

impl IntoFuture for TestRequest {
    type Output = TestResponse;
    type IntoFuture = Pin<Box<dyn Future<Output = TestResponse> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct TestResponse {
    call: String,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl TestResponse {
    /// The body as text.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none; the panic shows the answer.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> Value {
        self.parse()
    }

    /// The body as a type of the service.
    ///
    /// # Panics
    /// When it is none; the panic shows the answer.
    #[must_use]
    #[track_caller]
    pub fn parse<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{error} in the body of {}", self.describe()),
        }
    }

    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The `code` of a problem; `None` when the answer is no problem.
    #[must_use]
    pub fn problem_code(&self) -> Option<String> {
        let is_problem = self.header(header::CONTENT_TYPE.as_str())? == "application/problem+json";
        let problem: Value = serde_json::from_slice(&self.body)
            .ok()
            .filter(|_| is_problem)?;
        Some(problem.get("code")?.as_str()?.to_owned())
    }

    /// Asserts the status and answers itself.
    ///
    /// # Panics
    /// When the status is another; the panic shows the answer.
    #[track_caller]
    pub fn assert_status(self, status: u16) -> Self {
        assert!(
            self.status.as_u16() == status,
            "expected {status}: {}",
            self.describe()
        );
        self
    }

    /// Asserts that the answer is a problem with this status and code, and answers itself.
    ///
    /// # Panics
    /// When it is another; the panic shows the answer.
    #[track_caller]
    pub fn assert_problem(self, status: u16, code: &str) -> Self {
        let answer = self.assert_status(status);
        assert!(
            answer.problem_code().as_deref() == Some(code),
            "expected the problem {code}: {}",
            answer.describe()
        );
        answer
    }

    /// The whole answer, for a message.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = format!("{} answered {}", self.call, self.status);
        if !self.body.is_empty() {
            let _ = write!(text, ": {}", String::from_utf8_lossy(&self.body));
        }
        text
    }
}
