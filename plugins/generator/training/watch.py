"""Questions to watch a run by: those the calibration uses, beside what the default encoder finds for them.

    watch.py --eval FOLDER --encoder FOLDER --out FILE

newwiki.heldout and the first half of squad2.heldout, whose articles no training row has.  They choose between runs
and fit the calibration; scores to report come from the other sets.
"""

import argparse
import json
from pathlib import Path

import torch
from torch import Tensor

from dataset import assemble, collate, encode, title_pieces, title_text
from decode import greedy
from model import END_ID, PAD_ID, Memory, Reader
from scores import auroc, exact_match, f1

SETS = {"newwiki.heldout": 1.0, "squad2.heldout": 0.5}
PASSAGES = 5
QUESTIONS = 64  # at a time
SCORE_SCALE = 20.0


class Watched:
    def __init__(self, path: Path, tokenizer) -> None:
        self.tokenizer = tokenizer
        self.rows = [json.loads(line) for line in path.open(encoding="utf-8")]
        self.rows.sort(key=lambda row: sum(len(text) for _, text in row["passages"]))
        self.examples = []
        for row in self.rows:
            question, *passages = [e.ids for e in encode(tokenizer, [row["question"], *(t for _, t in row["passages"])])]
            titles = [e.ids for e in encode(tokenizer, [title_text(title) for title, _ in row["passages"]])]
            self.examples.append([assemble(question, title_pieces(title), passage, [END_ID])
                                  for title, passage in zip(titles, passages, strict=True)])

    @torch.no_grad()
    def scores(self, reader: Reader, device: str, autocast: bool) -> dict:
        """EM and F1 of RAG-Sequence over every passage's greedy answer, no answer left out; area under the ROC curve
        of 1 - p(no answer | x) and of log p(answer | x) - log p(no answer | x), and under the best passage alone."""
        exact, overlap, evidence = [], [], {"silence": ([], []), "ratio": ([], []), "best": ([], [])}
        for begin in range(0, len(self.rows), QUESTIONS):
            rows = self.rows[begin : begin + QUESTIONS]
            flat = [example for group in self.examples[begin : begin + QUESTIONS] for example in group]
            inputs, _ = collate(flat, device)
            memory = reader.remember(inputs, autocast)
            found, silence = greedy(reader, memory, allow_no_answer=False)
            silence = silence.view(len(rows), PASSAGES).cpu()
            log_prior = torch.log_softmax(SCORE_SCALE * torch.tensor([row["cosines"] for row in rows]), dim=1)
            marginal = self.marginal(reader, memory, found, log_prior, device)
            best = marginal.argmax(dim=1).tolist()
            no_answer = torch.logsumexp(log_prior + silence, dim=1)
            for index, row in enumerate(rows):
                if row["answers"]:
                    text = self.tokenizer.decode(found[index * PASSAGES + best[index]])
                    exact.append(exact_match(text, row["answers"]))
                    overlap.append(f1(text, row["answers"]))
                side = 0 if row["answers"] else 1
                evidence["silence"][side].append(-float(no_answer[index]))
                evidence["ratio"][side].append(float(marginal[index].max() - no_answer[index]))
                evidence["best"][side].append(-float(silence[index].min()))
        return {"em": round(100 * sum(exact) / len(exact), 2), "f1": round(100 * sum(overlap) / len(overlap), 2),
                **{f"auroc_{name}": round(auroc(*sides), 4) for name, sides in evidence.items()}}

    def marginal(self, reader: Reader, memory: Memory, found: list[list[int]], log_prior: Tensor, device: str) -> Tensor:
        """log p(y | x) [questions, PASSAGES] of the answer that each passage gave, summed over all the passages."""
        longest = max(len(pieces) for pieces in found) + 1
        answers = torch.full((len(found), longest), PAD_ID)
        for index, pieces in enumerate(found):
            answers[index, : len(pieces) + 1] = torch.tensor([*pieces, END_ID])
        out = torch.empty(len(log_prior), PASSAGES)
        for shift in range(PASSAGES):
            under = torch.arange(len(found)).view(-1, PASSAGES)
            rows = under[:, [shift] * PASSAGES].flatten()
            log_p = reader.sequence_log_prob(memory, answers[rows].to(device)).cpu().view(-1, PASSAGES)
            out[:, shift] = torch.logsumexp(log_prior + log_p, dim=1)
        return out


def main() -> None:
    from retrieval import BiEncoder

    parser = argparse.ArgumentParser()
    for name in ("eval", "encoder", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    options = parser.parse_args()
    encoder = BiEncoder(options.encoder, "cpu")
    with options.out.open("w", encoding="utf-8") as out:
        for name, share in SETS.items():
            corpus = [json.loads(line) for line in (options.eval / f"{name}.corpus.jsonl").open(encoding="utf-8")]
            rows = [json.loads(line) for line in (options.eval / f"{name}.jsonl").open(encoding="utf-8")]
            rows = rows[: int(len(rows) * share)]
            vectors = torch.from_numpy(encoder.encode([f"{p['title']}\n{p['text']}" for p in corpus]))
            for row, question in zip(rows, encoder.encode([row["question"] for row in rows]), strict=True):
                cosines, nearest = (vectors @ torch.from_numpy(question)).topk(PASSAGES)
                out.write(json.dumps({"question": row["question"], "answers": row["answers"], "cosines": cosines.tolist(),
                                      "passages": [[corpus[i]["title"], corpus[i]["text"]] for i in nearest.tolist()]}) + "\n")


if __name__ == "__main__":
    main()
