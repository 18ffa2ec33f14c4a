//! Paths followed to the files of what they name.

use crate::source::{Crate, Name};
use std::collections::{BTreeMap, BTreeSet};

/// The names that a file takes from another one, by both: user, then home of the names.
pub(crate) type Arrows = BTreeMap<(String, String), BTreeSet<String>>;

/// The end of a path: a module, or an item or a function with its module. A module is no name that is taken, only the
/// way to one.
#[derive(PartialEq, Eq)]
enum End {
    Module(usize),
    Item(usize, String),
    Function(usize, String),
}

/// Every arrow between two files of a crate. A name is taken from the file that has it, and from the one that hands it
/// on, unless that one stands above the user: then it is only the way to what is beside him.
pub(crate) fn arrows(krate: &Crate) -> Arrows {
    let mut arrows = Arrows::new();
    for (module, path) in &krate.paths {
        let mut walk = Walk { krate, asked: Vec::new(), doors: Vec::new() };
        let ends = walk.follow(*module, path);
        let items = ends.into_iter().filter_map(|end| match end {
            End::Item(home, name) | End::Function(home, name) => Some((home, name)),
            End::Module(_) => None,
        });
        let homes: Vec<_> = items.collect();
        let doors = walk.doors.into_iter().filter(|(door, _)| !is_above(krate, *door, *module));
        let doors = doors.filter(|_| !homes.is_empty()).collect::<Vec<_>>();
        for (home, name) in homes.into_iter().chain(doors) {
            let (user, home) = (&krate.modules[*module].file, &krate.modules[home].file);
            if user != home {
                arrows.entry((user.clone(), home.clone())).or_default().insert(name);
            }
        }
    }
    arrows
}

/// True where `above` is the module itself or one that it is in.
fn is_above(krate: &Crate, above: usize, module: usize) -> bool {
    let parent = krate.modules[module].parent;
    above == module || (parent != module && is_above(krate, above, parent))
}

/// The way along a path.
struct Walk<'a> {
    krate: &'a Crate,
    /// Names that are looked up already: imports may name each other in turn.
    asked: Vec<(usize, String)>,
    /// Modules that handed a name on.
    doors: Vec<(usize, String)>,
}

impl Walk<'_> {
    /// Everything that a path can name, seen from a module; nothing for what another crate has.
    fn follow(&mut self, from: usize, path: &[String]) -> Vec<End> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        let mut ends = match first.as_str() {
            "crate" => vec![End::Module(0)],
            "self" => vec![End::Module(from)],
            "super" => vec![End::Module(self.krate.modules[from].parent)],
            name => self.look_up(from, name),
        };
        for name in rest {
            let next = ends.into_iter().flat_map(|end| match end {
                End::Module(module) if name == "super" => {
                    vec![End::Module(self.krate.modules[module].parent)]
                }
                End::Module(module) => self.look_up(module, name),
                // A variant, or a function of a type.
                end @ End::Item(..) => vec![end],
                // Then a module of the same name is meant.
                End::Function(..) => Vec::new(),
            });
            ends = next.collect();
        }
        ends
    }

    /// Everything that a name means in a module.
    fn look_up(&mut self, module: usize, name: &str) -> Vec<End> {
        // In `use fit::fit` the first is a module, whatever else has its name.
        let is_asked = self.asked.iter().any(|(m, n)| *m == module && n == name);
        self.asked.push((module, name.to_owned()));
        let mut ends = Vec::new();
        let inside = &self.krate.modules[module];
        for meaning in inside.names.get(name).into_iter().flatten() {
            match meaning {
                Name::Module(child) => ends.push(End::Module(*child)),
                Name::Item => ends.push(End::Item(module, name.to_owned())),
                Name::Function => ends.push(End::Function(module, name.to_owned())),
                Name::Import(_) if is_asked => {}
                Name::Import(path) => ends.extend(self.handed_on(module, name, path)),
            }
        }
        if ends.is_empty() && !is_asked {
            for glob in &inside.globs {
                let path = [glob.as_slice(), &[name.to_owned()]].concat();
                ends.extend(self.handed_on(module, name, &path));
            }
        }
        self.asked.pop();
        ends
    }

    fn handed_on(&mut self, module: usize, name: &str, path: &[String]) -> Vec<End> {
        let ends = self.follow(module, path);
        if !ends.is_empty() {
            self.doors.push((module, name.to_owned()));
        }
        ends
    }
}
