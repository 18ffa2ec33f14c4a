//! The source files of the workspace, read as crates, modules and the paths that they name.

use crate::paths::{Paths, is_test, item_attributes};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use syn::Item;

/// The text of each `.rs` file, by its path from the root of the workspace, with `/` between its parts.
pub(crate) type Files = BTreeMap<String, String>;

/// All `.rs` files of the workspace.
pub(crate) fn files() -> Files {
    let mut files = Files::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![(root.to_owned(), String::new())];
    while let Some((folder, at)) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("folders of the tree can be read") {
            let entry = entry.expect("folders of the tree can be read");
            let name = entry.file_name().into_string().expect("names are UTF-8");
            let path = format!("{at}{name}");
            if entry.file_type().expect("entries have a type").is_dir() {
                if name != "target" && !name.starts_with('.') {
                    folders.push((entry.path(), format!("{path}/")));
                }
            } else if name.ends_with(".rs") {
                files.insert(path, std::fs::read_to_string(entry.path()).expect("sources are UTF-8"));
            }
        }
    }
    files
}

/// The crates that are built for users: libraries and programs.
pub(crate) fn crates(files: &Files) -> Vec<Crate> {
    let is_root = |path: &&String| {
        let mut parts: Vec<_> = path.rsplit('/').collect();
        parts.truncate(4);
        !path.split('/').any(|part| part == "tests" || part == "benches")
            && matches!(parts[..], ["lib.rs" | "main.rs", "src", ..] | ["main.rs", _, "bin", "src"])
    };
    files.keys().filter(is_root).map(|root| Crate::read(files, root)).collect()
}

/// A crate without its tests.
pub(crate) struct Crate {
    /// Its modules; the first is the root.
    pub(crate) modules: Vec<Module>,
    /// The paths in its code, each with the module that it stands in.
    pub(crate) paths: Vec<(usize, Vec<String>)>,
}

/// A module, in a file of its own or inline.
pub(crate) struct Module {
    pub(crate) file: String,
    pub(crate) parent: usize,
    pub(crate) names: HashMap<String, Vec<Name>>,
    /// Paths of `use path::*`.
    pub(crate) globs: Vec<Vec<String>>,
}

/// The meaning of a name in a module.
pub(crate) enum Name {
    /// The module of that index.
    Module(usize),
    /// An item of the module's file.
    Item,
    /// A function of the module's file: no path leads on from it.
    Function,
    /// The path that a `use` gives it.
    Import(Vec<String>),
}

impl Crate {
    pub(crate) fn read(files: &Files, root: &str) -> Self {
        let mut krate = Self { modules: Vec::new(), paths: Vec::new() };
        let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder);
        krate.add_file(files, root, folder, 0);
        krate
    }

    /// Adds the module that is a file; its children's files are in `folder`.
    fn add_file(&mut self, files: &Files, path: &str, folder: &str, parent: usize) -> usize {
        let file = syn::parse_file(&files[path]).unwrap_or_else(|error| panic!("{path}: {error}"));
        self.add_module(files, path, folder, parent, &file.items)
    }

    fn add_module(
        &mut self,
        files: &Files,
        path: &str,
        folder: &str,
        parent: usize,
        items: &[Item],
    ) -> usize {
        let at = self.modules.len();
        let (names, globs) = (HashMap::new(), Vec::new());
        self.modules.push(Module { file: path.to_owned(), parent, names, globs });
        for item in items.iter().filter(|item| !is_test(item_attributes(item))) {
            if let Item::Mod(child) = item {
                let name = child.ident.to_string();
                let inside = format!("{folder}/{name}");
                let id = match &child.content {
                    Some((_, items)) => self.add_module(files, path, &inside, at, items),
                    None => {
                        let candidates = [format!("{inside}.rs"), format!("{inside}/mod.rs")];
                        let file = candidates.iter().find(|file| files.contains_key(*file));
                        let file = file.unwrap_or_else(|| panic!("{path}: no file of `mod {name}`"));
                        self.add_file(files, file, &inside, at)
                    }
                };
                self.name(at, name, Name::Module(id));
            } else {
                if let Some(name) = item_name(item) {
                    let is_function = matches!(item, Item::Fn(_));
                    self.name(at, name, if is_function { Name::Function } else { Name::Item });
                }
                let Paths { used, imports, globs } = Paths::of(item);
                self.paths.extend(used.into_iter().map(|path| (at, path)));
                self.modules[at].globs.extend(globs);
                for (name, path) in imports {
                    self.name(at, name, Name::Import(path));
                }
            }
        }
        at
    }

    fn name(&mut self, module: usize, name: String, meaning: Name) {
        self.modules[module].names.entry(name).or_default().push(meaning);
    }
}

fn item_name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}
