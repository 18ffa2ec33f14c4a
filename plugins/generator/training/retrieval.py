"""The default encoder (all-MiniLM-L6-v2): text to unit vectors by mean pooling."""

from pathlib import Path

import numpy as np
import torch

from dataset import encode, open_tokenizer
from model import END_ID, LAYERS, PAD_ID, START_ID, Encoder

LONGEST_PIECES = 256
SCORE_SCALE = 20.0
BATCH = 32


class BiEncoder:
    def __init__(self, folder: Path, device: str, bfloat16: bool = False) -> None:
        self.bfloat16 = bfloat16
        self.tokenizer = open_tokenizer(folder)
        self.encoder = Encoder(frozen_layers=LAYERS)
        self.encoder.load_minilm(folder, round_words=False)
        self.encoder.to(device).eval()
        self.device = device

    @torch.no_grad()
    def encode(self, texts: list[str]) -> np.ndarray:
        """[texts, 384], rows of length 1."""
        pieces = [[START_ID, *e.ids[: LONGEST_PIECES - 2], END_ID] for e in encode(self.tokenizer, texts)]
        order = sorted(range(len(texts)), key=lambda i: len(pieces[i]))
        out = np.zeros((len(texts), 384), dtype=np.float32)
        for begin in range(0, len(order), BATCH):
            chosen = order[begin : begin + BATCH]
            longest = len(pieces[chosen[-1]])
            ids = torch.tensor([pieces[i] + [PAD_ID] * (longest - len(pieces[i])) for i in chosen], device=self.device)
            length = torch.tensor([len(pieces[i]) for i in chosen], device=self.device)
            states = self.encoder(ids, torch.zeros_like(ids), length, autocast=self.bfloat16)
            inside = (torch.arange(longest, device=self.device)[None] < length[:, None]).float()
            mean = (states * inside[:, :, None]).sum(1) / length[:, None]
            out[chosen] = torch.nn.functional.normalize(mean, dim=1).cpu().numpy()
        return out
