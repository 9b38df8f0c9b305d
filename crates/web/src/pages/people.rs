//! People: a profile for others to see, and one's own settings.

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use maud::{Markup, html};
use wiki::{AccessToken, Credentials, LogIn, TokenId};

use crate::addresses::see_other;
use crate::failure::{Answer, Failure};
use crate::layout::{Section, Sheet, column};
use crate::pages::account::with_cookie;
use crate::params::Params;
use crate::parts::forms::{self, Field};
use crate::parts::{dates, people};
use crate::state::Web;
use crate::visitor::{ChangeForm, Member, Visitor, client_address, session_cookie};

/// `GET /people/{name}`.
pub(crate) async fn profile(
    State(web): State<Web>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Answer {
    let account = web.wiki().accounts().find(&visitor.actor, &name).await?;
    let person = &account.person;
    let mine = visitor.actor.user_id() == Some(person.id);
    let main = html! {
        div.page-head {
            h1 { (people::face(Some(person), "big")) " " (people::shown(person)) }
            @if mine { a.button href="/profile" { "Settings" } }
        }
        dl.facts {
            dt { "Username" } dd { (person.name) }
            @if let (Some(email), false) = (&account.email, visitor.actor.is_anonymous()) { dt { "E-mail" } dd { a href={ "mailto:" (email) } { (email) } } }
            @if account.disabled { dt { "Account" } dd { "Disabled" } }
        }
    };
    web.page(
        &visitor,
        Sheet::new(
            people::shown(person).to_owned(),
            Section::None,
            column(false, main),
        ),
    )
    .await
}

/// `GET /profile`: one's own settings.
pub(crate) async fn settings(
    State(web): State<Web>,
    Member(visitor): Member,
    RawQuery(query): RawQuery,
) -> Answer {
    let params = Params::parse(&query.unwrap_or_default());
    let done = params
        .ticked("password")
        .then_some("Your password is changed. All other sessions have ended.");
    draw_settings(&web, &visitor, None, done, None).await
}

async fn draw_settings(
    web: &Web,
    visitor: &Visitor,
    secret: Option<&str>,
    done: Option<&str>,
    wrong: Option<&str>,
) -> Answer {
    let tokens = web
        .wiki()
        .tokens()
        .list(&visitor.actor, visitor.name())
        .await?;
    let main = html! {
        div.page-head { h1 { "Settings" } p { "of your account " b { (visitor.name()) } } }
        (forms::done(done)) (forms::wrong(wrong))
        (password_box(visitor))
        (token_box(visitor, &tokens, secret))
    };
    web.page(
        visitor,
        Sheet::new("Settings", Section::None, column(false, main)),
    )
    .await
}

fn password_box(visitor: &Visitor) -> Markup {
    html! {
        form.panel-box action="/profile/password" method="post" {
            h2 { "Password" }
            (forms::csrf(visitor))
            (Field { name: "current", label: "Current password", kind: "password", autocomplete: "current-password", ..Field::default() }.draw())
            (Field { name: "new", label: "New password", kind: "password", autocomplete: "new-password", hint: "At least 8 characters.", ..Field::default() }.draw())
            div.buttons { button.button.primary type="submit" { "Change password" } }
        }
    }
}

fn token_box(visitor: &Visitor, tokens: &[AccessToken], secret: Option<&str>) -> Markup {
    html! {
        section.panel-box #tokens {
            h2 { "Personal access tokens" }
            p { "For scripts and programs: as " code { "Authorization: Bearer" } ", or as the password of Basic authentication." }
            @if let Some(secret) = secret { div.field { span.label { "Your new token. It is shown only now." } code.secret { (secret) } } }
            @if !tokens.is_empty() { div.scroll { table.list {
                thead { tr { th scope="col" { "Name" } th scope="col" { "Made" } th scope="col" { "Last used" } th scope="col" { span.visually-hidden { "Revoke" } } } }
                tbody { @for token in tokens { tr {
                    td { (token.name) } td.nowrap { (dates::day(token.created_at_ms)) }
                    td.nowrap { @if let Some(at) = token.last_used_at_ms { (dates::day(at)) } @else { "Never" } }
                    td.acts { (forms::act(visitor, &format!("/profile/tokens/{}/revoke", token.id), "Revoke", "small danger", Some("Programs that use this token will be refused. Revoke it?"))) }
                } } }
            } } }
            form action="/profile/tokens" method="post" {
                (forms::csrf(visitor))
                (Field { name: "token_name", label: "What is it for?", ..Field::default() }.draw())
                div.buttons { button.button type="submit" { "Create token" } }
            }
        }
    }
}

/// `POST /profile/password`: asks for the current one, and begins a new session because all others end.
pub(crate) async fn change_password(
    State(web): State<Web>,
    headers: HeaderMap,
    ChangeForm(visitor, form): ChangeForm,
) -> Answer {
    let person = visitor
        .actor
        .person()
        .ok_or_else(Failure::log_in_first)?
        .clone();
    let credentials = Credentials {
        name: person.name.clone(),
        password: form.raw("current").to_owned(),
        address: client_address(&headers),
    };
    match web.wiki().sessions().log_in(credentials).await? {
        LogIn::Done(_) => {}
        LogIn::Refused { .. } => {
            return draw_settings(
                &web,
                &visitor,
                None,
                None,
                Some("the current password is wrong"),
            )
            .await;
        }
        LogIn::Limited { message, .. } => {
            return draw_settings(&web, &visitor, None, None, Some(&message)).await;
        }
    }
    match web
        .wiki()
        .accounts()
        .set_password(&visitor.actor, &person.name, form.raw("new"))
        .await
    {
        Ok(()) => {}
        Err(wiki::Error::Invalid(message)) => {
            return draw_settings(&web, &visitor, None, None, Some(&message)).await;
        }
        Err(error) => return Err(error.into()),
    }
    let session = web.wiki().sessions().begin(person.id).await?;
    Ok(with_cookie(
        see_other("/profile?password"),
        &session_cookie(&web, Some(&session.token)),
    ))
}

/// `POST /profile/tokens`: the answer shows the secret, once.
pub(crate) async fn create_token(
    State(web): State<Web>,
    ChangeForm(visitor, form): ChangeForm,
) -> Answer {
    let name = form.get("token_name").unwrap_or("");
    match web
        .wiki()
        .tokens()
        .create(&visitor.actor, visitor.name(), name)
        .await
    {
        Ok(secret) => draw_settings(&web, &visitor, Some(&secret), None, None).await,
        Err(wiki::Error::Invalid(message)) => {
            draw_settings(&web, &visitor, None, None, Some(&message)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /profile/tokens/{id}/revoke`.
pub(crate) async fn revoke_token(
    State(web): State<Web>,
    Path(id): Path<i64>,
    ChangeForm(visitor, _): ChangeForm,
) -> Answer {
    web.wiki()
        .tokens()
        .revoke(&visitor.actor, TokenId::new(id))
        .await?;
    Ok(see_other("/profile#tokens"))
}
