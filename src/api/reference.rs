//! The description of the REST API, for its page.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Json, PageClient};
use crate::domain::Problem;

/// One call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    pub group: String,
    pub method: String,
    pub path: String,
    pub title: String,
    pub words: String,
    /// What goes into the address: name, type and meaning.
    pub parameters: Vec<Member>,
    /// What goes into the body: the name of its type, or a media type.
    pub body: Option<String>,
    /// Status and what it means, with the type of the answer's body.
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

/// A type that bodies are made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kind {
    pub name: String,
    pub words: String,
    pub members: Vec<Member>,
}

/// All of the API.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    pub words: String,
    pub calls: Vec<Call>,
    pub kinds: Vec<Kind>,
}

/// All of the API, as `/api/v1/openapi.json` describes it.
#[server(input = Json, output = Json, endpoint = "load_reference", client = PageClient)]
pub async fn load_reference() -> Result<Reference, Problem> {
    Ok(crate::http::reference())
}
