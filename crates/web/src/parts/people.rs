//! Names and faces.

use maud::{Markup, html};
use wiki::Person;

use crate::params::encode;

/// Up to two letters for a person.
pub(crate) fn initials_of(person: &Person) -> String {
    let name = if person.full_name.trim().is_empty() {
        &person.name
    } else {
        &person.full_name
    };
    let mut words = name.split_whitespace();
    let first = words.next().and_then(|word| word.chars().next());
    let last = words.last().and_then(|word| word.chars().next());
    first.into_iter().chain(last).collect()
}

/// A round sign with letters, coloured by the login name.
pub(crate) fn avatar(initials: &str, name: &str, size: &str) -> Markup {
    html! { span.{ "avatar h" (hue(name)) " " (size) } aria-hidden="true" { (initials) } }
}

/// One of twelve hues for a name, always the same.
pub(crate) fn hue(name: &str) -> u32 {
    name.bytes().fold(7u32, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(u32::from(byte))
    }) % 12
}

/// The person's name as a link to the profile; imports do not always know who it was.
pub(crate) fn link(person: Option<&Person>) -> Markup {
    match person {
        Some(person) => html! { a href={ "/people/" (encode(&person.name)) } { (shown(person)) } },
        None => html! { "Unknown" },
    }
}

/// The face of somebody, or of nobody known.
pub(crate) fn face(person: Option<&Person>, size: &str) -> Markup {
    match person {
        Some(person) => avatar(&initials_of(person), &person.name, size),
        None => avatar("?", "", size),
    }
}

/// The name to show.
pub(crate) fn shown(person: &Person) -> &str {
    if person.full_name.trim().is_empty() {
        &person.name
    } else {
        &person.full_name
    }
}
