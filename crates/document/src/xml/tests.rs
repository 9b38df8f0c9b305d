use super::*;

fn check(source: &str, line: u32, column: u32, reason: &str) {
    let fault = match Fragment::parse(source) {
        Ok(_) => panic!("accepted: {source}"),
        Err(fault) => fault,
    };
    assert_eq!(
        (fault.line, fault.column),
        (line, column),
        "{source}: {fault}"
    );
    assert!(fault.reason.contains(reason), "{source}: {fault}");
}

fn equal(a: &str, b: &str) -> bool {
    let (a, b) = (Fragment::parse(a).unwrap(), Fragment::parse(b).unwrap());
    first_difference(&a, &b).is_none()
}

#[test]
fn what_is_not_well_formed_is_refused_with_line_and_column() {
    check(
        "<p>one<br>two</p>",
        1,
        14,
        "Unexpected close tag </p>; expected </br>.",
    );
    check("<p>ä\n&foo;</p>", 2, 1, "Undeclared general entity \"foo\"");
    check("<p>R&D</p>", 1, 7, "expected a semi-colon");
    check("<p>äö < b</p>", 1, 8, "Unexpected character ' ' (code 32)");
    check(
        "<p[>x</p>",
        1,
        3,
        "Unexpected character '[' (code 91) excepted space",
    );
    check("<p><input disabled/></p>", 1, 19, "expected '='");
    check("<p class=x>y</p>", 1, 10, "expected a quote");
    check("<p>a ]]> b</p>", 1, 6, "']]>' not allowed");
    check("<a b='1' b='2'/>", 1, 10, "Duplicate attribute 'b'");
    check("<a b='1'c='2'/>", 1, 9, "excepted space");
    check("<p>a\u{8}b</p>", 1, 5, "CTRL-CHAR, code 8");
    check("<p>&#8;</p>", 1, 4, "Illegal character entity");
    check("<p>&#xD800;</p>", 1, 4, "Illegal character entity");
    check("<p>&#;</p>", 1, 6, "expected a decimal number");
    check("<!DOCTYPE p><p/>", 1, 1, "DOCTYPE");
    check("<?xml version='1.0'?><p/>", 1, 1, "XML declaration");
    check("<p><!-- a -- b --></p>", 1, 11, "'--' not allowed");
    check("<x:a/>", 1, 1, "Unbound namespace prefix \"x\"");
    check("<b xmlns:x='u'/><x:a/>", 1, 17, "Unbound namespace prefix");
    check("<p a='<'/>", 1, 7, "not allowed in attribute value");
    check("<p><![CDATA[a", 1, 14, "Unexpected EOF in CDATA");
    check("<p", 1, 3, "Unexpected EOF in start tag");
    check("</p>", 1, 1, "Unexpected close tag </p>");
}

#[test]
fn declared_prefixes_are_accepted_in_their_scope() {
    assert!(Fragment::parse("<x:a xmlns:x='u'><b x:c='1'/></x:a>").is_ok());
}

#[test]
fn spelling_makes_no_difference_but_content_does() {
    assert!(equal(
        "<a b='1' c='2'>&lt;x</a>",
        "<a c=\"2\" b=\"&#49;\"><![CDATA[<x]]></a >"
    ));
    assert!(equal("<a></a>", "<a/>"));
    assert!(equal("a\r\nb", "a\nb"));
    assert!(equal("&nbsp;&auml;&#x1F600;", "\u{a0}ä😀"));
    assert!(equal("<a b='x\ny'/>", "<a b='x y'/>"));
    assert!(!equal("<a b='x&#10;y'/>", "<a b='x y'/>"));
    assert!(!equal("<a> </a>", "<a/>"));
    assert!(!equal("<a/><!--x-->", "<a/>"));
    assert!(!equal("<?a b?>", "<?a c?>"));
}

#[test]
fn the_first_difference_is_named_by_the_item_of_the_first_fragment() {
    let ours = Fragment::parse("<a>x<b>1</b></a>").unwrap();
    let theirs = Fragment::parse("<a>x<b>2</b></a>").unwrap();
    let at = first_difference(&ours, &theirs).unwrap().at.unwrap();
    assert_eq!(ours.items()[at].text(), Some("1"));
}

#[test]
fn a_deep_nest_and_a_wide_one_take_no_stack_and_linear_time() {
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    assert!(Fragment::parse(&deep).is_ok());
    let attrs: String = (0..20_000).map(|n| format!(" a{n}=''")).collect();
    assert!(Fragment::parse(&format!("<a{attrs}/>")).is_ok());
}

#[test]
fn every_entity_of_xhtml_is_known() {
    for name in [
        "quot", "amp", "lt", "gt", "apos", "nbsp", "AElig", "zwnj", "yuml", "hellip", "thetasym",
    ] {
        assert!(Fragment::parse(&format!("&{name};")).is_ok(), "{name}");
    }
}
