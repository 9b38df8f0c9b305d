use crate::testing::on_each_database;
use crate::{Actor, Error};
use std::io::Read;

#[test]
fn a_file_keeps_its_versions_and_its_bytes() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let page = site.page("DOC", None, "Plan", "").await.id;
        let (ann, files) = (site.user("ann").await, site.wiki.attachments());
        for (name, bytes) in [
            ("C:\\tmp\\Chart.png", &b"\x89PNG\r\n\x1a\n1"[..]),
            ("chart.PNG", &b"<html>2"[..]),
        ] {
            let mut upload = files.upload(&ann, page, name).await.unwrap();
            upload.write(&bytes[..4]).unwrap();
            upload = upload.write_chunk(bytes[4..].to_vec()).await.unwrap();
            upload.finish("a message").await.unwrap();
        }
        let versions = files.versions(&ann, page, "CHART.png").await.unwrap();
        let shown: Vec<_> = versions
            .iter()
            .map(|v| (v.version, v.name.as_str(), v.media_type.as_str()))
            .collect();
        assert_eq!(
            shown,
            [
                (2, "Chart.png", "application/octet-stream"),
                (1, "Chart.png", "image/png")
            ]
        );
        let old = files.find(&ann, page, "chart.png", Some(1)).await.unwrap();
        assert!(old.inline);
        let mut bytes = Vec::new();
        files
            .open(&old)
            .await
            .unwrap()
            .read_to_end(&mut bytes)
            .unwrap();
        assert_eq!(bytes, b"\x89PNG\r\n\x1a\n1");
        assert!(
            !files
                .find(&ann, page, "chart.png", None)
                .await
                .unwrap()
                .inline
        );
        assert!(matches!(
            files.find(&Actor::Anonymous, page, "chart.png", None).await,
            Err(Error::Forbidden(_))
        ));
        files.delete(&ann, old.attachment.id).await.unwrap();
        assert!(matches!(
            files.find(&ann, page, "chart.png", None).await,
            Err(Error::NotFound(_))
        ));
        assert!(files.list(&ann, page).await.unwrap().is_empty());
    });
}

#[test]
fn only_those_who_may_edit_upload() {
    on_each_database(async |site| {
        site.space("DOC").await;
        let page = site.page("DOC", None, "Plan", "").await.id;
        let refused = site
            .wiki
            .attachments()
            .upload(&Actor::Anonymous, page, "a.txt")
            .await;
        assert!(matches!(refused, Err(Error::Forbidden(_))));
    });
}

#[test]
fn a_check_says_what_is_wrong() {
    on_each_database(async |site| {
        let ann = site.user("ann").await;
        let space = site.wiki.create_example_space(&ann).await.unwrap();
        let home = space.home_id.unwrap();
        let mut upload = site
            .wiki
            .attachments()
            .upload(&ann, home, "notes.txt")
            .await
            .unwrap();
        upload.write(b"hello").unwrap();
        upload.finish("").await.unwrap();
        site.wiki.run_due_jobs().await.unwrap();
        let report = site.wiki.check().await.unwrap();
        assert_eq!((report.faults, report.remarks), (vec![], vec![]));

        site.sql(
            "INSERT INTO live_document (document_id, epoch, head_seq, snapshot_seq, published_seq, epoch_reason)
             SELECT MIN(id), 1, 3, 0, 0, 1 FROM content",
        )
        .await;
        site.sql("DELETE FROM content_version WHERE title = 'Writing together'")
            .await;
        for entry in std::fs::read_dir(site.folder.path().join("blobs")).unwrap() {
            let folder = entry.unwrap().path();
            if folder.file_name().is_some_and(|name| name.len() == 2) {
                std::fs::remove_dir_all(folder).unwrap();
            }
        }
        let faults = site.wiki.check().await.unwrap().faults.join("\n");
        for part in [
            "live document `page-",
            "is at version 1, which is missing",
            "is missing; restore it from a backup",
        ] {
            assert!(faults.contains(part), "{part} in {faults}");
        }
    });
}

#[test]
fn the_example_space_teaches_with_links_that_lead_somewhere() {
    on_each_database(async |site| {
        let ann = site.user("ann").await;
        let space = site.wiki.create_example_space(&ann).await.unwrap();
        let home = site
            .wiki
            .pages()
            .view(&ann, space.home_id.unwrap())
            .await
            .unwrap();
        assert!(
            home.content.html.contains("type=\"checkbox\""),
            "{}",
            home.content.html
        );
        assert_eq!(home.children.len(), 3);
        for child in home.children.iter() {
            let page = site.wiki.pages().view(&ann, child.id).await.unwrap();
            assert!(
                !page.content.html.contains("missing"),
                "{}",
                page.content.html
            );
        }
        assert!(matches!(
            site.wiki.create_example_space(&ann).await,
            Err(Error::Conflict(_))
        ));
    });
}

#[test]
fn both_databases_end_with_the_same_tables_columns_and_constraints() {
    let schemas = std::sync::Mutex::new(Vec::new());
    on_each_database(async |site| {
        let schema = site.wiki.database().schema_snapshot().await.unwrap();
        assert!(
            schema
                .iter()
                .any(|line| line.contains("content_page_title_unique")),
            "{schema:#?}"
        );
        schemas.lock().unwrap().push(schema);
    });
    for pair in schemas.into_inner().unwrap().windows(2) {
        assert_eq!(pair[0], pair[1]);
    }
}
