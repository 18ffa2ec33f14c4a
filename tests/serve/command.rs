use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::json;

use crate::client::{make, raw};
use crate::program::{fail, json, postil};

/// `postil serve` and the address that it says.
fn serve(home: &Path, args: &[&str]) -> (Child, SocketAddr) {
    let fixed = ["serve", "d.postil", "--port", "0", "--generator", "quote"];
    let args: Vec<&str> = fixed.into_iter().chain(args.iter().copied()).collect();
    let mut child = postil(home, &args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let address = said.trim().trim_start_matches("serving at http://").trim_end_matches('/').parse().unwrap();
    (child, address)
}

fn request(address: SocketAddr, method: &str, path: &str, body: &str) -> crate::client::Answer {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    raw(address, head.as_bytes())
}

#[test]
fn what_was_said_to_be_done_is_there_after_the_server_was_killed() {
    let home = tempfile::tempdir().unwrap();
    make(&home.path().join("d.postil"));
    let (mut child, address) = serve(home.path(), &["--write"]);
    let (tell, told) = std::sync::mpsc::channel();
    let uploads: Vec<_> = (0..50)
        .map(|number| {
            let tell = tell.clone();
            std::thread::spawn(move || {
                let body = json!({ "text": format!("Document {number} says {}.", number * 7) }).to_string();
                let key = format!("/documents/upload-{number}");
                let done = std::panic::catch_unwind(|| request(address, "PUT", &key, &body).status == 200);
                // The rest is cut off by the kill.
                if done.unwrap_or_default() {
                    let _ = tell.send(number);
                }
            })
        })
        .collect();
    drop(tell);
    let mut done: Vec<u32> = told.iter().take(10).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    for upload in uploads {
        upload.join().unwrap();
    }
    done.extend(told.iter());
    assert!(done.len() >= 10);
    for number in done {
        let read = json(home.path(), &["get", "d.postil", &format!("upload-{number}"), "--json"]);
        assert_eq!(read["text"], format!("Document {number} says {}.", number * 7));
    }
    assert_eq!(json(home.path(), &["check", "d.postil", "--json"])["clean"], true);
}

#[cfg(unix)]
#[test]
fn a_server_that_is_asked_to_end_finishes_its_jobs() {
    let home = tempfile::tempdir().unwrap();
    make(&home.path().join("d.postil"));
    let (mut child, address) = serve(home.path(), &["--write"]);
    let documents: Vec<_> = (0..200)
        .map(|number| json!({ "key": format!("k{number}"), "text": format!("Text {number}.") }))
        .collect();
    let job = request(address, "POST", "/documents", &json!({ "documents": documents }).to_string());
    assert_eq!(job.status, 202, "{job:?}");
    std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(json(home.path(), &["stat", "d.postil", "--json"])["documents"], 202);
}

#[test]
fn a_server_that_would_let_anybody_in_does_not_start() {
    let home = tempfile::tempdir().unwrap();
    make(&home.path().join("d.postil"));
    let told = fail(home.path(), &["serve", "d.postil", "--host", "0.0.0.0", "--port", "0"]);
    assert!(told.contains("--token"), "{told}");
    assert!(fail(home.path(), &["serve", "d.postil", "--root", "."]).contains("--write"));
    assert!(fail(home.path(), &["serve", "none.postil"]).contains("there is no database"));
    assert!(fail(home.path(), &["serve", "d.postil", "d.postil/../d.postil"]).contains("d.postil"));
}
