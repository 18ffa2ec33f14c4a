"""Decoding with a quantized Llama of 135M parameters in llama-cpp-python: the reference for `benches/quantized.rs`.

    python benches/peers/quantized.py make FOLDER     random weights of SmolLM-135M's shape as Q8_0, and prompts
    python benches/peers/quantized.py run FOLDER      decodes greedily; prints one JSON line per prompt

`cargo bench --bench quantized -- FOLDER` reads the same folder. Needs numpy, gguf and llama-cpp-python. Weights are random,
so only times and log-likelihoods mean something; an end token that comes up is a token like any other.
"""

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

SEED = 20
WIDTH, INNER, LAYERS, HEADS, GROUPS, VOCABULARY, WINDOW = 576, 1536, 30, 9, 3, 49152, 2048
PASSAGES = 5
PROMPT_TOKENS = 200
NEW_TOKENS = 64
REPEATS = 5
THREADS = 2
WEIGHT_SPREAD = 0.04


def make(folder):
    import gguf

    random = np.random.default_rng(SEED)
    writer = gguf.GGUFWriter(folder / "model.gguf", "llama")
    writer.add_context_length(WINDOW)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(GROUPS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(VOCABULARY)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    words = (f"token{i}" for i in range(VOCABULARY - 258))
    writer.add_token_list(["<|endoftext|>", *byte_tokens(), "ab", *words])
    writer.add_token_types([gguf.TokenType.CONTROL] + [gguf.TokenType.NORMAL] * (VOCABULARY - 1))
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(0)
    writer.add_add_bos_token(False)

    def matrix(name, rows, columns):
        values = random.standard_normal((rows, columns), dtype=np.float32) * WEIGHT_SPREAD
        kind = gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)

    def ones(name):
        writer.add_tensor(name, np.ones(WIDTH, dtype=np.float32))

    matrix("token_embd.weight", VOCABULARY, WIDTH)
    ones("output_norm.weight")
    inner = WIDTH // HEADS * GROUPS
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        ones(f"{block}.attn_norm.weight")
        ones(f"{block}.ffn_norm.weight")
        for name, rows, columns in [
            ("attn_q", WIDTH, WIDTH), ("attn_k", inner, WIDTH), ("attn_v", inner, WIDTH), ("attn_output", WIDTH, WIDTH),
            ("ffn_gate", INNER, WIDTH), ("ffn_up", INNER, WIDTH), ("ffn_down", WIDTH, INNER),
        ]:  # fmt: skip
            matrix(f"{block}.{name}.weight", rows, columns)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    prompts = random.integers(257, VOCABULARY, (PASSAGES, PROMPT_TOKENS)).tolist()
    (folder / "inputs.json").write_text(json.dumps({"prompts": prompts, "new_tokens": NEW_TOKENS, "repeats": REPEATS}))


def byte_tokens():
    """The characters that stand for the 256 bytes in byte-level vocabularies (GPT-2)."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(byte) for byte in shown] + [chr(256 + i) for i in range(len(hidden))]


def run(folder):
    import llama_cpp

    inputs = json.loads((folder / "inputs.json").read_text())
    model = llama_cpp.Llama(
        str(folder / "model.gguf"), n_ctx=WINDOW, n_threads=THREADS, n_threads_batch=THREADS, verbose=False, logits_all=False
    )
    for number, prompt in enumerate(inputs["prompts"]):
        times = []
        for _ in range(inputs["repeats"]):
            model.reset()
            model.eval(prompt)
            answer, log_likelihood = [], 0.0
            for index in range(inputs["new_tokens"]):
                logits = np.ctypeslib.as_array(model._ctx.get_logits(), (VOCABULARY,)).astype(np.float64)
                top = int(logits.argmax())
                log_likelihood += logits[top] - np.logaddexp.reduce(logits)
                answer.append(top)
                if index == 0:
                    start = time.perf_counter()
                if index + 1 < inputs["new_tokens"]:
                    model.eval([top])
            times.append(time.perf_counter() - start)
        line = {
            "engine": f"llama-cpp-python {llama_cpp.__version__}",
            "passages": 1,
            "question": number,
            "tokens_per_s": round((inputs["new_tokens"] - 1) / statistics.median(times), 1),
            "log_likelihood": log_likelihood,
            "answer": answer,
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    command, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    {"make": make, "run": run}[command](folder)
