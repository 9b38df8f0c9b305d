//! Pieces that several pages show.

pub(crate) mod comments;
pub(crate) mod contents;
pub(crate) mod dates;
pub(crate) mod forms;
pub(crate) mod icons;
pub(crate) mod lists;
pub(crate) mod people;
pub(crate) mod sidebar;
