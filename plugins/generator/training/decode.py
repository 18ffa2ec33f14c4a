"""Greedy and beam decoding under one passage each; the answers' marginal scores are in evaluate.py."""

import torch
from torch import Tensor

from model import END_ID, NO_ANSWER_ID, Memory, Reader, Step

LONGEST = 24


@torch.no_grad()
def greedy(reader: Reader, memory: Memory, allow_no_answer: bool) -> tuple[list[list[int]], Tensor]:
    """The likeliest pieces step by step, without END_ID, and log p(no answer) [B]."""
    state = reader.decoder.begin(memory)
    rows = memory.ids.shape[0]
    out: list[list[int]] = [[] for _ in range(rows)]
    alive = torch.arange(rows, device=memory.ids.device)
    no_answer = torch.zeros(rows)
    for index in range(LONGEST):
        step = reader.decoder.step(memory, state, reader.encoder.words)
        log_probs = reader.decoder.log_probs(memory, step)
        if index == 0:
            no_answer = log_probs[:, NO_ANSWER_ID].clone()
            if not allow_no_answer:
                log_probs[:, NO_ANSWER_ID] = -torch.inf
        token = log_probs.argmax(dim=1)
        state = reader.decoder.advance(memory, step, token)
        going = (token != END_ID) & (token != NO_ANSWER_ID)
        for row, piece, on in zip(alive.tolist(), token.tolist(), going.tolist(), strict=True):
            if on:
                out[row].append(piece)
        if not bool(going.any()):
            break
        alive, state, memory = alive[going], state.select(going), memory.select(going)
    return out, no_answer


@torch.no_grad()
def beam(reader: Reader, memory: Memory, width: int) -> list[list[tuple[float, list[int]]]]:
    """The `width` likeliest finished answers under each row's passage, with their log p; no answer is left out."""
    rows = memory.ids.shape[0]
    device = memory.ids.device
    owner = torch.arange(rows, device=device)
    score = torch.zeros(rows, device=device)
    prefixes: list[list[int]] = [[] for _ in range(rows)]
    finished: list[list[tuple[float, list[int]]]] = [[] for _ in range(rows)]
    state, held = reader.decoder.begin(memory), memory
    for index in range(LONGEST + 1):
        step = reader.decoder.step(held, state, reader.encoder.words)
        log_probs = reader.decoder.log_probs(held, step)
        if index == 0:
            log_probs[:, NO_ANSWER_ID] = -torch.inf
        best, tokens = (log_probs + score[:, None]).topk(width + 1, dim=1)
        parents, chosen, scores = [], [], []
        for row in range(rows):
            beams = (owner == row).nonzero()[:, 0].tolist()
            options = sorted(
                ((float(best[b, c]), b, int(tokens[b, c])) for b in beams for c in range(width + 1)), reverse=True)
            kept = 0
            floor = finished[row][width - 1][0] if len(finished[row]) >= width else -torch.inf
            for value, parent, token in options:
                if value <= floor or kept == width:
                    break
                if token == END_ID:
                    finished[row].append((value, prefixes[parent]))
                elif index < LONGEST:
                    parents.append(parent)
                    chosen.append(token)
                    scores.append(value)
                    kept += 1
            finished[row].sort(key=lambda pair: -pair[0])
        if not parents:
            break
        at = torch.tensor(parents, device=device)
        token = torch.tensor(chosen, device=device)
        prefixes = [[*prefixes[parent], piece] for parent, piece in zip(parents, chosen, strict=True)]
        owner, score = owner[at], torch.tensor(scores, device=device)
        held = held.select(at)
        state = reader.decoder.advance(held, select_step(step, at), token)
    return [row[:width] for row in finished]


def select_step(step: Step, rows: Tensor) -> Step:
    return Step(step.hidden[rows], step.gate[rows], step.vocabulary[rows], step.copied[rows])
