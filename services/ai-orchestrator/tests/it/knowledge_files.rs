//! Files of documents: what is read out of each kind, and what is refused.

use std::io::Write as _;

use ai_orchestrator::AiOrchestrator;
use bytes::Bytes;
use bz_testkit::{Client, TestApp};
use http::Method;
use serde_json::Value;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::knowledge::DOCUMENTS;

const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/// A document of Word with these paragraphs and a heading of a German style.
fn docx(body: &str) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let name = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
    for (part, xml) in [
        (
            "word/styles.xml",
            format!(
                r#"<w:styles xmlns:w="{name}"><w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style></w:styles>"#
            ),
        ),
        (
            "word/document.xml",
            format!(
                r#"<?xml version="1.0"?><w:document xmlns:w="{name}"><w:body>{body}</w:body></w:document>"#
            ),
        ),
    ] {
        zip.start_file(
            part,
            SimpleFileOptions::default().compression_level(Some(1)),
        )
        .unwrap();
        zip.write_all(xml.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// A PDF of one page with a line of text.
fn pdf(line: &str) -> Vec<u8> {
    let content = format!("BT /F1 12 Tf 72 720 Td ({line}) Tj ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    let (mut file, mut offsets) = ("%PDF-1.4\n".to_owned(), Vec::new());
    for (n, object) in objects.iter().enumerate() {
        offsets.push(file.len());
        file.push_str(&format!("{} 0 obj\n{object}\nendobj\n", n + 1));
    }
    let start = file.len();
    file.push_str("xref\n0 6\n0000000000 65535 f \n");
    for offset in offsets {
        file.push_str(&format!("{offset:010} 00000 n \n"));
    }
    file.push_str(&format!(
        "trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    ));
    file.into_bytes()
}

async fn read(client: &Client, query: &str, kind: &str, file: impl Into<Bytes>) -> Value {
    let sent = client.request(Method::POST, &format!("{DOCUMENTS}{query}"));
    let made = sent.body(kind, file).await.assert_status(201).json();
    let path = format!("{DOCUMENTS}/{}?text=true", made["id"].as_str().unwrap());
    client.get(&path).await.assert_status(200).json()
}

#[tokio::test]
async fn files_of_every_kind_become_text() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let member = &app.acme.member;
    let text = read(
        member,
        "?title=Notes&labels=a,%20b&collection=x",
        "text/plain",
        "Gr\u{fc}\u{df}e\r\n\r\n\r\n\r\nthere",
    )
    .await;
    assert_eq!(text["text"], "Gr\u{fc}\u{df}e\n\nthere");
    assert_eq!(
        (&text["title"], &text["labels"][1], &text["collection"]),
        (&"Notes".into(), &"b".into(), &"x".into())
    );
    let windows = read(
        member,
        "?title=x",
        "text/plain; charset=windows-1252",
        &b"Gr\xfc\xdfe"[..],
    )
    .await;
    assert_eq!(windows["text"], "Gr\u{fc}\u{df}e");
    let markdown = read(member, "?title=x", "text/markdown", "# A\n\nb").await;
    assert_eq!(
        (&markdown["text"], &markdown["media_type"]),
        (&"# A\n\nb".into(), &"text/markdown".into())
    );
    let html = read(
        member,
        "",
        "text/html",
        "<title>The page</title><script>no()</script><h2>A</h2><p>b &lt; c",
    )
    .await;
    assert_eq!(
        (&html["title"], &html["text"]),
        (&"The page".into(), &"## A\n\nb < c".into())
    );
    let body = r#"<w:p><w:pPr><w:pStyle w:val="berschrift1"/></w:pPr><w:r><w:t>Leave</w:t></w:r></w:p>
        <w:p><w:r><w:t xml:space="preserve">30 days &amp; </w:t></w:r><w:r><w:t>more</w:t><w:delText>less</w:delText></w:r></w:p>
        <w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>one</w:t></w:r></w:p>"#;
    let word = read(member, "?title=x", DOCX, docx(body)).await;
    assert_eq!(word["text"], "# Leave\n\n30 days & more\n\n- one");
    let pdf = read(
        member,
        "?title=x",
        "application/pdf",
        pdf("Trains are paid in second class."),
    )
    .await;
    assert_eq!(pdf["text"], "Trains are paid in second class.");
}

#[tokio::test]
async fn a_form_has_the_file_and_what_is_said_of_it() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let form = "--xyz\r\ncontent-disposition: form-data; name=\"collection\"\r\n\r\nhr\r\n\
        --xyz\r\ncontent-disposition: form-data; name=\"file\"; filename=\"The rules.md\"\r\n\
        content-type: application/octet-stream\r\n\r\n# Rules\r\n--xyz--\r\n";
    let found = read(
        &app.acme.member,
        "",
        "multipart/form-data; boundary=xyz",
        form,
    )
    .await;
    assert_eq!(
        (
            &found["title"],
            &found["collection"],
            &found["media_type"],
            &found["text"]
        ),
        (
            &"The rules".into(),
            &"hr".into(),
            &"text/markdown".into(),
            &"# Rules".into()
        )
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_refused_with_what_to_change() {
    let app = TestApp::<AiOrchestrator>::start().await;
    let send = async |kind: &str, file: Vec<u8>| {
        let sent = app
            .acme
            .member
            .request(Method::POST, &format!("{DOCUMENTS}?title=x"));
        sent.body(kind, file).await
    };
    // 33 MiB of blanks are packed into some kilobytes.
    let bomb = docx(&format!("<w:p>{}</w:p>", " ".repeat(33 << 20)));
    assert!(bomb.len() < 1 << 20);
    for (kind, file, status, code) in [
        (
            "image/png",
            b"\x89PNG".to_vec(),
            415,
            "unsupported_media_type",
        ),
        (
            "application/octet-stream",
            b"words".to_vec(),
            415,
            "unsupported_media_type",
        ),
        (
            "application/pdf",
            b"%PDF-1.7 no more".to_vec(),
            422,
            "document_unreadable",
        ),
        ("application/pdf", pdf(""), 422, "document_unreadable"),
        (
            DOCX,
            b"PK\x03\x04 no more".to_vec(),
            422,
            "document_unreadable",
        ),
        (
            DOCX,
            b"\xd0\xcf\x11\xe0 encrypted".to_vec(),
            422,
            "document_unreadable",
        ),
        (DOCX, bomb, 413, "payload_too_large"),
        ("text/plain", b"a\0b".to_vec(), 422, "document_unreadable"),
        ("text/plain", Vec::new(), 422, "document_unreadable"),
        (
            "text/plain; charset=utf-8",
            b"\xff\xff".to_vec(),
            422,
            "document_unreadable",
        ),
        (
            "text/plain",
            vec![b'x'; 2_000_001],
            413,
            "payload_too_large",
        ),
        (
            "text/plain",
            vec![b'x'; (20 << 20) + 1],
            413,
            "payload_too_large",
        ),
        (
            "multipart/form-data; boundary=x",
            b"nonsense".to_vec(),
            400,
            "malformed_json",
        ),
        (
            "multipart/form-data; boundary=x",
            b"--x--\r\n".to_vec(),
            422,
            "validation_failed",
        ),
    ] {
        let answer = send(kind, file).await;
        let told = answer.json();
        assert_eq!(
            (answer.status.as_u16(), told["code"].as_str()),
            (status, Some(code)),
            "{kind}: {told}"
        );
        assert!(
            told["detail"].is_string() || told["errors"].is_array(),
            "{told}"
        );
    }
}
