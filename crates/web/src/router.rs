//! The one list of addresses.

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use axum::{Router, middleware};

use crate::pages::{
    account, admin, attachments, authors, blog, change, collaborative_editing, comments, content,
    draft_history, home, import, people, search, setup, space_settings, spaces, versions,
};
use crate::state::Web;
use crate::sync_settings::Role;
use crate::{
    addresses, api, assets, compress, download, failure, headers, limits, live, operations, upload,
};

/// The whole web part as a service.
pub fn router(web: Web) -> Router {
    if web.sync().role == Role::Sync {
        return sync_only(web);
    }
    let small = Router::new()
        .merge(site())
        .merge(spaces_and_pages())
        .merge(files())
        .merge(drafts_and_authors())
        .merge(old_addresses())
        .merge(for_scripts())
        .merge(live::router(&web))
        .merge(for_machines())
        .layer(DefaultBodyLimit::max(limits::FORM_BYTES_MAX));
    small
        .merge(uploads())
        .fallback(nowhere)
        .layer(from_fn(compress::on_the_fly))
        .layer(from_fn_with_state(web.clone(), failure::dress))
        .layer(from_fn_with_state(web.clone(), headers::secure))
        .layer(middleware::from_fn_with_state(
            web.clone(),
            headers::account,
        ))
        .with_state(web)
}

/// The role `sync`: live connections, and what machines watch. No page, and so no dress for failures. [ROLE-9]
fn sync_only(web: Web) -> Router {
    Router::new()
        .merge(live::router(&web))
        .merge(for_watchers())
        .layer(DefaultBodyLimit::max(limits::FORM_BYTES_MAX))
        .fallback(not_a_page)
        .layer(from_fn_with_state(web.clone(), headers::secure))
        .layer(from_fn_with_state(web.clone(), headers::account))
        .with_state(web)
}

async fn not_a_page(State(web): State<Web>) -> failure::Failure {
    failure::Failure::new(
        StatusCode::NOT_FOUND,
        format!(
            "this process has live connections only; pages are at {}",
            web.public_url()
        ),
    )
}

async fn nowhere() -> failure::Failure {
    failure::Failure::not_found()
}

fn site() -> Router<Web> {
    Router::new()
        .route("/", get(home::home))
        .route("/setup", get(setup::form).post(setup::set_up))
        .route("/setup/start", get(setup::start))
        .route("/setup/example", post(setup::example))
        .route("/login", get(account::login_form).post(account::log_in))
        .route("/logout", get(account::log_out_form).post(account::log_out))
        .route("/theme", post(account::theme))
        .route("/search", get(search::search))
        .route("/label", get(search::label))
        .route("/label/{*rest}", get(search::label))
        .route("/people/{name}", get(people::profile))
        .route("/profile", get(people::settings))
        .route("/profile/password", post(people::change_password))
        .route("/profile/tokens", post(people::create_token))
        .route("/profile/tokens/{id}/revoke", post(people::revoke_token))
        .route("/admin", get(admin::front))
        .route("/admin/users", get(admin::users).post(admin::add_user))
        .route("/admin/users/{name}/{action}", post(admin::change_user))
        .route(
            "/admin/settings",
            get(admin::settings).post(admin::save_settings),
        )
        .route(
            "/admin/collaborative-editing",
            get(collaborative_editing::page).post(collaborative_editing::save),
        )
        .route("/api/admin/paths", get(collaborative_editing::test_paths))
        .route("/admin/import", get(admin::import))
        .route("/import/{number}", get(import::progress))
}

fn spaces_and_pages() -> Router<Web> {
    Router::new()
        .route("/new", get(change::choose_space))
        .route("/spaces", get(spaces::list).post(spaces::create))
        .route("/spaces/new", get(spaces::new_form))
        .route("/spaces/{key}", get(spaces::overview))
        .route("/spaces/{key}/overview", get(spaces::overview))
        .route("/spaces/{key}/pages", get(spaces::all_pages))
        .route("/spaces/{key}/pages/{id}", get(content::page))
        .route("/spaces/{key}/pages/{id}/", get(content::page))
        .route("/spaces/{key}/pages/{id}/{*slug}", get(content::page))
        .route("/spaces/{key}/blog", get(blog::all))
        .route("/spaces/{key}/blog/{*rest}", get(blog::dated_or_post))
        .route("/spaces/{key}/tree", get(spaces::tree))
        .route(
            "/spaces/{key}/new",
            get(change::new_form).post(change::create),
        )
        .route(
            "/spaces/{key}/settings",
            get(space_settings::form).post(space_settings::save),
        )
        .route("/spaces/{key}/permissions", post(space_settings::permit))
        .route("/spaces/{key}/trash", get(space_settings::trash))
        .route("/content/{id}/history", get(versions::history))
        .route("/content/{id}/history/{number}", get(versions::one))
        .route("/content/{id}/compare", get(versions::compare))
        .route("/content/{id}/restore", post(versions::restore))
        .route("/content/{id}/info", get(versions::info))
        .route("/content/{id}/source", get(versions::source))
        .route("/content/{id}/export", get(versions::export))
        .route(
            "/content/{id}/move",
            get(change::move_form).post(change::move_to),
        )
        .route(
            "/content/{id}/delete",
            get(change::delete_form).post(change::delete),
        )
        .route("/content/{id}/restore-from-trash", post(change::restore))
        .route("/content/{id}/labels", post(change::add_labels))
        .route("/content/{id}/labels/remove", post(change::remove_label))
        .route("/content/{id}/comments", post(comments::add))
        .route(
            "/comments/{id}/edit",
            get(comments::edit_form).post(comments::edit),
        )
        .route("/comments/{id}/delete", post(comments::delete))
        .route("/attachments/{id}/delete", post(attachments::delete))
}

fn files() -> Router<Web> {
    let file = || get(download::attachment);
    Router::new()
        .route("/download/attachments/{page}/{name}", file())
        .route("/download/thumbnails/{page}/{name}", file())
}

/// Who wrote what, and how the draft grew.
fn drafts_and_authors() -> Router<Web> {
    Router::new()
        .route(
            "/content/{id}/history/{number}/authors",
            get(authors::of_version),
        )
        .route("/content/{id}/authors", get(authors::current))
        .route("/content/{id}/draft", get(draft_history::page))
        .route("/content/{id}/draft/restore", post(draft_history::restore))
        .route("/api/pages/{id}/authors", get(authors::of_draft))
        .route("/api/pages/{id}/draft-history", get(draft_history::moments))
        .route(
            "/api/pages/{id}/draft-history/{seq}",
            get(draft_history::at),
        )
}

/// Addresses of Confluence, old and newer. Most are redirected to the canonical one.
fn old_addresses() -> Router<Web> {
    let function = || get(addresses::page_function);
    Router::new()
        .route("/display/{*rest}", get(addresses::display))
        .route("/x/{code}", get(addresses::tiny))
        .route("/x/{code}/", get(addresses::tiny))
        .route("/pages/viewpage.action", get(addresses::view_page))
        .route("/pages/viewpreviousversions.action", function())
        .route("/pages/diffpagesbyversion.action", function())
        .route("/pages/diffpages.action", function())
        .route("/pages/viewpageattachments.action", function())
        .route("/pages/viewinfo.action", function())
        .route("/pages/editpage.action", function())
        .route("/pages/resumedraft.action", function())
        .route("/pages/editblogpost.action", function())
        .route("/plugins/viewsource/viewpagesrc.action", function())
        .route("/plugins/viewstorage/viewpagestorage.action", function())
        .route("/pages/createpage.action", get(addresses::create_page))
        .route("/pages/createblogpost.action", get(addresses::create_page))
        .route("/spaces/viewspace.action", get(addresses::view_space))
        .route("/spaces/space.action", get(addresses::view_space))
        .route("/pages/listpages.action", get(addresses::view_space))
        .route("/users/viewuserprofile.action", get(addresses::view_person))
        .route("/dosearchsite.action", get(addresses::old_search))
        .route("/searchv3/", get(addresses::old_search))
        .route("/labels/viewlabel.action", get(addresses::old_label))
        .route(
            "/login.action",
            get(account::login_form).post(account::log_in),
        )
        .route(
            "/dologin.action",
            get(addresses::old_login).post(account::log_in),
        )
        .route("/logout.action", get(account::log_out_form))
        .route("/dashboard.action", get(addresses::start))
        .route("/index.action", get(addresses::start))
        .route("/homepage.action", get(addresses::start))
        .route("/display", get(addresses::start))
}

fn for_scripts() -> Router<Web> {
    Router::new()
        .route("/api/pages/{id}/attachments", get(api::attachments))
        .route("/api/search", get(api::search))
        .route("/api/users", get(api::users))
        .route("/api/render", post(api::render))
        .route("/assets/{*name}", get(assets::serve))
        .route("/favicon.svg", get(assets::favicon))
        .route("/favicon.ico", get(assets::favicon))
        .route("/opensearch.xml", get(operations::opensearch))
}

fn for_watchers() -> Router<Web> {
    Router::new()
        .route("/status", get(operations::status))
        .route("/healthz", get(operations::alive))
        .route("/readyz", get(operations::ready))
        .route("/metrics", get(operations::metrics))
}

fn for_machines() -> Router<Web> {
    for_watchers().route("/robots.txt", get(operations::robots))
}

/// Bodies of any size, streamed; the handlers count the bytes.
fn uploads() -> Router<Web> {
    Router::new()
        .route(
            "/content/{id}/attachments",
            get(attachments::list).post(upload::from_form),
        )
        .route("/api/pages/{id}/attachments", post(upload::from_script))
        .route("/import", post(import::start))
        .layer(DefaultBodyLimit::disable())
}
