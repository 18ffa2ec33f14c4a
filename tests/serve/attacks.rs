use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use postil::serve::{Access, open};
use serde_json::json;

use crate::client::{raw, start, writing};

const TOKEN: &str = "a secret of sixteen";

#[test]
fn without_the_token_nothing_is_told_and_nothing_done() {
    let server = start(|settings, _| {
        settings.token = Some(TOKEN.to_owned());
        settings.may_write = true;
    });
    for path in [
        "/stat",
        "/documents",
        "/databases",
        "/metrics",
        "/openapi.json",
        "/v1/models",
        "/mcp",
        "/jobs",
        "/none",
    ] {
        for header in [
            "",
            "Authorization: Bearer wrong\r\n",
            "Authorization: Basic eA==\r\n",
            "Authorization: Bearer \r\n",
        ] {
            let told = server.with("GET", path, header, b"").refused(401);
            assert!(!told.contains("leave"), "{told}");
        }
    }
    server.with("DELETE", "/documents/leave.md", "", b"").refused(401);
    let header = format!("Authorization: Bearer {TOKEN}\r\n");
    assert_eq!(server.with("GET", "/stat", &header, b"").ok()["documents"], 2);
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn a_foreign_host_or_origin_is_refused_on_every_path() {
    let server = start(|settings, _| settings.origins.push("https://desk.example".to_owned()));
    for path in ["/", "/page.js", "/health", "/stat", "/v1/models", "/mcp"] {
        for host in ["evil.example", "127.0.0.1.evil.example", "10.1.2.3", "localhost.evil.example:80", ""] {
            let refused = server.with("GET", path, &format!("Host: {host}\r\n"), b"");
            assert_eq!(refused.status, 403, "{host} {path} {refused:?}");
        }
        for origin in ["http://evil.example", "null", "https://127.0.0.1", "http://localhost:1"] {
            let refused = server.with("GET", path, &format!("Origin: {origin}\r\n"), b"");
            assert_eq!(refused.status, 403, "{origin} {path}");
            assert!(!refused.head.contains("access-control-allow-origin"), "{refused:?}");
        }
    }
    let named = server.with("GET", "/stat", "Origin: https://desk.example\r\n", b"");
    assert!(named.status == 200 && named.head.contains("access-control-allow-origin: https://desk.example"));
    let preflight = "Origin: https://desk.example\r\nAccess-Control-Request-Method: POST\r\n";
    assert_eq!(server.with("OPTIONS", "/ask", preflight, b"").status, 204);
    let evil = "Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n";
    assert_eq!(server.with("OPTIONS", "/ask", evil, b"").status, 403);
    let two = format!(
        "GET /stat HTTP/1.1\r\nHost: {}\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        server.address
    );
    assert_eq!(raw(server.address, two.as_bytes()).status, 400);
    let absolute = format!(
        "GET http://evil.example/stat HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        server.address
    );
    assert_eq!(raw(server.address, absolute.as_bytes()).status, 400);
}

#[test]
fn an_address_that_others_reach_needs_a_token_that_is_long() {
    let bind = |token: Option<&str>| {
        let mut settings = postil::serve::Settings::default();
        settings.host = "0.0.0.0".parse().unwrap();
        settings.port = 0;
        settings.token = token.map(str::to_owned);
        let home = tempfile::tempdir().unwrap();
        crate::client::make(&home.path().join("d.postil"));
        let serving = open(home.path().join("d.postil"), "quote", Access::Read).unwrap();
        postil::serve::Server::bind(settings, vec![("d".to_owned(), std::sync::Arc::new(serving))]).map(drop)
    };
    assert!(bind(None).unwrap_err().to_string().contains("--token"));
    assert!(bind(Some("short")).unwrap_err().to_string().contains("16"));
    bind(Some(TOKEN)).unwrap();
}

#[test]
fn no_path_leads_out_of_the_folder_that_was_named() {
    let closed = writing();
    closed.post("/documents", &json!({ "key": "k", "path": "/etc/passwd" })).refused(403);
    closed.post("/backup", &json!({ "to": "copy" })).refused(403);
    let server = start(|settings, home| {
        let root = home.join("root");
        std::fs::create_dir(&root).unwrap();
        std::fs::write(root.join("in.md"), "Inside.").unwrap();
        std::fs::write(home.join("secret.txt"), "Outside.").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(home.join("secret.txt"), root.join("link.txt")).unwrap();
        settings.may_write = true;
        settings.root = Some(root);
    });
    for path in
        ["../secret.txt", "/etc/passwd", "link.txt", "a/../../secret.txt", "in.md\0", "", ".", "..", "~/x"]
    {
        let answer = server.post("/documents?wait=true", &json!({ "key": "k", "path": path }));
        assert!(matches!(answer.status, 403 | 404), "{path:?} {answer:?}");
    }
    for to in ["../copy", "/tmp/copy", "a\0", "in.md"] {
        let answer = server.post("/backup", &json!({ "to": to }));
        assert!(matches!(answer.status, 403 | 409), "{to:?} {answer:?}");
    }
    server.post("/documents?wait=true", &json!({ "key": "k", "path": "in.md" })).ok();
    assert_eq!(server.get("/documents/k").ok()["text"], "Inside.");
    assert!(server.post("/backup", &json!({ "to": "copy" })).ok()["bytes"].as_u64().unwrap() > 0);
    for path in [
        "/documents/../../../etc/passwd",
        "/documents/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/../etc/passwd",
        "/documents/%2fetc%2fpasswd",
        "/documents/%00",
        "/documents/%ff",
        "/db/..%2f..%2fetc/stat",
    ] {
        let answer = server.get(path);
        assert!((400..500).contains(&answer.status) && !answer.body.contains("root:"), "{path} {answer:?}");
    }
}

#[test]
fn bodies_are_bounded_and_never_unpacked() {
    let server = writing();
    let giant = format!(
        "POST /documents HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: 1073741824\r\n\r\n",
        server.address
    );
    assert_eq!(raw(server.address, giant.as_bytes()).status, 413);
    // A body that does not say how long it is.
    let mut stream = TcpStream::connect(server.address).unwrap();
    let head = format!(
        "POST /search HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        server.address
    );
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = [b"10000\r\n".to_vec(), vec![b' '; 0x10000], b"\r\n".to_vec()].concat();
    for _ in 0..64 {
        if stream.write_all(&chunk).is_err() {
            break;
        }
    }
    let mut told = Vec::new();
    let _ = stream.read_to_end(&mut told);
    assert!(told.is_empty() || told.starts_with(b"HTTP/1.1 413"), "{}", String::from_utf8_lossy(&told));
    for encoding in ["deflate", "gzip", "br"] {
        let headers = format!("Content-Type: application/json\r\nContent-Encoding: {encoding}\r\n");
        server.with("POST", "/search", &headers, b"x").refused(415);
    }
    server.with("POST", "/search", "Content-Type: text/plain\r\n", b"{\"query\":\"x\"}").refused(415);
    assert_eq!(server.get("/stat").ok()["documents"], 2);
}

#[test]
fn what_is_nested_or_large_beyond_reason_is_refused_in_words() {
    let server = start(|_, _| {});
    let deep = format!("{}year > 1{}", "(".repeat(10_000), ")".repeat(10_000));
    server.post("/search", &json!({ "query": "x", "filter": deep })).refused(400);
    let nots = format!("{}year > 1", "not ".repeat(10_000));
    server.post("/ask", &json!({ "query": "x", "filter": nots })).refused(400);
    let mut filters = String::from(r#"{"type":"eq","key":"a","value":1}"#);
    for _ in 0..10_000 {
        filters = format!(r#"{{"type":"and","filters":[{filters}]}}"#);
    }
    let body = format!(r#"{{"query":"x","filters":{filters}}}"#);
    let headers = "Content-Type: application/json\r\n";
    server.with("POST", "/v1/vector_stores/vs_d/search", headers, body.as_bytes()).refused(400);
    server.post("/search", &json!({ "query": "x", "k": 1_000_000 })).refused(400);
    server.post("/search", &json!({ "query": "x", "k": 0 })).refused(400);
    server.post("/search", &json!({ "vector": [1.0] })).refused(400);
    server.post("/search", &json!({ "query": "x", "unknown": 1 })).refused(400);
    server.post("/ask", &json!({ "query": " " })).refused(400);
    server.post("/ask", &json!({ "query": "x ".repeat(100_000) })).refused(400);
    server.get("/documents?limit=100000").refused(400);
    server.get("/documents?cursor=%21").refused(400);
    server.with("PATCH", "/stat", "", b"").refused(405);
}

#[test]
fn nothing_is_written_where_nothing_may_be() {
    let server = start(|_, _| {});
    let json = "Content-Type: application/json\r\n";
    for (method, path) in
        [("PUT", "/documents/k"), ("POST", "/documents"), ("POST", "/compact"), ("POST", "/publish")]
    {
        server.with(method, path, json, br#"{"key":"k","text":"t"}"#).refused(403);
    }
    server.with("DELETE", "/documents/leave.md", "", b"").refused(403);
    server.post("/backup", &json!({ "to": "x" })).refused(403);
    server.with("POST", "/v1/files", "Content-Type: multipart/form-data; boundary=x\r\n", b"").refused(403);
    let attach = json!({ "file_id": "file-eA" });
    server.post("/v1/vector_stores/vs_d/files", &attach).refused(403);
    assert_eq!(server.get("/stat").ok()["documents"], 2);
}

#[test]
fn script_in_a_document_s_text_title_and_key_stays_text() {
    let server = writing();
    let script = "<script>alert(1)</script>";
    let document = json!({ "key": script, "text": format!("{script} is said."), "title": script });
    server.post("/documents?wait=true", &document).ok();
    let answer = server.post("/search", &json!({ "query": "said" }));
    assert!(
        answer.head.contains("content-type: application/json") && answer.head.contains("nosniff"),
        "{answer:?}"
    );
    for path in ["/", "/page.js", "/docs"] {
        let page = server.get(path);
        assert!(
            !page.body.contains("alert(1)")
                && page.head.contains("content-security-policy: default-src 'none'")
        );
        assert!(
            page.head.contains("frame-ancestors 'none'") && page.head.contains("x-frame-options: deny"),
            "{page:?}"
        );
    }
    let policy = server.get("/").head;
    assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{policy}");
}

/// A thousand, or as many as this process may open: each has two ends here.
fn idle_connections() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let files =
        limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next());
    let files: usize = files.and_then(|files| files.parse().ok()).unwrap_or(usize::MAX);
    (files / 2).saturating_sub(300).clamp(100, 1000)
}

#[test]
fn connections_that_send_nothing_or_little_do_not_stop_others() {
    let server = start(|settings, _| settings.limits.head_time = Duration::from_secs(20));
    let open = |bytes: &[u8]| {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    };
    let idle: Vec<_> = (0..idle_connections()).map(|_| open(b"")).collect();
    let heads: Vec<_> = (0..100).map(|_| open(b"GET /stat HTTP/1.1\r\nHost: loc")).collect();
    let body = "POST /search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{";
    let bodies: Vec<_> = (0..100).map(|_| open(body.as_bytes())).collect();
    for _ in 0..20 {
        assert_eq!(server.get("/stat").ok()["documents"], 2);
    }
    drop((idle, heads, bodies));
}

#[test]
fn a_slow_head_and_a_slow_body_are_given_up() {
    let server = start(|settings, _| {
        settings.limits.head_time = Duration::from_millis(200);
        settings.limits.body_time = Duration::from_millis(200);
    });
    let mut head = TcpStream::connect(server.address).unwrap();
    head.write_all(b"GET /stat HTTP/1.1\r\nHost: loc").unwrap();
    let mut told = Vec::new();
    let _ = head.read_to_end(&mut told);
    assert!(!String::from_utf8_lossy(&told).contains("200 OK"));
    let body = "POST /search HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{";
    assert_eq!(raw(server.address, body.as_bytes()).status, 408);
}
