"""Learning from the mean of several trained readers as well as from the answers (Hinton et al. 2015, arXiv 1503.02531)."""

import torch
from torch import Tensor

from model import PAD_ID, DecoderState, Memory, Reader


def distilled_loss(
    reader: Reader, memory: Memory, teachers: list[Reader], taught: list[Memory], targets: Tensor, weight: Tensor
) -> Tensor:
    """(1 - weight) -log p(y | x, z) + weight sum_i KL(teachers' mean || reader) of the outcomes at y_i, per row [B].

    `weight` [B], from 0 to 1; `targets` [B, T] as in `Reader.sequence_log_prob`; the reader and the teachers follow them, each with its own state.
    """
    readers, memories = [reader, *teachers], [memory, *taught]
    states = [each.decoder.begin(held) for each, held in zip(readers, memories, strict=True)]
    total = torch.zeros(targets.shape[0], device=targets.device)
    rows = torch.arange(targets.shape[0], device=targets.device)
    for index in range(targets.shape[1]):
        going = targets[rows, index] != PAD_ID
        if not bool(going.all()):
            memories = [held.select(going) for held in memories]
            states = [state.select(going) for state in states]
            rows = rows[going]
        token = targets[rows, index]
        mean = None
        for at in range(len(readers) - 1, -1, -1):
            with torch.set_grad_enabled(at == 0):
                step = readers[at].decoder.step(memories[at], states[at], readers[at].encoder.words)
                log_p, origin = readers[at].decoder.log_prob(memories[at], step, token)
                outcomes = readers[at].decoder.log_probs(memories[at], step)
                if at > 0:
                    share = outcomes.exp() / len(teachers)
                    mean = share if mean is None else mean + share
                states[at] = DecoderState(step.hidden, token, origin, first=False)
        # The teachers' entropy is a constant and left out.
        cross_entropy = -(mean * outcomes).sum(dim=1)
        total = total.index_add(0, rows, (1 - weight[rows]) * -log_p + weight[rows] * cross_entropy)
    return total
