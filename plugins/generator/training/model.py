"""The reader: a BERT encoder over question and passage, and a one-cell pointer-generator decoder.

The decoder is a hidden Markov model over where each word piece comes from (generated, pointed at, or
the piece after the previous one), summed out exactly at every step, so that `p(y | x, z)` is a normalized
distribution over the vocabulary and the posterior over the origin comes with it.  After See et al. 2017,
"Get To The Point", with a *continue* action added: most answers are runs of the passage.

Shapes: B rows, n input pieces, d = 384, V = 30,522.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

WIDTH = 384
HEADS = 12
LAYERS = 6
INNER = 1536
VOCABULARY = 30_522
POSITIONS = 512
LAYER_NORM_EPS = 1e-12
GATE_WIDTH = 256

PAD_ID = 0
NO_ANSWER_ID = 2  # [unused1]
START_ID = 101  # [CLS], also the decoder's y_0
END_ID = 102  # [SEP]

# Gate order.
END, NO_ANSWER, GENERATE, POINT, CONTINUE = range(5)

# Stands for minus infinity; exp() of it is 0 in float32 and it survives a float16 file.
MASKED = -1e4
SMALLEST = 1e-30


def quantize_rows(weight: Tensor) -> tuple[Tensor, Tensor]:
    """int8 codes and one float16 scale per row; the reader is trained on the dequantized values."""
    scale = (weight.abs().amax(dim=1, keepdim=True) / 127).half()
    codes = (weight / scale.float()).round().clamp(-127, 127).to(torch.int8)
    return codes, scale


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
    if q.is_cuda or not torch.is_grad_enabled():
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    # On a CPU the fused kernel's backward pass takes twice the time of these two products.
    scores = torch.matmul(q, k.transpose(-1, -2)) * (WIDTH // HEADS) ** -0.5
    if mask is not None:
        scores = scores + mask
    return torch.matmul(torch.softmax(scores, dim=-1, dtype=q.dtype), v)


class EncoderLayer(nn.Module):
    """One post-norm BERT layer; query, key and value share one matrix."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.out_norm = nn.LayerNorm(WIDTH, eps=LAYER_NORM_EPS)
        self.up = nn.Linear(WIDTH, INNER)
        self.down = nn.Linear(INNER, WIDTH)
        self.down_norm = nn.LayerNorm(WIDTH, eps=LAYER_NORM_EPS)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        rows, pieces, _ = x.shape
        q, k, v = self.qkv(x).view(rows, pieces, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        heads = attend(q, k, v, None if mask is None else mask.to(q.dtype))
        heads = heads.transpose(1, 2).reshape(rows, pieces, WIDTH)
        x = self.out_norm(x + self.dropout(self.out(heads)).float())
        return self.down_norm(x + self.dropout(self.down(F.gelu(self.up(x)))).float())


class Encoder(nn.Module):
    """BERT with segment ids; the embeddings are constants, the lowest `frozen_layers` take no gradient."""

    def __init__(self, frozen_layers: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.frozen_layers = frozen_layers
        self.register_buffer("words", torch.zeros(VOCABULARY, WIDTH))
        self.register_buffer("positions", torch.zeros(POSITIONS, WIDTH))
        self.register_buffer("segments", torch.zeros(2, WIDTH))
        self.norm = nn.LayerNorm(WIDTH, eps=LAYER_NORM_EPS)
        self.layers = nn.ModuleList(EncoderLayer(dropout) for _ in range(LAYERS))
        self.norm.requires_grad_(False)
        for layer in self.layers[:frozen_layers]:
            layer.requires_grad_(False)

    def forward(self, ids: Tensor, segments: Tensor, length: Tensor, autocast: bool) -> Tensor:
        """`ids`, `segments`: [B, n]; `length`: [B]. Returns [B, n, d] in float32."""
        return self.upper(*self.lower(ids, segments, length, autocast), autocast)

    @torch.no_grad()
    def lower(self, ids: Tensor, segments: Tensor, length: Tensor, autocast: bool) -> tuple[Tensor, Tensor | None]:
        """What the frozen layers make of the input [B, n, d], and the mask of its padding."""
        pieces = ids.shape[1]
        mask = None
        if int(length.min()) < pieces:
            padded = torch.arange(pieces, device=ids.device)[None] >= length[:, None]
            mask = torch.zeros(ids.shape, device=ids.device).masked_fill(padded, MASKED)[:, None, None, :]
        with torch.autocast(ids.device.type, dtype=torch.bfloat16, enabled=autocast):
            x = self.norm(self.words[ids] + self.positions[:pieces] + self.segments[segments])
            for layer in self.layers[: self.frozen_layers]:
                x = layer(x, mask)
        return x, mask

    def upper(self, x: Tensor, mask: Tensor | None, autocast: bool) -> Tensor:
        """The other layers."""
        with torch.autocast(x.device.type, dtype=torch.bfloat16, enabled=autocast):
            for layer in self.layers[self.frozen_layers :]:
                x = layer(x, mask)
        return x.float()

    def has_lower_of(self, other: "Encoder") -> bool:
        """Whether the embeddings and the frozen layers are the other's, number for number."""
        kept = [self.words, self.positions, self.segments, *self.norm.parameters(),
                *self.layers[: self.frozen_layers].parameters()]
        others = [other.words, other.positions, other.segments, *other.norm.parameters(),
                  *other.layers[: self.frozen_layers].parameters()]
        return all(torch.equal(a, b) for a, b in zip(kept, others, strict=True))

    def load_minilm(self, folder: Path, round_words: bool = True) -> None:
        """Takes the weights of a Hugging Face BERT checkpoint, word embeddings rounded to int8 rows.

        Rounded before training and not after, so that shipping them in a byte each costs no accuracy.
        """
        source = load_file(str(folder / "model.safetensors"))
        source = {name.removeprefix("bert."): tensor.float() for name, tensor in source.items()
                  if tensor.is_floating_point()}
        words = source["embeddings.word_embeddings.weight"]
        if round_words:
            codes, scale = quantize_rows(words)
            words = codes.float() * scale.float()
        self.words.copy_(words)
        self.positions.copy_(source["embeddings.position_embeddings.weight"].half())
        self.segments.copy_(source["embeddings.token_type_embeddings.weight"].half())
        with torch.no_grad():
            self.norm.weight.copy_(source["embeddings.LayerNorm.weight"])
            self.norm.bias.copy_(source["embeddings.LayerNorm.bias"])
            for index, layer in enumerate(self.layers):
                for name, parameter in layer.named_parameters():
                    parameter.copy_(hugging_face_tensor(source, index, name))


# Our tensor name -> the names it is stacked from in a Hugging Face BERT.
LAYER_NAMES = {
    "qkv": ["attention.self.query", "attention.self.key", "attention.self.value"],
    "out": ["attention.output.dense"],
    "out_norm": ["attention.output.LayerNorm"],
    "up": ["intermediate.dense"],
    "down": ["output.dense"],
    "down_norm": ["output.LayerNorm"],
}


def hugging_face_tensor(source: dict[str, Tensor], layer: int, name: str) -> Tensor:
    module, kind = name.split(".")
    return torch.cat([source[f"encoder.layer.{layer}.{part}.{kind}"] for part in LAYER_NAMES[module]])


@dataclass
class DecoderState:
    """What one step hands to the next; every row is one (question, passage) pair."""

    hidden: Tensor  # [B, d]
    token: Tensor  # [B], the previous outcome
    origin: Tensor  # [B, n], posterior over the position the previous outcome was copied from
    first: bool

    def select(self, rows: Tensor) -> "DecoderState":
        return DecoderState(self.hidden[rows], self.token[rows], self.origin[rows], self.first)


@dataclass
class Memory:
    """The encoder's output as the decoder reads it."""

    states: Tensor  # [B, n, d]
    ids: Tensor  # [B, n]
    copyable: Tensor  # [B, n], 1.0 at the pieces of title and passage

    def select(self, rows: Tensor) -> "Memory":
        return Memory(self.states[rows], self.ids[rows], self.copyable[rows])


@dataclass
class Step:
    """The distribution of one step, in factors."""

    hidden: Tensor  # [B, d]
    gate: Tensor  # [B, 5], log; CONTINUE holds what can really move, GENERATE has taken the rest
    vocabulary: Tensor  # [B, V], log, of GENERATE
    copied: Tensor  # [B, n], probability that the next piece is this very position


def shift_right(x: Tensor) -> Tensor:
    return F.pad(x[:, :-1], (1, 0))


class Decoder(nn.Module):
    def __init__(self, generate_bias: Tensor) -> None:
        super().__init__()
        self.initial = nn.Linear(WIDTH, WIDTH)
        self.cell = nn.GRUCell(2 * WIDTH, WIDTH)
        self.point = nn.Linear(WIDTH, WIDTH)
        self.start = nn.Parameter(torch.zeros(WIDTH))
        self.gate_hidden = nn.Linear(5 * WIDTH, GATE_WIDTH)
        self.gate = nn.Linear(GATE_WIDTH, 5)
        self.generate = nn.Linear(2 * WIDTH, WIDTH)
        self.generate_bias = nn.Parameter(torch.zeros(VOCABULARY))
        self.register_buffer("generate_mask", generate_bias)

    def begin(self, memory: Memory) -> DecoderState:
        rows = memory.ids.shape[0]
        return DecoderState(
            hidden=torch.tanh(self.initial(memory.states[:, 0])),
            token=torch.full((rows,), START_ID, device=memory.ids.device),
            origin=torch.zeros_like(memory.copyable),
            first=True,
        )

    def step(self, memory: Memory, state: DecoderState, words: Tensor) -> Step:
        """The distribution of the next outcome, given `state`; `words` are the tied embeddings [V, d]."""
        states, origin = memory.states, state.origin
        at_origin = torch.bmm(origin[:, None], states)[:, 0]
        after_origin = torch.bmm(shift_right(origin)[:, None], states)[:, 0]
        hidden = self.cell(torch.cat([words[state.token], at_origin], dim=1), state.hidden)

        scores = torch.bmm(states, self.point(hidden)[:, :, None])[:, :, 0] / WIDTH**0.5 + states @ self.start
        attention = torch.softmax(scores + (1 - memory.copyable) * MASKED, dim=1)
        attended = torch.bmm(attention[:, None], states)[:, 0]

        features = torch.cat([hidden, at_origin, after_origin, attended, states[:, 0]], dim=1)
        logits = self.gate(F.gelu(self.gate_hidden(features)))
        closed = torch.zeros_like(logits)
        closed[:, [CONTINUE, END] if state.first else [NO_ANSWER]] = MASKED
        # An empty passage has nothing to point at.
        closed[:, POINT] = (1 - memory.copyable.amax(dim=1)) * MASKED
        gate = torch.softmax(logits + closed, dim=1)

        # Origin mass on a last position, or missing because the piece was generated, has nowhere to go.
        moved = shift_right(origin) * memory.copyable
        movable = moved.sum(dim=1)
        go_on = gate[:, CONTINUE]
        generated = gate[:, GENERATE] + go_on * (1 - movable).clamp_min(0)
        copied = gate[:, POINT, None] * attention + go_on[:, None] * moved
        gate = torch.stack([gate[:, END], gate[:, NO_ANSWER], generated, gate[:, POINT], go_on * movable], dim=1)

        query = self.generate(torch.cat([hidden, attended], dim=1))
        vocabulary = torch.log_softmax(F.linear(query, words, self.generate_bias + self.generate_mask), dim=1)
        return Step(hidden, gate.clamp_min(SMALLEST).log(), vocabulary, copied)

    def log_prob(self, memory: Memory, step: Step, target: Tensor) -> tuple[Tensor, Tensor]:
        """log p(target) [B] and the posterior over its origin [B, n]."""
        generated = step.gate[:, GENERATE] + step.vocabulary.gather(1, target[:, None])[:, 0]
        matching = step.copied * (memory.ids == target[:, None])
        word = generated.exp() + matching.sum(dim=1)
        p = torch.where(target == END_ID, step.gate[:, END].exp(), word)
        p = torch.where(target == NO_ANSWER_ID, step.gate[:, NO_ANSWER].exp(), p).clamp_min(SMALLEST)
        return p.log(), matching / p[:, None]

    def log_probs(self, memory: Memory, step: Step) -> Tensor:
        """log p of every outcome [B, V]: word pieces, END_ID and NO_ANSWER_ID."""
        p = (step.gate[:, GENERATE, None] + step.vocabulary).exp()
        p = p.scatter_add(1, memory.ids, step.copied)
        p[:, END_ID] = step.gate[:, END].exp()
        p[:, NO_ANSWER_ID] = step.gate[:, NO_ANSWER].exp()
        return p.clamp_min(SMALLEST).log()

    def advance(self, memory: Memory, step: Step, token: Tensor) -> DecoderState:
        _, origin = self.log_prob(memory, step, token)
        return DecoderState(step.hidden, token, origin, first=False)


class Reader(nn.Module):
    def __init__(self, vocabulary: list[str], frozen_layers: int = 2, dropout: float = 0.0) -> None:
        super().__init__()
        special = torch.tensor([len(t) > 2 and t[0] == "[" and t[-1] == "]" for t in vocabulary])
        self.encoder = Encoder(frozen_layers, dropout)
        self.decoder = Decoder(special.float() * MASKED)

    def remember(self, batch: dict[str, Tensor], autocast: bool = False) -> Memory:
        states = self.encoder(batch["ids"], batch["segments"], batch["length"], autocast)
        return Memory(states, batch["ids"], batch["copyable"])

    def sequence_log_prob(self, memory: Memory, targets: Tensor) -> Tensor:
        """log p(y | x, z) [B] of `targets` [B, T], ended by END_ID or NO_ANSWER_ID and padded with PAD_ID.

        A target cut short at the cap has no END_ID; it is then the probability of that prefix.
        """
        state = self.decoder.begin(memory)
        total = torch.zeros(targets.shape[0], device=targets.device)
        rows = torch.arange(targets.shape[0], device=targets.device)
        for index in range(targets.shape[1]):
            going = targets[rows, index] != PAD_ID
            if not bool(going.all()):
                # Finished rows cost as much as going ones, so they leave.
                state, memory, rows = state.select(going), memory.select(going), rows[going]
            step = self.decoder.step(memory, state, self.encoder.words)
            token = targets[rows, index]
            log_p, origin = self.decoder.log_prob(memory, step, token)
            total = total.index_add(0, rows, log_p)
            state = DecoderState(step.hidden, token, origin, first=False)
        return total


def read_vocabulary(folder: Path) -> list[str]:
    tokens = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    return sorted(tokens, key=tokens.get)
