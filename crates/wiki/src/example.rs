//! The example space: four pages that teach, the first one a checklist.

use crate::accounts::require_login;
use crate::actor::Actor;
use crate::changes;
use crate::error::Result;
use crate::ids::ContentId;
use crate::pages::{ContentKind, NewPage};
use crate::permissions::{Right, Subject};
use crate::publish::{self, NewVersion};
use crate::spaces::{self, NewSpace, Space};
use crate::wiki::Wiki;
use storage::{WriteTx, params};

const KEY: &str = "START";
const HOME: (&str, &str) = ("First steps", include_str!("example/checklist.xml"));
const PAGES: &[(&str, &str)] = &[
    ("Writing together", include_str!("example/writing.xml")),
    ("What a page can hold", include_str!("example/blocks.xml")),
    (
        "Bringing your pages along",
        include_str!("example/import.xml"),
    ),
];

impl Wiki {
    /// Makes the example space. `Conflict` when its key is in use.
    pub async fn create_example_space(&self, actor: &Actor) -> Result<Space> {
        require_login(actor)?;
        let (actor, now_ms) = (actor.clone(), self.now_ms());
        self.write(move |tx| create(tx, &actor, now_ms)).await
    }
}

fn create(tx: &WriteTx, actor: &Actor, now_ms: i64) -> Result<Space> {
    let new = NewSpace {
        key: KEY.into(),
        name: "Start here".into(),
        description: "An example space to try things in. Delete what you do not need.".into(),
    };
    let space = spaces::insert(tx, &new, actor.user_id(), now_ms)?;
    spaces::set_permission(tx, space, Subject::Users, Some(Right::Edit))?;
    if let Some(user) = actor.user_id() {
        spaces::set_permission(tx, space, Subject::User(user), Some(Right::Admin))?;
    }
    let home = page(tx, actor, None, HOME, now_ms)?;
    tx.execute(
        "UPDATE space SET home_id = $2 WHERE id = $1",
        params![space, home],
    )?;
    for (number, content) in (0_i64..).zip(PAGES) {
        let id = page(tx, actor, Some(home), *content, now_ms)?;
        tx.execute(
            "UPDATE content SET position = $2 WHERE id = $1",
            params![id, number],
        )?;
    }
    spaces::require(tx, actor, KEY, Right::View)
}

fn page(
    tx: &WriteTx,
    actor: &Actor,
    parent: Option<ContentId>,
    content: (&str, &str),
    now_ms: i64,
) -> Result<ContentId> {
    let (title, body) = content;
    let new = NewPage {
        space_key: KEY.into(),
        parent,
        title: title.into(),
        kind: ContentKind::Page,
    };
    let id = changes::create(tx, actor, &new, now_ms)?;
    let version = NewVersion {
        author: actor.user_id(),
        ..NewVersion::new(id, title, body.trim_end(), now_ms)
    };
    publish::insert_version(tx, &version)?;
    Ok(id)
}
