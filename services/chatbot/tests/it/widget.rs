use crate::support::World;

#[tokio::test]
async fn the_script_is_served_to_everybody_and_needs_nothing_inline() {
    let world = World::start().await;
    let script = world
        .chat
        .anonymous
        .get("/widget.js")
        .await
        .assert_status(200);
    assert_eq!(
        script.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    assert_eq!(script.header("cache-control"), Some("public, max-age=300"));
    let text = script.text();
    assert!(text.len() < 20_000, "{} bytes", text.len());
    for forbidden in [
        "innerHTML",
        "eval(",
        "document.write",
        "style=",
        "http://",
        "import ",
    ] {
        assert!(!text.contains(forbidden), "{forbidden}");
    }
    for wanted in [
        "aria-live",
        "aria-expanded",
        "'Escape'",
        "adoptedStyleSheets",
    ] {
        assert!(text.contains(wanted), "{wanted}");
    }
}

#[tokio::test]
async fn what_it_shows_needs_a_token() {
    let world = World::start().await;
    world
        .chat
        .anonymous
        .get("/api/widget/config")
        .await
        .assert_problem(401, "unauthenticated");
    let config = world.chat.acme.viewer.get("/api/widget/config").await;
    let config = config.assert_status(200).json();
    assert!(config["greeting"].as_str().unwrap().starts_with("Hello!"));
    assert_eq!(config["suggestions"].as_array().unwrap().len(), 3);
}
