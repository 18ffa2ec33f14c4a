"""Stage 2: -log sum_z p(z|x) p(y|x,z), the passage marginalized out (Lewis et al. 2020, section 2).

The retriever is fixed, so p(z|x) is a constant: softmax of the default encoder's scaled cosines over the
question's own passage and its retrieved negatives.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from dataset import Example, Examples, Row, Schedule, collate, picks
from model import NO_ANSWER_ID, Reader


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
    picked = picks(rows, schedule, rng)
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
        if len(held) == rag["questions"]:
            yield held
            held = []


def collate_groups(held: list[Group]) -> dict[str, Tensor]:
    """A row per passage: `silent` where the passage does not answer, `targets` what its question's own passage answers;
    `question` [rows] is the group of a row and `log_prior` [rows] its log p(z|x)."""
    flat = [replace(example, target=group.examples[0].target) for group in held for example in group.examples]
    inputs, targets = collate(flat, "cpu")
    refused = [example.target[0] == NO_ANSWER_ID for group in held for example in group.examples]
    question = [index for index, group in enumerate(held) for _ in group.examples]
    return {**inputs, "targets": targets, "question": torch.tensor(question),
            "silent": torch.tensor(refused) & (targets[:, 0] != NO_ANSWER_ID),
            "log_prior": torch.cat([group.log_prior for group in held])}


def rag_loss(reader: Reader, batch: dict[str, Tensor], no_answer_weight: float, autocast: bool) -> tuple[Tensor, int]:
    """The mean over questions, and their number."""
    targets, question, silent = batch["targets"], batch["question"], batch["silent"]
    questions = int(question[-1]) + 1
    memory = reader.remember(batch, autocast)
    log_p = batch["log_prior"] + reader.sequence_log_prob(memory, targets)
    # [questions, rows]: minus infinity at the rows of other questions.
    own = question[None] == torch.arange(questions, device=question.device)[:, None]
    loss = -torch.logsumexp(torch.where(own, log_p[None], float("-inf")), dim=1).sum()
    if bool(silent.any()):
        no_answer = torch.full((int(silent.sum()), 1), NO_ANSWER_ID, device=targets.device)
        loss = loss - no_answer_weight * reader.sequence_log_prob(memory.select(silent), no_answer).sum()
    return loss / questions, questions
