//! The lists of a page that are open, and the marks of their items.

/// Lists in lists beyond this are indented no further.
const MAX_INDENT: usize = 8;

/// Open lists; the attributes of a tag are told after it.
#[derive(Default)]
pub(super) struct Lists {
    /// The number that the next item has, of an ordered list.
    open: Vec<Option<u32>>,
    tag: Tag,
}

/// The tag that attributes are told of.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Tag {
    #[default]
    Other,
    List,
    Item,
}

impl Lists {
    pub(super) fn are_closed(&self) -> bool {
        self.open.is_empty()
    }

    /// A tag begins that is neither a list nor an item, as far as is known.
    pub(super) fn tag(&mut self) {
        self.tag = Tag::Other;
    }

    pub(super) fn begin(&mut self, is_ordered: bool) {
        self.open.push(is_ordered.then_some(1));
        self.tag = Tag::List;
    }

    pub(super) fn end(&mut self) {
        self.open.pop();
    }

    /// The mark of an item that begins: its number in an ordered list.
    pub(super) fn item(&mut self) -> String {
        self.tag = Tag::Item;
        let indent = "  ".repeat(self.open.len().saturating_sub(1).min(MAX_INDENT));
        match self.open.last_mut() {
            Some(Some(next)) => {
                let number = *next;
                *next = next.saturating_add(1);
                format!("{indent}{number}. ")
            }
            _ => format!("{indent}- "),
        }
    }

    /// An attribute of the tag that began last; the mark of its item, where that is another by it.
    pub(super) fn attribute(&mut self, name: &[u8], value: &[u8]) -> Option<String> {
        let number = std::str::from_utf8(value).ok().and_then(|value| value.trim().parse::<u32>().ok());
        match (self.tag, name, self.open.last_mut()?) {
            (Tag::List, b"start", Some(next)) => *next = number.unwrap_or(*next),
            // How many items there are to count down from is not known yet.
            (Tag::List, b"reversed", next) => *next = None,
            (Tag::Item, b"value", Some(next)) => {
                *next = number?;
                return Some(self.item());
            }
            _ => {}
        }
        None
    }
}
