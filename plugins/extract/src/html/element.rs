//! The effect of each HTML element on the text around it.

/// The role of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Its content is not text.
    Dropped,
    /// Its content is the document's title.
    Title,
    /// A heading of this level.
    Heading(u8),
    /// Text kept blank for blank.
    Pre,
    /// A list.
    List,
    /// An item of a list.
    Item,
    /// Stands in paragraphs of its own; the flag says whether it may stand inside a heading.
    Block {
        /// `div` and the like.
        in_heading: bool,
    },
    /// Starts a line.
    Line,
    Table,
    /// The rows above the columns.
    TableHead,
    /// Other rows of a table.
    TableBody,
    Caption,
    Row,
    Cell {
        /// `th`.
        is_header: bool,
    },
    /// Part of the line it is in.
    Inline,
}

/// The role of the element `name`, which is in lower case.
pub(super) fn role(name: &[u8]) -> Role {
    match name {
        b"script" | b"style" | b"noscript" | b"template" | b"svg" | b"math" | b"iframe" | b"object"
        | b"noembed" | b"noframes" => Role::Dropped,
        b"title" => Role::Title,
        [b'h', level @ b'1'..=b'6'] => Role::Heading(level - b'0'),
        b"pre" | b"listing" | b"xmp" => Role::Pre,
        b"ul" | b"ol" | b"menu" | b"dir" => Role::List,
        b"li" => Role::Item,
        b"div" | b"header" | b"hgroup" => Role::Block { in_heading: true },
        b"address" | b"article" | b"aside" | b"blockquote" | b"body" | b"center" | b"details" | b"dialog"
        | b"dl" | b"fieldset" | b"figcaption" | b"figure" | b"footer" | b"form" | b"hr" | b"html"
        | b"legend" | b"main" | b"nav" | b"p" | b"search" | b"section" | b"summary" => {
            Role::Block { in_heading: false }
        }
        b"br" | b"dd" | b"dt" | b"optgroup" | b"option" | b"textarea" => Role::Line,
        b"table" => Role::Table,
        b"thead" => Role::TableHead,
        b"tbody" | b"tfoot" => Role::TableBody,
        b"caption" => Role::Caption,
        b"tr" => Role::Row,
        b"td" => Role::Cell { is_header: false },
        b"th" => Role::Cell { is_header: true },
        _ => Role::Inline,
    }
}
