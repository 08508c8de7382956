//! A service as small as one can be, for the tests that need a real process. It borrows the schema of the CRM.

use std::convert::Infallible;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::routing::{get, post};
use bz_http::{Json, Problem};
use bz_kernel::{ServiceInfo, platform};
use bz_service::config::{Config, Env};
use bz_service::{App, Core, Job, Service};
use utoipa::openapi::{OpenApi, OpenApiBuilder};

struct Fixture;

#[derive(Debug, Clone)]
struct Settings {
    fail_job: Option<String>,
}

impl Config for Settings {
    fn read(env: &mut Env) -> Option<Self> {
        let fail_job = env
            .text("FIXTURE_FAIL_JOB", "How the job ends: error or panic.")
            .optional();
        Some(Self {
            fail_job: fail_job?,
        })
    }
}

impl Service for Fixture {
    const INFO: &'static ServiceInfo = &platform::CRM;
    type Config = Settings;

    fn openapi() -> OpenApi {
        OpenApiBuilder::new().build()
    }

    async fn build(core: Core, config: Settings) -> anyhow::Result<App> {
        let router = Router::new()
            .route("/api/ping", get(|| async { Json("pong") }))
            .route("/api/slow", get(slow))
            .route("/api/stream", get(stream))
            .route("/api/database", get(database))
            .route("/api/panic", get(panics))
            .route("/api/echo", post(|body: Bytes| async move { body }))
            .with_state(core);
        let job = Job::new("fixture", move |stop| async move {
            match config.fail_job.as_deref() {
                Some("panic") => panic!("as told"),
                Some(_) => anyhow::bail!("as told"),
                None => stop.cancelled().await,
            }
            Ok(())
        });
        Ok(App::new(router).with_job(job))
    }
}

async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_millis(500)).await;
    "done"
}

/// Sends a byte at a time until the service stops.
async fn stream(State(core): State<Core>) -> Body {
    let ticks = futures_util::stream::unfold(core.shutdown.clone(), |shutdown| async {
        tokio::select! {
            () = shutdown.cancelled() => None,
            () = tokio::time::sleep(Duration::from_millis(20)) => Some((Ok::<_, Infallible>("."), shutdown)),
        }
    });
    Body::from_stream(ticks)
}

async fn database(State(core): State<Core>) -> Result<Json<&'static str>, Problem> {
    core.db.ping().await?;
    Ok(Json("answers"))
}

async fn panics() -> &'static str {
    panic!("as told")
}

fn main() -> ExitCode {
    bz_service::main::<Fixture>()
}
