//! What a reader must know.

use super::super::table::fold;

/// A line for each note.
pub(super) fn notes(notes: &[String], width: Option<u16>) -> String {
    let mut page = String::new();
    for note in notes {
        page += &fold(&format!("Note: {note}"), "  ", width);
    }
    if !notes.is_empty() {
        page.push('\n');
    }
    page
}
