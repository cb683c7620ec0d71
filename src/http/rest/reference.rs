//! The OpenAPI description in a flat form, for the reference page.

use serde_json::Value;

use super::openapi;
use crate::api::{Call, Kind, Member, Reference};

/// All calls and types, in the description's order.
pub(in crate::http) fn reference() -> Reference {
    let api = serde_json::to_value(openapi::describe()).unwrap_or_default();
    let mut calls = Vec::new();
    for (path, item) in members(&api["paths"]) {
        for method in ["get", "post", "patch", "delete"] {
            if let Some(operation) = item.get(method) {
                calls.push(call(method, path, operation));
            }
        }
    }
    calls.sort_by_key(|call| openapi::GROUPS.iter().position(|group| *group == call.group));
    let kinds = members(&api["components"]["schemas"]).map(|(name, schema)| kind_of(name, schema)).collect();
    Reference { words: text(&api["info"]["description"]), calls, kinds }
}

fn members(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn call(method: &str, path: &str, operation: &Value) -> Call {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let body = members(&operation["requestBody"]["content"]).next();
    let answers = members(&operation["responses"]).map(|(status, answer)| {
        let body = members(&answer["content"]).next();
        (status.clone(), text(&answer["description"]), body.map(|(media, body)| body_name(media, body)))
    });
    Call {
        group: text(&operation["tags"][0]),
        method: method.to_uppercase(),
        path: path.to_owned(),
        title: text(&operation["summary"]),
        words: text(&operation["description"]),
        parameters: parameters
            .map(|parameter| Member {
                name: text(&parameter["name"]),
                kind: type_name(&parameter["schema"]),
                required: parameter["required"] == Value::Bool(true),
                words: text(&parameter["description"]),
            })
            .collect(),
        body: body.map(|(media, body)| body_name(media, body)),
        answers: answers.collect(),
    }
}

fn body_name(media: &str, body: &Value) -> String {
    match type_name(&body["schema"]) {
        name if media.ends_with("json") => name,
        _ => media.to_owned(),
    }
}

fn kind_of(name: &str, schema: &Value) -> Kind {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let properties = members(&schema["properties"]).map(|(name, property)| Member {
        name: name.clone(),
        kind: type_name(property),
        required: required.iter().any(|other| other == name),
        words: text(&property["description"]),
    });
    let mut words = text(&schema["description"]);
    if schema["enum"].is_array() {
        words = [words, type_name(schema)].join(" ").trim().to_owned();
    }
    Kind { name: name.to_owned(), words, members: properties.collect() }
}

/// A short name of a type.
fn type_name(schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        return reference.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(|word| word.to_string()).collect::<Vec<_>>().join(" | ");
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        if let Some(schemas) = schema[choice].as_array() {
            return schemas.iter().map(type_name).collect::<Vec<_>>().join(" | ");
        }
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | "),
        kind => text(kind),
    };
    match (kind.as_str(), schema["format"].as_str()) {
        ("array", _) => format!("list of {}", type_name(&schema["items"])),
        (_, Some(format)) if kind.starts_with("string") => kind.replacen("string", format, 1),
        _ => kind,
    }
}
