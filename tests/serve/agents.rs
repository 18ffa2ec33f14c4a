use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::client::{make, writing};
use crate::program::{self, postil};

/// An agent's end of `postil mcp`.
struct Agent {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    next: u64,
}

impl Agent {
    fn start(home: &std::path::Path, args: &[&str]) -> Self {
        let args: Vec<&str> =
            ["mcp", "d.postil", "--generator", "quote"].into_iter().chain(args.iter().copied()).collect();
        let mut child = postil(home, &args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, to, from, next: 0 }
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.to, "{message}").unwrap();
        self.to.flush().unwrap();
    }

    /// The result of a request; an error is panicked with.
    #[expect(clippy::needless_pass_by_value, reason = "each test writes the parameters in place")]
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.next += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": self.next, "method": method, "params": params }));
        loop {
            let mut line = String::new();
            assert!(self.from.read_line(&mut line).unwrap() > 0, "the server has left");
            let told: Value = serde_json::from_str(&line).unwrap();
            if told["id"] == self.next {
                assert!(told["error"].is_null(), "{told}");
                return told["result"].clone();
            }
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "each test writes the arguments in place")]
    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let result = self.ask("tools/call", json!({ "name": tool, "arguments": arguments }));
        assert_ne!(result["isError"], true, "{result}");
        result["structuredContent"].clone()
    }

    fn begin(&mut self, version: &str) -> Value {
        let params = json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
        let begun = self.ask("initialize", params);
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        begun
    }

    fn end(mut self) {
        drop(self.to);
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn an_agent_searches_reads_and_asks_over_standard_input_and_output() {
    let home = tempfile::tempdir().unwrap();
    make(&home.path().join("d.postil"));
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut agent = Agent::start(home.path(), &[]);
        assert_eq!(agent.begin(version)["protocolVersion"], version);
        let tools = agent.ask("tools/list", json!({}));
        let names: Vec<_> =
            tools["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["search", "fetch", "ask", "get", "status"]);
        assert!(
            tools["tools"].as_array().unwrap().iter().all(|tool| tool["annotations"]["readOnlyHint"] == true)
        );
        let found = agent.call("search", json!({ "query": "parental leave", "k": 1 }));
        let (first, next) = (found["results"][0].clone(), found["next"].clone());
        assert_eq!((&first["id"], &first["url"]), (&json!("leave.md"), &json!("postil://doc/leave.md")));
        let second = agent.call("search", json!({ "query": "parental leave", "k": 1, "cursor": next }));
        assert_ne!(second["results"][0]["text"], first["text"]);
        assert!(
            agent.call("fetch", json!({ "id": "leave.md" }))["text"].as_str().unwrap().contains("forty days")
        );
        let lines = agent.call("get", json!({ "id": "leave.md", "line": 3, "lines": 1 }));
        assert_eq!(lines["text"], "Every parent gets forty days of parental leave.\n");
        let answer = agent.call("ask", json!({ "question": "How many days of parental leave?" }));
        assert_eq!(answer["answers"][0]["citations"][0]["id"], "leave.md");
        assert_eq!(agent.call("status", json!({}))["databases"][0]["writable"], false);
        let listed = agent.ask("resources/list", json!({}));
        assert_eq!(listed["resources"][0]["uri"], "postil://doc/leave.md");
        let read = agent.ask("resources/read", json!({ "uri": "postil://doc/travel.txt" }));
        assert!(read["contents"][0]["text"].as_str().unwrap().contains("Trains"));
        agent.end();
    }
}

#[test]
fn an_agent_writes_only_where_it_was_allowed() {
    let home = tempfile::tempdir().unwrap();
    make(&home.path().join("d.postil"));
    let mut agent = Agent::start(home.path(), &["--write"]);
    agent.begin("2025-06-18");
    let report = agent.call("ingest", json!({ "id": "hats.txt", "text": "Hats are blue." }));
    assert_eq!(report["report"]["added"], 1);
    assert_eq!(agent.call("remove", json!({ "ids": ["hats.txt", "none"] }))["absent"], json!(["none"]));
    agent.end();
    let mut reader = Agent::start(home.path(), &[]);
    reader.begin("2025-06-18");
    reader.send(&json!({ "jsonrpc": "2.0", "id": 77, "method": "tools/call",
        "params": { "name": "ingest", "arguments": { "id": "x", "text": "y" } } }));
    let mut line = String::new();
    reader.from.read_line(&mut line).unwrap();
    assert!(line.contains("there is no tool"), "{line}");
    reader.end();
}

#[test]
fn an_agent_that_reads_what_was_published_keeps_nobody_out_and_sees_the_next_publication() {
    let home = tempfile::tempdir().unwrap();
    make(&home.path().join("d.postil"));
    program::succeed(home.path(), &["publish", "d.postil"]);
    let mut agent = Agent::start(home.path(), &["--published"]);
    agent.begin("2025-06-18");
    assert_eq!(agent.call("status", json!({}))["databases"][0]["published"], true);
    program::succeed(home.path(), &["rm", "d.postil", "travel.txt"]);
    let listed = agent.ask("resources/list", json!({}));
    assert_eq!(listed["resources"].as_array().unwrap().len(), 2);
    program::succeed(home.path(), &["publish", "d.postil"]);
    // Looks for a newer publication are a second apart.
    while agent.ask("resources/list", json!({}))["resources"].as_array().unwrap().len() != 1 {
        std::thread::yield_now();
    }
    agent.end();
}

#[test]
fn the_same_agent_is_served_over_http() {
    let server = writing();
    let headers = "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n\
        MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: status\r\n";
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": { "name": "t", "version": "1" },
        "io.modelcontextprotocol/clientCapabilities": {} });
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": { "name": "status", "arguments": {}, "_meta": meta } });
    let told = server.with("POST", "/mcp", headers, call.to_string().as_bytes());
    assert!(told.status == 200 && told.body.contains("\"writable\":true"), "{told:?}");
}
