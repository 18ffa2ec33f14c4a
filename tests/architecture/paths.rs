//! The paths in an item, and the attributes that make it one of tests.

use proc_macro2::{TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, Item, Meta, Stmt, Token, UseTree, Visibility};

pub(crate) fn item_attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// True of what only tests are built with: `cfg(test)`, or `test` among all that a `cfg` asks for.
pub(crate) fn is_test(attributes: &[Attribute]) -> bool {
    fn asks_for_test(meta: &Meta) -> bool {
        match meta {
            Meta::Path(path) => path.is_ident("test"),
            Meta::List(list) if list.path.is_ident("all") => {
                let all = list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated);
                all.is_ok_and(|all| all.iter().any(asks_for_test))
            }
            _ => false,
        }
    }
    let cfg = attributes.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    cfg.filter_map(|attribute| attribute.parse_args().ok()).any(|meta| asks_for_test(&meta))
}

/// The names that an item uses and brings in. Not seen: methods called with a dot, and paths in strings of attributes.
#[derive(Default)]
pub(crate) struct Paths {
    /// Every path that it uses.
    pub(crate) used: Vec<Vec<String>>,
    /// Names that it brings into its module, with their paths.
    pub(crate) imports: Vec<(String, Vec<String>)>,
    /// Paths of `use path::*`.
    pub(crate) globs: Vec<Vec<String>>,
}

impl Paths {
    pub(crate) fn of(item: &Item) -> Self {
        let mut paths = Self::default();
        paths.visit_item(item);
        paths
    }

    /// Adds what a `use` imports. Who makes the name visible to others hands it on, and need not use it.
    fn import(&mut self, tree: &UseTree, mut at: Vec<String>, hands_on: bool) {
        match tree {
            UseTree::Path(path) => {
                at.push(path.ident.to_string());
                self.import(&path.tree, at, hands_on);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, at.clone(), hands_on);
                }
            }
            UseTree::Glob(_) => {
                self.globs.push(at.clone());
                if !hands_on {
                    self.used.push(at);
                }
            }
            UseTree::Name(_) | UseTree::Rename(_) => {
                let (name, alias) = match tree {
                    UseTree::Rename(rename) => (rename.ident.to_string(), rename.rename.to_string()),
                    UseTree::Name(name) => (name.ident.to_string(), name.ident.to_string()),
                    _ => unreachable!("matched above"),
                };
                let itself = name == "self";
                let alias = if itself && alias == name { at[at.len() - 1].clone() } else { alias };
                if !itself {
                    at.push(name);
                }
                if !hands_on {
                    self.used.push(at.clone());
                }
                self.imports.push((alias, at));
            }
        }
    }

    /// Adds whatever looks like a path in the tokens of a macro.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 && !path.is_empty() {
                        self.used.push(std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    if !path.is_empty() {
                        self.used.push(std::mem::take(&mut path));
                    }
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        if !path.is_empty() {
            self.used.push(path);
        }
    }
}

impl<'ast> Visit<'ast> for Paths {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.used.push(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() {
            self.import(&item.tree, Vec::new(), !matches!(item.vis, Visibility::Inherited));
        }
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(item_attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    fn visit_field(&mut self, field: &'ast syn::Field) {
        if !is_test(&field.attrs) {
            visit::visit_field(self, field);
        }
    }

    fn visit_field_value(&mut self, field: &'ast syn::FieldValue) {
        if !is_test(&field.attrs) {
            visit::visit_field_value(self, field);
        }
    }

    fn visit_stmt(&mut self, stmt: &'ast Stmt) {
        let test = match stmt {
            Stmt::Local(local) => is_test(&local.attrs),
            Stmt::Macro(call) => is_test(&call.attrs),
            Stmt::Item(_) | Stmt::Expr(..) => false,
        };
        if !test {
            visit::visit_stmt(self, stmt);
        }
    }
}
