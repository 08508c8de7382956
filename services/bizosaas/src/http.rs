//! The HTTP client of commands that call the services from outside.

use std::time::Duration;

use reqwest::{Client, redirect::Policy};

/// A client for addresses that the operator names: no proxy of the environment, no redirects.
pub(crate) fn client(timeout: Duration) -> reqwest::Result<Client> {
    Client::builder()
        .timeout(timeout)
        .tcp_nodelay(true)
        .no_proxy()
        .redirect(Policy::none())
        .build()
}
