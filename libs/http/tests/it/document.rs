//! `docs/errors.md` says what the code says.

use std::fmt::Write;
use std::path::Path;

use bz_http::problem::CODES;

const HEAD: &str = "# Errors

<!-- Made from libs/http/src/problem/codes.rs by the test the_list_of_errors_is_the_one_in_the_code; BLESS=1 writes it. -->

Every error is a problem document (RFC 9457) with the media type `application/problem+json`:

```json
{
  \"type\": \"/problems/validation_failed\",
  \"title\": \"What was sent is not valid\",
  \"status\": 422,
  \"code\": \"validation_failed\",
  \"instance\": \"/api/leads\",
  \"request_id\": \"019cadd1-2a80-7c3e-9b1f-0f5e0d6c7a11\",
  \"errors\": [{ \"pointer\": \"/email\", \"code\": \"required\", \"message\": \"missing field `email`\" }]
}
```

- Programs look at `code`, which never changes. `title`, `detail` and `message` are for people and may.
- An entry of `errors` has a `pointer` into the body (RFC 6901), or the name of a `parameter` or header.
- `request_id` is also in the header `X-Request-Id` and in the log line, which has the cause. A 5xx never tells it.
- 401 comes with `WWW-Authenticate`, 405 with `Allow`, 412 with the current `ETag`, 503 with `Retry-After`.

Any endpoint may answer the problems below; a service's own codes are in its OpenAPI document.

| status | code | meaning | what to do |
| --- | --- | --- | --- |
";

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "BLESS is a switch of the test run, no configuration"
)]
fn the_list_of_errors_is_the_one_in_the_code() {
    let mut current = HEAD.to_owned();
    for code in CODES {
        let (status, name) = (code.status.as_u16(), code.code);
        writeln!(
            current,
            "| {status} | `{name}` | {} | {} |",
            code.title, code.remedy
        )
        .unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    if std::env::var("BLESS").is_ok_and(|value| value == "1") {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == current,
        "docs/errors.md is behind: run this test with BLESS=1"
    );
}
