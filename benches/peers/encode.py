"""The default encoder in ONNX Runtime, PyTorch and Postil on the same texts in one run.

    python benches/peers/encode.py --encoder FOLDER [--passages DOCUMENTS.jsonl] [--threads 1] [--repeats 5]

FOLDER is all-MiniLM-L6-v2 in the sentence-transformers layout. Needs torch, transformers, onnx and onnxruntime; builds
`cargo bench --bench encode` and runs it for Postil's numbers. Texts: questions of about 12 tokens, sentences,
passages of about 200 tokens and a mixture, cut from the documents' `text`. Batches of 32, sorted by length, for the
peers. Prints one JSON line per kind: tokens per second (tokenizing left out for the peers, not for Postil), each
with its least cosine to PyTorch's vectors, and the ratios. A last line times single questions.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
BATCH = 32
SINGLE = 200
KINDS = {"questions": (12, 200), "sentences": (35, 120), "passages": (200, 40)}


def cut(documents, tokenizer, tokens, count):
    """`count` texts of about `tokens` tokens, from the starts of different documents."""
    found = []
    for row in documents:
        offsets = tokenizer(row["text"], add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        if len(offsets) >= tokens - 2:
            found.append(row["text"][: offsets[tokens - 3][1]])
        if len(found) == count:
            return found
    raise SystemExit(f"only {len(found)} documents have {tokens} tokens, {count} are needed")


def batches(tokenizer, texts):
    pieces = [tokenizer(text)["input_ids"] for text in texts]
    order = sorted(range(len(texts)), key=lambda i: len(pieces[i]))
    for begin in range(0, len(order), BATCH):
        chosen = order[begin : begin + BATCH]
        longest = len(pieces[chosen[-1]])
        ids = [pieces[i] + [0] * (longest - len(pieces[i])) for i in chosen]
        mask = [[1] * len(pieces[i]) + [0] * (longest - len(pieces[i])) for i in chosen]
        yield chosen, ids, mask


def pool(states, mask):
    import numpy as np

    mask = np.asarray(mask, dtype=np.float32)[:, :, None]
    mean = (states * mask).sum(1) / mask.sum(1)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


def median_seconds(repeats, work):
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return statistics.median(times), result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--passages", type=Path, default=ROOT.parent / "shared/data/eval/newwiki.heldout.corpus.jsonl")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()

    import numpy as np
    import onnxruntime
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from transformers import AutoTokenizer, BertModel

    torch.set_num_threads(options.threads)
    tokenizer = AutoTokenizer.from_pretrained(options.encoder)
    tokenizer.model_max_length = 512
    model = BertModel.from_pretrained(options.encoder, add_pooling_layer=False, attn_implementation="eager").eval()
    scratch = Path(tempfile.mkdtemp())
    example = {"input_ids": torch.ones(2, 8, dtype=torch.long), "attention_mask": torch.ones(2, 8, dtype=torch.long)}
    torch.onnx.export(
        model, (example["input_ids"], example["attention_mask"]), str(scratch / "f32.onnx"), input_names=list(example),
        output_names=["states"], dynamic_axes={name: {0: "batch", 1: "length"} for name in [*example, "states"]}, dynamo=False,
    )  # fmt: skip
    quantize_dynamic(scratch / "f32.onnx", scratch / "int8.onnx", weight_type=QuantType.QInt8)
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    sessions = {
        name: onnxruntime.InferenceSession(str(scratch / f"{name}.onnx"), settings, providers=["CPUExecutionProvider"])
        for name in ("f32", "int8")
    }

    def with_pytorch(ids, mask):
        with torch.inference_mode():
            return model(torch.tensor(ids), torch.tensor(mask)).last_hidden_state.numpy()

    def with_onnx(name):
        return lambda ids, mask: sessions[name].run(None, {"input_ids": np.array(ids), "attention_mask": np.array(mask)})[0]

    engines = {"pytorch": with_pytorch, "onnxruntime_f32": with_onnx("f32"), "onnxruntime_int8": with_onnx("int8")}
    with options.passages.open(encoding="utf-8") as lines:
        documents = [json.loads(line) for line in lines] * 4
    texts = {kind: cut(documents, tokenizer, *sizes) for kind, sizes in KINDS.items()}
    texts["mixed"] = [text for kind in texts.values() for text in kind]
    for kind, given in texts.items():
        ready = list(batches(tokenizer, given))
        tokens = sum(sum(map(sum, mask)) for _, _, mask in ready)
        line, reference = {"kind": kind, "texts": len(given), "tokens": tokens, "threads": options.threads}, None
        for name, encode in engines.items():

            def all_of_them(encode=encode):
                vectors = np.zeros((len(given), 384), dtype=np.float32)
                for chosen, ids, mask in ready:
                    vectors[chosen] = pool(encode(ids, mask), mask)
                return vectors

            seconds, vectors = median_seconds(options.repeats, all_of_them)
            reference = vectors if reference is None else reference
            line[name] = {"tokens_per_s": round(tokens / seconds), "least_cosine": float((vectors * reference).sum(1).min())}
        line["postil"] = with_postil(options, given, reference, scratch)
        line["ratio"] = {name: round(line["postil"]["tokens_per_s"] / line[name]["tokens_per_s"], 2) for name in engines}
        print(json.dumps(line), flush=True)
    alone = {}
    for name, encode in engines.items():
        times = []
        for text in texts["questions"][:SINGLE]:
            start = time.perf_counter()
            ids = tokenizer(text)["input_ids"]
            pool(encode([ids], [[1] * len(ids)]), [[1] * len(ids)])
            times.append(time.perf_counter() - start)
        alone[name] = round(statistics.median(times) * 1e3, 2)
    print(json.dumps({"kind": "one question", "threads": options.threads, "p50_ms": alone}))


def with_postil(options, texts, reference, scratch):
    import numpy as np

    (scratch / "texts.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    command = ["cargo", "bench", "--quiet", "--bench", "encode", "--", "--texts", scratch / "texts.jsonl", "--candle"]
    command += ["--threads", str(options.threads), "--repeats", str(options.repeats), "--out", scratch / "vectors.npy"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT, env=os.environ).stdout
    line = json.loads(told.strip().splitlines()[-1])
    vectors = np.load(scratch / "vectors.npy")
    line["least_cosine"] = float((vectors * reference).sum(1).min())
    line["greatest_difference"] = float(np.abs(vectors - reference).max())
    return line


if __name__ == "__main__":
    main()
