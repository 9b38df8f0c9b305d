//! Files from the writer, streamed piece by piece to where they stay.

use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use wiki::{Attachment, ContentId};

use crate::addresses::see_other;
use crate::failure::{Answer, Failure};
use crate::limits;
use crate::state::Web;
use crate::visitor::Visitor;

/// `POST /content/{id}/attachments`: from the form of the attachments page.
pub(crate) async fn from_form(
    State(web): State<Web>,
    visitor: Visitor,
    Path(page): Path<i64>,
    headers: HeaderMap,
    form: Multipart,
) -> Answer {
    receive(&web, &visitor, page, &headers, form).await?;
    Ok(see_other(&format!("/content/{page}/attachments")))
}

/// `POST /api/pages/{id}/attachments`: from the editor.
pub(crate) async fn from_script(
    State(web): State<Web>,
    visitor: Visitor,
    Path(page): Path<i64>,
    headers: HeaderMap,
    form: Multipart,
) -> Answer {
    let files = receive(&web, &visitor, page, &headers, form).await?;
    Ok(axum::Json(
        files
            .iter()
            .map(crate::api::attachment_json)
            .collect::<Vec<_>>(),
    )
    .into_response())
}

/// Takes the fields in order: the CSRF token (unless a header has it), perhaps a message, then files.
async fn receive(
    web: &Web,
    visitor: &Visitor,
    page: i64,
    headers: &HeaderMap,
    mut form: Multipart,
) -> Answer<Vec<Attachment>> {
    let mut allowed = visitor.check_csrf(headers, None).is_ok();
    let (mut message, mut files) = (String::new(), Vec::new());
    while let Some(field) = form.next_field().await.map_err(broken)? {
        match field.name().unwrap_or("") {
            "csrf" => {
                let token = field.text().await.map_err(broken)?;
                allowed = visitor.check_csrf(headers, Some(&token)).is_ok();
            }
            "comment" => message = field.text().await.map_err(broken)?,
            "file" if field.file_name().is_some_and(|name| !name.is_empty()) => {
                if !allowed {
                    visitor.check_csrf(headers, None)?;
                }
                files.push(keep(web, visitor, page, &message, field).await?);
            }
            _ => {}
        }
    }
    if files.is_empty() {
        Err(Failure::invalid("choose a file first"))
    } else {
        Ok(files)
    }
}

async fn keep(
    web: &Web,
    visitor: &Visitor,
    page: i64,
    message: &str,
    mut field: Field<'_>,
) -> Answer<Attachment> {
    let name = field.file_name().unwrap_or("").to_owned();
    let mut upload = web
        .wiki()
        .attachments()
        .upload(&visitor.actor, ContentId::new(page), &name)
        .await?;
    let mut size = 0u64;
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        size += chunk.len() as u64;
        if size > limits::ATTACHMENT_BYTES_MAX {
            let megabytes = limits::ATTACHMENT_BYTES_MAX / 1_000_000;
            return Err(Failure::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("`{name}` is larger than {megabytes} MB"),
            ));
        }
        upload = upload.write_chunk(chunk.to_vec()).await?;
    }
    Ok(upload.finish(message).await?)
}

/// An upload that stopped in the middle.
pub(crate) fn broken(error: MultipartError) -> Failure {
    Failure::new(error.status(), "the upload broke off; try again")
}
