//! Administration of the site: people, settings, imports.

use axum::extract::{Path, RawQuery, State};
use maud::{Markup, html};
use wiki::{Account, NewAccount, SiteSettings};

use crate::addresses::{redirect, see_other};
use crate::failure::{Answer, Failure};
use crate::layout::{Section, Sheet, column};
use crate::pages::collaborative_editing;
use crate::pages::import::import_form;
use crate::params::{Params, encode};
use crate::parts::forms::{self, Field};
use crate::parts::people;
use crate::state::Web;
use crate::visitor::{ChangeForm, Member, Visitor};

const TABS: [(&str, &str); 4] = [
    ("/admin/users", "People"),
    ("/admin/import", "Import"),
    (collaborative_editing::ADDRESS, "Collaborative editing"),
    ("/admin/settings", "Site"),
];

/// A page of the administration, with its tabs.
pub(crate) async fn draw(web: &Web, visitor: &Visitor, at: &str, content: Markup) -> Answer {
    let main = html! {
        div.page-head { h1 { "Administration" } }
        nav.tabs aria-label="Administration" { @for (address, name) in TABS { a href=(address) aria-current=[(address == at).then_some("page")] { (name) } } }
        (content)
    };
    web.page(
        visitor,
        Sheet::new("Administration", Section::Admin, column(true, main)),
    )
    .await
}

/// Only site administrators see these pages.
pub(crate) fn administrators_only(visitor: &Visitor) -> Answer<()> {
    if visitor.actor.is_admin() {
        Ok(())
    } else {
        Err(Failure::new(
            axum::http::StatusCode::FORBIDDEN,
            "only administrators of the site see this page",
        ))
    }
}

/// `GET /admin`.
pub(crate) async fn front() -> Answer {
    Ok(redirect("/admin/users"))
}

/// `GET /admin/users`.
pub(crate) async fn users(
    State(web): State<Web>,
    Member(visitor): Member,
    RawQuery(query): RawQuery,
) -> Answer {
    let params = Params::parse(&query.unwrap_or_default());
    let done = params.get("added").map(|name| format!("Added {name}."));
    draw_users(&web, &visitor, &Params::default(), done.as_deref(), None).await
}

async fn draw_users(
    web: &Web,
    visitor: &Visitor,
    form: &Params,
    done: Option<&str>,
    wrong: Option<&str>,
) -> Answer {
    let accounts = web.wiki().accounts().list(&visitor.actor).await?;
    let content = html! {
        (forms::done(done)) (forms::wrong(wrong))
        table.list.stack {
            thead { tr { th scope="col" { "Name" } th scope="col" { "Username" } th scope="col" { "E-mail" } th scope="col" { "State" } th scope="col" { span.visually-hidden { "Actions" } } } }
            tbody { @for account in &accounts { (user_row(visitor, account)) } }
        }
        (add_user_box(visitor, form))
    };
    draw(web, visitor, "/admin/users", content).await
}

fn user_row(visitor: &Visitor, account: &Account) -> Markup {
    let person = &account.person;
    let at = format!("/admin/users/{}", encode(&person.name));
    html! {
        tr {
            td { (people::face(Some(person), "")) " " (people::link(Some(person))) }
            td { (person.name) }
            td { (account.email.as_deref().unwrap_or("")) }
            td.nowrap {
                @if account.admin { span.badge.accent { "Administrator" } " " }
                @if account.disabled { span.badge.danger { "Disabled" } } @else if !account.has_password { span.badge.warn { "No password yet" } } @else { span.badge.ok { "Active" } }
            }
            td.acts { div.buttons {
                details.menu {
                    summary.button.small { "Password" }
                    div.menu-box { form action={ (at) "/password" } method="post" {
                        (forms::csrf(visitor))
                        label.head for={ "password-" (person.id) } { "New password for " (person.name) }
                        input.input #{ "password-" (person.id) } type="password" name="password" autocomplete="new-password" required;
                        button type="submit" { "Set password" }
                    } }
                }
                @if visitor.actor.user_id() != Some(person.id) {
                    @if account.disabled { (forms::act(visitor, &format!("{at}/enable"), "Enable", "small", None)) }
                    @else { (forms::act(visitor, &format!("{at}/disable"), "Disable", "small danger", Some("Lock this account out? Its sessions and tokens stop working at once."))) }
                }
            } }
        }
    }
}

fn add_user_box(visitor: &Visitor, form: &Params) -> Markup {
    let field = |name, label| Field {
        name,
        label,
        value: form.raw(name),
        ..Field::default()
    };
    html! {
        form.panel-box action="/admin/users" method="post" {
            h2 { "Add somebody" }
            (forms::csrf(visitor))
            (field("name", "Username").draw())
            (Field { optional: true, ..field("full_name", "Full name") }.draw())
            (Field { kind: "email", optional: true, ..field("email", "E-mail") }.draw())
            (Field { kind: "password", autocomplete: "new-password", optional: true, hint: "Without one the account cannot log in yet.", ..Field { name: "password", label: "Password", ..Field::default() } }.draw())
            label.check { input type="checkbox" name="admin" checked[form.ticked("admin")]; span { "Administers the site" } }
            div.buttons { button.button.primary type="submit" { "Add" } }
        }
    }
}

/// `POST /admin/users`.
pub(crate) async fn add_user(
    State(web): State<Web>,
    ChangeForm(visitor, form): ChangeForm,
) -> Answer {
    let account = NewAccount {
        name: form.get("name").unwrap_or("").to_owned(),
        full_name: form.get("full_name").unwrap_or("").to_owned(),
        email: form.get("email").map(str::to_owned),
        admin: form.ticked("admin"),
        password: Some(form.raw("password").to_owned()).filter(|password| !password.is_empty()),
    };
    match web.wiki().accounts().add(&visitor.actor, account).await {
        Ok(person) => Ok(see_other(&format!(
            "/admin/users?added={}",
            encode(&person.name)
        ))),
        Err(error @ (wiki::Error::Invalid(_) | wiki::Error::Conflict(_))) => {
            draw_users(&web, &visitor, &form, None, Some(error.message())).await
        }
        Err(error) => Err(error.into()),
    }
}

/// `POST /admin/users/{name}/{action}`: `disable`, `enable`, `password`.
pub(crate) async fn change_user(
    State(web): State<Web>,
    Path((name, action)): Path<(String, String)>,
    ChangeForm(visitor, form): ChangeForm,
) -> Answer {
    let accounts = web.wiki().accounts();
    match action.as_str() {
        "disable" => accounts.disable(&visitor.actor, &name).await?,
        "enable" => accounts.enable(&visitor.actor, &name).await?,
        "password" => {
            accounts
                .set_password(&visitor.actor, &name, form.raw("password"))
                .await?
        }
        _ => return Err(Failure::not_found()),
    }
    Ok(see_other("/admin/users"))
}

/// `GET /admin/settings`.
pub(crate) async fn settings(
    State(web): State<Web>,
    Member(visitor): Member,
    RawQuery(query): RawQuery,
) -> Answer {
    administrators_only(&visitor)?;
    let saved = Params::parse(&query.unwrap_or_default()).ticked("saved");
    let site = web.wiki().settings().await?;
    let content = html! {
        (forms::done(saved.then_some("Saved.")))
        form.panel-box action="/admin/settings" method="post" {
            h2 { "Site" }
            (forms::csrf(&visitor))
            (Field { name: "name", label: "Name of the wiki", value: &site.name, ..Field::default() }.draw())
            div.buttons { button.button.primary type="submit" { "Save" } }
        }
    };
    draw(&web, &visitor, "/admin/settings", content).await
}

/// `POST /admin/settings`.
pub(crate) async fn save_settings(
    State(web): State<Web>,
    ChangeForm(visitor, form): ChangeForm,
) -> Answer {
    let before = web.wiki().settings().await?;
    let name = form
        .get("name")
        .ok_or_else(|| Failure::invalid("the wiki needs a name"))?
        .to_owned();
    web.wiki()
        .update_settings(&visitor.actor, SiteSettings { name, ..before })
        .await?;
    Ok(see_other("/admin/settings?saved"))
}

/// `GET /admin/import`.
pub(crate) async fn import(State(web): State<Web>, Member(visitor): Member) -> Answer {
    let past = crate::pages::import::past(&web, &visitor).await?;
    let content = html! {
        section.panel-box {
            h2 { "Import from Confluence" }
            p { "An XML export of a space or a site, as a zip file. Running it again changes nothing that is here already." }
            (import_form(&visitor))
        }
        (past)
    };
    draw(&web, &visitor, "/admin/import", content).await
}
