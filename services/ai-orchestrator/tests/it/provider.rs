//! A provider, and the service that asks it.

use std::ops::Deref;

use ai_orchestrator::AiOrchestrator;
use bz_testkit::{TestApp, TestAppBuilder};

pub(crate) use bz_testkit::{Act, Seen};

/// A running provider; gone when dropped.
pub(crate) struct Provider(bz_testkit::Provider);

impl Deref for Provider {
    type Target = bz_testkit::Provider;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Provider {
    pub(crate) async fn start(script: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        Self(bz_testkit::Provider::start(script).await)
    }

    pub(crate) async fn scripted(script: impl Fn(&Seen) -> Act + Send + Sync + 'static) -> Self {
        Self(bz_testkit::Provider::scripted(script).await)
    }

    pub(crate) async fn that(act: Act) -> Self {
        Self(bz_testkit::Provider::that(act).await)
    }

    pub(crate) async fn obliging() -> Self {
        Self(bz_testkit::Provider::obliging().await)
    }

    /// The service with this provider.
    pub(crate) fn app(&self) -> TestAppBuilder<AiOrchestrator> {
        TestApp::builder()
            .env("LLM_BASE_URL", format!("http://{}", self.address()))
            .env("LLM_MODEL", "smollm2-135m")
    }
}
