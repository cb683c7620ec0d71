//! The REST API, `/api/v1`: the same use cases as pages and sockets, for programs.

pub(super) mod attachments;
pub(super) mod conversations;
pub(super) mod messages;
pub(super) mod openapi;
pub(super) mod push;
pub(super) mod reference;
pub(super) mod requests;

use std::{fmt, marker::PhantomData, net::IpAddr};

use axum::{
    Extension,
    extract::{FromRequest, FromRequestParts, Path, Query, Request, rejection::JsonRejection},
    http::{StatusCode, request::Parts},
    response::Response,
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::{Asker, error};
use crate::{
    domain::{Actor, Code, Problem},
    locales::{self, t},
    service::Service,
};

/// An authenticated actor, and the service.
pub(super) struct SignedIn {
    pub service: std::sync::Arc<Service>,
    pub actor: Actor,
    /// The client's address.
    pub address: IpAddr,
}

impl<S: Send + Sync> FromRequestParts<S> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Extension(asker) =
            Extension::<Asker>::from_request_parts(parts, state).await.map_err(|_| Problem::unavailable())?;
        let address = asker.address;
        let (service, actor) = asker.require()?;
        Ok(Self { service, actor, address })
    }
}

/// A JSON body; an invalid one is answered with a problem.
pub(super) struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Json::<Object<T>>::from_request(request, state).await {
            Ok(axum::Json(Object(body))) => Ok(Self(body)),
            Err(JsonRejection::BytesRejection(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(Problem::new(Code::TooLarge, t!(locales::current(), api::BODY_TOO_LARGE)))
            }
            Err(rejection) => {
                Err(Problem::new(Code::Invalid, t!(locales::current(), api::body(&rejection.body_text()))))
            }
        }
    }
}

/// Accepts a JSON object only. `serde` also accepts an array of the members in the order of their declaration. The
/// next version would give such an array another meaning.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members))
            }
        }

        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

/// The id in the path. An invalid id is answered with 404.
pub(super) struct Id<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(id) = Path::from_request_parts(parts, state).await.map_err(|_| Problem::not_found())?;
        Ok(Self(id))
    }
}

/// The query string.
pub(super) struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(rejection) => {
                Err(Problem::new(Code::Invalid, t!(locales::current(), api::query(&rejection.body_text()))))
            }
        }
    }
}

pub(super) async fn not_found() -> Problem {
    Problem::not_found()
}

pub(super) async fn method_not_allowed() -> Response {
    let problem = Problem::forbidden(t!(locales::current(), api::METHOD));
    error::answer(problem, StatusCode::METHOD_NOT_ALLOWED)
}
