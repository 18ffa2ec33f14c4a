"""Writes a checkpoint as the folder the Rust reader loads, and rows to compare it with.

    export.py --checkpoint FILE --encoder FOLDER --out FOLDER [--fixtures FILE --data FILE --config FILE]

With `--back SHARE` the weights are led back to those that the run started from: what it learned, less of what it forgot.
The encoder has the tensor names of a Hugging Face BERT; word embeddings are int8 with one float16 scale per
row, everything else float16.  Fixtures are computed in float32 from the weights as written.
"""

import argparse
import json
import random
import tomllib
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from dataset import (
    ANSWER_PIECES, INPUT_PIECES, QUESTION_PIECES, TITLE_PIECES, Corpus, assemble, collate, encode, open_tokenizer,
    title_pieces, title_text,
)
from decode import greedy
from model import (
    END_ID, GATE_WIDTH, HEADS, INNER, LAYER_NAMES, LAYER_NORM_EPS, LAYERS, MASKED, NO_ANSWER_ID, POSITIONS,
    START_ID, VOCABULARY, WIDTH, DecoderState, Reader, quantize_rows,
)
from weights import WEIGHTS, averaged, lead_back, load_reader

LARGEST_BYTES = 40_000_000
FIXTURE_ROWS = 500
FIXTURE_PASSAGE_CHARS = 700

DESCRIPTION = {
    "model_type": "postil-reader",
    "vocab_size": VOCABULARY,
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": INNER,
    "max_position_embeddings": POSITIONS,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "layer_norm_eps": LAYER_NORM_EPS,
    "gate_size": GATE_WIDTH,
    "gates": ["end", "no_answer", "generate", "point", "continue"],
    "decoder_start_token_id": START_ID,
    "eos_token_id": END_ID,
    "no_answer_token_id": NO_ANSWER_ID,
    "max_question_tokens": QUESTION_PIECES,
    "max_title_tokens": TITLE_PIECES,
    "max_input_tokens": INPUT_PIECES,
    "max_answer_tokens": ANSWER_PIECES,
}


def tensors_of(reader: Reader) -> dict[str, Tensor]:
    encoder, decoder = reader.encoder, reader.decoder
    codes, scale = quantize_rows(encoder.words)
    tensors = {
        "embeddings.word_embeddings.codes": codes,
        "embeddings.word_embeddings.scale": scale[:, 0],
        "embeddings.position_embeddings.weight": encoder.positions.half(),
        "embeddings.token_type_embeddings.weight": encoder.segments.half(),
        "embeddings.LayerNorm.weight": encoder.norm.weight.half(),
        "embeddings.LayerNorm.bias": encoder.norm.bias.half(),
    }
    for index, layer in enumerate(encoder.layers):
        for name, parameter in layer.named_parameters():
            module, kind = name.split(".")
            parts = LAYER_NAMES[module]
            for part, rows in zip(parts, parameter.chunk(len(parts)), strict=True):
                tensors[f"encoder.layer.{index}.{part}.{kind}"] = rows.half()
    for name, parameter in decoder.named_parameters():
        tensors[f"decoder.{name}"] = parameter.half()
    # Pieces that are never generated carry their mask in the bias.
    tensors["decoder.generate_bias"] = (decoder.generate_bias + decoder.generate_mask).clamp_min(MASKED).half()
    return {name: tensor.detach().contiguous() for name, tensor in tensors.items()}


def rounded(value: float) -> float:
    return round(value, 5)


@torch.no_grad()
def fixture(reader: Reader, tokenizer, question: str, title: str, passage: str, answer: str) -> dict:
    """One row: its input pieces and everything a port must agree on at each step of a forced target."""
    pieces = [e.ids for e in encode(tokenizer, [question, title_text(title), passage, answer])]
    target = [*pieces[3][:ANSWER_PIECES], END_ID] if answer else [NO_ANSWER_ID]
    example = assemble(pieces[0], title_pieces(pieces[1]), pieces[2], target)
    batch, _ = collate([example], "cpu")
    memory = reader.remember(batch)
    state = reader.decoder.begin(memory)
    steps = []
    for token in target:
        step = reader.decoder.step(memory, state, reader.encoder.words)
        log_probs = reader.decoder.log_probs(memory, step)[0]
        top = log_probs.topk(5)
        log_p, origin = reader.decoder.log_prob(memory, step, torch.tensor([token]))
        steps.append({
            "token": token,
            "log_prob": rounded(float(log_p)),
            "gates": [rounded(float(g)) for g in step.gate[0].exp()],
            "top": [[int(i), rounded(float(v))] for i, v in zip(top.indices, top.values, strict=True)],
            "origin": [[i, rounded(m)] for i, m in enumerate(origin[0].tolist()) if m > 1e-4],
        })
        state = DecoderState(step.hidden, torch.tensor([token]), origin, first=False)
    answers, no_answer = greedy(reader, memory, allow_no_answer=False)
    return {"question": question, "title": title, "passage": passage, "ids": example.ids,
            "passage_start": example.passage_start, "no_answer": rounded(float(no_answer[0])),
            "greedy": answers[0], "steps": steps}


def write_fixtures(reader: Reader, tokenizer, corpus: Corpus, path: Path) -> None:
    rng = random.Random(0)
    rows = [row for row in corpus.rows if len(corpus.contexts[row.context].text) <= FIXTURE_PASSAGE_CHARS]
    with path.open("w", encoding="utf-8") as out:
        for index, row in enumerate(rng.sample(rows, FIXTURE_ROWS)):
            context = corpus.contexts[row.context]
            # Some rows have the empty passage, which citations are compared with.
            title, passage = ("", "") if index % 50 == 0 else (context.title, context.text)
            answer = row.answers[0] if row.answers and passage else ""
            record = fixture(reader, tokenizer, row.question, title, passage, answer)
            out.write(json.dumps(record, ensure_ascii=False) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    for name in ("checkpoint", "encoder", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("fixtures", "data", "config"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--back", type=float, default=0.0, help="share of --encoder's weights, if that is a reader")
    options = parser.parse_args()
    torch.set_num_threads(2)
    options.out.mkdir(parents=True, exist_ok=True)
    reader = averaged(options.checkpoint, options.encoder)
    if options.back:
        lead_back(reader, load_reader(options.encoder), options.back)
    tokenizer = open_tokenizer(options.encoder)
    tokenizer.save(str(options.out / "tokenizer.json"), pretty=False)
    (options.out / "config.json").write_text(json.dumps(DESCRIPTION, indent=2) + "\n")
    save_file(tensors_of(reader), str(options.out / WEIGHTS), metadata={"format": "pt"})
    size = (options.out / WEIGHTS).stat().st_size
    if size > LARGEST_BYTES:
        raise SystemExit(f"{WEIGHTS} has {size} bytes, more than {LARGEST_BYTES}")
    print(f"{WEIGHTS}: {size} bytes")
    if options.fixtures:
        corpus = Corpus(options.data, tomllib.loads(options.config.read_text())["sources"])
        write_fixtures(load_reader(options.out), tokenizer, corpus, options.fixtures)


if __name__ == "__main__":
    main()
