//! Old addresses: each is taken apart here, looked up by the wiki, and answered by a redirect to the canonical one.

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use wiki::{Actor, Address, Destination, attachment_url};

use crate::failure::{Answer, Failure};
use crate::params::{Params, decode_title, encode};
use crate::state::Web;
use crate::visitor::Visitor;

/// Sends the browser on to an address of this site.
pub(crate) fn redirect(url: &str) -> Response {
    let target = local(url).unwrap_or("/");
    let value = HeaderValue::from_str(target).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::FOUND, [(header::LOCATION, value)]).into_response()
}

/// After a form: the browser asks for the result with GET.
pub(crate) fn see_other(url: &str) -> Response {
    let mut response = redirect(url);
    *response.status_mut() = StatusCode::SEE_OTHER;
    response
}

/// The address if it stays on this site: a path, not another host in disguise.
pub(crate) fn local(url: &str) -> Option<&str> {
    let inside = url.starts_with('/') && !url.starts_with("//") && !url.starts_with("/\\");
    let clean = url
        .bytes()
        .all(|byte| byte > 0x20 && byte != 0x7f && byte != b'\\');
    (inside && clean).then_some(url)
}

/// Looks an address up and redirects to what it leads to.
pub(crate) async fn go(web: &Web, actor: &Actor, address: Address) -> Answer {
    let destination = web.wiki().resolve(actor, &address).await?;
    Ok(redirect(&url_of(web, actor, destination).await?))
}

async fn url_of(web: &Web, actor: &Actor, destination: Destination) -> Answer<String> {
    Ok(match destination {
        Destination::Page {
            id,
            version: Some(number),
            ..
        } => format!("/content/{id}/history/{number}"),
        Destination::Page {
            url,
            comment: Some(comment),
            ..
        } => format!("{url}#comment-{comment}"),
        Destination::Page { url, .. } => url,
        Destination::Space {
            key,
            home: Some(home),
        } => {
            let front = web.wiki().resolve(actor, &Address::Id(home.get())).await;
            match front {
                Ok(Destination::Page { url, .. }) => url,
                _ => format!("/spaces/{}/pages", encode(&key)),
            }
        }
        Destination::Space { key, home: None } => format!("/spaces/{}/pages", encode(&key)),
        Destination::BlogDay { key, day } => {
            format!("/spaces/{}/blog/{}", encode(&key), day.replace('-', "/"))
        }
        Destination::Attachment {
            page,
            name,
            version,
        } => attachment_url(page, &name, version),
        Destination::Person { name } => format!("/people/{}", encode(&name)),
    })
}

/// `/display/KEY`, `/display/KEY/Title+Words`, `/display/KEY/yyyy/mm/dd[/Title]`, `/display/~name`.
pub(crate) async fn display(State(web): State<Web>, visitor: Visitor, uri: Uri) -> Answer {
    // The raw path, because `+` is a blank here and `%2B` a plus.
    let rest = uri
        .path()
        .trim_start_matches("/display/")
        .trim_end_matches('/');
    let (key, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let key = decode_title(key);
    if rest.is_empty() {
        return space_or_person(&web, &visitor, key).await;
    }
    go(&web, &visitor.actor, display_address(key, rest)).await
}

async fn space_or_person(web: &Web, visitor: &Visitor, key: String) -> Answer {
    let person = key.strip_prefix('~').map(str::to_owned);
    match (
        go(web, &visitor.actor, Address::Space { key }).await,
        person,
    ) {
        (Err(failure), Some(name)) if failure.status == StatusCode::NOT_FOUND => {
            go(web, &visitor.actor, Address::Person { name }).await
        }
        (answer, _) => answer,
    }
}

fn display_address(key: String, rest: &str) -> Address {
    match dated(rest) {
        Some((day, "")) => Address::BlogDay { key, day },
        Some((day, title)) if day.len() == 10 => Address::BlogTitle {
            key,
            day,
            title: decode_title(title),
        },
        _ => Address::Title {
            key,
            title: decode_title(rest),
        },
    }
}

/// Splits `2024/05/17/Title` into `2024-05-17` and `Title`; shorter dates only without a rest.
pub(crate) fn dated(path: &str) -> Option<(String, &str)> {
    let mut day = String::new();
    let mut rest = path.trim_end_matches('/');
    for (digits, is_first) in [(4, true), (2, false), (2, false)] {
        let (head, tail) = rest.split_once('/').unwrap_or((rest, ""));
        if head.len() != digits || !head.bytes().all(|byte| byte.is_ascii_digit()) {
            break;
        }
        if !is_first {
            day.push('-');
        }
        day.push_str(head);
        rest = tail;
    }
    let whole = day.len() == 10 || rest.is_empty();
    (day.len() >= 4 && whole).then_some((day, rest))
}

/// `/x/CODE`.
pub(crate) async fn tiny(
    State(web): State<Web>,
    visitor: Visitor,
    Path(code): Path<String>,
) -> Answer {
    go(
        &web,
        &visitor.actor,
        Address::Tiny(code.trim_end_matches('/').to_owned()),
    )
    .await
}

/// `/pages/viewpage.action?pageId=` and `?spaceKey=&title=[&postingDay=]`.
pub(crate) async fn view_page(
    State(web): State<Web>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Answer {
    let params = Params::parse(&query.unwrap_or_default());
    if let Some(comment) = params.number("focusedCommentId") {
        return go(&web, &visitor.actor, Address::Id(comment)).await;
    }
    go(&web, &visitor.actor, page_address(&params)?).await
}

/// The page that `pageId`, or `spaceKey` and `title`, name.
fn page_address(params: &Params) -> Answer<Address> {
    if let Some(id) = params.number("pageId").or_else(|| params.number("draftId")) {
        return Ok(Address::Id(id));
    }
    match (
        params.get("spaceKey").or_else(|| params.get("key")),
        params.get("title"),
        params.get("postingDay"),
    ) {
        (Some(key), Some(title), Some(day)) => Ok(Address::BlogTitle {
            key: key.into(),
            day: day.replace('/', "-"),
            title: title.into(),
        }),
        (Some(key), Some(title), None) => Ok(Address::Title {
            key: key.into(),
            title: title.into(),
        }),
        (Some(key), None, _) => Ok(Address::Space { key: key.into() }),
        _ => Err(Failure::new(
            StatusCode::BAD_REQUEST,
            "this address names no page; it needs `pageId`, or `spaceKey` and `title`",
        )),
    }
}

/// `/spaces/viewspace.action?key=`, `/spaces/space.action?key=`.
pub(crate) async fn view_space(
    State(web): State<Web>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Answer {
    go(
        &web,
        &visitor.actor,
        page_address(&Params::parse(&query.unwrap_or_default()))?,
    )
    .await
}

/// `/users/viewuserprofile.action?username=`.
pub(crate) async fn view_person(RawQuery(query): RawQuery) -> Answer {
    let params = Params::parse(&query.unwrap_or_default());
    let name = params.get("username").ok_or_else(Failure::not_found)?;
    Ok(redirect(&format!("/people/{}", encode(name))))
}

/// Functions of one page at their old names: `/pages/ACTION.action?pageId=`.
pub(crate) async fn page_function(
    State(web): State<Web>,
    visitor: Visitor,
    uri: Uri,
    RawQuery(query): RawQuery,
) -> Answer {
    let params = Params::parse(&query.unwrap_or_default());
    let action = uri
        .path()
        .rsplit('/')
        .next()
        .unwrap_or("")
        .trim_end_matches(".action");
    let found = web
        .wiki()
        .resolve(&visitor.actor, &page_address(&params)?)
        .await?;
    let Destination::Page {
        id, url, version, ..
    } = found
    else {
        return Err(Failure::not_found());
    };
    let versions: Vec<i64> = params
        .all("selectedPageVersions")
        .filter_map(|number| number.parse().ok())
        .collect();
    Ok(redirect(&match (action, versions.as_slice()) {
        ("viewpreviousversions", _) => format!("/content/{id}/history"),
        ("diffpagesbyversion", [a, b, ..]) => {
            format!("/content/{id}/compare?from={}&to={}", a.min(b), a.max(b))
        }
        ("diffpages", _) => {
            compare_original(
                &web,
                &visitor,
                id.get(),
                version,
                params.number("originalId"),
            )
            .await?
        }
        ("viewpageattachments", _) => format!("/content/{id}/attachments"),
        ("viewinfo", _) => format!("/content/{id}/info"),
        ("editpage" | "resumedraft", _) => format!("{url}?edit=1"),
        ("viewpagesrc" | "viewpagestorage", _) => format!("/content/{id}/source"),
        _ => format!("/content/{id}/history"),
    }))
}

/// `diffpages.action?pageId=&originalId=`: both are ids of versions; a page's own id means its current one.
async fn compare_original(
    web: &Web,
    visitor: &Visitor,
    page: i64,
    version: Option<i64>,
    original: Option<i64>,
) -> Answer<String> {
    let Some(original) = original else {
        return Ok(format!("/content/{page}/history"));
    };
    let found = web
        .wiki()
        .resolve(&visitor.actor, &Address::Id(original))
        .await?;
    let Destination::Page { version: from, .. } = found else {
        return Err(Failure::not_found());
    };
    let number =
        |version: Option<i64>| version.map_or_else(String::new, |number| number.to_string());
    Ok(format!(
        "/content/{page}/compare?from={}&to={}",
        number(from),
        number(version)
    ))
}

/// `/pages/createpage.action?spaceKey=[&fromPageId=]`.
pub(crate) async fn create_page(RawQuery(query): RawQuery) -> Answer {
    let params = Params::parse(&query.unwrap_or_default());
    let key = params.get("spaceKey").or_else(|| params.get("key"));
    let parent = params
        .number("fromPageId")
        .map(|id| format!("?parent={id}"))
        .unwrap_or_default();
    Ok(redirect(&key.map_or_else(
        || "/new".to_owned(),
        |key| format!("/spaces/{}/new{parent}", encode(key)),
    )))
}

/// `/dosearchsite.action?queryString=`, `/searchv3/`.
pub(crate) async fn old_search(RawQuery(query): RawQuery) -> Answer {
    let params = Params::parse(&query.unwrap_or_default());
    let text = params
        .get("queryString")
        .or_else(|| params.get("searchQuery.queryString"))
        .or_else(|| params.get("cql"))
        .unwrap_or("");
    let space = params
        .get("where")
        .filter(|place| !place.starts_with("conf_"))
        .map(|key| format!("&space={}", encode(key)));
    Ok(redirect(&format!(
        "/search?q={}{}",
        encode(text),
        space.unwrap_or_default()
    )))
}

/// `/labels/viewlabel.action?key=&ids=` and `?labelString=`.
pub(crate) async fn old_label(RawQuery(query): RawQuery) -> Answer {
    let params = Params::parse(&query.unwrap_or_default());
    let key = params
        .get("key")
        .map(|key| format!("/{}", encode(key)))
        .unwrap_or_default();
    let name = params
        .get("labelString")
        .or_else(|| params.get("label"))
        .map(|name| format!("/{}", encode(name)))
        .unwrap_or_default();
    Ok(redirect(&format!("/label{key}{name}")))
}

/// Addresses of the start page.
pub(crate) async fn start() -> Response {
    redirect("/")
}

/// `/login.action?os_destination=`.
pub(crate) async fn old_login(RawQuery(query): RawQuery) -> Response {
    redirect(&match query {
        Some(query) if !query.is_empty() => format!("/login?{query}"),
        _ => "/login".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_site_are_followed() {
        assert_eq!(
            local("/display/DOC/Home?x=1#y"),
            Some("/display/DOC/Home?x=1#y")
        );
        for foreign in [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "",
            "/a\r\nSet-Cookie: x",
            "evil",
            "/x\\y",
        ] {
            assert_eq!(local(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn dates_in_addresses_are_told_from_titles() {
        assert_eq!(
            dated("2024/05/17/First+harvest"),
            Some(("2024-05-17".into(), "First+harvest"))
        );
        assert_eq!(dated("2024/05/17"), Some(("2024-05-17".into(), "")));
        assert_eq!(dated("2024/05"), Some(("2024-05".into(), "")));
        assert_eq!(dated("2024/Plan"), None);
        assert_eq!(dated("Home"), None);
    }

    #[test]
    fn display_addresses_keep_plus_and_slash_of_titles() {
        let title = |rest: &str| display_address("DOC".into(), rest);
        assert_eq!(
            title("C%2B%2B+and+C"),
            Address::Title {
                key: "DOC".into(),
                title: "C++ and C".into()
            }
        );
        assert_eq!(
            title("2024/05/17/A"),
            Address::BlogTitle {
                key: "DOC".into(),
                day: "2024-05-17".into(),
                title: "A".into()
            }
        );
        assert_eq!(
            title("A%2FB"),
            Address::Title {
                key: "DOC".into(),
                title: "A/B".into()
            }
        );
    }
}
