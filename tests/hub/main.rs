//! `postil model` with models of a hub: a stand-in on a local port, without a network.
#![allow(clippy::unwrap_used, reason = "a test stops at the first failure")]

#[path = "../command/mod.rs"]
mod command;
mod server;

use std::fs;
use std::path::Path;
use std::process::Output;

use command::{MODEL, postil};
use serde_json::Value;
use server::Hub;

const CARD: &[u8] = b"---\nlicense: apache-2.0\n---\n# A model\n";
const CONFIG: &[u8] = br#"{"model_type":"llama"}"#;

/// Safetensors without a tensor.
fn weights() -> Vec<u8> {
    [&2u64.to_le_bytes()[..], b"{}"].concat()
}

/// A GGUF file without a tensor, whose metadata are texts.
fn gguf(metadata: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let mut file = [&b"GGUF"[..], &3u32.to_le_bytes(), &0u64.to_le_bytes()].concat();
    file.extend((metadata.len() as u64).to_le_bytes());
    for (key, value) in metadata {
        file.extend([text(key), 8u32.to_le_bytes().to_vec(), text(value)].concat());
    }
    file
}

/// Runs the command with `models` in `folder` as model home, against the hub at `endpoint`.
fn run(folder: &Path, endpoint: &str, args: &[&str]) -> Output {
    let mut command = postil(folder, args);
    command.env("POSTIL_MODELS", folder.join("models")).env("HF_HOME", folder.join("cache"));
    command.env("HF_ENDPOINT", endpoint).env_remove("HF_HUB_OFFLINE");
    for proxy in ["http_proxy", "https_proxy", "all_proxy"] {
        command.env_remove(proxy).env_remove(proxy.to_uppercase());
    }
    command.output().unwrap()
}

#[track_caller]
fn succeed(folder: &Path, endpoint: &str, args: &[&str]) -> Value {
    let output = run(folder, endpoint, args);
    assert!(output.status.success(), "postil {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn fail(folder: &Path, endpoint: &str, args: &[&str]) -> String {
    let output = run(folder, endpoint, args);
    assert!(!output.status.success(), "postil {args:?} should have failed");
    String::from_utf8(output.stderr).unwrap()
}

/// A hub whose repository has two GGUF files.
fn two_files() -> (tempfile::TempDir, Hub) {
    let (q4, q8) = (gguf(&[("general.architecture", "llama")]), gguf(&[("general.architecture", "qwen2")]));
    let hub = Hub::new("c0ffee", &[("README.md", CARD), ("m.Q4.gguf", &q4), ("big/m.Q8.gguf", &q8)]);
    (tempfile::tempdir().unwrap(), hub)
}

#[test]
fn a_folder_of_the_hub_is_added_listed_and_checked() {
    let home = tempfile::tempdir().unwrap();
    let files = [("README.md", CARD), ("config.json", CONFIG), ("model.safetensors", &weights())];
    let hub = Hub::new("c0ffee", &[&files[..], &[("pickle.bin", b"x")]].concat());
    let added = succeed(home.path(), &hub.endpoint, &["model", "add", "org/tiny", "--json"]);
    let folder = home.path().join("models/org/tiny");
    assert_eq!(added["folder"], folder.to_str().unwrap());
    assert!(!folder.join("pickle.bin").exists());
    // At the commit that was listed, whatever is pushed meanwhile.
    assert!(hub.asked().iter().any(|path| path == "/org/tiny/resolve/c0ffee/config.json"));

    let listed = succeed(home.path(), &hub.endpoint, &["model", "list", "--json"]);
    let model = &listed["installed"][0];
    let fields = |object: &Value| object.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(fields(model), "bytes family folder kind license name");
    assert_eq!(fields(&listed["available"][0]), "bytes kind license name");
    assert_eq!((model["name"].as_str(), model["family"].as_str()), (Some("org/tiny"), Some("llama")));
    assert_eq!((model["kind"].as_str(), model["license"].as_str()), (Some("generator"), Some("apache-2.0")));
    assert!(model["bytes"].as_u64().unwrap() > (CONFIG.len() + weights().len()) as u64);
    let names: Vec<&str> =
        listed["available"].as_array().unwrap().iter().map(|known| known["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["all-MiniLM-L6-v2", "smollm2-135m-instruct"]);

    assert_eq!(succeed(home.path(), &hub.endpoint, &["model", "check", "org/tiny", "--json"])["clean"], true);
    fs::write(folder.join("config.json"), br#"{"model_type":"gemma"}"#).unwrap();
    let output = run(home.path(), &hub.endpoint, &["model", "check", "org/tiny", "--json"]);
    let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(!output.status.success() && checked["damage"][0].as_str().unwrap().contains("config.json"));
}

#[test]
fn one_gguf_file_is_added_by_its_name_and_several_are_listed_when_none_is_named() {
    let (home, hub) = two_files();
    let said = fail(home.path(), &hub.endpoint, &["model", "add", "org/two"]);
    assert!(said.contains("org/two:big/m.Q8.gguf") && said.contains("m.Q4.gguf"), "{said}");
    let said = fail(home.path(), &hub.endpoint, &["model", "add", "org/two:other.gguf"]);
    assert!(said.contains("no other.gguf") && said.contains("m.Q4.gguf"), "{said}");
    assert!(!home.path().join("models/org").exists());
    for name in ["org/two:m.Q4.gguf", "org/two:big/m.Q8.gguf"] {
        succeed(home.path(), &hub.endpoint, &["model", "add", name, "--json"]);
        assert_eq!(succeed(home.path(), &hub.endpoint, &["model", "check", name, "--json"])["clean"], true);
    }
    let listed = succeed(home.path(), &hub.endpoint, &["model", "list", "--json"]);
    let names: Vec<&str> =
        listed["installed"].as_array().unwrap().iter().map(|model| model["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["org/two:big/m.Q8.gguf", "org/two:m.Q4.gguf"]);
    assert!(home.path().join("models/org/two@big@m.Q8/m.Q8.gguf").is_file());
}

#[test]
fn what_was_recorded_is_left_alone_mended_or_held_against_the_hub() {
    let (home, hub) = two_files();
    let add = ["model", "add", "org/two:m.Q4.gguf", "--json"];
    succeed(home.path(), &hub.endpoint, &add);
    hub.asked();
    succeed(home.path(), &hub.endpoint, &add);
    assert!(hub.asked().is_empty(), "what is there as recorded is not fetched");

    let file = home.path().join("models/org/two@m.Q4/m.Q4.gguf");
    let right = fs::read(&file).unwrap();
    fs::write(&file, "damaged").unwrap();
    succeed(home.path(), &hub.endpoint, &add);
    assert_eq!(fs::read(&file).unwrap(), right);
    assert!(hub.asked().iter().all(|path| path.contains("c0ffee")), "at the recorded revision");

    // The hub serves something else under the same revision, and its cache is gone.
    fs::write(&file, "damaged").unwrap();
    fs::remove_dir_all(home.path().join("cache")).unwrap();
    hub.push("c0ffee", &[("m.Q4.gguf", &gguf(&[("general.architecture", "llama!")]))]);
    let said = fail(home.path(), &hub.endpoint, &add);
    assert!(said.contains("recorded") && said.contains("m.Q4.gguf has"), "{said}");
    assert_eq!(fs::read(&file).unwrap(), b"damaged", "the home is unchanged");
}

#[test]
fn a_file_that_is_not_what_the_hub_announced_is_refused() {
    let (home, hub) = two_files();
    hub.announce(&"0".repeat(64));
    let said = fail(home.path(), &hub.endpoint, &["model", "add", "org/two:m.Q4.gguf"]);
    assert!(said.contains("announced") && said.contains("m.Q4.gguf"), "{said}");
    assert!(!home.path().join("models/org").exists());
}

#[test]
fn a_hub_that_is_not_reached_is_named_with_a_way_out() {
    let home = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let said = fail(home.path(), &format!("http://127.0.0.1:{port}"), &["model", "add", "org/tiny:m.gguf"]);
    assert!(said.contains("not reachable: 127.0.0.1") && said.contains("path of their folder"), "{said}");
    let hub = Hub::new("c0ffee", &[("model.bin", b"x")]);
    let said = fail(home.path(), &hub.endpoint, &["model", "add", "org/tiny"]);
    assert!(said.contains("neither config.json with safetensors"), "{said}");
}

#[test]
fn a_local_gguf_file_is_added_and_checked_without_a_hub() {
    let home = tempfile::tempdir().unwrap();
    let metadata = [("general.architecture", "llama"), ("general.license", "mit")];
    fs::write(home.path().join("mine.gguf"), gguf(&metadata)).unwrap();
    fs::write(home.path().join("broken.gguf"), b"GGUF").unwrap();
    succeed(home.path(), "", &["model", "add", "mine.gguf", "--json"]);
    let said = fail(home.path(), "", &["model", "add", "broken.gguf"]);
    assert!(said.contains("broken.gguf: truncated"), "{said}");
    let listed = succeed(home.path(), "", &["model", "list", "--json"]);
    assert_eq!(listed["installed"].as_array().unwrap().len(), 1);
    let model = &listed["installed"][0];
    assert_eq!((model["name"].as_str(), model["license"].as_str()), (Some("mine"), Some("mit")));
    assert_eq!(succeed(home.path(), "", &["model", "check", "mine", "--json"])["clean"], true);
}

#[test]
fn a_generator_is_asked_for_by_the_name_it_was_added_under() {
    let (home, hub) = two_files();
    fs::write(home.path().join("note.txt"), "Trains are booked by the front desk.").unwrap();
    let ingest = ["ingest", "d.postil", "note.txt", "--model", MODEL];
    assert!(run(home.path(), &hub.endpoint, &ingest).status.success());
    let ask = |generator: &str| {
        fail(home.path(), &hub.endpoint, &["ask", "d.postil", "who books trains?", "--generator", generator])
    };
    for name in ["smollm2-135m-instruct", "org/two:m.Q4.gguf", "org/two"] {
        let said = ask(name);
        assert!(said.contains(&format!("postil model add {name}")), "{said}");
    }
    for name in ["org/two:m.Q4.gguf", "org/two:big/m.Q8.gguf"] {
        succeed(home.path(), &hub.endpoint, &["model", "add", name, "--json"]);
    }
    // The files are found; they have no tensors to answer with.
    assert!(ask("org/two:m.Q4.gguf").contains("m.Q4.gguf"), "{}", ask("org/two:m.Q4.gguf"));
    assert!(ask("org/two:big/m.Q8.gguf").contains("m.Q8.gguf"));
    let said = ask("org/two");
    assert!(said.contains("org/two:big/m.Q8.gguf, org/two:m.Q4.gguf"), "{said}");
    assert!(ask("nobody").contains("there is no generator"));
}
