use super::super::{ImportOptions, ImportUpload, RunState};
use super::support::{Export, fixture, on_each};
use crate::{Actor, Error};

#[test]
fn a_background_import_can_be_followed_and_removes_the_upload() {
    on_each(|lab| {
        let mut export = Export::new();
        export.page(10, "Home", "");
        let file = lab.folder.path().join("upload.zip");
        let mut zip = zip::ZipWriter::new(std::fs::File::create(&file).unwrap());
        zip.start_file("entities.xml", zip::write::SimpleFileOptions::default())
            .unwrap();
        std::io::Write::write_all(&mut zip, export.xml().as_bytes()).unwrap();
        zip.finish().unwrap();
        let imports = lab.wiki.imports();
        let upload = ImportUpload {
            path: file.clone(),
            name: "Upload.zip".to_owned(),
        };
        let id = lab
            .wait(imports.start(&Actor::System, upload, ImportOptions::default()))
            .unwrap();
        let run = loop {
            let run = lab.wait(imports.run(&Actor::System, id)).unwrap();
            if run.state != RunState::Running {
                break run;
            }
            std::thread::yield_now();
        };
        assert_eq!(run.state, RunState::Done, "{run:?}");
        assert_eq!(run.report.unwrap().results["page"].created, 1);
        assert!(!file.exists());
        assert_eq!(lab.wait(imports.runs(&Actor::System)).unwrap().len(), 1);
    });
}

#[test]
fn only_administrators_may_import() {
    on_each(|lab| {
        let imports = lab.wiki.imports();
        let asked = lab.wait(imports.confluence(
            &Actor::Anonymous,
            &fixture("broken"),
            ImportOptions::default(),
            |_| {},
        ));
        assert!(matches!(asked, Err(Error::Forbidden(_))));
        assert!(matches!(
            lab.wait(imports.runs(&Actor::Anonymous)),
            Err(Error::Forbidden(_))
        ));
    });
}
