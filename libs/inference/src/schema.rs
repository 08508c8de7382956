//! A JSON schema as what may be written: a graph of nodes, without spaces between the parts, the members of an object in
//! the order in which the schema lists them. Bounds of numbers, patterns and formats are left to whoever reads the answer.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::Error;

/// The longest text where the schema has no limit: a small model would go on for ever.
const MAX_TEXT: u32 = 400;
/// The longest list where the schema has no limit.
const MAX_ITEMS: u32 = 32;
/// How deep a value may be of which the schema says nothing.
const MAX_DEPTH: u32 = 3;
/// Nodes of a schema; a larger one is refused.
const MAX_NODES: usize = 20_000;

/// Place of a node in the graph.
pub(crate) type Id = usize;

/// What may be written at one place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// Exactly this.
    Exact(Vec<u8>),
    /// One of these.
    Any(Vec<Id>),
    /// A text of so many characters, in quotes.
    Text { least: u32, most: u32 },
    /// A number, perhaps a whole one.
    Number { whole: bool },
    /// A list of so many.
    List { item: Id, least: u32, most: u32 },
    /// An object with these members: name with its colon, value, whether it must be there.
    Object(Vec<(Vec<u8>, Id, bool)>),
    /// An object with members of any name.
    Table { value: Id, most: u32 },
}

/// The graph.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) nodes: Vec<Node>,
    pub(crate) root: Id,
}

impl Schema {
    /// Reads a schema.
    ///
    /// # Errors
    /// [`Error::Schema`] for one that cannot be followed.
    pub(crate) fn read(schema: &Value) -> Result<Self, Error> {
        let mut reader = Reader {
            document: schema,
            nodes: Vec::new(),
            known: HashMap::new(),
        };
        let root = reader.node(schema)?;
        let nodes = reader.nodes;
        Ok(Self { nodes, root })
    }
}

struct Reader<'a> {
    document: &'a Value,
    nodes: Vec<Node>,
    /// Nodes of what is referred to, also while it is being read: a schema may contain itself.
    known: HashMap<&'a str, Id>,
}

fn wrong(message: impl Into<String>) -> Error {
    Error::Schema(message.into())
}

impl<'a> Reader<'a> {
    fn add(&mut self, node: Node) -> Result<Id, Error> {
        if self.nodes.len() >= MAX_NODES {
            return Err(wrong("it is too large"));
        }
        self.nodes.push(node);
        Ok(self.nodes.len() - 1)
    }

    fn exactly(&mut self, value: &Value) -> Result<Id, Error> {
        self.add(Node::Exact(value.to_string().into_bytes()))
    }

    fn node(&mut self, schema: &'a Value) -> Result<Id, Error> {
        let schema = match schema {
            Value::Bool(true) => return self.anything(MAX_DEPTH),
            Value::Object(schema) => schema,
            _ => return Err(wrong("a schema must be an object")),
        };
        for unknown in ["not", "if", "dependentSchemas", "patternProperties"] {
            if schema.contains_key(unknown) {
                return Err(wrong(format!("{unknown} is not known")));
            }
        }
        if let Some(Value::String(pointer)) = schema.get("$ref") {
            return self.reference(pointer);
        }
        if let Some(value) = schema.get("const") {
            return self.exactly(value);
        }
        if let Some(Value::Array(values)) = schema.get("enum") {
            let values = values.iter().map(|value| self.exactly(value));
            let values = values.collect::<Result<_, _>>()?;
            return self.add(Node::Any(values));
        }
        for choice in ["anyOf", "oneOf", "allOf"] {
            if let Some(Value::Array(schemas)) = schema.get(choice) {
                if choice == "allOf" && schemas.len() != 1 {
                    return Err(wrong("allOf of several is not known"));
                }
                let nodes = schemas.iter().map(|schema| self.node(schema));
                let nodes = nodes.collect::<Result<_, _>>()?;
                return self.add(Node::Any(nodes));
            }
        }
        self.typed(schema)
    }

    fn typed(&mut self, schema: &'a Map<String, Value>) -> Result<Id, Error> {
        match schema.get("type") {
            Some(Value::String(kind)) => self.of_type(kind, schema),
            Some(Value::Array(kinds)) => {
                let kinds = kinds.iter().filter_map(Value::as_str);
                let nodes = kinds.map(|kind| self.of_type(kind, schema));
                let nodes = nodes.collect::<Result<_, _>>()?;
                self.add(Node::Any(nodes))
            }
            None if schema.contains_key("properties") => self.of_type("object", schema),
            None => self.anything(MAX_DEPTH),
            Some(_) => Err(wrong("type must be a text or a list")),
        }
    }

    fn of_type(&mut self, kind: &str, schema: &'a Map<String, Value>) -> Result<Id, Error> {
        let limit = |name: &str, otherwise: u32| {
            let limit = schema.get(name).and_then(Value::as_u64);
            limit.map_or(otherwise, |limit| u32::try_from(limit).unwrap_or(u32::MAX))
        };
        match kind {
            "string" => {
                let least = limit("minLength", 0);
                let most = limit("maxLength", MAX_TEXT.max(least));
                self.add(Node::Text { least, most })
            }
            "integer" => self.add(Node::Number { whole: true }),
            "number" => self.add(Node::Number { whole: false }),
            "null" => self.exactly(&Value::Null),
            "boolean" => {
                let values = [
                    self.exactly(&Value::Bool(true))?,
                    self.exactly(&Value::Bool(false))?,
                ];
                self.add(Node::Any(values.to_vec()))
            }
            "array" => {
                let item = match schema.get("items") {
                    Some(item) => self.node(item)?,
                    None => self.anything(MAX_DEPTH - 1)?,
                };
                let least = limit("minItems", 0);
                let most = limit("maxItems", MAX_ITEMS.max(least));
                self.add(Node::List { item, least, most })
            }
            "object" => self.object(schema),
            other => Err(wrong(format!("unrecognized type {other:.40}"))),
        }
    }

    fn object(&mut self, schema: &'a Map<String, Value>) -> Result<Id, Error> {
        let required = schema.get("required").and_then(Value::as_array);
        let is_required =
            |name: &str| required.is_some_and(|names| names.iter().any(|other| other == name));
        match schema.get("properties") {
            Some(Value::Object(properties)) if !properties.is_empty() => {
                let mut members = Vec::with_capacity(properties.len());
                for (name, property) in properties {
                    let written = format!("{}:", Value::from(name.as_str()));
                    members.push((
                        written.into_bytes(),
                        self.node(property)?,
                        is_required(name),
                    ));
                }
                self.add(Node::Object(members))
            }
            _ => match schema.get("additionalProperties") {
                Some(Value::Bool(false)) => self.add(Node::Exact(b"{}".to_vec())),
                Some(value @ Value::Object(_)) => {
                    let value = self.node(value)?;
                    self.add(Node::Table {
                        value,
                        most: MAX_ITEMS,
                    })
                }
                _ => {
                    let value = self.anything(MAX_DEPTH - 1)?;
                    self.add(Node::Table {
                        value,
                        most: MAX_ITEMS,
                    })
                }
            },
        }
    }

    fn reference(&mut self, pointer: &'a str) -> Result<Id, Error> {
        if let Some(id) = self.known.get(pointer) {
            return Ok(*id);
        }
        let place = pointer.strip_prefix('#');
        let schema = place.and_then(|place| self.document.pointer(place));
        let schema = schema.ok_or_else(|| wrong(format!("nothing at {pointer:.80}")))?;
        let id = self.add(Node::Any(Vec::new()))?;
        self.known.insert(pointer, id);
        let target = self.node(schema)?;
        self.nodes[id] = Node::Any(vec![target]);
        Ok(id)
    }

    /// Any value, so deep at most.
    fn anything(&mut self, depth: u32) -> Result<Id, Error> {
        let mut nodes = vec![
            self.add(Node::Text {
                least: 0,
                most: MAX_TEXT,
            })?,
            self.add(Node::Number { whole: false })?,
            self.exactly(&Value::Bool(true))?,
            self.exactly(&Value::Bool(false))?,
            self.exactly(&Value::Null)?,
        ];
        if let Some(depth) = depth.checked_sub(1) {
            let inner = self.anything(depth)?;
            let (least, most) = (0, MAX_ITEMS);
            nodes.push(self.add(Node::List {
                item: inner,
                least,
                most,
            })?);
            nodes.push(self.add(Node::Table { value: inner, most })?);
        }
        self.add(Node::Any(nodes))
    }
}
