//! Mach-O files that clang makes, read here and by llvm-jitlink: the same pieces, the same edges, the same bytes.
//!
//! llvm-jitlink links a file at fixed addresses and prints its graph. Every piece of the file must be one of its blocks, with
//! the same size, alignment and symbols; every edge must be one of its edges, with the same target and addend. Then the
//! edges are applied here at llvm-jitlink's addresses, and llvm-jitlink is asked (`-check`) whether its memory holds the same bytes.
//!
//! What differs on purpose: the offsets in descriptors of thread-local variables (see the module `link::macho`), unwind
//! records, which each side changes in its own way, and literals without names, which llvm-jitlink leaves together. Some files it cannot
//! link: with variables aligned to more than a page, or with thread-local variables on x86-64.
//!
//! The sources are those of the lit suite and of `Inputs`, as far as they compile for Darwin with `Inputs/darwin/include`, and those in
//! `tests/macho_peer/sources`, one for each kind of code that the others lack. A line `// flags: …` in a source adds a compilation with those
//! flags; without such a line there is one without flags. Without clang and llvm-jitlink of that
//! version nothing is compared.

#[path = "macho_peer/graph.rs"]
mod graph;

use graph::{Block, Edge, Graph};
use rjitlink::base::Arch;
use rjitlink::link::arch::{self, Architecture, Fixup};
use rjitlink::link::object_file::{ObjectPlace, SectionKind, SymbolKind};
use rjitlink::link::{EdgeClass, EdgeKind, ObjectFile, read_object};
use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const TRIPLES: [(&str, Arch); 2] = [("x86_64-apple-macos13", Arch::X86_64), ("arm64-apple-macos13", Arch::Aarch64)];

/// The major version of the LLVM that is compared with, which is the one that makes the runtime
/// archives: others put GOT entries and stubs elsewhere.
fn llvm_version() -> &'static str {
    let script = include_str!("../src/rt/orc/build");
    let version = script.lines().find_map(|line| line.strip_prefix("version="));
    version.and_then(|version| version.split('.').next()).expect("the script has the version")
}

/// The program `name` of that LLVM, if it is installed.
fn llvm(name: &str) -> Option<PathBuf> {
    let version = llvm_version();
    let debian = PathBuf::from(format!("/usr/lib/llvm-{version}/bin"));
    let homebrew = ["/opt/homebrew/opt/llvm/bin", "/usr/local/opt/llvm/bin"].map(PathBuf::from);
    let path = std::env::var_os("PATH")?;
    let places = std::iter::once(debian).chain(homebrew).chain(std::env::split_paths(&path));
    places.map(|place| place.join(name)).find(|path| {
        let said = Command::new(path).arg("--version").output();
        let is_it = |text: &str| text.contains(&format!("version {version}."));
        said.is_ok_and(|output| is_it(&String::from_utf8_lossy(&output.stdout)))
    })
}

/// One comparison.
struct Comparison<'a> {
    file: &'a ObjectFile,
    graph: &'a Graph,
    architecture: &'static dyn Architecture,
    /// For each section of the file, where llvm-jitlink put it.
    addresses: Vec<Option<u64>>,
    complaints: Vec<String>,
    /// Rules for `-check`.
    rules: String,
    edges: usize,
}

fn text(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

impl Comparison<'_> {
    fn complain(&mut self, what: String) {
        self.complaints.push(what);
    }

    /// Finds out which pieces the blocks are, by the names of their symbols.
    fn place_pieces(&mut self) {
        let mut by_name = HashMap::new();
        for symbol in self.file.symbols.iter().filter(|symbol| !symbol.name.is_empty()) {
            if let ObjectPlace::Section(section) | ObjectPlace::Common(section) = symbol.place {
                by_name.insert(text(symbol.name), (section, symbol.value));
            }
        }
        for block in &self.graph.blocks {
            for (offset, name) in &block.symbols {
                let Some(&(section, value)) = by_name.get(name) else { continue };
                let piece = self.file.sections.at(section as usize);
                if [SectionKind::Unwind, SectionKind::Unloaded].contains(&piece.kind) {
                    continue;
                }
                let own = (piece.size, piece.align, u64::from(piece.align_offset), value, piece.is_zero_fill());
                let its = (block.size, block.align, block.align_offset, *offset, block.zero_fill);
                // Thread-local initial values and initializers stay whole; an alignment that no file asked for is llvm-jitlink's own.
                if piece.kind == SectionKind::Loaded && own != its {
                    self.complaints.push(format!("{name}: piece {own:x?}, block {its:x?}"));
                }
                self.addresses[section as usize] = Some(block.address.wrapping_add(*offset).wrapping_sub(value));
            }
        }
    }

    /// Where the piece without a name that symbol `index` is the start of must be, if that is at `address`: known from then on.
    fn learn(&mut self, index: u32, address: u64) -> Option<u64> {
        let symbol = self.file.symbols.at(index as usize);
        let ObjectPlace::Section(section) = symbol.place else { return None };
        let name = text(self.file.sections.at(section as usize).name);
        let is_there = |block: &&Block| {
            block.section == name
                && block.symbols.is_empty()
                && (block.address..block.address + block.size).contains(&address)
        };
        self.graph.blocks.iter().find(is_there)?;
        self.addresses[section as usize] = Some(address);
        Some(address)
    }

    /// The address of symbol `index` of the file; of another file's by its name.
    fn address(&self, index: u32) -> Option<u64> {
        let symbol = self.file.symbols.at(index as usize);
        match symbol.place {
            ObjectPlace::Section(section) | ObjectPlace::Common(section) => {
                Some(self.addresses[section as usize]?.wrapping_add(symbol.value))
            }
            ObjectPlace::Absolute => Some(symbol.value),
            _ => self.graph.addresses.get(&text(symbol.name)).copied(),
        }
    }

    /// What the GOT entry at `address` points to.
    fn got_target(&self, address: u64) -> Option<u64> {
        let entry = self.graph.block_in("$__GOT", address)?;
        self.graph.target(entry.edges.first()?)
    }

    /// What the stub at `address` goes to.
    fn stub_target(&self, address: u64) -> Option<u64> {
        let stub = self.graph.block_in("$__STUBS", address)?;
        self.got_target(self.graph.target(stub.edges.first()?)?)
    }

    /// Compares the edges of `section` with those of its block and computes its bytes.
    fn section(&mut self, index: u32, block: &Block) {
        let section = self.file.sections.at(index as usize);
        let mut own = Vec::new();
        if let Err(error) = self.file.edges(index, &mut own) {
            return self.complain(error.to_string());
        }
        let kinds = self.architecture.edge_kinds();
        let is_thread_local = |kind: EdgeKind| kinds[usize::from(kind.0)].class == EdgeClass::ThreadLocal;
        let thread_local: Vec<u32> = own.iter().filter(|e| is_thread_local(e.kind)).map(|e| e.offset).collect();
        let mut bytes = section.content.to_vec();
        let start = self.addresses[index as usize].unwrap_or(block.address) - block.address;
        let its = block.edges.iter().filter(|edge| (start..start + section.size.max(1)).contains(&edge.offset));
        let its: Vec<&Edge> = its.collect();
        if own.len() != its.len() {
            let name = text(section.name);
            return self.complain(format!("{name} at {:#x}: {} edges, not {}", block.address, own.len(), its.len()));
        }
        for (own, its) in own.iter().zip(its) {
            self.edges += 1;
            if let Err(what) = self.edge(own, its, start, block, &mut bytes) {
                let at = block.address + its.offset;
                self.complain(format!("{} at {at:#x}: {what}; {own:?}, {its:?}", text(section.name)));
            }
        }
        if let Some((offset, name)) = block.symbols.first() {
            for (number, word) in bytes.chunks_exact(8).enumerate() {
                if thread_local.contains(&(number as u32 * 8)) {
                    continue;
                }
                let value = u64::from_le_bytes(word.try_into().expect("chunks of 8 bytes"));
                let at = (start + 8 * number as u64).wrapping_sub(*offset);
                writeln!(self.rules, "# jitlink-check: *{{8}}({name} + {at}) = {value:#x}").expect("text");
            }
        }
    }

    fn edge(
        &mut self,
        own: &rjitlink::link::object_file::ObjectEdge,
        its: &Edge,
        start: u64,
        block: &Block,
        bytes: &mut [u8],
    ) -> Result<(), String> {
        if u64::from(own.offset) + start != its.offset {
            return Err("another place".into());
        }
        let its_target = self.graph.target(its).ok_or("its target has no address")?;
        let own_target = self.address(own.symbol);
        let kinds = self.architecture.edge_kinds();
        let info = &kinds[usize::from(own.kind.0)];
        let (kind, target, addend) = match info.class {
            EdgeClass::Got { plain } => match self.got_target(its_target) {
                Some(target) if Some(target) == own_target || own_target.is_none() => (plain, its_target, own.addend),
                _ if Some(its_target) == own_target => (self.relaxed(info.name), its_target, own.addend),
                _ => return Err("another GOT entry".into()),
            },
            EdgeClass::Branch { .. } if Some(its_target) != own_target => match self.stub_target(its_target) {
                Some(target) if own_target.is_none_or(|own| own == target) => (own.kind, its_target, own.addend),
                _ => return Err(format!("another target than {own_target:x?}")),
            },
            EdgeClass::ThreadLocal => return Ok(()),
            _ => {
                let its_place = its_target.wrapping_add_signed(its.addend);
                let learnt = || self.learn(own.symbol, its_place.wrapping_add_signed(own.addend.wrapping_neg()));
                let own_target = own_target.or_else(learnt).ok_or("its piece is not in the graph")?;
                let own_place = own_target.wrapping_add_signed(own.addend);
                let negative = info.name.starts_with("Neg");
                if !negative && own_place != its_place && !is_branch_stub(&its.kind) {
                    return Err(format!("another place: {own_place:#x}, not {its_place:#x}"));
                }
                (own.kind, own_target, own.addend)
            }
        };
        let fixup = Fixup {
            kind,
            offset: own.offset as usize,
            address: block.address + its.offset,
            target,
            addend,
            got: 0,
            size: 0,
        };
        self.architecture.apply(&fixup, bytes).map_err(|error| error.to_string())
    }

    /// The kind that a GOT load of the kind called `name` has when it needs no GOT.
    fn relaxed(&self, name: &str) -> EdgeKind {
        let wanted = match name {
            "RequestGOTAndTransformToPCRel32GOTLoadREXRelaxable" => "PCRel32GOTLoadRelaxedToLEA",
            "RequestGOTAndTransformToPage21" => "Page21",
            _ => "GOTLoadRelaxedToADD",
        };
        let position = self.architecture.edge_kinds().iter().position(|info| info.name == wanted);
        EdgeKind(position.expect("the kind is there") as u8)
    }
}

/// Whether JITLink prints stubs and their targets with addends of their own.
fn is_branch_stub(kind: &str) -> bool {
    kind.starts_with("BranchPCRel32")
}

/// Compiles `source` and compares what becomes of it; says how many edges were compared.
fn compare(tools: &Tools, source: &Path, triple: (&str, Arch), flags: &[&str], work: &Path) -> Result<usize, String> {
    let name = format!("{}.{}.o", work.file_name().expect("a name").to_string_lossy(), triple.0);
    let object = work.with_file_name(&name);
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("Inputs/darwin/include");
    let compiler = if source.extension().is_some_and(|e| e == "cpp") { &tools.clangxx } else { &tools.clang };
    let target = format!("--target={}", triple.0);
    let compiled = run(Command::new(compiler)
        .arg(&target)
        .args(flags)
        .args(["-w", "-c", "-I"])
        .arg(include)
        .arg(source)
        .arg("-o")
        .arg(&object))?;
    if !compiled.status.success() {
        return Ok(0);
    }
    let data: &'static [u8] = fs::read(&object).map_err(|error| error.to_string())?.leak();
    let file = read_object(&name, data).map_err(|error| error.to_string())?.ok_or("not recognized")?;
    let is_entry = |symbol: &rjitlink::link::ObjectSymbol| symbol.is_global() && symbol.kind == SymbolKind::Function;
    let Some(entry) = file.symbols.iter().find(is_entry).map(|symbol| text(symbol.name)) else { return Ok(0) };
    // What other files would define, in reach and each at an address of its own.
    let undefined = file.symbols.iter().filter(|symbol| symbol.place == ObjectPlace::Undefined);
    let elsewhere: Vec<String> = undefined
        .zip(0u64..)
        .map(|(symbol, number)| format!("-abs={}={:#x}", text(symbol.name), 0x1_0070_0000 + 24 * number))
        .collect();
    let link = |words: &[&str]| {
        let mut command = Command::new(&tools.jitlink);
        command.args(["-noexec", "-slab-allocate=1Mb", "-slab-address=0x100000000"]).args(&elsewhere);
        run(command
            .args(["-slab-page-size=16384", &format!("-entry={entry}")])
            .args(words)
            .arg(&name)
            .current_dir(work.parent().expect("a folder")))
    };
    let shown = link(&["-show-graphs=."])?;
    let printed = String::from_utf8_lossy(&shown.stdout) + String::from_utf8_lossy(&shown.stderr);
    if !shown.status.success() {
        if printed.contains("unsupported edge kind RequestTLVP") {
            // Without its runtime it knows thread-local variables of arm64 only.
            return Ok(0);
        }
        if printed.contains("Segment alignment greater than page size") {
            // Its slab cannot align more.
            return Ok(0);
        }
        return Err(format!("llvm-jitlink refuses it: {}", String::from_utf8_lossy(&shown.stderr)));
    }
    let graph = Graph::parse(&printed, &name).ok_or("its graph is not printed")?;
    let mut comparison = Comparison {
        file: &file,
        graph: &graph,
        architecture: arch::of(triple.1).expect("the architecture is known"),
        addresses: vec![None; file.sections.len()],
        complaints: Vec::new(),
        rules: String::new(),
        edges: 0,
    };
    comparison.place_pieces();
    for index in 0..file.sections.len() as u32 {
        let section = file.sections.at(index as usize);
        let Some(address) = comparison.addresses[index as usize] else { continue };
        if section.kind == SectionKind::ThreadLocal {
            continue;
        }
        let holds = |block: &&Block| {
            block.section == text(section.name) && (block.address..=block.address + block.size).contains(&address)
        };
        if let Some(block) = graph.blocks.iter().filter(|block| !block.zero_fill).rfind(holds) {
            comparison.section(index, block);
        }
    }
    let rules = format!("{name}.check");
    fs::write(work.with_file_name(&rules), &comparison.rules).map_err(|error| error.to_string())?;
    if !comparison.rules.is_empty() {
        let checked = link(&[&format!("-check={rules}")])?;
        if !checked.status.success() {
            comparison.complain(String::from_utf8_lossy(&checked.stderr).into_owned());
        }
    }
    if comparison.complaints.is_empty() { Ok(comparison.edges) } else { Err(comparison.complaints.join("\n  ")) }
}

struct Tools {
    clang: PathBuf,
    clangxx: PathBuf,
    jitlink: PathBuf,
    split: PathBuf,
}

fn tools() -> Option<Tools> {
    Some(Tools {
        clang: llvm("clang")?,
        clangxx: llvm("clang++")?,
        jitlink: llvm("llvm-jitlink")?,
        split: llvm("split-file")?,
    })
}

fn run(command: &mut Command) -> Result<Output, String> {
    command.output().map_err(|error| format!("{:?}: {error}", command.get_program()))
}

/// The C and C++ sources of the repository, those inside of tests unpacked into `work`.
fn sources(tools: &Tools, work: &Path) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("lit-tests"), root.join("Inputs"), root.join("tests/macho_peer")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let tests = ["c", "cpp", "test"].contains(&extension);
            if tests && fs::read_to_string(&path).is_ok_and(|text| text.contains("//--- ") || text.contains("#--- ")) {
                let parts =
                    work.join(path.strip_prefix(root).expect("in the repository").to_string_lossy().replace('/', "-"));
                let _ = fs::remove_dir_all(&parts);
                let _ = Command::new(&tools.split).arg(&path).arg(&parts).output();
                folders.push(parts);
            } else if ["c", "cpp"].contains(&extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The sets of flags that `source` asks for.
fn flag_sets(source: &Path) -> Vec<String> {
    let text = fs::read_to_string(source).unwrap_or_default();
    let sets = text.lines().filter_map(|line| line.strip_prefix("// flags:"));
    let sets: Vec<String> = sets.map(str::to_string).collect();
    if sets.is_empty() { vec![String::new()] } else { sets }
}

/// Compares all of `levels` for `share` of the sources (one in so many); at least `least` comparisons must have taken place.
fn compare_all(levels: &[&str], share: usize, least: usize) {
    let Some(tools) = tools() else { return };
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("macho_peer{share}"));
    fs::create_dir_all(&work).expect("a folder for objects");
    let sources: Vec<PathBuf> = sources(&tools, &work).into_iter().step_by(share).collect();
    let mut jobs = Vec::new();
    for source in &sources {
        for (flags, triple) in flag_sets(source).iter().flat_map(|flags| TRIPLES.map(|triple| (flags, triple))) {
            jobs.extend(levels.iter().map(|level| (source, triple, format!("{level} {flags}"))));
        }
    }
    let (next, compared, edges) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let take = || {
        let number = next.fetch_add(1, Ordering::Relaxed);
        Some((number, jobs.get(number)?))
    };
    let complaints = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((number, (source, triple, flags))) = take() {
                    let words: Vec<&str> = flags.split_whitespace().collect();
                    match compare(&tools, source, *triple, &words, &work.join(number.to_string())) {
                        Ok(0) => {}
                        Ok(count) => {
                            compared.fetch_add(1, Ordering::Relaxed);
                            edges.fetch_add(count, Ordering::Relaxed);
                        }
                        Err(what) => {
                            let mut complaints = complaints.lock().expect("no thread panics");
                            complaints.push(format!("{} {} {flags}:\n  {what}", source.display(), triple.0));
                        }
                    }
                }
            });
        }
    });
    let complaints = complaints.into_inner().expect("no thread panics");
    assert!(complaints.is_empty(), "{} of {} differ:\n{}", complaints.len(), jobs.len(), complaints.join("\n"));
    let (compared, edges) = (compared.into_inner(), edges.into_inner());
    println!("{compared} files with {edges} edges compared");
    assert!(compared >= least, "only {compared} files could be compared");
}

#[test]
fn some_files_are_linked_as_llvm_jitlink_links_them() {
    compare_all(&["-O1"], 8, 20);
}

#[test]
#[ignore = "takes minutes"]
fn all_files_are_linked_as_llvm_jitlink_links_them() {
    compare_all(&["-O0", "-O1", "-O2", "-O3"], 1, 320);
}
