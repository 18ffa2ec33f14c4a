"""Trains the reader for a number of minutes.

    train.py --config FILE --data FILE --encoder FOLDER --negatives FILE --edits FILE --out FOLDER --minutes N

Starts from the default encoder and a new decoder, or from a reader, when `--encoder` is a folder that export.py wrote.
Continues from FOLDER/last.pt when there is one; `--from FILE...` starts a fresh schedule from the mean of checkpoints'
averaged weights.  The learning rate follows the clock, so a run ends annealed whatever the machine's speed.
"""

import argparse
import json
import os
import random
import signal
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from dataset import (
    Corpus, Example, Examples, Row, Schedule, batches, collate, count_by_source, epoch, open_tokenizer,
)
from decode import greedy
from distillation import distilled_loss
from feed import feed
from model import END_ID, NO_ANSWER_ID, Memory, Reader
from rag_loss import collate_groups, groups, rag_loss
from scores import auroc, exact_match, f1
from watch import Watched
from weights import mean_of, new_reader, taught_by


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    for name in ("config", "data", "encoder", "negatives", "edits", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--from", type=Path, nargs="+", default=[], dest="origins")
    parser.add_argument("--loss", choices=["passage", "rag"], default="passage")
    parser.add_argument("--teachers", type=Path, nargs="+", default=[], help="checkpoints or exported folders whose mean is learned from too")
    parser.add_argument("--invented", type=Path, nargs="+", default=[], help="rows of invented/ and packages.py, which teachers are not asked about")
    parser.add_argument("--watch", type=Path, help="questions beside what a search finds for them, of watch.py")
    parser.add_argument("--workers", type=int, default=0, help="processes that make batches; 0: this one")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--order", type=int, default=0, help="another number shows the rows in another order")
    return parser.parse_args()


class Clock:
    """Time spent training over all the runs of one schedule."""

    def __init__(self, minutes: float, spent: float) -> None:
        self.budget = minutes * 60
        self.started = time.monotonic() - spent

    def spent(self) -> float:
        return time.monotonic() - self.started

    def fraction(self) -> float:
        return self.spent() / self.budget


def learning_rate_factor(fraction: float, warm_up: float) -> float:
    """Linear up, then linear down to a fiftieth."""
    if fraction < warm_up:
        return max(fraction / warm_up, 0.01)
    return max(1 - (fraction - warm_up) / (1 - warm_up), 0.0) * 0.98 + 0.02


def stage_window(windows: list[list[float]], fraction: float) -> int:
    return int([pieces for since, pieces in windows if since <= fraction][-1])


def optimizer_of(reader: Reader, config: dict) -> torch.optim.AdamW:
    parts = []
    for module, rate in ((reader.encoder, config["encoder_learning_rate"]), (reader.decoder, config["decoder_learning_rate"])):
        for decays in (True, False):
            chosen = [p for p in module.parameters() if p.requires_grad and (p.dim() > 1) == decays]
            parts.append({"params": chosen, "lr": rate, "peak": rate, "weight_decay": config["weight_decay"] if decays else 0.0})
    return torch.optim.AdamW(parts, betas=(0.9, 0.98), fused=True)


class Average:
    """Exponential moving average of the trained parameters; young averages forget faster."""

    def __init__(self, reader: Reader, decay: float) -> None:
        self.decay = decay
        self.parameters = {name: p for name, p in reader.named_parameters() if p.requires_grad}
        self.values = {name: p.detach().clone() for name, p in self.parameters.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        keep = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.values.values()), [p.detach() for p in self.parameters.values()], 1 - keep)

    @torch.no_grad()
    def swap(self) -> None:
        for name, parameter in self.parameters.items():
            held = parameter.detach().clone()
            parameter.copy_(self.values[name])
            self.values[name] = held


def dev_scores(reader: Reader, examples: list[tuple[Example, list[list[int]]]], tokenizer, options, autocast: bool) -> dict:
    """EM and F1 of greedy answers under the passage that answers; AUROC of 1 - p(no answer)."""
    exact, overlap, answerable, unanswerable, loss = [], [], [], [], 0.0
    order = sorted(range(len(examples)), key=lambda i: len(examples[i][0].ids))
    for begin in range(0, len(order), 32):
        chosen = [examples[i] for i in order[begin : begin + 32]]
        batch, targets = collate([example for example, _ in chosen], options.device)
        with torch.no_grad():
            memory = reader.remember(batch, autocast)
            loss -= float(reader.sequence_log_prob(memory, targets).sum())
        found, no_answer = greedy(reader, memory, allow_no_answer=False)
        for (_, golds), pieces, log_p in zip(chosen, found, no_answer.tolist(), strict=True):
            if golds:
                texts = [tokenizer.decode(gold) for gold in golds]
                exact.append(exact_match(tokenizer.decode(pieces), texts))
                overlap.append(f1(tokenizer.decode(pieces), texts))
                answerable.append(-log_p)
            else:
                unanswerable.append(-log_p)
    return {"dev_loss": round(loss / len(examples), 4), "em": round(100 * sum(exact) / len(exact), 2),
            "f1": round(100 * sum(overlap) / len(overlap), 2), "auroc": round(auroc(answerable, unanswerable), 4),
            "answerable": len(answerable), "unanswerable": len(unanswerable)}


def save(path: Path, state: dict) -> None:
    """A reader of `path` sees the old checkpoint or the new one, never half of one."""
    part = path.with_suffix(".part")
    torch.save(state, part)
    os.replace(part, path)


def main() -> None:
    options = arguments()
    config = tomllib.loads(options.config.read_text())
    torch.set_num_threads(options.threads)
    torch.manual_seed(config["seed"])
    if options.device.startswith("cuda"):
        torch.set_float32_matmul_precision("high")
    options.out.mkdir(parents=True, exist_ok=True)
    log = (options.out / "log.jsonl").open("a", buffering=1)

    tokenizer = open_tokenizer(options.encoder)
    corpus = Corpus(options.data, config["sources"])
    train_rows, dev_rows = corpus.split(config["dev_rows"], config["seed"])
    found = [json.loads(line) for line in options.negatives.open()]
    if len(found) != len(train_rows) + len(dev_rows):
        raise SystemExit("the negatives were made with another configuration: run negatives.py again")
    edits = [json.loads(line) for line in options.edits.open(encoding="utf-8")]
    if len(edits) != len(train_rows):
        raise SystemExit("the edited questions were made with another configuration: run edits.py again")
    negatives = [record["passages"] for record in found]
    dev_negatives = negatives[len(train_rows) :]
    invented = [row for path in options.invented for row in corpus.read(path, config["sources"])]
    if invented and options.loss == "rag":
        raise SystemExit("invented rows have no passages beside them: --loss passage")
    invented, invented_dev = invented[config["dev_rows"] :], invented[: config["dev_rows"]]
    negatives = negatives[: len(train_rows)] + [[] for _ in invented]
    edits += [[] for _ in invented]
    train_rows += invented
    examples = Examples(corpus, train_rows + dev_rows + invented_dev, tokenizer, edits)
    watched = Watched(options.watch, tokenizer) if options.watch else None
    schedule = Schedule(config["sources"], config["negative"], config["edited"], config["empty"],
                        config["first_answer"], config["drop_title"])
    dev = dev_examples(examples, dev_rows, dev_negatives)
    dev_of_invented = dev_examples(examples, invented_dev, [[] for _ in invented_dev])

    reader = new_reader(options.encoder, config["frozen_layers"], config["dropout"]).to(options.device).train()
    teachers = [taught_by(path, options.encoder).to(options.device) for path in options.teachers]
    for teacher in teachers:
        teacher.encoder.frozen_layers = reader.encoder.frozen_layers
        if not teacher.encoder.has_lower_of(reader.encoder):
            raise SystemExit("a teacher has other lower layers than the reader: they are computed once for all")
    average = Average(reader, config["ema"])
    optimizer = optimizer_of(reader, config)
    step, seen, spent = 0, 0, 0.0
    last = options.out / "last.pt"
    if last.exists():
        state = torch.load(last, map_location=options.device, weights_only=True)
        reader.load_state_dict(state["parameters"], strict=False)
        average.values = state["average"]
        optimizer.load_state_dict(state["optimizer"])
        step, seen, spent = state["step"], state["seen"], state["spent"]
    elif options.origins:
        reader.load_state_dict(mean_of(options.origins), strict=False)
        average = Average(reader, config["ema"])
    log.write(json.dumps({"pid": os.getpid(), "step": step, "rows": len(train_rows), "contexts": len(corpus.contexts),
                          "dev": len(dev), "sources": count_by_source(train_rows)}) + "\n")

    clock = Clock(options.minutes, spent)

    def window_pieces() -> int:
        return stage_window(config["windows"], clock.fraction())

    def stream(worker: int) -> Iterator[dict[str, Tensor]]:
        if options.workers:
            torch.set_num_threads(1)
        rng = random.Random(((config["seed"] + options.order) * 1_000_003 + step) * 1_009 + worker)
        while True:
            if options.loss == "rag":
                shown = groups(train_rows, found, schedule, config["rag"], examples, window_pieces, rng)
                yield from map(collate_groups, shown)
            else:
                shown = epoch(train_rows, negatives, edits, schedule, examples, window_pieces, rng)
                for batch in batches(shown, config["batch"], 20, rng):
                    inputs, targets = collate(batch, "cpu")
                    yield {**inputs, "targets": targets}

    def checkpoint() -> None:
        parameters = {name: p.detach() for name, p in reader.named_parameters() if p.requires_grad}
        save(last, {"parameters": parameters, "average": average.values, "optimizer": optimizer.state_dict(),
                    "step": step, "seen": seen, "spent": clock.spent(), "config": config})

    def measure() -> None:
        reader.eval()
        average.swap()
        scores = dev_scores(reader, dev, tokenizer, options, config["bfloat16"])
        if dev_of_invented:
            scores["invented"] = dev_scores(reader, dev_of_invented, tokenizer, options, config["bfloat16"])
        if watched:
            scores["watched"] = watched.scores(reader, options.device, config["bfloat16"])
        average.swap()
        reader.train()
        log.write(json.dumps({"step": step, "seen": seen, "minutes": round(clock.spent() / 60, 2), **scores}) + "\n")

    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    last_saved = last_measured = clock.spent()
    losses, recent, since = [], 0, time.monotonic()
    for host_batch in feed(stream, options.workers):
        batch = {name: tensor.to(options.device, non_blocking=True) for name, tensor in host_batch.items()}
        fraction = clock.fraction()
        if stopped:
            checkpoint()
            return
        if fraction >= 1:
            break
        factor = learning_rate_factor(fraction, config["warm_up"])
        for part in optimizer.param_groups:
            part["lr"] = part["peak"] * factor
        loss, count = batch_loss(reader, teachers, batch, config, options.loss)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(average.parameters.values(), config["clip"])
        if not bool(torch.isfinite(norm)):
            log.write(json.dumps({"step": step, "skipped": float(norm)}) + "\n")
            continue
        optimizer.step()
        step += 1
        average.update(step)
        seen += count
        recent += count
        losses.append(loss.detach())
        if step % 20 == 0 or step == 2:
            now = time.monotonic()
            log.write(json.dumps({"step": step, "seen": seen, "minutes": round(clock.spent() / 60, 2),
                                  "loss": round(float(sum(losses)) / len(losses), 4), "norm": round(float(norm), 2),
                                  "rate": round(factor, 3), "window": window_pieces(),
                                  "per_second": round(recent / (now - since), 2)}) + "\n")
            losses, recent, since = [], 0, now
        if clock.spent() - last_measured > 60 * config["dev_minutes"]:
            measure()
            last_measured, since = clock.spent(), time.monotonic()
        if clock.spent() - last_saved > 60 * config["checkpoint_minutes"]:
            checkpoint()
            last_saved = clock.spent()
    checkpoint()
    measure()


def batch_loss(reader: Reader, teachers: list[Reader], batch: dict[str, Tensor], config: dict, kind: str) -> tuple[Tensor, int]:
    """The mean loss of a batch, and its number of questions."""
    if kind == "rag":
        return rag_loss(reader, batch, config["rag"]["no_answer"], config["bfloat16"])
    lower, mask = reader.encoder.lower(batch["ids"], batch["segments"], batch["length"], config["bfloat16"])
    memory = Memory(reader.encoder.upper(lower, mask, config["bfloat16"]), batch["ids"], batch["copyable"])
    targets, known = batch["targets"], batch["known"].bool()
    if not teachers or not bool(known.any()):
        return -reader.sequence_log_prob(memory, targets).mean(), len(targets)
    with torch.no_grad():
        inputs, known_mask = lower[known], None if mask is None else mask[known]
        taught = [
            Memory(each.encoder.upper(inputs, known_mask, config["bfloat16"]), batch["ids"][known], batch["copyable"][known])
            for each in teachers
        ]
    weight = torch.full((int(known.sum()),), config["distillation"], device=targets.device)
    loss = distilled_loss(reader, memory.select(known), teachers, taught, targets[known], weight).sum()
    if not bool(known.all()):
        loss = loss - reader.sequence_log_prob(memory.select(~known), targets[~known]).sum()
    return loss / len(targets), len(targets)


def dev_examples(examples: Examples, rows: list[Row], negatives: list[list[int]]) -> list[tuple[Example, list[list[int]]]]:
    """Each row beside its whole passage, and each answerable one beside a passage that does not answer."""
    rng = random.Random(0)
    out = []
    for row, others in zip(rows, negatives, strict=True):
        example = examples.make(row, row.context, 400, rng, 1.0, 0.0)
        out.append((example, [examples.answers[answer] for answer in row.answers]))
        if row.answers and others:
            out.append((examples.make(row, others[0], 400, rng, 1.0, 0.0), []))
    assert all(example.target[-1] in (END_ID, NO_ANSWER_ID) or len(example.target) == 24 for example, _ in out)
    return out


if __name__ == "__main__":
    main()
