//! `config show` and `config check`.

use serde_json::json;

use super::load_plain;
use crate::cli::{ConfigCommand, PlaceArgs};
use crate::config::{Config, ServeFlags};
use crate::outcome::{Failure, Output};

pub(super) fn run(
    place: &PlaceArgs,
    command: &ConfigCommand,
    output: &Output,
) -> Result<(), Failure> {
    match command {
        ConfigCommand::Show => show(&load_plain(place)?, output),
        ConfigCommand::Check => check(place, output),
    }
}

fn show(config: &Config, output: &Output) -> Result<(), Failure> {
    let object: serde_json::Map<String, serde_json::Value> = config
        .effective
        .iter()
        .map(|it| {
            let value = json!({ "value": it.value, "source": it.source });
            (it.key.to_owned(), value)
        })
        .collect();
    output.answer(&object, || {
        let rows = config
            .effective
            .iter()
            .map(|it| (format!("{} = {:?}", it.key, it.value), &it.source));
        let width = rows.clone().map(|(left, _)| left.chars().count()).max();
        rows.map(|(left, source)| {
            format!("{left:<width$}  # {source}\n", width = width.unwrap_or(0))
        })
        .collect()
    })
}

fn check(place: &PlaceArgs, output: &Output) -> Result<(), Failure> {
    match Config::load(place, &ServeFlags::default(), super::environment()) {
        Ok(_) => output.answer(&json!({ "mistakes": [] }), || {
            "the configuration has no mistakes".to_owned()
        }),
        Err(mistakes) => {
            if output.is_json() {
                output.answer(&json!({ "mistakes": mistakes.lines() }), String::new)?;
                return Err(Failure::told_wrong_usage());
            }
            Err(Failure::wrong_usage(mistakes))
        }
    }
}
