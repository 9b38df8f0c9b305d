//! What kind of file it is: by its first bytes where they tell, else by its name; and which kinds a browser may show in
//! the wiki's own origin.

/// How many bytes `of` wants to see.
pub(crate) const SNIFFED_BYTES: usize = 512;

pub(crate) const UNKNOWN: &str = "application/octet-stream";

/// Kinds that cannot run script in the page's origin. HTML, SVG and XML can, so they are sent as downloads.
const SAFE_INLINE: &[&str] = &[
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/avif",
    "image/bmp",
    "image/x-icon",
    "application/pdf",
    "text/plain",
    "audio/mpeg",
    "audio/ogg",
    "audio/wav",
    "video/mp4",
    "video/webm",
    "video/ogg",
];

/// Beginnings that are certain. (offset, bytes, media type)
const SIGNATURES: &[(usize, &[u8], &str)] = &[
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypavif", "image/avif"),
    (0, b"\0\0\x01\0", "image/x-icon"),
    (0, b"%PDF-", "application/pdf"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"OggS", "video/ogg"),
    (0, b"ID3", "audio/mpeg"),
];

/// By extension, where the bytes do not tell (many formats are zip or text inside).
const EXTENSIONS: &[(&str, &str)] = &[
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("ico", "image/x-icon"),
    ("svg", "image/svg+xml"),
    ("pdf", "application/pdf"),
    ("txt", "text/plain"),
    ("log", "text/plain"),
    ("md", "text/plain"),
    ("csv", "text/csv"),
    ("json", "application/json"),
    ("xml", "application/xml"),
    ("html", "text/html"),
    ("htm", "text/html"),
    ("mp3", "audio/mpeg"),
    ("ogg", "audio/ogg"),
    ("wav", "audio/wav"),
    ("mp4", "video/mp4"),
    ("webm", "video/webm"),
    ("zip", "application/zip"),
    ("gz", "application/gzip"),
    ("tar", "application/x-tar"),
    ("7z", "application/x-7z-compressed"),
    ("doc", "application/msword"),
    ("xls", "application/vnd.ms-excel"),
    ("ppt", "application/vnd.ms-powerpoint"),
    (
        "docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    (
        "xlsx",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ),
    (
        "pptx",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("drawio", "application/xml"),
    ("vsdx", "application/vnd.ms-visio.drawing.main+xml"),
    ("eml", "message/rfc822"),
];

/// The media type of a file. A picture by name that does not begin like one is not called a picture.
pub(crate) fn of(name: &str, start: &[u8]) -> &'static str {
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_lowercase())
        .unwrap_or_default();
    let by_name = EXTENSIONS
        .iter()
        .find(|(known, _)| *known == extension)
        .map(|(_, media_type)| *media_type);
    let by_bytes = SIGNATURES
        .iter()
        .find(|(offset, bytes, _)| {
            start
                .get(*offset..)
                .is_some_and(|rest| rest.starts_with(bytes))
        })
        .map(|(_, _, media_type)| *media_type);
    match (by_bytes, by_name) {
        (Some("video/ogg"), Some("audio/ogg")) => "audio/ogg",
        (Some(certain), _) => certain,
        (None, Some("image/bmp" | "image/svg+xml")) => by_name.unwrap_or(UNKNOWN),
        (None, Some(named)) if named.starts_with("image/") || named == "application/pdf" => UNKNOWN,
        (None, Some(named)) => named,
        (None, None) => UNKNOWN,
    }
}

/// Whether a browser may show it in the wiki's own origin.
pub(crate) fn is_safe_inline(media_type: &str) -> bool {
    SAFE_INLINE.contains(&media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_win_over_the_name() {
        assert_eq!(of("holiday.txt", b"\x89PNG\r\n\x1a\n...."), "image/png");
        assert_eq!(of("picture.png", b"<script>alert(1)</script>"), UNKNOWN);
        assert_eq!(
            of("report.docx", b"PK\x03\x04"),
            EXTENSIONS
                .iter()
                .find(|(name, _)| *name == "docx")
                .unwrap()
                .1
        );
        assert_eq!(of("no extension", b"hello"), UNKNOWN);
    }

    #[test]
    fn what_can_run_script_is_never_shown_inline() {
        for name in ["a.html", "a.svg", "a.xml", "a.xhtml", "a.js"] {
            assert!(!is_safe_inline(of(name, b"<x/>")), "{name}");
        }
        assert!(is_safe_inline(of("a.png", b"\x89PNG\r\n\x1a\n")));
    }
}
