//! The frame around every page: head, top bar, sidebar, bottom bar of phones.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use wiki::Actor;

use crate::assets;
use crate::failure::Answer;
use crate::parts::icons::icon;
use crate::parts::people::{avatar, initials_of};
use crate::state::Web;
use crate::visitor::{Theme, Visitor};

/// Which part of the site a page belongs to; the bars mark it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    None,
    Home,
    Spaces,
    Search,
    Admin,
}

/// One page before the frame is put around it.
pub(crate) struct Sheet {
    pub(crate) title: String,
    pub(crate) section: Section,
    pub(crate) main: Markup,
    pub(crate) sidebar: Option<Markup>,
    /// More for the head: meta tags.
    pub(crate) head: Markup,
    /// Where "New" leads: the space one is in, and the page above.
    pub(crate) new_at: String,
}

impl Sheet {
    pub(crate) fn new(title: impl Into<String>, section: Section, main: Markup) -> Self {
        Self {
            title: title.into(),
            section,
            main,
            sidebar: None,
            head: PreEscaped(String::new()),
            new_at: "/new".to_owned(),
        }
    }

    pub(crate) fn with_sidebar(mut self, sidebar: Markup) -> Self {
        self.sidebar = Some(sidebar);
        self
    }

    pub(crate) fn with_head(mut self, head: Markup) -> Self {
        self.head = head;
        self
    }

    pub(crate) fn with_new_at(mut self, address: String) -> Self {
        self.new_at = address;
        self
    }
}

impl Web {
    /// The sheet as an answer that is not kept by anyone.
    pub(crate) async fn page(&self, visitor: &Visitor, sheet: Sheet) -> Answer {
        let site = self.wiki().settings().await?;
        Ok(html_answer(document(visitor, &site.name, self, &sheet)))
    }
}

/// HTML that is not kept by anyone.
pub(crate) fn html_answer(text: String) -> Response {
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-cache"),
    );
    response
}

/// The whole HTML document.
pub(crate) fn document(visitor: &Visitor, site: &str, web: &Web, sheet: &Sheet) -> String {
    let closed = visitor.sidebar_px == Some(0);
    let width = visitor
        .sidebar_px
        .filter(|px| *px > 0)
        .map(|px| format!("--sidebar:{px}px"));
    html! {
        (DOCTYPE)
        html lang="en" data-theme=(visitor.theme.name()) data-sidebar=[closed.then_some("closed")] style=[width] {
            (head(visitor, site, web, sheet))
            body {
                a.skip href="#content" { "Skip to content" }
                (top_bar(visitor, site, sheet))
                div.frame.no-sidebar[sheet.sidebar.is_none()] {
                    @if let Some(sidebar) = &sheet.sidebar {
                        nav.sidebar #sidebar aria-label="Space" {
                            (sidebar)
                            div.sidebar-resize role="separator" tabindex="0" aria-orientation="vertical" aria-label="Width of the sidebar"
                                aria-valuemin="220" aria-valuemax="480" aria-valuenow=(visitor.sidebar_px.filter(|px| *px > 0).unwrap_or(264)) {}
                        }
                        a.sidebar-scrim href="#content" aria-hidden="true" tabindex="-1" {}
                        div.sidebar-peek aria-hidden="true" {}
                    }
                    main.main #content tabindex="-1" { (sheet.main) }
                }
                (bottom_bar(sheet))
            }
        }
    }
    .into_string()
}

fn head(visitor: &Visitor, site: &str, web: &Web, sheet: &Sheet) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover";
            meta name="color-scheme" content="light dark";
            title { (sheet.title) @if sheet.title != site { " - " (site) } }
            link rel="icon" href="/favicon.svg" type="image/svg+xml";
            @if let Some(css) = assets::address("page.css") { link rel="stylesheet" href=(css); }
            @if let Some(script) = assets::address("page.js") { script type="module" src=(script) {} }
            link rel="search" type="application/opensearchdescription+xml" href="/opensearch.xml" title=(site);
            meta name="csrf-token" content=(visitor.csrf);
            meta name="ajs-base-url" content=(web.public_url());
            meta name="ajs-context-path" content="";
            meta name="ajs-remote-user" content=(visitor.name());
            meta name="ajs-atl-token" content=(visitor.csrf);
            (sheet.head)
        }
    }
}

fn top_bar(visitor: &Visitor, site: &str, sheet: &Sheet) -> Markup {
    let current = |section| (sheet.section == section).then_some("page");
    html! {
        header.topbar {
            @if sheet.sidebar.is_some() {
                a.button.quiet.icon href="#sidebar" data-toggle-sidebar aria-label="Pages of this space" title="Show or hide the sidebar" { (icon("sidebar")) }
            }
            a.brand href="/" data-key="d" data-palette="Home" { (logo()) span { (site) } }
            nav.topnav aria-label="Site" {
                a href="/spaces" aria-current=[current(Section::Spaces)] data-palette="All spaces" { "Spaces" }
                @if visitor.actor.is_admin() {
                    a href="/admin" aria-current=[current(Section::Admin)] data-palette="Administration" { "Administration" }
                }
            }
            div.top-end {
                form.top-search action="/search" role="search" {
                    (icon("search"))
                    input type="search" name="q" placeholder="Search" aria-label="Search" autocomplete="off";
                    kbd aria-hidden="true" { "/" }
                }
                @if visitor.actor.is_anonymous() {
                    (theme_menu(visitor))
                    a.button.primary href="/login" { "Log in" }
                } @else {
                    a.button.primary.not-phone href=(sheet.new_at) data-key="n" data-palette="New page" { (icon("plus")) "New" }
                    (user_menu(visitor))
                }
            }
        }
    }
}

/// Three ways that meet: the program's sign.
pub(crate) fn logo() -> Markup {
    PreEscaped(
        "<svg width=\"24\" height=\"24\" viewBox=\"0 0 32 32\" aria-hidden=\"true\"><rect width=\"32\" height=\"32\" rx=\"8\" fill=\"currentColor\"/>\
         <path d=\"M6 9c4 0 5 4.500 10 4.500S22 9 26 9M6 23c5 0 6.500-9.500 10-9.500S21 23 26 23\" fill=\"none\" stroke=\"var(--bg)\" stroke-width=\"3\" stroke-linecap=\"round\"/></svg>"
            .to_owned(),
    )
}

fn user_menu(visitor: &Visitor) -> Markup {
    let Actor::User { person, .. } = &visitor.actor else {
        return html! {};
    };
    html! {
        details.menu {
            summary.button.quiet.icon aria-label={ (initials_of(person)) ", account of " (person.full_name) } title=(person.full_name) { (avatar(&initials_of(person), &person.name, "")) }
            div.menu-box {
                div.head { "Logged in as " (person.full_name) }
                a href={ "/people/" (crate::params::encode(&person.name)) } data-palette="My profile" { (icon("user")) "Profile" }
                a href="/profile" data-palette="My settings" { (icon("settings")) "Settings" }
                @if visitor.actor.is_admin() { div.only-phone { a href="/admin" { (icon("settings")) "Administration" } } }
                button type="button" data-shortcuts { (icon("keyboard")) "Keyboard shortcuts" kbd { "?" } }
                hr;
                (theme_choice(visitor))
                hr;
                form action="/logout" method="post" {
                    input type="hidden" name="csrf" value=(visitor.csrf);
                    button type="submit" { (icon("leave")) "Log out" }
                }
            }
        }
    }
}

fn theme_menu(visitor: &Visitor) -> Markup {
    html! {
        details.menu.not-phone {
            summary.button.quiet.icon aria-label="Appearance" title="Appearance" { (icon("theme")) }
            div.menu-box { (theme_choice(visitor)) }
        }
    }
}

/// Three buttons; a form, so that they work without script too.
fn theme_choice(visitor: &Visitor) -> Markup {
    html! {
        form action="/theme" method="post" {
            div.segments role="group" aria-label="Appearance" {
                @for theme in [Theme::System, Theme::Light, Theme::Dark] {
                    button type="submit" name="theme" value=(theme.name()) data-set-theme=(theme.name()) aria-pressed=(visitor.theme == theme) {
                        (capitalised(theme.name()))
                    }
                }
            }
        }
    }
}

fn bottom_bar(sheet: &Sheet) -> Markup {
    let current = |section| (sheet.section == section).then_some("page");
    html! {
        nav.bottombar aria-label="Bottom" {
            a href="/" aria-current=[current(Section::Home)] { (icon("home")) "Home" }
            a href="/spaces" aria-current=[current(Section::Spaces)] { (icon("space")) "Spaces" }
            a href="/search" aria-current=[current(Section::Search)] { (icon("search")) "Search" }
            a href=(sheet.new_at) { (icon("plus")) "New" }
        }
    }
}

/// The first letter as a capital.
pub(crate) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// A message of the wiki as a sentence for people: with a capital, and a full stop.
pub(crate) fn sentence(message: &str) -> Markup {
    let text = capitalised(message.trim_end_matches('.'));
    let pieces = text.split('`').enumerate();
    html! { @for (index, piece) in pieces { @if index % 2 == 1 { b { (piece) } } @else { (piece) } } "." }
}

/// Small text at the foot of the column of pages that are lists and forms.
pub(crate) fn column(wide: bool, content: Markup) -> Markup {
    html! { div.column.wide[wide] { (content) } }
}
