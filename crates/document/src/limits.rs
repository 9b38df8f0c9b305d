//! Every limit of the crate, by name, with what happens when it is reached.

/// Levels of nesting in a tree. Deeper source is kept as a preserved node; a deeper live document loses nothing but is read as far as this.
pub(crate) const DEPTH_MAX: usize = 200;
