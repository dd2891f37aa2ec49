//! The link order: which file comes before which, in memory, among initializers, and in what `__start_` and `__stop_` symbols bracket.
//!
//! Resolution pulls archive members as references ask for them. A static linker on ELF systems takes them in another order, which
//! programs come to depend on. It looks at the archives in the order of the command line, and at the index of each from the front: a
//! member that defines what is undefined at that moment is loaded at once, with it what it refers to becomes undefined, and the
//! search goes on behind it; passes over the archive follow until one loads nothing. So main referring to members 3, 1, 2
//! loads 1, 2, 3, unless one of them is first referred to by a later one. As all archives are searched together here, the search begins
//! again with the first archive behind the last, as between `--start-group` and `--end-group`; and what is loaded then comes behind all objects.
//!
//! That is repeated here over the members that resolution has pulled, and over symbol tables only. Which members those are is not
//! decided again, nor which of several weak definitions or copies of a group counts: that of the file that came first in resolution. Members
//! that only something else than a strong reference explains come last, in the order in which they were pulled; the
//! runtime and the helper archives, which end a static link, come behind what the inputs explain.

use super::ids::EntryId;
use super::resolution::{ArchiveInput, PLATFORM};
use super::symbol_table::{Definition, SymbolTables};
use super::unit::MaterializationUnit;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What a file makes of a name.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Mention {
    Definition,
    /// A strong reference.
    Reference,
}

/// The symbol tables of files. Files and names are numbers from 0.
trait Files {
    /// The names that `file` defines or strongly refers to.
    fn mentions(&self, file: u32) -> impl Iterator<Item = (u32, Mention)> + Clone;

    /// Brings what [`Files::member_for`] looks at for `names` into the cache.
    fn fetch(&self, names: impl Iterator<Item = u32>);

    /// The file among those of archives that defines `name`, and the name it has there: another one if that is another JITDylib.
    fn member_for(&self, name: u32) -> Option<(u32, u32)>;
}

/// A piece of the command line.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Input {
    /// An object.
    File(u32),
    /// What is used of an archive, in the archive's order.
    Archive(Vec<u32>),
}

/// What is known of a name; 0 if it has not been mentioned.
const REFERRED: u8 = 1;
const DEFINED: u8 = 2;

/// The end of a list.
const NONE: u32 = u32::MAX;

/// A static linker at work.
struct Linker<'a, F> {
    files: &'a F,
    inputs: &'a [Input],
    names: Vec<u8>,
    /// For each file of an archive the number of the input, and its place in that.
    places: Vec<(u32, u32)>,
    /// For each input the places of the files that something wants.
    wanted: Vec<BTreeSet<u32>>,
    /// For each file the newest of the references that want it, in `references`.
    newest: Vec<u32>,
    /// Names that were referred to, each with the next older reference that wants the same file.
    references: Vec<(u32, u32)>,
    /// Files that are loaded when it is their turn, whatever refers to them.
    required: Vec<bool>,
    loaded: Vec<bool>,
    order: Vec<u32>,
}

/// The order in which a static linker has `count` files with `names` names: `inputs`, then `last`, then what is left. Of the files of
/// archives, `required` are wanted from the start.
fn link_order<F: Files>(
    files: &F,
    (count, names): (usize, usize),
    inputs: &[Input],
    required: &[u32],
    last: &[u32],
) -> Vec<u32> {
    let mut linker = Linker {
        files,
        inputs,
        names: vec![0; names],
        places: vec![(NONE, NONE); count],
        wanted: vec![BTreeSet::new(); inputs.len()],
        newest: vec![NONE; count],
        references: Vec::new(),
        required: vec![false; count],
        loaded: vec![false; count],
        order: Vec::with_capacity(count),
    };
    for (number, input) in inputs.iter().enumerate() {
        for (place, &file) in input.members().iter().enumerate() {
            linker.places[file as usize] = (number as u32, place as u32);
        }
    }
    required.iter().for_each(|&file| linker.demand(file));
    for (number, input) in inputs.iter().enumerate() {
        match input {
            Input::File(file) => linker.load(*file),
            Input::Archive(_) => _ = linker.search(number),
        }
    }
    linker.search_all();
    last.iter().for_each(|&file| linker.load(file));
    linker.search_all();
    for file in 0..count as u32 {
        if !linker.loaded[file as usize] {
            linker.demand(file);
            linker.search_all();
        }
    }
    linker.order
}

impl Input {
    fn members(&self) -> &[u32] {
        match self {
            Input::File(_) => &[],
            Input::Archive(members) => members,
        }
    }
}

impl<F: Files> Linker<'_, F> {
    /// Has `file`, which is an archive's, loaded when it is its turn.
    fn demand(&mut self, file: u32) {
        self.required[file as usize] = true;
        let (input, place) = self.places[file as usize];
        if let Some(wanted) = self.wanted.get_mut(input as usize) {
            wanted.insert(place);
        } else {
            self.load(file);
        }
    }

    /// Searches all archives until nothing new is found.
    fn search_all(&mut self) {
        while (0..self.inputs.len()).fold(false, |any, number| self.search(number) | any) {}
    }

    /// Searches the archive that is input `number`, in passes from its front until one finds nothing; says whether any did.
    fn search(&mut self, number: usize) -> bool {
        let loaded = self.order.len();
        let mut position = 0;
        while !self.wanted[number].is_empty() {
            let Some(&place) = self.wanted[number].range(position..).next() else {
                position = 0;
                continue;
            };
            self.wanted[number].remove(&place);
            position = place + 1;
            let file = self.inputs[number].members()[place as usize];
            if self.is_needed(file) {
                self.load(file);
            }
        }
        self.order.len() > loaded
    }

    /// Whether a reference to `file` has not been satisfied by another file.
    fn is_needed(&mut self, file: u32) -> bool {
        let mut next = std::mem::replace(&mut self.newest[file as usize], NONE);
        while let Some(&(name, older)) = self.references.get(next as usize) {
            if self.names[name as usize] & DEFINED == 0 {
                return true;
            }
            next = older;
        }
        self.required[file as usize]
    }

    fn load(&mut self, file: u32) {
        if std::mem::replace(&mut self.loaded[file as usize], true) {
            return;
        }
        self.order.push(file);
        let mentions = self.files.mentions(file);
        let new = |&(name, mention): &(u32, Mention)| mention == Mention::Reference && self.names[name as usize] == 0;
        self.files.fetch(mentions.clone().filter(new).map(|(name, _)| name));
        for (name, mention) in mentions {
            let known = &mut self.names[name as usize];
            match mention {
                Mention::Definition => *known |= DEFINED,
                Mention::Reference if *known == 0 => {
                    *known = REFERRED;
                    self.refer(name);
                }
                Mention::Reference => {}
            }
        }
    }

    /// Notes the first reference to `name`.
    fn refer(&mut self, name: u32) {
        let Some((name, file)) = self.files.member_for(name).filter(|&(_, file)| !self.loaded[file as usize]) else {
            return;
        };
        let older = std::mem::replace(&mut self.newest[file as usize], self.references.len() as u32);
        self.references.push((name, older));
        // Mostly something has wanted the file before.
        if older == NONE {
            let (input, place) = self.places[file as usize];
            self.wanted[input as usize].insert(place);
        }
    }
}

/// The files that were added to symbol tables since their order was last decided.
struct NewUnits<'a> {
    tables: &'a SymbolTables,
    units: &'a [Arc<MaterializationUnit>],
    mentions: Vec<Vec<(EntryId, Mention)>>,
    /// For each archive what was pulled, as members and numbers of files, in the archive's order.
    pulled: Vec<Vec<(u32, u32)>>,
}

impl Files for NewUnits<'_> {
    fn mentions(&self, file: u32) -> impl Iterator<Item = (u32, Mention)> + Clone {
        self.mentions[file as usize].iter().map(|&(entry, what)| (entry.0, what))
    }

    fn fetch(&self, names: impl Iterator<Item = u32>) {
        self.tables.fetch_entries(names.map(EntryId));
    }

    fn member_for(&self, name: u32) -> Option<(u32, u32)> {
        let mut id = EntryId(name);
        // Aliases that lead in a circle define nothing; the bound only has to be finite.
        for _ in 0..64 {
            let entry = &self.tables.entries[id.index()];
            if let Some((archive, member)) = entry.archive {
                let pulled = &self.pulled[archive.index()];
                if let Ok(at) = pulled.binary_search_by_key(&member, |&(member, _)| member) {
                    return Some((id.0, pulled[at].1));
                }
            }
            let Definition::Alias(to) = entry.definition else { break };
            id = to;
        }
        None
    }
}

impl SymbolTables {
    /// Puts the files that were added since it was last called into their order; everything that they need must be there.
    pub fn order_new_units(&mut self) {
        let first = std::mem::replace(&mut self.ordered_units, self.units.len());
        let mentions = std::mem::take(&mut self.unordered);
        let required = std::mem::take(&mut self.required);
        // Members are pulled one behind the other, so the last one tells whether any is new.
        let is_used = |archive: &ArchiveInput| archive.pulled.last().is_some_and(|(_, unit)| unit.index() >= first);
        if !self.archives.iter().any(|archive| is_used(archive) && !ends_link(archive)) {
            return;
        }
        let files = NewUnits::of(self, first, mentions);
        let (inputs, last) = files.inputs(first);
        let required: Vec<u32> = required.iter().filter_map(|id| Some(files.member_for(id.0)?.1)).collect();
        let order = link_order(&files, (files.units.len(), self.entries.len()), &inputs, &required, &last);
        for (place, &file) in order.iter().enumerate() {
            files.units[file as usize].set_link_place((first + place) as u32);
        }
        let units = &self.units;
        for dylib in &mut self.dylibs {
            let new = dylib.units.partition_point(|id| id.index() < first);
            dylib.units[new..].sort_by_cached_key(|id| units[id.index()].link_place());
        }
    }
}

/// Whether members of `archive` come last, as at the end of a static link.
fn ends_link(archive: &ArchiveInput) -> bool {
    archive.helper || archive.dylib == PLATFORM
}

impl<'a> NewUnits<'a> {
    /// The units of `tables` from number `first` on, and what each of them mentions.
    fn of(tables: &'a SymbolTables, first: usize, mentions: Vec<Vec<(EntryId, Mention)>>) -> NewUnits<'a> {
        let new_of = |archive: &ArchiveInput| {
            let new = archive.pulled.iter().filter(|(_, unit)| unit.index() >= first && !ends_link(archive));
            let mut new: Vec<(u32, u32)> = new.map(|&(member, unit)| (member, (unit.index() - first) as u32)).collect();
            new.sort_unstable();
            new
        };
        NewUnits {
            tables,
            units: &tables.units[first..],
            mentions,
            pulled: tables.archives.iter().map(new_of).collect(),
        }
    }

    /// The command line, and the files of the runtime and of helper archives.
    fn inputs(&self, first: usize) -> (Vec<Input>, Vec<u32>) {
        let mut is_member = vec![false; self.units.len()];
        self.pulled.iter().flatten().for_each(|&(_, file)| is_member[file as usize] = true);
        let mut ends = vec![false; self.units.len()];
        for archive in self.tables.archives.iter().filter(|archive| ends_link(archive)) {
            let new = archive.pulled.iter().filter_map(|(_, unit)| unit.index().checked_sub(first));
            new.for_each(|file| ends[file] = true);
        }
        let mut archives = self.tables.archives.iter().zip(&self.pulled).filter(|(_, new)| !new.is_empty()).peekable();
        let archive = |new: &[(u32, u32)]| Input::Archive(new.iter().map(|&(_, file)| file).collect());
        let (mut inputs, mut last) = (Vec::new(), Vec::new());
        for file in 0..self.units.len() {
            // An archive comes before what was added behind it.
            while let Some((_, new)) = archives.next_if(|(archive, _)| archive.position <= first + file) {
                inputs.push(archive(new));
            }
            if ends[file] {
                last.push(file as u32);
            } else if !is_member[file] {
                inputs.push(Input::File(file as u32));
            }
        }
        inputs.extend(archives.map(|(_, new)| archive(new)));
        (inputs, last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files that define the name of their own number, and refer to others; more definitions beside them.
    struct Tables<'a> {
        references: &'a [&'a [u32]],
        also_defined: &'a [(u32, u32)],
    }

    impl Files for Tables<'_> {
        fn mentions(&self, file: u32) -> impl Iterator<Item = (u32, Mention)> + Clone {
            let also = self.also_defined.iter().filter(move |(by, _)| *by == file).map(|&(_, name)| name);
            let defined = std::iter::once(file).chain(also).map(|name| (name, Mention::Definition));
            defined.chain(self.references[file as usize].iter().map(|&name| (name, Mention::Reference)))
        }

        fn fetch(&self, _: impl Iterator<Item = u32>) {}

        fn member_for(&self, name: u32) -> Option<(u32, u32)> {
            // File 0 is an object everywhere.
            (name != 0).then_some((name, name))
        }
    }

    fn order_of(references: &[&[u32]], inputs: &[Input], required: &[u32], last: &[u32]) -> Vec<u32> {
        let tables = Tables { references, also_defined: &[] };
        link_order(&tables, (references.len(), references.len()), inputs, required, last)
    }

    fn archive(members: &[u32]) -> Input {
        Input::Archive(members.to_vec())
    }

    #[test]
    fn members_come_in_the_order_of_the_archive() {
        let order = order_of(&[&[3, 1, 2], &[], &[], &[]], &[Input::File(0), archive(&[1, 2, 3])], &[], &[]);
        assert_eq!(order, [0, 1, 2, 3]);
    }

    #[test]
    fn a_member_is_loaded_in_the_pass_in_which_it_is_undefined_ahead() {
        // 2 refers backwards to 1 and forwards to 4; 1 is found in the second pass, and then 3, ahead of it.
        let references: [&[u32]; 6] = [&[5, 2], &[3], &[1, 4], &[], &[], &[]];
        let order = order_of(&references, &[Input::File(0), archive(&[1, 2, 3, 4, 5])], &[], &[]);
        assert_eq!(order, [0, 2, 4, 5, 1, 3]);
    }

    #[test]
    fn archives_that_refer_to_each_other_are_searched_in_turn() {
        // Each is finished before the next: 2, then 4 and 5, then 1 in the first again, then 3 in the second.
        let references: [&[u32]; 6] = [&[2], &[3], &[5], &[], &[1], &[4]];
        let order = order_of(&references, &[Input::File(0), archive(&[1, 2]), archive(&[3, 4, 5])], &[], &[]);
        assert_eq!(order, [0, 2, 5, 4, 1, 3]);
    }

    #[test]
    fn objects_keep_their_places() {
        // 2 is an object behind the archive: what only it refers to comes behind it.
        let references: [&[u32]; 4] = [&[3], &[], &[1], &[]];
        let order = order_of(&references, &[Input::File(0), archive(&[1, 3]), Input::File(2)], &[], &[]);
        assert_eq!(order, [0, 3, 2, 1]);
    }

    #[test]
    fn what_another_file_has_defined_by_then_wants_nothing() {
        // 1 defines 3's name too, so that 3 is not loaded before 4, which refers to nothing else of it, asks for 2.
        let references: [&[u32]; 5] = [&[3, 1, 4], &[], &[], &[], &[2]];
        let tables = Tables { references: &references, also_defined: &[(1, 3)] };
        let order = link_order(&tables, (5, 5), &[Input::File(0), archive(&[1, 2, 3, 4])], &[], &[]);
        assert_eq!(order, [0, 1, 4, 2, 3]);
    }

    #[test]
    fn required_members_are_wanted_before_anything_refers_to_them() {
        let references: [&[u32]; 4] = [&[], &[], &[1], &[]];
        let order = order_of(&references, &[archive(&[1, 2, 3]), Input::File(0)], &[2], &[]);
        assert_eq!(order, [2, 1, 0, 3]);
    }

    #[test]
    fn what_ends_a_link_comes_behind_what_inputs_explain() {
        // 1 is the runtime's; 3 is wanted by it, 4 by nothing, 2 by an object.
        let references: [&[u32]; 5] = [&[2], &[3], &[], &[], &[]];
        let order = order_of(&references, &[Input::File(0), archive(&[2, 3, 4])], &[], &[1]);
        assert_eq!(order, [0, 2, 1, 3, 4]);
    }

    #[test]
    fn members_that_only_refer_to_each_other_are_all_there() {
        let references: [&[u32]; 4] = [&[], &[3], &[1], &[2]];
        let mut order = order_of(&references, &[Input::File(0), archive(&[1, 2, 3])], &[], &[]);
        order.sort_unstable();
        assert_eq!(order, [0, 1, 2, 3]);
    }
}
