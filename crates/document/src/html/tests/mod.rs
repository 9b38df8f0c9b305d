//! What rendered pages look like, and what they can never hold.

mod browser;
mod pictures;
mod reading;
mod safety;
mod vectors;

use crate::html::Html;
use crate::links::{LinkTarget, Links, Resource};
use crate::storage_format::StorageFormat;
use crate::tree::Document;

/// A small wiki: the page `Runbook` exists, others do not; files and people have addresses.
struct Wiki;

impl Links for Wiki {
    fn resolve(&self, resource: &Resource) -> LinkTarget {
        match resource {
            Resource::Page { title, .. } if title == "Runbook" => {
                LinkTarget::at("/display/OPSA/Runbook")
            }
            Resource::Page { .. } => LinkTarget {
                href: Some("/create".into()),
                ..LinkTarget::missing()
            },
            Resource::Attachment { file, .. } => {
                LinkTarget::at(format!("/files/{file}")).shown_as(format!("/thumbs/{file}"))
            }
            Resource::User { .. } => LinkTarget::at("/people/jon").named("Jon Doe"),
            Resource::Url(url) => LinkTarget::at(url).shown_as(url),
            Resource::Content(_) => LinkTarget::missing(),
            other => LinkTarget::at(format!("/other/{}", other.plain_name())),
        }
    }

    fn macro_html(&self, name: &str, parameters: &[(String, String)]) -> Option<String> {
        (name == "children").then(|| format!("<ul><li>{} parameters</li></ul>", parameters.len()))
    }
}

fn storage(source: &str) -> Document {
    StorageFormat::parse(source).expect("well-formed").0
}

fn render(source: &str) -> String {
    Html::render(&storage(source), "My Page", &Wiki)
}
