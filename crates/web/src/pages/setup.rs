//! First run: the one-time address makes the administrator and offers what to start with.

use axum::extract::{RawQuery, State};
use maud::{Markup, html};
use wiki::{NewAccount, SiteSettings};

use crate::addresses::{redirect, see_other};
use crate::failure::Answer;
use crate::layout::{Section, Sheet, column};
use crate::pages::account::with_cookie;
use crate::pages::import::import_form;
use crate::params::Params;
use crate::parts::forms::{self, Field};
use crate::parts::icons::icon;
use crate::state::Web;
use crate::visitor::{ChangeForm, Member, Visitor, session_cookie};

/// `GET /setup?token=`.
pub(crate) async fn form(
    State(web): State<Web>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Answer {
    if !web.first_run().await? {
        return Ok(redirect("/"));
    }
    let params = Params::parse(&query.unwrap_or_default());
    let token = params.get("token").unwrap_or("");
    let main = match web.wiki().accounts().is_setup_token(token).await? {
        true => administrator_card(&visitor, token, &Params::default(), None),
        false => token_card(!token.is_empty()),
    };
    web.page(&visitor, Sheet::new("Set up", Section::None, main))
        .await
}

fn token_card(wrong: bool) -> Markup {
    html! {
        div.stage { div.card.wide {
            h1 { "This wiki is not set up yet" }
            @if wrong { (forms::wrong(Some("this set-up address is not valid any more"))) }
            p { "When the program starts it prints an address with a one-time token. Open that address, or paste the token here." }
            form action="/setup" {
                (Field { name: "token", label: "Token", autofocus: true, ..Field::default() }.draw())
                div.field { button.button.primary type="submit" { "Continue" } }
            }
        } }
    }
}

fn administrator_card(
    visitor: &Visitor,
    token: &str,
    form: &Params,
    wrong: Option<&str>,
) -> Markup {
    let field = |name, label| Field {
        name,
        label,
        value: form.raw(name),
        ..Field::default()
    };
    html! {
        div.stage { div.card.wide {
            (steps(1))
            h1 { "Welcome to Watersmeet" }
            p { "Make the first account. It administers the site." }
            (forms::wrong(wrong))
            form action="/setup" method="post" {
                (forms::csrf(visitor))
                input type="hidden" name="token" value=(token);
                (Field { value: if form.get("site").is_some() { form.raw("site") } else { "Watersmeet" }, hint: "Shown in the top bar. You can change it later.", ..field("site", "Name of the wiki") }.draw())
                (Field { autocomplete: "name", ..field("full_name", "Your name") }.draw())
                (Field { autocomplete: "username", ..field("name", "Username") }.draw())
                (Field { kind: "email", autocomplete: "email", optional: true, ..field("email", "E-mail") }.draw())
                (Field { kind: "password", autocomplete: "new-password", hint: "At least 8 characters.", ..Field { name: "password", label: "Password", ..Field::default() } }.draw())
                div.field { button.button.primary type="submit" { "Create the administrator" } }
            }
        } }
    }
}

fn steps(current: usize) -> Markup {
    html! {
        ol.steps { @for (number, name) in [(1, "Administrator"), (2, "First content")] {
            li aria-current=[(number == current).then_some("step")] { (name) }
        } }
    }
}

/// `POST /setup`.
pub(crate) async fn set_up(
    State(web): State<Web>,
    ChangeForm(visitor, form): ChangeForm,
) -> Answer {
    let token = form.raw("token").to_owned();
    let account = NewAccount {
        name: form.get("name").unwrap_or("").to_owned(),
        full_name: form.get("full_name").unwrap_or("").to_owned(),
        email: form.get("email").map(str::to_owned),
        admin: true,
        password: Some(form.raw("password").to_owned()),
    };
    let person = match web.wiki().accounts().set_up(&token, account).await {
        Ok(person) => person,
        Err(error @ (wiki::Error::Invalid(_) | wiki::Error::Conflict(_))) => {
            let main = administrator_card(&visitor, &token, &form, Some(error.message()));
            return web
                .page(&visitor, Sheet::new("Set up", Section::None, main))
                .await;
        }
        Err(error) => return Err(error.into()),
    };
    let session = web.wiki().sessions().begin(person.id).await?;
    if let Some(name) = form.get("site") {
        let before = web.wiki().settings().await?;
        web.wiki()
            .update_settings(
                &session.session.actor,
                SiteSettings {
                    name: name.to_owned(),
                    ..before
                },
            )
            .await?;
    }
    Ok(with_cookie(
        see_other("/setup/start"),
        &session_cookie(&web, Some(&session.token)),
    ))
}

/// `GET /setup/start`: import, example, or nothing.
pub(crate) async fn start(State(web): State<Web>, Member(visitor): Member) -> Answer {
    let main = html! {
        (steps(2))
        div.page-head { h1 { "What shall this wiki start with?" } }
        div.choices {
            section.panel-box { h2 { "Import from Confluence" } p { "Bring a space along with its pages, versions, comments, attachments and people. Old addresses go on working." } (import_form(&visitor)) }
            section.panel-box {
                h2 { "Start with an example space" } p { "Four pages that show what can be done here. You can delete them at any time." }
                div.buttons { (forms::act(&visitor, "/setup/example", "Make the example space", "", None)) }
            }
            section.panel-box { h2 { "Start empty" } p { "Make your own first space." } div.buttons { a.button href="/spaces/new" { (icon("plus")) "New space" } } }
        }
    };
    web.page(
        &visitor,
        Sheet::new("Set up", Section::None, column(false, main)),
    )
    .await
}

/// `POST /setup/example`.
pub(crate) async fn example(State(web): State<Web>, ChangeForm(visitor, _): ChangeForm) -> Answer {
    let space = web.wiki().create_example_space(&visitor.actor).await?;
    Ok(see_other(&format!(
        "/spaces/{}/overview",
        crate::params::encode(&space.key)
    )))
}
