"""Where a reader's weights come from: the default encoder, a training checkpoint, an exported folder."""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from model import LAYERS, Reader, hugging_face_tensor, read_vocabulary

WEIGHTS = "model.safetensors"


def new_reader(folder: Path, frozen_layers: int, dropout: float = 0.0) -> Reader:
    """Of an exported folder; or of the default encoder's, with a new decoder."""
    if json.loads((folder / "config.json").read_text())["model_type"] == "postil-reader":
        return load_reader(folder, frozen_layers=frozen_layers, dropout=dropout)
    reader = Reader(read_vocabulary(folder), frozen_layers, dropout)
    reader.encoder.load_minilm(folder)
    return reader


def load_reader(folder: Path, device: str = "cpu", frozen_layers: int = LAYERS, dropout: float = 0.0) -> Reader:
    """The reader of an exported folder, in float32."""
    reader = Reader(read_vocabulary(folder), frozen_layers, dropout)
    source = {name: tensor.float() for name, tensor in load_file(str(folder / WEIGHTS)).items()}
    encoder, decoder = reader.encoder, reader.decoder
    with torch.no_grad():
        encoder.words.copy_(source["embeddings.word_embeddings.codes"] * source["embeddings.word_embeddings.scale"][:, None])
        encoder.positions.copy_(source["embeddings.position_embeddings.weight"])
        encoder.segments.copy_(source["embeddings.token_type_embeddings.weight"])
        encoder.norm.weight.copy_(source["embeddings.LayerNorm.weight"])
        encoder.norm.bias.copy_(source["embeddings.LayerNorm.bias"])
        for index, layer in enumerate(encoder.layers):
            for name, parameter in layer.named_parameters():
                parameter.copy_(hugging_face_tensor(source, index, name))
        for name, parameter in decoder.named_parameters():
            parameter.copy_(source[f"decoder.{name}"])
        # The bias that was written carries it.
        decoder.generate_mask.zero_()
    return reader.to(device).eval()


def averaged(checkpoint: Path, folder: Path) -> Reader:
    """A training checkpoint's averaged weights; `folder` is what its run started from."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    reader = new_reader(folder, state["config"]["frozen_layers"])
    trained = {name for name, p in reader.named_parameters() if p.requires_grad}
    if set(state["average"]) != trained:
        raise SystemExit(f"{checkpoint}: its trained tensors are not this model's")
    reader.load_state_dict(state["average"], strict=False)
    print(f"{checkpoint}: step {state['step']}, {state['seen']} examples, {state['spent'] / 60:.1f} minutes")
    return reader.eval()


def taught_by(path: Path, folder: Path) -> Reader:
    """A reader to learn from: an exported folder, or a checkpoint of a run that started from `folder`."""
    return load_reader(path) if path.is_dir() else averaged(path, folder)


@torch.no_grad()
def lead_back(reader: Reader, start: Reader, share: float) -> None:
    """Puts the weights a share of the way back to those of `start` (Wortsman et al. 2022, arXiv 2109.01903)."""
    before = dict(start.named_parameters())
    for name, parameter in reader.named_parameters():
        parameter.lerp_(before[name], share)


def mean_of(checkpoints: list[Path]) -> dict[str, Tensor]:
    """The mean of runs' averaged weights: runs from one starting point have one basin (arXiv 2203.05482)."""
    each = [torch.load(path, map_location="cpu", weights_only=True)["average"] for path in checkpoints]
    if any(other.keys() != each[0].keys() for other in each):
        raise SystemExit("the checkpoints do not train the same tensors")
    return {name: torch.stack([held[name] for held in each]).mean(dim=0) for name in each[0]}
