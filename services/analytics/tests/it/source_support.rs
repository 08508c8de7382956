//! Sources, files for them, and an address that answers.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use analytics::Analytics;
use bz_testkit::{Client, TestApp, TestResponse};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

/// A source that was set up.
pub(crate) async fn source(owner: &Client, wanted: Value) -> String {
    let made = owner
        .post("/api/datasources", wanted)
        .await
        .assert_status(201)
        .json();
    made["id"].as_str().unwrap().to_owned()
}

/// A source of files of a dataset.
pub(crate) async fn upload_source(owner: &Client, dataset: &str, reading: Value) -> String {
    let wanted = json!({ "name": format!("Files of {dataset}"), "kind": "upload", "dataset": dataset, "reading": reading });
    source(owner, wanted).await
}

/// Sends a file.
pub(crate) async fn import(client: &Client, query: &str, file: impl Into<Vec<u8>>) -> TestResponse {
    let request = client.post(&format!("/api/analytics/imports?{query}"), ());
    request.body("text/csv", file.into()).await
}

/// Sends a file that is loaded.
pub(crate) async fn loaded(client: &Client, source: &str, file: impl Into<Vec<u8>>) -> Value {
    let answer = import(client, &format!("source_id={source}"), file)
        .await
        .assert_status(202)
        .json();
    assert_eq!(answer["run"]["status"], "succeeded", "{answer}");
    answer
}

/// What a query past row-level security answers, as JSON.
pub(crate) async fn read(app: &TestApp<Analytics>, sql: &str) -> Value {
    let sql = format!("SELECT coalesce(jsonb_agg(q), '[]') FROM ({sql}) AS q");
    let mut admin = app.database.admin().await;
    sqlx::query_scalar(&sql)
        .fetch_one(&mut admin)
        .await
        .unwrap()
}

/// A file of the data that is shared, if it is there.
pub(crate) fn shared(name: &str) -> Option<Vec<u8>> {
    let folder = |above: &Path| above.join("shared/data/analytics");
    let folder: Option<PathBuf> = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(folder)
        .find(|it| it.is_dir());
    let Some(folder) = folder else {
        println!("skipped: no shared data");
        return None;
    };
    Some(std::fs::read(folder.join(name)).unwrap())
}

/// Packed with gzip.
pub(crate) fn packed(text: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

/// A spreadsheet of one sheet. A cell that is a number is one; `#` before a number makes it a moment.
pub(crate) fn workbook(rows: &[&[&str]]) -> Vec<u8> {
    let cell = |text: &&str| match (text.strip_prefix('#'), text.parse::<f64>()) {
        (Some(serial), _) => format!("<c s=\"1\"><v>{serial}</v></c>"),
        (None, Ok(_)) => format!("<c><v>{text}</v></c>"),
        (None, Err(_)) => format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>"),
    };
    let row =
        |cells: &&[&str]| format!("<row>{}</row>", cells.iter().map(cell).collect::<String>());
    let rows: String = rows.iter().map(row).collect();
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = "http://schemas.openxmlformats.org/package/2006";
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml";
    let parts = [
        (
            "[Content_Types].xml",
            format!(
                "<Types xmlns=\"{package}/content-types\"><Default Extension=\"rels\" \
                 ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
                 <Default Extension=\"xml\" ContentType=\"application/xml\"/>\
                 <Override PartName=\"/xl/workbook.xml\" ContentType=\"{kind}.sheet.main+xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"a\" Type=\"{office}/officeDocument\" \
                 Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{main}\" xmlns:r=\"{office}\"><sheets><sheet name=\"Ads\" sheetId=\"1\" r:id=\"b\"/>\
                 </sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{package}/relationships\"><Relationship Id=\"b\" Type=\"{office}/worksheet\" \
                 Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"c\" Type=\"{office}/styles\" Target=\"styles.xml\"/>\
                 </Relationships>"
            ),
        ),
        (
            "xl/styles.xml",
            format!(
                "<styleSheet xmlns=\"{main}\"><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"22\"/></cellXfs></styleSheet>"
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!("<worksheet xmlns=\"{main}\"><sheetData>{rows}</sheetData></worksheet>"),
        ),
    ];
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in parts {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// An address that answers what it is told to, and remembers what it was asked.
#[derive(Clone)]
pub(crate) struct Remote {
    pub url: String,
    answer: Arc<Mutex<(u16, String, String)>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Remote {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let remote = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            answer: Arc::new(Mutex::new((200, "text/csv".into(), String::new()))),
            asked: Arc::default(),
        };
        let serving = remote.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    match stream.read_u8().await {
                        Ok(byte) => head.push(byte),
                        Err(_) => break,
                    }
                }
                serving
                    .asked
                    .lock()
                    .unwrap()
                    .push(String::from_utf8(head).unwrap());
                let (status, kind, body) = serving.answer.lock().unwrap().clone();
                let head = format!(
                    "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _gone = stream.write_all((head + &body).as_bytes()).await;
            }
        });
        remote
    }

    pub(crate) fn answers(&self, status: u16, kind: &str, body: impl Into<String>) {
        *self.answer.lock().unwrap() = (status, kind.to_owned(), body.into());
    }

    /// What it was asked, the head of each request.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}
