//! Without default features Postil is a plain vector database.

use std::process::Command;

#[test]
fn without_default_features_no_model_code_is_in_the_tree() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--package",
            "postil",
            "--no-default-features",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.contains("postil-storage"), "{tree}");
    for model_code in ["candle", "tokenizers", "safetensors", "gemm", "postil-encoder", "postil-generator"] {
        assert!(!tree.contains(model_code), "{model_code} is in the tree");
    }
}
