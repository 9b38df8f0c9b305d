//! `document convert`, and the forms that `page export` shares with it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use document::{Document, Html, Json, Markdown, Note, PlainText, StorageFormat};

use crate::cli::{DocumentCommand, SourceForm, TargetForm};
use crate::limits;
use crate::outcome::{Failure, Output};

pub(super) fn run(command: DocumentCommand, output: &Output) -> Result<(), Failure> {
    let DocumentCommand::Convert { from, to, file } = command;
    let source = read(file.as_deref())?;
    let (document, notes) = parse(from, &source)?;
    for note in &notes {
        output.note(&shown(note));
    }
    print(&write(to, &document)?)
}

fn read(file: Option<&Path>) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let (name, read) = match file {
        Some(path) => {
            let read = File::open(path).and_then(|file| {
                file.take(limits::CONVERT_BYTES_MAX + 1)
                    .read_to_end(&mut bytes)
            });
            (format!("`{}`", path.display()), read)
        }
        None => {
            let stdin = io::stdin().lock();
            let read = stdin
                .take(limits::CONVERT_BYTES_MAX + 1)
                .read_to_end(&mut bytes);
            ("standard input".to_owned(), read)
        }
    };
    read.map_err(|error| Failure::new(format!("cannot read {name}: {error}")))?;
    if bytes.len() as u64 > limits::CONVERT_BYTES_MAX {
        return Err(Failure::new(format!(
            "{name} is larger than {} MiB; split it",
            limits::CONVERT_BYTES_MAX / 1024 / 1024
        )));
    }
    String::from_utf8(bytes).map_err(|error| {
        Failure::new(format!(
            "{name} is not UTF-8 (byte {}); convert it first",
            error.utf8_error().valid_up_to()
        ))
    })
}

fn parse(from: SourceForm, source: &str) -> Result<(Document, Vec<Note>), Failure> {
    match from {
        SourceForm::Storage => StorageFormat::parse(source)
            .map_err(|error| Failure::new(format!("not well-formed: {error}"))),
        SourceForm::Markdown => Ok(Markdown::parse(source)),
        SourceForm::Html => Ok(Html::parse(source)),
    }
}

/// Writes a document in a form that needs no wiki: links lead where they say.
pub(super) fn write(to: TargetForm, document: &Document) -> Result<String, Failure> {
    Ok(match to {
        TargetForm::Storage => StorageFormat::write(document),
        TargetForm::Markdown => Markdown::write(document),
        TargetForm::Html => Html::render(document, "", &()),
        TargetForm::Json => {
            serde_json::to_string_pretty(&Json::write(document)).map_err(Failure::new)?
        }
        TargetForm::Text => PlainText::write(document),
    })
}

/// Prints a document byte for byte: a line end more would be another document.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Failure::new),
    }
}

fn shown(note: &Note) -> String {
    if note.line == 0 {
        return format!("note: {}", note.message);
    }
    format!(
        "note: line {}, column {}: {}",
        note.line, note.column, note.message
    )
}
