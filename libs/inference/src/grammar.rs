//! Answers that follow a JSON schema: which bytes can come next, of all ways in which the answer so far can be read.

use serde_json::Value;

use crate::{
    Error,
    schema::{Id, Node, Schema},
};

/// Digits of a number.
const MAX_DIGITS: u8 = 15;
/// Ways to read an answer that are followed at a time, and steps of one; a schema that needs more is not followed.
const MAX_WAYS: usize = 4096;

/// What is still to be written, the next last.
type Way = Vec<Item>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Item {
    /// Whatever the node says.
    Node(Id),
    /// The rest of an exact text.
    Exact(Id, usize),
    /// The name of a member, from a byte on.
    Name(Id, usize, usize),
    /// One byte.
    Byte(u8),
    /// Within a text, with what it may still have.
    Text {
        least: u32,
        most: u32,
        inside: Inside,
    },
    /// Within a number.
    Number { whole: bool, digits: u8, at: Digit },
    /// After so many items of a list or members of a table.
    More(Id, u32),
    /// Before a member of an object; whether one was written already.
    Member(Id, usize, bool),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Inside {
    Plain,
    /// After a backslash.
    Escape,
    /// Within a letter of several bytes: how many are missing.
    Letter(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Digit {
    Start,
    Minus,
    Zero,
    Whole,
    Point,
    Fraction,
}

/// The state of one answer.
#[derive(Debug)]
pub(crate) struct Grammar {
    schema: Schema,
    ways: Vec<Way>,
}

impl Grammar {
    /// The grammar of a schema, before the first byte.
    pub(crate) fn new(schema: &Value) -> Result<Self, Error> {
        let schema = Schema::read(schema)?;
        let root = schema.root;
        let mut grammar = Self {
            schema,
            ways: Vec::new(),
        };
        grammar.ways = grammar.opened(vec![vec![Item::Node(root)]]);
        if grammar.ways.is_empty() {
            return Err(Error::Schema("nothing follows it".to_owned()));
        }
        Ok(grammar)
    }

    /// Whether nothing can follow.
    pub(crate) fn is_complete(&self) -> bool {
        self.ways.iter().all(Vec::is_empty)
    }

    /// Whether it may end here.
    pub(crate) fn may_end(&self) -> bool {
        self.ways.iter().any(Vec::is_empty)
    }

    /// Whether these bytes can follow.
    pub(crate) fn allows(&self, bytes: &[u8]) -> bool {
        self.after(bytes).is_some()
    }

    /// Goes on with bytes that can follow.
    pub(crate) fn accept(&mut self, bytes: &[u8]) {
        if let Some(ways) = self.after(bytes) {
            self.ways = ways;
        }
    }

    fn after(&self, bytes: &[u8]) -> Option<Vec<Way>> {
        let (first, rest) = bytes.split_first()?;
        let mut ways = self.step(&self.ways, *first);
        for byte in rest {
            ways = self.step(&ways, *byte);
        }
        (!ways.is_empty()).then_some(ways)
    }

    fn step(&self, ways: &[Way], byte: u8) -> Vec<Way> {
        let next = ways.iter().filter_map(|way| {
            let (item, rest) = way.split_last()?;
            let mut way = rest.to_vec();
            self.read(*item, byte, &mut way).then_some(way)
        });
        self.opened(next.collect())
    }

    /// Reads a byte by an item; what is left of the item goes back onto the way.
    fn read(&self, item: Item, byte: u8, way: &mut Way) -> bool {
        match item {
            Item::Byte(expected) => expected == byte,
            Item::Exact(id, at) => {
                let Node::Exact(bytes) = &self.schema.nodes[id] else {
                    return false;
                };
                if at + 1 < bytes.len() {
                    way.push(Item::Exact(id, at + 1));
                }
                bytes.get(at) == Some(&byte)
            }
            Item::Name(id, member, at) => {
                let Node::Object(members) = &self.schema.nodes[id] else {
                    return false;
                };
                let bytes = &members[member].0;
                if at + 1 < bytes.len() {
                    way.push(Item::Name(id, member, at + 1));
                }
                bytes.get(at) == Some(&byte)
            }
            Item::Text {
                least,
                most,
                inside,
            } => text(least, most, inside, byte, way),
            Item::Number { whole, digits, at } => {
                let Some(at) = number(at, byte, whole).filter(|_| digits < MAX_DIGITS) else {
                    return false;
                };
                let digits = digits + 1;
                way.push(Item::Number { whole, digits, at });
                true
            }
            Item::Node(_) | Item::More(..) | Item::Member(..) => false,
        }
    }

    /// The ways with their next item one that reads a byte, or at their end.
    fn opened(&self, mut open: Vec<Way>) -> Vec<Way> {
        let mut ways: Vec<Way> = Vec::with_capacity(open.len());
        let mut steps = 0;
        while let Some(mut way) = open.pop() {
            steps += 1;
            if steps > MAX_WAYS {
                return Vec::new();
            }
            match way.pop() {
                Some(Item::Node(id)) => self.open_node(id, &way, &mut open),
                Some(Item::More(id, count)) => self.open_more(id, count, &way, &mut open),
                Some(Item::Member(id, member, some)) => {
                    self.open_member(id, member, some, &way, &mut open);
                }
                Some(item) => {
                    let ends = matches!(
                        item,
                        Item::Number {
                            at: Digit::Zero | Digit::Whole | Digit::Fraction,
                            ..
                        }
                    );
                    if ends {
                        open.push(way.clone());
                    }
                    way.push(item);
                    if !ways.contains(&way) {
                        ways.push(way);
                    }
                }
                None if ways.contains(&way) => {}
                None => ways.push(way),
            }
        }
        ways
    }

    fn open_node(&self, id: Id, way: &Way, open: &mut Vec<Way>) {
        let mut with = |items: &[Item]| {
            let mut way = way.clone();
            way.extend(items.iter().rev());
            open.push(way);
        };
        match &self.schema.nodes[id] {
            Node::Exact(_) => with(&[Item::Exact(id, 0)]),
            Node::Any(nodes) => nodes.iter().for_each(|node| with(&[Item::Node(*node)])),
            Node::Text { least, most } => {
                let (least, most, inside) = (*least, *most, Inside::Plain);
                with(&[
                    Item::Byte(b'"'),
                    Item::Text {
                        least,
                        most,
                        inside,
                    },
                ]);
            }
            Node::Number { whole } => {
                let (whole, digits, at) = (*whole, 0, Digit::Start);
                with(&[Item::Number { whole, digits, at }]);
            }
            Node::List { .. } => with(&[Item::Byte(b'['), Item::More(id, 0)]),
            Node::Table { .. } => with(&[Item::Byte(b'{'), Item::More(id, 0)]),
            Node::Object(_) => with(&[Item::Byte(b'{'), Item::Member(id, 0, false)]),
        }
    }

    /// The end of a list or table, or one more.
    fn open_more(&self, id: Id, count: u32, way: &Way, open: &mut Vec<Way>) {
        let name = [
            Item::Byte(b'"'),
            Item::Text {
                least: 1,
                most: 40,
                inside: Inside::Plain,
            },
            Item::Byte(b':'),
        ];
        let (item, least, most, end, name) = match &self.schema.nodes[id] {
            Node::List { item, least, most } => (*item, *least, *most, b']', &name[..0]),
            Node::Table { value, most } => (*value, 0, *most, b'}', &name[..]),
            _ => return,
        };
        if count >= least {
            open.push([way.as_slice(), &[Item::Byte(end)]].concat());
        }
        if count < most {
            let mut more = way.clone();
            more.push(Item::More(id, count + 1));
            more.push(Item::Node(item));
            more.extend(name.iter().rev());
            if count > 0 {
                more.push(Item::Byte(b','));
            }
            open.push(more);
        }
    }

    /// This member, a later one if this one may be left out, or the end.
    fn open_member(&self, id: Id, member: usize, some: bool, way: &Way, open: &mut Vec<Way>) {
        let Node::Object(members) = &self.schema.nodes[id] else {
            return;
        };
        let Some((_, value, required)) = members.get(member) else {
            open.push([way.as_slice(), &[Item::Byte(b'}')]].concat());
            return;
        };
        let mut with = way.clone();
        with.extend([
            Item::Member(id, member + 1, true),
            Item::Node(*value),
            Item::Name(id, member, 0),
        ]);
        if some {
            with.push(Item::Byte(b','));
        }
        open.push(with);
        if !required {
            open.push([way.as_slice(), &[Item::Member(id, member + 1, some)]].concat());
        }
    }
}

fn text(least: u32, most: u32, inside: Inside, byte: u8, way: &mut Way) -> bool {
    let (counted, after) = match (inside, byte) {
        (Inside::Plain, b'"') => return least == 0,
        (Inside::Plain, b'\\') => (false, Inside::Escape),
        (Inside::Plain, 0x20..=0x7e) => (true, Inside::Plain),
        (Inside::Plain, 0xc2..=0xdf) => (false, Inside::Letter(1)),
        (Inside::Plain, 0xe0..=0xef) => (false, Inside::Letter(2)),
        (Inside::Plain, 0xf0..=0xf4) => (false, Inside::Letter(3)),
        (Inside::Escape, b'"' | b'\\' | b'/' | b'n' | b't' | b'r') => (true, Inside::Plain),
        (Inside::Letter(1), 0x80..=0xbf) => (true, Inside::Plain),
        (Inside::Letter(missing), 0x80..=0xbf) => (false, Inside::Letter(missing - 1)),
        _ => return false,
    };
    if most == 0 {
        return false;
    }
    let taken = u32::from(counted);
    way.push(Item::Text {
        least: least.saturating_sub(taken),
        most: most - taken,
        inside: after,
    });
    true
}

const fn number(at: Digit, byte: u8, whole: bool) -> Option<Digit> {
    match (at, byte) {
        (Digit::Start, b'-') => Some(Digit::Minus),
        (Digit::Start | Digit::Minus, b'0') => Some(Digit::Zero),
        (Digit::Start | Digit::Minus, b'1'..=b'9') | (Digit::Whole, b'0'..=b'9') => {
            Some(Digit::Whole)
        }
        (Digit::Zero | Digit::Whole, b'.') if !whole => Some(Digit::Point),
        (Digit::Point | Digit::Fraction, b'0'..=b'9') => Some(Digit::Fraction),
        _ => None,
    }
}

#[cfg(test)]
#[path = "grammar_tests.rs"]
mod tests;
