//! Routes that cannot be mounted without their documentation, which is put together only when somebody asks for it: a service
//! that starts and serves builds no OpenAPI document, which would cost it more memory than all the rest.

use std::{collections::BTreeMap, convert::Infallible};

use axum::{
    Router,
    extract::Request,
    handler::Handler,
    response::IntoResponse,
    routing::{MethodFilter, MethodRouter, Route},
};
use tower::{Layer, Service};
use utoipa::openapi::{HttpMethod, OpenApi};
use utoipa_axum::{
    PathItemExt,
    router::{OpenApiRouter, UtoipaMethodRouter},
};

pub use crate::routes;
#[doc(hidden)]
pub use utoipa_axum;

/// What makes the documentation of the operations of one path.
type Documented<S> = fn() -> UtoipaMethodRouter<S>;

/// The operations of one path, as [`routes!`](crate::routes!) makes them from their handlers.
pub struct PathRoutes<S> {
    path: String,
    methods: MethodRouter<S>,
    documented: Documented<S>,
}

impl<S: Clone + Send + Sync + 'static> PathRoutes<S> {
    /// No operation yet.
    #[must_use]
    pub fn new(documented: Documented<S>) -> Self {
        Self {
            path: String::new(),
            methods: MethodRouter::new(),
            documented,
        }
    }

    /// Adds the handler of an operation.
    ///
    /// # Panics
    /// When the others have another path or one of them has its method.
    #[must_use]
    pub fn on<H, T>(mut self, path: String, methods: &[HttpMethod], handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        assert!(
            self.path.is_empty() || self.path == path,
            "{path} among the operations of {}",
            self.path
        );
        self.path = path;
        let filters = methods.iter().map(PathItemExt::to_method_filter);
        if let Some(filter) = filters.reduce(MethodFilter::or) {
            self.methods = self.methods.on(filter, handler);
        }
        self
    }
}

/// A [`Router`], and what makes the documentation of its routes.
#[must_use]
pub struct Routes<S = ()> {
    router: Router<S>,
    documented: Vec<Documented<S>>,
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    /// None yet.
    pub fn new() -> Self {
        Self {
            router: Router::new(),
            documented: Vec::new(),
        }
    }

    /// Adds the operations of a path.
    pub fn routes(mut self, routes: PathRoutes<S>) -> Self {
        self.router = self.router.route(&routes.path, routes.methods);
        self.documented.push(routes.documented);
        self
    }

    /// Adds a route without documentation.
    pub fn route(mut self, path: &str, methods: MethodRouter<S>) -> Self {
        self.router = self.router.route(path, methods);
        self
    }

    /// Adds all of the other.
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        self.documented.extend(other.documented);
        self
    }

    /// Puts a layer around all that was added so far.
    pub fn layer<L>(mut self, layer: L) -> Self
    where
        L: Layer<Route> + Clone + Send + Sync + 'static,
        L::Service: Service<Request> + Clone + Send + Sync + 'static,
        <L::Service as Service<Request>>::Response: IntoResponse + 'static,
        <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
        <L::Service as Service<Request>>::Future: Send + 'static,
    {
        self.router = self.router.layer(layer);
        self
    }

    /// The routes alone.
    pub fn into_router(self) -> Router<S> {
        self.router
    }

    /// The document of the routes, beginning with what all of them share.
    ///
    /// # Panics
    /// When two types with the same name are documented: a reader could not tell them apart.
    pub fn document(&self, base: OpenApi) -> OpenApi {
        let mut document = OpenApiRouter::with_openapi(base);
        let mut known = BTreeMap::new();
        for documented in &self.documented {
            let routes = documented();
            for (name, schema) in &routes.0 {
                let other = known.insert(name.clone(), schema.clone());
                let same = other.is_none_or(|other| other == *schema);
                assert!(same, "two types are called {name}");
            }
            document = document.routes(routes);
        }
        document.into_openapi()
    }
}

/// The operations of one path from handlers that have a `#[utoipa::path]`.
#[macro_export]
macro_rules! routes {
    ($($handler:path),+ $(,)?) => {
        $crate::routing::PathRoutes::new(|| $crate::routing::utoipa_axum::routes!($($handler),+))
            $(.on(
                $crate::routes!(@path() of $handler),
                &$crate::routes!(@methods() of $handler),
                $handler,
            ))+
    };
    (@$what:ident() of $handler:path) => {
        $crate::routing::utoipa_axum::paste! {
            $crate::routing::utoipa_axum::routes!(@path [$what()] of $handler)
        }
    };
}
