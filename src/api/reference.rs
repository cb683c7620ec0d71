//! The description of the REST API, for the reference page.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Json, PageClient};
use crate::domain::Problem;

/// A call of the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    pub group: String,
    pub method: String,
    pub path: String,
    pub title: String,
    pub words: String,
    /// Parameters of the address: name, type and meaning.
    pub parameters: Vec<Member>,
    /// The name of the body's type, or a media type.
    pub body: Option<String>,
    /// Status and its meaning, with the type of the response's body.
    pub answers: Vec<(String, String, Option<String>)>,
}

/// A member of a type, or a parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub name: String,
    pub kind: String,
    pub required: bool,
    pub words: String,
}

/// A type that bodies use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kind {
    pub name: String,
    pub words: String,
    pub members: Vec<Member>,
}

/// The whole API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    pub words: String,
    pub calls: Vec<Call>,
    pub kinds: Vec<Kind>,
}

/// The whole API, as described in `/api/v1/openapi.json`.
#[server(input = Json, output = Json, endpoint = "load_reference", client = PageClient)]
pub async fn load_reference() -> Result<Reference, Problem> {
    Ok(crate::http::reference())
}
