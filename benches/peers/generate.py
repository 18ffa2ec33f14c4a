"""BART-sized generation with transformers' RAG classes: the reference for `benches/generate.rs`, on the same files.

    python benches/peers/generate.py make FOLDER     random weights of facebook/bart-base's shape, and inputs
    python benches/peers/generate.py run FOLDER      times them; prints one JSON line per way of decoding

`cargo bench --bench generate -- FOLDER` reads the same folder. Needs torch and transformers. Weights are random, so
only times and log-likelihoods mean something, and the answer has exactly as many tokens as asked for.
"""

import json
import statistics
import sys
import time
from pathlib import Path

import torch
import transformers
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    DPRConfig,
    RagConfig,
    RagSequenceForGeneration,
    RagTokenForGeneration,
)

SEED = 20
PASSAGES = 5
NEW_TOKENS = 20
BEAMS = 4
QUESTIONS = 3
REPEATS = 5
THREADS = 2
SHORTEST, LONGEST = 120, 280  # prompt tokens: question and a passage of the default size
WEIGHT_SPREAD = 0.05  # more than the 0.02 of an untrained model, so that the next token depends on the prompt


def config():
    """facebook/bart-base; no end token is forced or likely, so that every answer has the full length."""
    return BartConfig(
        vocab_size=50265, d_model=768, encoder_layers=6, decoder_layers=6, encoder_attention_heads=12,
        decoder_attention_heads=12, encoder_ffn_dim=3072, decoder_ffn_dim=3072, max_position_embeddings=1024,
        activation_function="gelu", scale_embedding=False, init_std=WEIGHT_SPREAD, forced_eos_token_id=None,
        forced_bos_token_id=None, pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2,
    )  # fmt: skip


def make(folder):
    torch.manual_seed(SEED)
    model = BartForConditionalGeneration(config()).eval()
    with torch.no_grad():
        # The bias is part of the checkpoint, so both sides leave the end token out by the same means.
        model.final_logits_bias[0, [0, 1, 2]] = -1e4
    model.save_pretrained(folder)
    random = torch.Generator().manual_seed(SEED)
    prompts = [
        [
            torch.randint(3, 50265, (int(torch.randint(SHORTEST, LONGEST, (1,), generator=random)),), generator=random).tolist()
            for _ in range(PASSAGES)
        ]
        for _ in range(QUESTIONS)
    ]
    scores = (10 + torch.randn(QUESTIONS, PASSAGES, generator=random)).tolist()
    inputs = {"prompts": prompts, "scores": scores, "new_tokens": NEW_TOKENS, "beams": BEAMS}
    (folder / "inputs.json").write_text(json.dumps(inputs))


def load(kind, folder):
    generator = BartForConditionalGeneration.from_pretrained(folder)
    rag = RagConfig.from_question_encoder_generator_configs(
        DPRConfig(num_hidden_layers=1, hidden_size=32, intermediate_size=32, num_attention_heads=1, vocab_size=10),
        generator.config,
        n_docs=PASSAGES,
    )
    model = kind(config=rag, generator=generator, question_encoder=transformers.DPRQuestionEncoder(rag.question_encoder))
    return model.eval()


def batch(prompts, scores):
    longest = max(map(len, prompts))
    ids = torch.tensor([line + [1] * (longest - len(line)) for line in prompts])
    return {"context_input_ids": ids, "context_attention_mask": (ids != 1).long(), "doc_scores": torch.tensor([scores])}


def run(folder):
    torch.set_num_threads(THREADS)
    inputs = json.loads((folder / "inputs.json").read_text())
    ways = {
        "token greedy": (RagTokenForGeneration, {"num_beams": 1}),
        "sequence beam": (RagSequenceForGeneration, {"num_beams": inputs["beams"]}),
    }
    for way, (kind, options) in ways.items():
        model = load(kind, folder)
        for number, (prompts, scores) in enumerate(zip(inputs["prompts"], inputs["scores"], strict=True)):
            given = batch(prompts, scores)
            times = []
            for _ in range(REPEATS):
                start = time.perf_counter()
                with torch.inference_mode():
                    answer = generate(model, given, inputs["new_tokens"], options)
                times.append(time.perf_counter() - start)
            line = {
                "engine": f"transformers {transformers.__version__}",
                "way": way,
                "question": number,
                "ms": round(1000 * statistics.median(times), 1),
                "log_likelihood": log_likelihood(model, given, answer, way),
                "answer": answer,
            }
            print(json.dumps(line), flush=True)


def generate(model, given, new_tokens, options):
    if isinstance(model, RagSequenceForGeneration):
        # With contexts given and no retriever, the question is not read; it only has to be there.
        options = {"input_ids": torch.zeros(1, 1, dtype=torch.long), "do_deduplication": True, **options}
        options["num_return_sequences"] = 1
        found = sequence_generate(model, given, new_tokens, options)
    else:
        # This one knows no max_new_tokens; the token to begin with counts.
        found = model.generate(**given, max_length=new_tokens + 1, n_docs=PASSAGES, **options)
    answer = found[0, 1:].tolist()
    assert len(answer) == new_tokens, f"{len(answer)} tokens"
    return answer


def sequence_generate(model, given, new_tokens, options):
    """`RagSequenceForGeneration.generate` for one question (transformers 4.57), whose beam search gets the attention
    mask that the original leaves out: without it the search reads padding, and the comparison would be unfair."""
    ids, mask, scores = given["context_input_ids"], given["context_attention_mask"], given["doc_scores"]
    found = model.generator.generate(
        ids, attention_mask=mask, num_beams=options["num_beams"], num_return_sequences=options["num_beams"],
        max_new_tokens=new_tokens,
    )  # fmt: skip
    distinct = torch.stack(list({str(line.tolist()): line for line in found}.values()))
    count = distinct.shape[0]
    nll = model(
        context_input_ids=ids.repeat(count, 1), context_attention_mask=mask.repeat(count, 1), labels=distinct,
        doc_scores=scores.repeat(count, 1), n_docs=PASSAGES, exclude_bos_score=False,
    )["loss"]  # fmt: skip
    return distinct[(-nll).argmax()][None]


def log_likelihood(model, given, answer, way):
    """log p(answer | question), exactly: Lewis et al. 2020, section 2.1."""
    ids = torch.tensor([[2, *answer]] * PASSAGES)
    with torch.inference_mode():
        logits = model.generator(
            input_ids=given["context_input_ids"], attention_mask=given["context_attention_mask"],
            decoder_input_ids=ids[:, :-1],
        ).logits.double()  # fmt: skip
    tokens = torch.log_softmax(logits, -1).gather(-1, ids[:, 1:, None])[..., 0]
    prior = torch.log_softmax(given["doc_scores"][0].double(), 0)
    if way.startswith("sequence"):
        return torch.logsumexp(prior + tokens.sum(1), 0).item()
    return torch.logsumexp(prior[:, None] + tokens, 0).sum().item()


if __name__ == "__main__":
    command, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    {"make": make, "run": run}[command](folder)
