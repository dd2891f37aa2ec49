//! What `llvm-jitlink -show-graphs` prints, taken apart.

use std::collections::HashMap;

/// One block as JITLink linked it.
#[derive(Debug, Default)]
pub struct Block {
    pub section: String,
    pub address: u64,
    pub size: u64,
    pub align: u64,
    pub align_offset: u64,
    pub zero_fill: bool,
    /// Named symbols: offset and name.
    pub symbols: Vec<(u64, String)>,
    /// All but `Keep-Alive`, ascending by offset.
    pub edges: Vec<Edge>,
}

/// One edge of a block.
#[derive(Clone, Debug)]
pub struct Edge {
    pub offset: u64,
    pub addend: i64,
    pub kind: String,
    /// As printed: a symbol's name or `addressable@0x…+0x…`.
    pub target: String,
}

/// A linked graph.
#[derive(Debug, Default)]
pub struct Graph {
    pub blocks: Vec<Block>,
    /// Addresses of named symbols, those of other graphs too.
    pub addresses: HashMap<String, u64>,
}

fn hex(text: &str) -> Option<i64> {
    let text = text.trim_matches([',', '(', ')', ':']);
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    Some((u64::from_str_radix(digits.strip_prefix("0x")?, 16).ok()? as i64).wrapping_mul(sign))
}

/// The number behind `key` in `line`.
fn field(line: &str, key: &str) -> Option<i64> {
    let rest = &line[line.find(key)? + key.len()..];
    let word = rest.trim_start_matches([' ', '=', ':']).split([' ', ',']).next()?;
    hex(word).or_else(|| word.parse().ok())
}

impl Graph {
    /// The graph called `name` in `text`.
    pub fn parse(text: &str, name: &str) -> Option<Graph> {
        let start = text.find(&format!("Link graph \"{name}\" post-fixup:"))?;
        let rest = &text[start + 1..];
        let text = &rest[..rest.find("Link graph \"").unwrap_or(rest.len())];
        let mut graph = Graph::default();
        let mut section = String::new();
        let mut in_edges = false;
        for line in text.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match &words[..] {
                ["section", ..] => section = line["section ".len()..].trim_end_matches(':').to_string(),
                ["block", address, ..] => {
                    graph.blocks.push(Block {
                        section: section.clone(),
                        address: hex(address)? as u64,
                        size: field(line, "size")? as u64,
                        align: field(line, "align")? as u64,
                        align_offset: field(line, "alignment-offset")? as u64,
                        zero_fill: line.contains("zero-fill"),
                        ..Block::default()
                    });
                    in_edges = false;
                }
                ["edges:"] => in_edges = true,
                ["symbols:"] => in_edges = false,
                ["Absolute" | "External", "symbols:"] => section.clear(),
                [address, ..] if address.starts_with("0x") => {
                    let at = hex(address)? as u64;
                    if in_edges && !section.is_empty() {
                        graph.edge(line, at)?;
                    } else if let Some((_, name)) = line.rsplit_once(" -   ") {
                        let name = name.trim_end_matches(" (weakly referenced)");
                        graph.symbol(&section, at, name);
                    }
                }
                _ => {}
            }
        }
        graph.blocks.iter_mut().for_each(|block| block.edges.sort_by_key(|edge| edge.offset));
        Some(graph)
    }

    fn symbol(&mut self, section: &str, address: u64, name: &str) {
        if name == "<anonymous symbol>" {
            return;
        }
        self.addresses.insert(name.to_string(), address);
        if let Some(block) = self.blocks.last_mut().filter(|_| !section.is_empty()) {
            block.symbols.push((address - block.address, name.to_string()));
        }
    }

    fn edge(&mut self, line: &str, address: u64) -> Option<()> {
        let block = self.blocks.last_mut()?;
        let kind = line.split("kind = ").nth(1)?.split(',').next()?.to_string();
        if kind != "Keep-Alive" {
            let (addend, target) = (field(line, "addend")?, line.split("target = ").nth(1)?.to_string());
            block.edges.push(Edge { offset: address - block.address, addend, kind, target });
        }
        Some(())
    }

    /// The address of an edge's target.
    pub fn target(&self, edge: &Edge) -> Option<u64> {
        match edge.target.strip_prefix("addressable@") {
            Some(place) => {
                let (address, offset) = place.split_once('+')?;
                Some(hex(address)?.wrapping_add(hex(offset)?) as u64)
            }
            None => self.addresses.get(&edge.target).copied(),
        }
    }

    /// The block at `address` of a section called `section`.
    pub fn block_in(&self, section: &str, address: u64) -> Option<&Block> {
        self.blocks.iter().find(|block| block.section == section && block.address == address)
    }
}
