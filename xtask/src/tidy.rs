//! The house rules that a program can hold: each check returns the offences it found, one line each.

mod dependencies;
mod documents;
mod rules;
mod sizes;
mod tree;

use crate::tally::Tally;

/// Runs all checks; an error if one of them found something.
pub(crate) fn command() -> Result<(), String> {
    match run()?.failed {
        0 => Ok(()),
        broken => Err(format!("{broken} house rules are broken")),
    }
}

/// Runs all checks; an error only where a check itself could not be made.
pub(crate) fn run() -> Result<Tally, String> {
    let tree = tree::Tree::read()?;
    let checks: [(&str, Vec<String>); 5] = [
        ("dependencies follow the map", dependencies::check()?),
        ("files and functions keep their size", sizes::check(&tree)),
        ("documents link to what exists", documents::check(&tree)),
        (
            "every rule of a specification has a test",
            rules::check(&tree),
        ),
        ("no package registry is named", documents::registries(&tree)),
    ];
    let mut tally = Tally::default();
    for (name, offences) in &checks {
        println!(
            "tidy: {name}: {}",
            if offences.is_empty() { "ok" } else { "FAILED" }
        );
        offences.iter().for_each(|offence| println!("  {offence}"));
        tally.add(Tally::check(offences.is_empty()));
    }
    Ok(tally)
}
