//! Random pages in the storage format, well-formed by construction, made from a stream of choices.

/// Elements within elements.
const DEPTH_MAX: usize = 4;

/// A stream of choices: each asks for a number below a limit.
pub(crate) struct Choices<'c>(pub(crate) &'c mut dyn FnMut(usize) -> usize);

const SPACES: &[&str] = &["", "", "", " ", "\n", "\n  ", " \t "];

const WORDS: &[&str] = &[
    "weir",
    "lock ",
    " gate",
    "R&amp;D",
    "a &lt; b",
    "&nbsp;",
    "ä😀",
    "&#x1F600;",
    "<![CDATA[<raw> & ]]>",
    "]]&gt;",
    "\n",
    " ",
    "one\n two",
    "&hellip;",
    "x",
    "&#13;",
    "\u{301}e",
    "<![CDATA[]]>y",
];

const ATTRIBUTES: &[&str] = &[
    "",
    "",
    "",
    " class=\"a\"",
    " style='color: red'",
    " id=\"&amp;&quot;&#10;\" title='\"'",
    " xmlns=\"urn:x\"",
    " ac:local-id=\"7\"",
];

const MARKS: &[&str] = &[
    "strong", "b", "em", "i", "u", "ins", "s", "del", "sup", "sub", "code", "span", "span", "font",
    "small", "a",
];

const ATOMS: &[&str] = &[
    "<br/>",
    "<br class=\"x\" />",
    "<ac:emoticon ac:name=\"smile\" ac:emoji-id=\"1\"/>",
    "<time datetime=\"2026-01-02\"/>",
    "<ac:image ac:width=\"3\"><ri:attachment ri:filename=\"a &amp; b.png\"><ri:page ri:content-title=\"P\"/></ri:attachment></ac:image>",
    "<ac:image> <ri:url ri:value=\"https://example.org/\"/> <ac:caption>c <em>d</em></ac:caption></ac:image>",
    "<ac:link><ri:page ri:content-title=\"T\" ri:space-key=\"K\"/></ac:link>",
    "<ac:link ac:anchor=\"x\"/>",
    "<ac:link> <ri:user ri:username=\"ada\"/> </ac:link>",
    "<ac:link><ri:page ri:content-title=\"T\"/>\n<ac:plain-text-link-body><![CDATA[go <there>]]></ac:plain-text-link-body></ac:link>",
    "<ac:structured-macro ac:name=\"status\"><ac:parameter ac:name=\"title\">on</ac:parameter></ac:structured-macro>",
    "<ac:structured-macro ac:name=\"anchor\"><ac:parameter ac:name=\"\">a</ac:parameter></ac:structured-macro>",
    "<ac:structured-macro ac:name=\"gauge\"/>",
    "<ac:placeholder>p</ac:placeholder>",
    "<made-up x='1'>y<z/></made-up>",
    "<!-- comment -->",
    "<?target data?>",
    "<strong/>",
    "<span></span>",
    "<a name=\"x\"/>",
    "<a href=\"x\"><a href=\"y\">z</a></a>",
    "<ac:inline-comment-marker ac:ref=\"\"/>",
];

impl Choices<'_> {
    fn below(&mut self, limit: usize) -> usize {
        (self.0)(limit)
    }

    fn pick(&mut self, list: &[&'static str]) -> &'static str {
        list[self.below(list.len()) % list.len()]
    }

    /// A page of a few blocks.
    pub(crate) fn page(&mut self) -> String {
        self.blocks(0)
    }

    fn blocks(&mut self, depth: usize) -> String {
        let mut out = self.pick(SPACES).to_owned();
        for _ in 0..self.below(5) {
            out += &self.block(depth + 1);
            out += self.pick(SPACES);
        }
        out
    }

    fn block(&mut self, depth: usize) -> String {
        let attributes = self.pick(ATTRIBUTES);
        let flat = depth > DEPTH_MAX;
        match self.below(if flat { 6 } else { 18 }) {
            0 => self.inline(0),
            1 => format!("<p{attributes}>{}</p>", self.line(0)),
            2 => format!("<h2{attributes}>{}</h2>", self.line(0)),
            3 => format!("<pre{attributes}>{}</pre>", self.line(0)),
            4 => "<hr/>".to_owned(),
            5 => self.code(),
            6 => self.list(depth),
            7 => self.table(depth),
            8 | 9 => self.rich_macro(depth),
            10 => format!("<div{attributes}>{}</div>", self.blocks(depth)),
            11 => format!("<blockquote>{}</blockquote>", self.blocks(depth)),
            12 => self.tasks(depth),
            13 => self.layout(depth),
            14 => format!("<p>{}{}</p>", self.line(0), self.blocks(depth)),
            15 => format!("<strong{attributes}>{}</strong>", self.blocks(depth)),
            16 => format!("<made-up{attributes}>{}</made-up>", self.blocks(depth)),
            _ => format!(
                "<dl><dt>{}</dt><dd>{}</dd></dl>",
                self.line(0),
                self.blocks(depth)
            ),
        }
    }

    fn line(&mut self, depth: usize) -> String {
        (0..self.below(4)).map(|_| self.inline(depth)).collect()
    }

    fn inline(&mut self, depth: usize) -> String {
        match self.below(if depth > 3 { 4 } else { 8 }) {
            0..=2 => self.pick(WORDS).to_owned(),
            3 => self.pick(ATOMS).to_owned(),
            4 | 5 => {
                let tag = self.pick(MARKS);
                let attributes = if tag == "a" {
                    " href='x?a=1&amp;b'"
                } else {
                    self.pick(ATTRIBUTES)
                };
                format!("<{tag}{attributes}>{}</{tag}>", self.line(depth + 1))
            }
            6 => format!(
                "<ac:inline-comment-marker ac:ref=\"{}\">{}</ac:inline-comment-marker>",
                self.below(3),
                self.line(depth + 1)
            ),
            _ => format!(
                "<ac:link><ri:page ri:content-title=\"T\"/><ac:link-body>{}</ac:link-body></ac:link>",
                self.line(depth + 1)
            ),
        }
    }

    fn code(&mut self) -> String {
        let body = self.pick(&[
            "",
            "<ac:plain-text-body><![CDATA[ a\n\tb ]]]]><![CDATA[> c]]></ac:plain-text-body>",
            "<ac:plain-text-body>x &lt; y</ac:plain-text-body>",
            "<ac:plain-text-body/>",
        ]);
        let name = self.pick(&["code", "noformat", "toc"]);
        let tag = self.pick(&["ac:structured-macro", "ac:macro"]);
        let gap = self.pick(SPACES);
        format!(
            "<{tag} ac:name=\"{name}\">{gap}<ac:parameter ac:name=\"title\">a &amp; b</ac:parameter>{gap}{body}</{tag}>"
        )
    }

    fn rich_macro(&mut self, depth: usize) -> String {
        let name = self.pick(&[
            "info", "warning", "panel", "expand", "excerpt", "gauge", "toc",
        ]);
        let gap = self.pick(SPACES);
        let body = format!(
            "<ac:rich-text-body>{}</ac:rich-text-body>",
            self.blocks(depth)
        );
        let parameter = "<ac:parameter ac:name=\"title\">T</ac:parameter>";
        let parts = match self.below(4) {
            0 => body,
            1 => parameter.to_owned(),
            2 => format!("{parameter}{gap}{body}"),
            _ => format!("{body}{gap}{parameter}"),
        };
        format!(
            "<ac:structured-macro ac:name=\"{name}\" ac:macro-id=\"1\">{gap}{parts}{gap}</ac:structured-macro>"
        )
    }

    fn list(&mut self, depth: usize) -> String {
        let tag = self.pick(&["ul", "ol"]);
        let mut out = format!("<{tag}>");
        for _ in 0..self.below(3) {
            out += self.pick(SPACES);
            out += &format!("<li>{}</li>", self.blocks(depth));
        }
        if self.below(8) == 7 {
            out += &self.block(depth + 1);
        }
        out + &format!("</{tag}>")
    }

    fn table(&mut self, depth: usize) -> String {
        let head = self.pick(&[
            "",
            "",
            " <colgroup><col/></colgroup>",
            "<caption>c</caption>\n",
            "<thead/>",
        ]);
        let gap = self.pick(SPACES);
        let section = self.pick(&["tbody", "tbody", "tfoot", ""]);
        let mut rows = String::new();
        for _ in 0..self.below(3) {
            rows += "<tr>";
            for _ in 0..self.below(3) {
                let cell = self.pick(&["td", "th"]);
                let span = self.pick(&["", " colspan=\"2\"", " rowspan=\"1\"", " colspan=\"x\""]);
                rows += &format!("<{cell}{span}>{}</{cell}>", self.blocks(depth + 1));
            }
            rows += &format!("</tr>{gap}");
        }
        match section {
            "" => format!("<table>{head}{gap}{rows}</table>"),
            section => format!("<table>{head}{gap}<{section}>{rows}</{section}>{gap}</table>"),
        }
    }

    fn tasks(&mut self, depth: usize) -> String {
        let gap = self.pick(SPACES);
        let mut out = "<ac:task-list>".to_owned();
        for _ in 0..self.below(3) {
            let id = self.pick(&["<ac:task-id>4</ac:task-id>", "<ac:task-id/>", ""]);
            let body = match self.below(3) {
                0 => format!(
                    "<span class=\"placeholder-inline-tasks\">{}</span>",
                    self.line(0)
                ),
                1 => self.line(0),
                _ => self.blocks(depth),
            };
            out += &format!(
                "{gap}<ac:task>{gap}{id}<ac:task-status>complete</ac:task-status>{gap}<ac:task-body>{body}</ac:task-body></ac:task>"
            );
        }
        out + gap + "</ac:task-list>"
    }

    fn layout(&mut self, depth: usize) -> String {
        let kind = self.pick(&[
            "",
            " ac:type=\"single\"",
            " ac:type=\"two_equal\" ac:breakout-mode=\"wide\"",
        ]);
        let gap = self.pick(SPACES);
        let cells = format!(
            "<ac:layout-cell>{}</ac:layout-cell>{gap}<ac:layout-cell/>",
            self.blocks(depth)
        );
        format!("<ac:layout>{gap}<ac:layout-section{kind}>{cells}</ac:layout-section></ac:layout>")
    }
}
