use std::fmt::Write;

use super::*;

fn read(text: &str) -> (Vec<Object>, Option<Damage>) {
    let mut entities = Entities::new(text.as_bytes());
    let mut objects = Vec::new();
    loop {
        match entities.step() {
            Step::Object(object) => objects.push(object),
            Step::End => return (objects, None),
            Step::Damaged(damage) | Step::Refused(damage) => return (objects, Some(damage)),
        }
    }
}

fn reference(class: &str, id: &str) -> Reference {
    Reference {
        class: class.to_owned(),
        id: id.to_owned(),
    }
}

const WHOLE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<hibernate-generic datetime="2023-11-23 02:39:28">
<object class="Page" package="com.atlassian.confluence.pages">
<id name="id">4294967299</id>
<property name="title"><![CDATA[A]]><![CDATA[ & <b> ]]>&amp; &#228;&#x1c;</property>
<property name="position"/>
<property name="space" class="Space" package="p"><id name="id">1</id>
</property>
<property name="status" enum-class="S" package="p">CURRENT</property>
<collection name="children" class="java.util.Collection"><element class="Page" package="p"><id name="id">5</id>
</element>
<element class="Page" package="p"><id name="id"> 6 </id>
</element>
</collection>
</object>
<object class="ConfluenceUserImpl" package="p">
<id name="key"><![CDATA[ff80]]></id>
</object>
<object class="BucketPropertySetItem" package="p">
<composite-id><property name="entityName" type="string">user</property><property name="entityId">7</property></composite-id>
<property name="textVal"><![CDATA[x]]></property>
</object>
</hibernate-generic>"#;

#[test]
fn objects_are_read_with_values_references_and_collections() {
    let (objects, damage) = read(WHOLE);
    assert_eq!(damage, None);
    let page = &objects[0];
    assert_eq!(
        (page.class.as_str(), page.id.as_str(), page.line),
        ("Page", "4294967299", 3)
    );
    assert_eq!(page.text("title"), Some("A & <b> & ä"));
    assert_eq!(page.text("position"), None);
    assert_eq!(page.text("status"), Some("CURRENT"));
    assert_eq!(page.one("space"), Some(&reference("Space", "1")));
    assert_eq!(
        page.many("children"),
        [reference("Page", "5"), reference("Page", "6")]
    );
    assert_eq!((objects[1].id.as_str(), objects[1].line), ("ff80", 16));
    assert_eq!(
        objects[2].id,
        "user/7".replace('/', ""),
        "parts of a composite id are joined"
    );
    assert_eq!(objects[2].text("textVal"), Some("x"));
    assert_eq!(objects.len(), 3);
}

#[test]
fn a_cut_off_file_gives_all_whole_objects_and_the_line_of_the_damage() {
    for cut in (0..WHOLE.len()).filter(|cut| WHOLE.is_char_boundary(*cut)) {
        let (objects, damage) = read(&WHOLE[..cut]);
        let whole = WHOLE[..cut].matches("</object>").count();
        assert_eq!(objects.len(), whole, "cut at {cut}");
        let damage = damage.expect("a damage");
        assert!(
            damage.line <= 1 + WHOLE[..cut].matches('\n').count() as u64,
            "cut at {cut}: {damage:?}"
        );
    }
}

#[test]
fn damage_in_the_middle_ends_the_reading_there() {
    let (objects, damage) = read(&WHOLE.replace(
        "</id>\n</object>\n<object class=\"Bucket",
        "</ib>\n</object>\n<object class=\"Bucket",
    ));
    assert_eq!(objects.len(), 1);
    assert_eq!(damage.unwrap().line, 17);
}

#[test]
fn a_document_type_is_refused_and_no_entity_expanded() {
    let bomb = r#"<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><hibernate-generic><object class="Page"><id name="id">1</id><property name="title">&b;</property></object></hibernate-generic>"#;
    let mut entities = Entities::new(bomb.as_bytes());
    assert!(matches!(
        entities.step(),
        Step::Refused(Damage { line: 1, .. })
    ));
    assert!(
        matches!(entities.step(), Step::End),
        "nothing is read after it"
    );
    let inside = bomb.replace(
        r#"<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>"#,
        "",
    );
    assert_eq!(
        read(&inside).0[0].text("title"),
        Some("&b;"),
        "an unknown entity stays as it is written"
    );
}

#[test]
fn nesting_and_foreign_files_end_in_damage() {
    let mut deep = String::from("<hibernate-generic><object class=\"Page\">");
    for _ in 0..100_000 {
        let _ = deep.write_str("<a>");
    }
    assert!(read(&deep).1.unwrap().reason.contains("nested"));
    assert!(
        read("<html><body/></html>")
            .1
            .unwrap()
            .reason
            .contains("html")
    );
    assert!(read("").1.unwrap().reason.contains("no root"));
    assert!(read("PK\u{3}\u{4} not xml at all").1.is_some());
}
