//! Holds the code to the picture of the house in `docs/architecture.md`: a room imports only from rooms
//! below its own, no files import each other in a circle, and no type name stands in two files.
//!
//! The rules stand in that page and nowhere else; this test reads them there.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree, Visibility};

/// A module path from the crate's root: `["bench", "tune", "search"]`.
type Segments = Vec<String>;

/// What one file defines, hands on and takes.
#[derive(Debug, Default)]
struct Source {
    /// Names of its own items.
    items: BTreeSet<String>,
    /// Names of its structs, enums, traits and type aliases.
    types: BTreeSet<String>,
    /// Names that it hands on by `pub use`, each with the path that it stands for.
    exports: BTreeMap<String, Segments>,
    /// Modules whose names it hands on all together.
    glob_exports: Vec<Segments>,
    /// Paths that it takes from elsewhere in the crate.
    imports: Vec<Segments>,
}

/// Every file of the crate by its module path.
struct House {
    sources: BTreeMap<Segments, Source>,
}

impl House {
    fn read(root: &Path) -> Self {
        let mut texts = BTreeMap::new();
        collect(root, &mut Vec::new(), &mut texts);
        Self::of(&texts)
    }

    fn of(texts: &BTreeMap<Segments, String>) -> Self {
        let modules: BTreeSet<Segments> = texts.keys().cloned().collect();
        let sources = texts
            .iter()
            .map(|(module, text)| {
                let file = syn::parse_file(text).unwrap_or_else(|e| panic!("{module:?}: {e}"));
                let mut reader = Reader {
                    module,
                    modules: &modules,
                    source: Source::default(),
                };
                reader.visit_file(&file);
                (module.clone(), reader.source)
            })
            .collect();
        Self { sources }
    }

    /// The module in which an imported path is defined, through any number of `pub use`.
    fn home(&self, path: &[String], depth: u32) -> Option<Segments> {
        let longest = (0..=path.len())
            .rev()
            .find(|length| self.sources.contains_key(&path[..*length]))?;
        let (module, rest) = path.split_at(longest);
        let source = &self.sources[module];
        let Some((name, tail)) = rest.split_first().filter(|_| depth < 16) else {
            return Some(module.to_vec());
        };
        if !source.items.contains(name) {
            if let Some(target) = source.exports.get(name) {
                return self.home(&[target, tail].concat(), depth + 1);
            }
            for glob in &source.glob_exports {
                let defines =
                    |m: &Segments| self.sources.get(m).is_some_and(|s| s.items.contains(name));
                if defines(glob) {
                    return self.home(&[&glob[..], rest].concat(), depth + 1);
                }
            }
        }
        Some(module.to_vec())
    }

    /// For each file the files that it takes something from.
    fn arrows(&self) -> BTreeMap<Segments, BTreeSet<Segments>> {
        self.sources
            .iter()
            .map(|(module, source)| {
                let mut to: BTreeSet<Segments> = source
                    .imports
                    .iter()
                    .filter_map(|path| self.home(path, 0))
                    .collect();
                to.remove(module);
                to.remove(&Segments::new());
                (module.clone(), to)
            })
            .collect()
    }
}

/// Reads the texts of all source files but the crate's roots, by module path.
fn collect(folder: &Path, at: &mut Segments, texts: &mut BTreeMap<Segments, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            at.push(stem);
            collect(&path, at, texts);
            at.pop();
        } else if path.extension().is_some_and(|e| e == "rs") {
            let mut module = at.clone();
            match (stem.as_str(), at.is_empty()) {
                ("main", true) | ("tests", false) => continue,
                ("lib", true) | ("mod", false) => {}
                _ => module.push(stem),
            }
            texts.insert(module, fs::read_to_string(&path).unwrap());
        }
    }
}

/// Collects from one file; what only tests see is left out.
struct Reader<'a> {
    module: &'a Segments,
    modules: &'a BTreeSet<Segments>,
    source: Source,
}

impl Reader<'_> {
    /// A written path from the crate's root, where it leads into the crate.
    fn absolute(&self, path: &[String]) -> Option<Segments> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([self.module, rest].concat()),
            "super" => {
                let mut base = self.module.clone();
                base.pop();
                let more = rest.iter().take_while(|s| *s == "super").count();
                base.truncate(base.len().saturating_sub(more));
                Some([&base[..], &rest[more..]].concat())
            }
            _ => {
                let child = [&self.module[..], std::slice::from_ref(first)].concat();
                self.modules
                    .contains(&child)
                    .then(|| [child, rest.to_vec()].concat())
            }
        }
    }

    fn add_use(&mut self, prefix: &mut Segments, tree: &UseTree, public: bool) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(path.ident.to_string());
                self.add_use(prefix, &path.tree, public);
                prefix.pop();
            }
            UseTree::Name(name) => {
                self.add_name(
                    prefix,
                    &name.ident.to_string(),
                    &name.ident.to_string(),
                    public,
                );
            }
            UseTree::Rename(name) => {
                self.add_name(
                    prefix,
                    &name.ident.to_string(),
                    &name.rename.to_string(),
                    public,
                );
            }
            UseTree::Glob(_) => {
                if let Some(path) = self.absolute(prefix) {
                    if public {
                        self.source.glob_exports.push(path);
                    } else {
                        self.source.imports.push(path);
                    }
                }
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_use(prefix, tree, public);
                }
            }
        }
    }

    fn add_name(&mut self, prefix: &[String], name: &str, shown: &str, public: bool) {
        let mut path = prefix.to_vec();
        if name != "self" {
            path.push(name.to_owned());
        }
        let Some(path) = self.absolute(&path) else {
            return;
        };
        if public {
            self.source.exports.insert(shown.to_owned(), path);
        } else {
            self.source.imports.push(path);
        }
    }
}

fn only_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Path>()
                .is_ok_and(|path| path.is_ident("test"))
    })
}

/// The attributes and, where it has one, the name of an item.
fn head(item: &Item) -> (&[Attribute], Option<String>) {
    match item {
        Item::Const(i) => (&i.attrs, Some(i.ident.to_string())),
        Item::Enum(i) => (&i.attrs, Some(i.ident.to_string())),
        Item::Fn(i) => (&i.attrs, Some(i.sig.ident.to_string())),
        Item::Impl(i) => (&i.attrs, None),
        Item::Macro(i) => (&i.attrs, i.ident.as_ref().map(ToString::to_string)),
        Item::Mod(i) => (&i.attrs, None),
        Item::Static(i) => (&i.attrs, Some(i.ident.to_string())),
        Item::Struct(i) => (&i.attrs, Some(i.ident.to_string())),
        Item::Trait(i) => (&i.attrs, Some(i.ident.to_string())),
        Item::Type(i) => (&i.attrs, Some(i.ident.to_string())),
        Item::Union(i) => (&i.attrs, Some(i.ident.to_string())),
        Item::Use(i) => (&i.attrs, None),
        _ => (&[], None),
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, name) = head(item);
        if only_for_tests(attributes) {
            return;
        }
        if let Some(name) = name {
            let is_type = matches!(
                item,
                Item::Enum(_) | Item::Struct(_) | Item::Trait(_) | Item::Type(_) | Item::Union(_)
            );
            if is_type {
                self.source.types.insert(name.clone());
            }
            self.source.items.insert(name);
        }
        if let Item::Use(item) = item {
            let public = !matches!(item.vis, Visibility::Inherited);
            self.add_use(&mut Vec::new(), &item.tree, public);
        }
        visit::visit_item(self, item);
    }

    /// `pub(in crate::cli)` says who may look, and takes nothing.
    fn visit_visibility(&mut self, _visibility: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Segments = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if segments.len() > 1
            && let Some(path) = self.absolute(&segments)
        {
            self.source.imports.push(path);
        }
        visit::visit_path(self, path);
    }
}

/// What `docs/architecture.md` says.
struct Rules {
    layers: BTreeMap<String, u32>,
    never: BTreeSet<(String, String)>,
    shared_names: BTreeSet<String>,
}

impl Rules {
    fn read(page: &str) -> Self {
        let ticked = |text: &str| -> Vec<String> {
            text.split('`')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect()
        };
        let mut rules = Self {
            layers: BTreeMap::new(),
            never: BTreeSet::new(),
            shared_names: BTreeSet::new(),
        };
        for line in page.lines() {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            if let [_, layer, rooms, _, _] = cells[..]
                && let Ok(layer) = layer.parse()
            {
                rules
                    .layers
                    .extend(ticked(rooms).into_iter().map(|room| (room, layer)));
            } else if line.starts_with("- `") {
                let names = ticked(line);
                if line.contains("` never imports `") {
                    rules.never.insert((names[0].clone(), names[1].clone()));
                } else if line.contains("` may stand twice: ") {
                    rules.shared_names.insert(names[0].clone());
                }
            }
        }
        rules
    }

    /// Why a room may not import another, if so.
    fn objection(&self, from: &str, to: &str) -> Option<String> {
        let (Some(own), Some(other)) = (self.layers.get(from), self.layers.get(to)) else {
            return Some(format!("{from} → {to}: not in the table of layers"));
        };
        let forbidden = self.never.contains(&(from.to_owned(), to.to_owned()));
        (from != to && (other >= own || forbidden))
            .then(|| format!("{from} (layer {own}) imports {to} (layer {other})"))
    }
}

fn house() -> House {
    House::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
}

fn rules() -> Rules {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    Rules::read(&fs::read_to_string(page).unwrap())
}

/// Groups of files that import each other, directly or through others.
fn circles(arrows: &BTreeMap<Segments, BTreeSet<Segments>>) -> Vec<BTreeSet<Segments>> {
    let reach = |from: &Segments| {
        let mut reached: BTreeSet<Segments> = BTreeSet::new();
        let mut open: Vec<&Segments> = arrows[from].iter().collect();
        while let Some(next) = open.pop() {
            if reached.insert(next.clone()) {
                open.extend(&arrows[next]);
            }
        }
        reached
    };
    let reached: BTreeMap<&Segments, BTreeSet<Segments>> = arrows
        .keys()
        .map(|module| (module, reach(module)))
        .collect();
    let groups: BTreeSet<BTreeSet<Segments>> = arrows
        .keys()
        .filter(|module| reached[module].contains(*module))
        .map(|module| {
            let back = |other: &&Segments| reached[*other].contains(module);
            reached[module].iter().filter(back).cloned().collect()
        })
        .collect();
    groups.into_iter().collect()
}

#[test]
fn every_import_goes_down() {
    let rules = rules();
    let mut objections = BTreeSet::new();
    for (module, targets) in house().arrows() {
        let Some(room) = module.first() else { continue };
        for target in targets {
            if let Some(why) = rules.objection(room, &target[0]) {
                objections.insert(format!("{}: {why}", module.join("/")));
            }
        }
    }
    let all: Vec<String> = objections.into_iter().collect();
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let circles = circles(&house().arrows());
    let shown: Vec<String> = circles
        .iter()
        .map(|circle| {
            circle
                .iter()
                .map(|m| m.join("/"))
                .collect::<Vec<_>>()
                .join(" ↔ ")
        })
        .collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
}

#[test]
fn no_type_name_stands_in_two_files() {
    let rules = rules();
    let mut homes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (module, source) in &house().sources {
        for name in &source.types {
            homes
                .entry(name.clone())
                .or_default()
                .push(module.join("/"));
        }
    }
    let twice: Vec<String> = homes
        .iter()
        .filter(|(name, homes)| homes.len() > 1 && !rules.shared_names.contains(*name))
        .map(|(name, homes)| format!("{name}: {}", homes.join(", ")))
        .collect();
    assert!(twice.is_empty(), "{}", twice.join("\n"));
    for name in &rules.shared_names {
        let count = homes.get(name).map_or(0, Vec::len);
        assert!(count > 1, "{name} needs no exception any more");
    }
}

#[test]
fn the_page_names_every_room_and_no_other() {
    let house = house();
    let rooms: BTreeSet<&String> = house.sources.keys().filter_map(|m| m.first()).collect();
    let named: BTreeSet<String> = rules().layers.into_keys().collect();
    assert_eq!(named.iter().collect::<BTreeSet<_>>(), rooms);
}

#[test]
fn main_stays_small() {
    let main = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/main.rs");
    assert!(fs::read_to_string(main).unwrap().lines().count() < 80);
}

mod the_test_itself {
    use super::*;

    fn of(files: &[(&str, &str)]) -> House {
        let texts = files.iter().map(|(module, text)| {
            let segments = module
                .split('/')
                .filter(|s| !s.is_empty())
                .map(str::to_owned);
            (segments.collect(), (*text).to_owned())
        });
        House::of(&texts.collect())
    }

    #[test]
    fn sees_a_circle_through_a_re_export_and_through_a_path_in_code() {
        let house = of(&[
            ("", ""),
            (
                "a",
                "mod b; mod c; pub use b::{Thing as Renamed}; pub(crate) use c::*;",
            ),
            ("a/b", "pub struct Thing; fn f() { super::c::g(); }"),
            ("a/c", "use super::Renamed; pub fn g() {}"),
        ]);
        let found = circles(&house.arrows());
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].len(), 2);
    }

    #[test]
    fn sees_no_circle_where_only_tests_look_back() {
        let house = of(&[
            ("", ""),
            ("a", "mod b; mod c;"),
            (
                "a/b",
                "pub struct Thing; #[cfg(test)] mod tests { use super::super::c; }",
            ),
            ("a/c", "use super::b::Thing;"),
        ]);
        assert!(circles(&house.arrows()).is_empty());
    }

    #[test]
    fn objects_to_what_the_page_forbids() {
        let rules = Rules::read(
            "| 0 | `low` | x |\n| 1 | `mid`, `side` | x |\n| 2 | `top` | x |\n- `top` never imports `low`: so.",
        );
        assert_eq!(rules.objection("mid", "low"), None);
        assert!(rules.objection("top", "low").is_some());
        assert!(rules.objection("mid", "side").is_some());
        assert!(rules.objection("low", "mid").is_some());
        assert!(rules.objection("mid", "unknown").is_some());
    }
}
