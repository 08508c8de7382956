//! An application and a browser, as the tests of the provider need them.

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bz_testkit::{Role, Tenant, TestRequest, TestResponse};
use http::Method;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::support::{IdentityApp, PASSWORD, address};

pub(crate) const REDIRECT_URI: &str = "https://app.example.com/cb?kept=%2F";
pub(crate) const AFTER_LOGOUT: &str = "https://app.example.com/bye";
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const SCOPE: &str = "openid profile email offline_access";

/// An application that is registered in acme.
#[derive(Clone)]
pub(crate) struct Application {
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) secret: String,
}

impl Application {
    /// One with a secret in the form, and everything allowed.
    pub(crate) async fn register(app: &IdentityApp) -> Self {
        Self::with(app, json!({})).await
    }

    /// The same with other fields.
    pub(crate) async fn with(app: &IdentityApp, fields: Value) -> Self {
        let mut request = json!({
            "name": "Superset <&>", "redirect_uris": [REDIRECT_URI],
            "post_logout_redirect_uris": [AFTER_LOGOUT],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "client_secret_post",
            "allowed_scopes": ["openid", "profile", "email", "offline_access", "tenant:read", "leads:write"],
        });
        for (name, value) in fields.as_object().unwrap() {
            request[name] = value.clone();
        }
        let created = app.acme.owner.post("/api/oauth-clients", request).await;
        let created = created.assert_status(201).json();
        let text = |name: &str| created[name].as_str().unwrap_or_default().to_owned();
        Self {
            id: text("id"),
            client_id: text("client_id"),
            secret: text("client_secret"),
        }
    }

    /// A good request with parameters changed, added, or (with an empty value) left out.
    pub(crate) fn request(&self, changes: &[(&str, &str)]) -> String {
        let mut params = vec![
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", REDIRECT_URI),
            ("response_type", "code"),
            ("scope", SCOPE),
            ("state", "s&t"),
            ("nonce", "n1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        params.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        params.extend(changes.iter().filter(|(_, value)| !value.is_empty()));
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(params)
            .finish()
    }

    /// The fields by which a code is redeemed.
    pub(crate) fn redemption<'a>(&'a self, code: &'a str) -> Vec<(&'a str, &'a str)> {
        vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
            ("client_id", &self.client_id),
            ("client_secret", &self.secret),
        ]
    }

    /// Tokens for a user who is asked everything.
    pub(crate) async fn tokens(&self, app: &IdentityApp, email: &str) -> Value {
        let mut browser = Browser::new(app);
        let code = browser.code(&self.request(&[]), email).await;
        let answer = token(app, &self.redemption(&code)).await;
        answer.assert_status(200).json()
    }

    pub(crate) async fn refresh(
        &self,
        app: &IdentityApp,
        token: &Value,
        scope: &str,
    ) -> TestResponse {
        let fields = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token.as_str().unwrap()),
            ("scope", scope),
            ("client_id", &self.client_id),
            ("client_secret", &self.secret),
        ];
        self::token(app, &fields).await
    }
}

pub(crate) async fn token(app: &IdentityApp, fields: &[(&str, &str)]) -> TestResponse {
    post(app, "/oauth2/token", fields).await
}

pub(crate) async fn post(app: &IdentityApp, path: &str, fields: &[(&str, &str)]) -> TestResponse {
    app.anonymous.request(Method::POST, path).form(fields).await
}

/// A browser: it keeps cookies and can read forms.
pub(crate) struct Browser<'a> {
    app: &'a IdentityApp,
    pub(crate) cookies: Vec<(String, String)>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(app: &'a IdentityApp) -> Self {
        let cookies = Vec::new();
        Self { app, cookies }
    }

    pub(crate) async fn get(&mut self, path: &str) -> TestResponse {
        self.send(self.app.anonymous.get(path)).await
    }

    pub(crate) async fn post(&mut self, path: &str, fields: &[(String, String)]) -> TestResponse {
        let fields: Vec<_> = fields.iter().map(|(k, v)| (&**k, &**v)).collect();
        self.send(self.app.anonymous.request(Method::POST, path).form(&fields))
            .await
    }

    /// Fills in the form of a page and sends it.
    pub(crate) async fn submit(
        &mut self,
        page: &TestResponse,
        more: &[(&str, &str)],
    ) -> TestResponse {
        let (action, mut fields) = form(page);
        fields.retain(|(name, _)| !more.iter().any(|(changed, _)| changed == name));
        fields.extend(more.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        self.post(&action, &fields).await
    }

    pub(crate) async fn authorize(&mut self, request: &str) -> TestResponse {
        self.get(&format!("/oauth2/authorize?{request}")).await
    }

    /// Logs in at a page and answers what comes after it.
    pub(crate) async fn log_in(&mut self, page: &TestResponse, email: &str) -> TestResponse {
        let sent = self
            .submit(page, &[("email", email), ("password", PASSWORD)])
            .await;
        let next = sent.assert_status(303);
        self.get(next.header("location").unwrap()).await
    }

    /// Goes the whole way to a code.
    pub(crate) async fn code(&mut self, request: &str, email: &str) -> String {
        let mut page = self.authorize(request).await;
        if page.status == 200 && page.text().contains("name=\"password\"") {
            page = self.log_in(&page, email).await;
        }
        if page.status == 200 {
            page = self.submit(&page, &[("decision", "allow")]).await;
        }
        let location = location(&page.assert_status(303));
        location
            .get("code")
            .unwrap_or_else(|| panic!("no code: {location:?}"))
            .clone()
    }

    async fn send(&mut self, request: TestRequest) -> TestResponse {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        let answer = request.header("cookie", &cookies.join("; ")).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }
}

/// The parameters of the address that an answer leads to.
pub(crate) fn location(answer: &TestResponse) -> std::collections::BTreeMap<String, String> {
    let location = answer
        .header("location")
        .unwrap_or_else(|| panic!("{}", answer.describe()));
    assert!(location.starts_with(REDIRECT_URI), "{location}");
    let query = location.split_once('?').unwrap().1;
    form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

/// Where the form of a page goes, and its hidden fields.
pub(crate) fn form(page: &TestResponse) -> (String, Vec<(String, String)>) {
    let text = page.text();
    let between = |text: &str, start: &str| {
        let (_, rest) = text.split_once(start)?;
        Some(unescaped(rest.split('"').next()?))
    };
    let action = between(text, "action=\"").unwrap_or_else(|| panic!("{}", page.describe()));
    let hidden = text.split("<input type=\"hidden\" ").skip(1);
    let fields = hidden.map(|tag| {
        let name = between(tag, "name=\"").unwrap();
        (name, between(tag, "value=\"").unwrap())
    });
    (action, fields.collect())
}

fn unescaped(text: &str) -> String {
    text.replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
}

/// The claims of a JWT, unverified.
pub(crate) fn payload(token: &Value) -> Value {
    part(token.as_str().unwrap(), 1)
}

pub(crate) fn header(token: &Value) -> Value {
    part(token.as_str().unwrap(), 0)
}

fn part(token: &str, n: usize) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(n).unwrap());
    serde_json::from_slice(&bytes.unwrap()).unwrap()
}

/// The left half of a SHA-256, as `at_hash` is made.
pub(crate) fn half_hash(text: &str) -> String {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    URL_SAFE_NO_PAD.encode(&hash.as_ref()[..16])
}

/// An error that is shown to the user, and goes nowhere.
pub(crate) fn assert_page(answer: &TestResponse, what: &str) {
    assert_eq!(answer.status, 400, "{what}: {}", answer.describe());
    assert!(answer.header("location").is_none(), "{what}");
    assert!(
        answer.text().contains("<h1>This did not work</h1>"),
        "{what}"
    );
}

/// An error that the application is told.
pub(crate) fn assert_error(answer: &TestResponse, error: &str, what: &str) {
    assert_eq!(answer.status, 303, "{what}: {}", answer.describe());
    let sent = location(answer);
    assert_eq!(sent["error"], error, "{what}");
    assert_eq!(
        (&*sent["state"], &*sent["iss"]),
        ("s&t", "https://identity.test"),
        "{what}"
    );
    assert!(!sent.contains_key("code"), "{what}");
}

/// The address of the owner of acme.
pub(crate) fn owner() -> String {
    address(Tenant::Acme, Role::Owner)
}

/// A value that is a text.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The statuses of `/auth/me` and `/oauth2/userinfo` for a bearer token.
pub(crate) async fn statuses(app: &IdentityApp, bearer: &str) -> (u16, u16) {
    let client = app.anonymous.with_token(bearer);
    let me = client.get("/auth/me").await.status.as_u16();
    (me, client.get("/oauth2/userinfo").await.status.as_u16())
}

/// What introspection says of a token.
pub(crate) async fn introspect(app: &IdentityApp, client: &Application, token: &str) -> Value {
    let fields = [
        ("token", token),
        ("client_id", &client.client_id),
        ("client_secret", &client.secret),
    ];
    let answer = post(app, "/oauth2/introspect", &fields).await;
    answer.assert_status(200).json()
}
