//! Logging in and out, and the choice of colours.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use wiki::{Credentials, LogIn};

use crate::addresses::{local, redirect, see_other};
use crate::failure::{Answer, Failure};
use crate::layout::{self, Section, Sheet, html_answer};
use crate::params::Params;
use crate::parts::forms::{self, Field};
use crate::state::Web;
use crate::visitor::{ChangeForm, Visitor, client_address, session_cookie, session_token};

/// `GET /login?os_destination=`.
pub(crate) async fn login_form(
    State(web): State<Web>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Answer {
    if web.first_run().await? {
        return Ok(redirect("/setup"));
    }
    let params = Params::parse(&query.unwrap_or_default());
    let destination = params.get("os_destination").and_then(local).unwrap_or("/");
    if !visitor.actor.is_anonymous() {
        return Ok(redirect(destination));
    }
    draw_login(&web, &visitor, StatusCode::OK, destination, "", None).await
}

async fn draw_login(
    web: &Web,
    visitor: &Visitor,
    status: StatusCode,
    destination: &str,
    name: &str,
    wrong: Option<&str>,
) -> Answer {
    let site = web.wiki().settings().await?.name;
    let sheet = Sheet::new(
        "Log in",
        Section::None,
        login_card(visitor, &site, destination, name, wrong),
    );
    let mut response = html_answer(layout::document(visitor, &site, web, &sheet));
    *response.status_mut() = status;
    Ok(response)
}

fn login_card(
    visitor: &Visitor,
    site: &str,
    destination: &str,
    name: &str,
    wrong: Option<&str>,
) -> Markup {
    html! {
        div.stage { div.card {
            h1 { "Log in" }
            p { "to " (site) }
            (forms::wrong(wrong))
            form action="/login" method="post" {
                (forms::csrf(visitor))
                input type="hidden" name="os_destination" value=(destination);
                (Field { name: "os_username", label: "Username", value: name, autocomplete: "username", autofocus: true, ..Field::default() }.draw())
                (Field { name: "os_password", label: "Password", kind: "password", autocomplete: "current-password", ..Field::default() }.draw())
                div.field { button.button.primary type="submit" { "Log in" } }
            }
        } }
    }
}

/// `POST /login`.
pub(crate) async fn log_in(
    State(web): State<Web>,
    headers: HeaderMap,
    ChangeForm(visitor, form): ChangeForm,
) -> Answer {
    let destination = form.get("os_destination").and_then(local).unwrap_or("/");
    let name = form.get("os_username").unwrap_or("");
    let credentials = Credentials {
        name: name.to_owned(),
        password: form.raw("os_password").to_owned(),
        address: client_address(&headers),
    };
    match web.wiki().sessions().log_in(credentials).await? {
        LogIn::Done(session) => Ok(with_cookie(
            see_other(destination),
            &session_cookie(&web, Some(&session.token)),
        )),
        LogIn::Refused { message } => {
            draw_login(
                &web,
                &visitor,
                StatusCode::UNAUTHORIZED,
                destination,
                name,
                Some(&message),
            )
            .await
        }
        LogIn::Limited {
            message,
            retry_at_ms,
        } => {
            let mut response = draw_login(
                &web,
                &visitor,
                StatusCode::TOO_MANY_REQUESTS,
                destination,
                name,
                Some(&message),
            )
            .await?;
            let seconds = (retry_at_ms - web.wiki().now_ms()) / 1000 + 1;
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
            Ok(response)
        }
    }
}

/// `POST /logout`.
pub(crate) async fn log_out(
    State(web): State<Web>,
    headers: HeaderMap,
    ChangeForm(_, _): ChangeForm,
) -> Answer {
    if let Some(token) = session_token(&headers) {
        web.wiki().sessions().log_out(token).await?;
    }
    Ok(with_cookie(see_other("/"), &session_cookie(&web, None)))
}

/// `GET /logout.action`: asks first, because any page of another site could lead here.
pub(crate) async fn log_out_form(State(web): State<Web>, visitor: Visitor) -> Answer {
    if visitor.actor.is_anonymous() {
        return Ok(redirect("/"));
    }
    let main = html! {
        div.stage { div.card {
            h1 { "Log out?" }
            p { "Edits that were saved stay saved." }
            div.field.buttons { (forms::act(&visitor, "/logout", "Log out", "primary", None)) a.button href="/" { "Stay" } }
        } }
    };
    web.page(&visitor, Sheet::new("Log out", Section::None, main))
        .await
}

/// `POST /theme`: the buttons of the account menu for browsers without script. It changes nothing but a cookie.
pub(crate) async fn theme(State(web): State<Web>, headers: HeaderMap, body: String) -> Answer {
    let form = Params::parse(&body);
    let theme = match form.get("theme") {
        Some(theme @ ("system" | "light" | "dark")) => theme,
        _ => {
            return Err(Failure::invalid(
                "`theme` takes `system`, `light` or `dark`",
            ));
        }
    };
    let secure = if web.secure() { "; Secure" } else { "" };
    let cookie = format!("wm_theme={theme}; Path=/; Max-Age=31536000; SameSite=Lax{secure}");
    Ok(with_cookie(see_other(&came_from(&headers)), &cookie))
}

/// The path of the page that sent this form.
pub(crate) fn came_from(headers: &HeaderMap) -> String {
    let referer = headers
        .get(header::REFERER)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("");
    let path = referer
        .split_once("://")
        .and_then(|(_, rest)| rest.find('/').and_then(|at| rest.get(at..)));
    path.and_then(local).unwrap_or("/").to_owned()
}

/// Adds a cookie to an answer.
pub(crate) fn with_cookie(response: Response, cookie: &str) -> Response {
    let mut response = response.into_response();
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}
