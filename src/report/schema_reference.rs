//! The result file's format as a page for readers, made from the JSON Schema, so that it cannot say something else.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The page, as Markdown.
pub fn schema_reference(schema: &Value) -> String {
    let none = Map::new();
    let definitions = schema["$defs"].as_object().unwrap_or(&none);
    let mut page = String::from(
        "# The result file, field by field\n\n\
         Made by `perwatt schema --markdown`; do not edit. [../results/README.md](../results/README.md) says how to read a \
         record.\n\nA value that was not measured is [Unmeasured](#unmeasured) in its place: never zero, never left out. \
         Units stand in the fields' names.\n\n## Record\n\n",
    );
    page += &described(schema, definitions);
    for (name, definition) in definitions {
        if !is_choice(definition) {
            let _ = write!(
                page,
                "\n## {name}\n\n{}",
                described(definition, definitions)
            );
        }
    }
    page
}

/// Whether a definition only says that a value is one of several others, which is said where it is used.
fn is_choice(definition: &Value) -> bool {
    definition.get("anyOf").is_some()
}

/// A definition: what it is, its fields, its variants.
fn described(definition: &Value, definitions: &Map<String, Value>) -> String {
    let mut text = description(definition);
    if !text.is_empty() {
        text += "\n\n";
    }
    if definition.get("properties").is_some() {
        text += &fields(definition, definitions);
    }
    let variants = definition["oneOf"].as_array();
    for variant in variants.into_iter().flatten() {
        text += &described_variant(variant, definitions);
    }
    text
}

/// One variant of a definition, by the word that marks it.
fn described_variant(variant: &Value, definitions: &Map<String, Value>) -> String {
    let words = variant["enum"].as_array().into_iter().flatten();
    let words: Vec<String> = words.chain(variant.get("const")).map(code).collect();
    if !words.is_empty() {
        return format!("- {}: {}\n", words.join(", "), description(variant));
    }
    let none = Map::new();
    let properties = variant["properties"].as_object().unwrap_or(&none);
    let marks = properties
        .iter()
        .filter_map(|(name, field)| field.get("const").map(|mark| (name, mark)));
    let marks: Vec<String> = marks
        .map(|(name, mark)| format!("`{name}` = {}", code(mark)))
        .collect();
    let title = match (marks.is_empty(), properties.keys().next()) {
        (false, _) => marks.join(", "),
        (true, Some(first)) => format!("with `{first}`"),
        (true, None) => type_of(variant, definitions),
    };
    let mut text = format!("- {title}: {}\n", description(variant));
    let others = properties
        .iter()
        .filter(|(_, field)| field.get("const").is_none());
    for (name, field) in others {
        let _ = writeln!(
            text,
            "  - `{name}`: {}{}",
            type_of(field, definitions),
            after_dash(&description(field))
        );
    }
    text
}

/// The fields of an object as a table.
fn fields(definition: &Value, definitions: &Map<String, Value>) -> String {
    let mut text = String::from("| field | type | |\n|---|---|---|\n");
    let required: Vec<&str> = definition["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, field) in definition["properties"].as_object().into_iter().flatten() {
        let optional = if required.contains(&name.as_str()) {
            ""
        } else {
            ", optional"
        };
        let _ = writeln!(
            text,
            "| `{name}` | {}{optional} | {} |",
            type_of(field, definitions),
            description(field).replace('|', "\\|")
        );
    }
    text + "\n"
}

/// What a value may be, in words.
fn type_of(schema: &Value, definitions: &Map<String, Value>) -> String {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|path| path.rsplit('/').next())
    {
        return match definitions.get(name) {
            Some(choice) if is_choice(choice) => type_of(choice, definitions),
            _ => format!("[{name}](#{})", name.to_lowercase()),
        };
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let choices: Vec<String> = choices
            .iter()
            .map(|choice| type_of(choice, definitions))
            .collect();
        return choices.join(" or ");
    }
    if let Some(constant) = schema.get("const") {
        return code(constant);
    }
    match &schema["type"] {
        Value::String(name) if name == "array" => {
            format!("list of {}", type_of(&schema["items"], definitions))
        }
        Value::String(name) if name == "object" => match schema.get("additionalProperties") {
            Some(values) if values.is_object() => {
                format!("object of {}", type_of(values, definitions))
            }
            _ => "object".to_owned(),
        },
        Value::String(name) => name.clone(),
        Value::Array(names) => {
            let names: Vec<&str> = names.iter().filter_map(Value::as_str).collect();
            names.join(" or ")
        }
        _ => "any value".to_owned(),
    }
}

fn description(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn after_dash(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!("; {text}")
    }
}

fn code(value: &Value) -> String {
    match value.as_str() {
        Some(word) => format!("`{word}`"),
        None => format!("`{value}`"),
    }
}
