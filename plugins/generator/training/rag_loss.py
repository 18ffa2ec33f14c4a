"""Stage 2: -log sum_z p(z|x) p(y|x,z), the passage marginalized out (Lewis et al. 2020, section 2).

The retriever is fixed, so p(z|x) is a constant: softmax of the default encoder's scaled cosines over the
question's own passage and its retrieved negatives.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from dataset import Example, Examples, Row, Schedule, collate
from model import NO_ANSWER_ID, PAD_ID, Reader

GROUPS = 8


@dataclass
class Group:
    """One question: its passages, the first its own, and log p(z|x) of each."""

    examples: list[Example]
    log_prior: Tensor


def groups(
    rows: list[Row],
    found: list[dict],
    schedule: Schedule,
    rag: dict,
    examples: Examples,
    most: Callable[[], int],
    rng: random.Random,
) -> Iterator[list[Group]]:
    """One pass over the rows, thinned as in stage 1, a few questions at a time."""
    picked = [i for i, row in enumerate(rows) if rng.random() < schedule.shares[row.source]]
    rng.shuffle(picked)
    held: list[Group] = []
    for index in picked:
        row, record = rows[index], found[index]
        if abs(record["own"]) > 1.001:
            raise SystemExit("the RAG loss needs cosines: run negatives.py --method encoder")
        others = record["passages"][: rag["passages"] - 1] if row.answers else []
        shown = [examples.make(row, context, most(), rng, schedule.first_answer, schedule.drop_title)
                 for context in (row.context, *others)]
        scores = torch.tensor([record["own"], *record["scores"][: len(others)]]) * rag["score_scale"]
        held.append(Group(shown, torch.log_softmax(scores, dim=0)))
        if len(held) == GROUPS:
            yield held
            held = []


def rag_loss(reader: Reader, batch: list[Group], no_answer_weight: float, device: str, autocast: bool) -> Tensor:
    flat = [example for group in batch for example in group.examples]
    inputs, own_targets = collate(flat, device)
    # Every passage of a question is asked for the answer its own passage gives.
    longest = own_targets.shape[1]
    targets = torch.full_like(own_targets, PAD_ID)
    row = 0
    for group in batch:
        answer = torch.tensor(group.examples[0].target, device=device)
        for _ in group.examples:
            targets[row, : min(longest, len(answer))] = answer
            row += 1
    memory = reader.remember(inputs, autocast)
    log_p = reader.sequence_log_prob(memory, targets)
    silent = (own_targets[:, 0] == NO_ANSWER_ID) & (targets[:, 0] != NO_ANSWER_ID)
    loss = torch.zeros((), device=device)
    begin = 0
    for group in batch:
        end = begin + len(group.examples)
        loss = loss - torch.logsumexp(group.log_prior.to(device) + log_p[begin:end], dim=0)
        begin = end
    if bool(silent.any()):
        refused = reader.sequence_log_prob(memory.select(silent), own_targets[silent][:, :1])
        loss = loss - no_answer_weight * refused.sum()
    return loss / len(batch)
