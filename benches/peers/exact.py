"""Exact search with the PyTorch encoder, over the very passages a database holds: the reference for recall.

    postil export DB --no-vectors | python benches/peers/exact.py MODEL_FOLDER QUESTIONS.jsonl

Needs torch and transformers. Prints one JSON line: recall at 1, 5 and 10, where a question counts as found
when a passage of its gold document is among the first k. Titles are joined to texts as Postil joins them.
"""

import json
import sys

import torch
from transformers import AutoModel, AutoTokenizer

BATCH = 64
MAX_TOKENS = 256


def encode(model, tokenizer, texts):
    """Mean-pooled, normalized, [len(texts), dimension]; batches sorted by length."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    rows = [None] * len(texts)
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        inputs = tokenizer(
            [texts[i] for i in batch], padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        )
        with torch.inference_mode():
            hidden = model(**inputs).last_hidden_state
        mask = inputs["attention_mask"].unsqueeze(-1).float()
        pooled = (hidden * mask).sum(1) / mask.sum(1)
        for i, row in zip(batch, torch.nn.functional.normalize(pooled, dim=1)):
            rows[i] = row
    return torch.stack(rows)


def main():
    folder, questions_path = sys.argv[1:3]
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    keys, texts = [], []
    for line in sys.stdin:
        document = json.loads(line)
        for passage in document["passages"]:
            keys.append(document["id"])
            title = passage["title"]
            texts.append(f"{title}\n{passage['text']}" if title else passage["text"])
    with open(questions_path, encoding="utf-8") as lines:
        questions = [json.loads(line) for line in lines]
    passages = encode(model, tokenizer, texts)
    queries = encode(model, tokenizer, [question["question"] for question in questions])
    nearest = (queries @ passages.T).topk(min(10, len(keys)), dim=1).indices
    found = {1: 0, 5: 0, 10: 0}
    for question, rows in zip(questions, nearest.tolist()):
        ranks = [rank for rank, row in enumerate(rows) if keys[row] == question["pid"]]
        for k in found:
            found[k] += bool(ranks) and ranks[0] < k
    share = {str(k): count / len(questions) for k, count in found.items()}
    print(json.dumps({"passages": len(keys), "questions": len(questions), "recall": share}))


if __name__ == "__main__":
    main()
