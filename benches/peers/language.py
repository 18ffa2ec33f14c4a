"""A language model in one GGUF file: Postil and llama-cpp-python on the same file, passages and questions, in one run.

    ./benches/peers/language.sh MODEL.gguf [--parts speed,answers] [--rounds 3] [--questions 150] [--office 60]

`speed`: sets of five passages of 200 tokens each, cut from xquad.en, two questions each, two threads. llama.cpp reads one
prompt with all five in its chat template, decodes greedily, and its own cache is empty for the cold question; for the warm
one it keeps what it read (`peer_warm`). Postil asks through a database of the five passages (`benches/language.rs`). Both
then read the same prompts as tokens and continue them by the same 64 tokens, whose mean log-likelihood is compared. Rounds
of the two engines alternate, each in a process of its own; medians are taken. Answers differ in length, so `seconds_16` is
the time to the first token and 15 more at the rate of that answer.

`answers`: both answer the first questions of xquad.en and of the office set from the same retrieved passages. Postil by
RAG-Sequence and RAG-Token, and `reader`; llama.cpp by one prompt with all passages. Exact match and F1 count the best
answer, given or withheld (`em_always`, `f1_always`), since llama.cpp never abstains. Of the long-form questions, the share
of points mentioned: a point is mentioned when the answer has all of its numbers and half of its other content words.

Prints JSON lines; the last one of `speed` has the ratios. `--profile dev` skips the release build, to try the script.
"""

import argparse
import json
import re
import statistics
import string
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "target/peers/language"
THREADS = 2
PASSAGES = 5
PASSAGE_TOKENS = 200
SETS = 3
TARGET_TOKENS = 64
MAX_TOKENS = 32
SENTENCES_TOKENS = 120
WINDOW = 4096
# As Postil's own instruction, for several passages: what stands before them, and what after the question.
SHORT = ("Answer the question from the passages.", "\nShort answer, a few words copied from the passages:")
SENTENCES = ("Answer the question from the passages, in one to three sentences.", "")


def rows(path):
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def show(line):
    print(json.dumps(line), flush=True)


def load(model, **options):
    import llama_cpp

    return llama_cpp.Llama(str(model), n_threads=THREADS, n_threads_batch=THREADS, verbose=False, **options)


def request(question, passages, instruction):
    told = "\n\n".join(f"<passage>\n{passage}\n</passage>" for passage in passages)
    before, after = instruction
    return [{"role": "user", "content": f"{before}\n\n{told}\n\nQuestion: {question}{after}"}]


def make(model, data):
    """Passages of equal length, prompts as tokens, and a continuation of the first."""
    peer = load(model, n_ctx=1024)
    texts = rows(data / "eval/xquad.en.corpus.jsonl")
    questions = {}
    for row in rows(data / "eval/xquad.en.jsonl"):
        questions.setdefault(row["pid"], row["question"])
    pieces, asked, at = [], [], 0
    while len(pieces) < SETS * PASSAGES:
        first, text, tokens = texts[at], "", []
        while len(tokens) < PASSAGE_TOKENS:
            text += ("\n" if text else "") + texts[at]["text"]
            tokens = peer.tokenize(text.encode(), add_bos=False)
            at += 1
        pieces.append(tokens[:PASSAGE_TOKENS])
        asked.append(questions.get(first["pid"]))
    passages = [peer.detokenize(tokens).decode(errors="ignore").strip() for tokens in pieces]
    sets = []
    for start in range(0, len(pieces), PASSAGES):
        both = [question for question in asked[start : start + PASSAGES] if question][:2]
        sets.append({"passages": passages[start : start + PASSAGES], "questions": both})
    prompts = pieces[:PASSAGES]
    peer.eval(prompts[0])
    target = []
    for _ in range(TARGET_TOKENS):
        target.append(int(logits(peer).argmax()))
        peer.eval([target[-1]])
    return {"model": str(model.resolve()), "sets": sets, "prompts": prompts, "target": target}


def logits(peer):
    import numpy as np

    # The logits of the last token, the only ones that were asked for.
    return np.ctypeslib.as_array(peer._ctx.get_logits_ith(-1), (peer.n_vocab(),)).astype(np.float64)


def peer_speed(data):
    import numpy as np

    start = time.perf_counter()
    peer = load(data["model"], n_ctx=WINDOW)
    opened = time.perf_counter() - start
    for number, group in enumerate(data["sets"]):
        peer.reset()
        for what, question in zip(["cold", "warm"], group["questions"]):
            show({"what": what, "set": number, **timed(peer, request(question, group["passages"], SHORT), MAX_TOKENS)})
    for prompts in [data["prompts"][:1], data["prompts"]]:
        prompt = [token for tokens in prompts for token in tokens]
        peer.reset()
        start = time.perf_counter()
        peer.eval(prompt)
        prefill = time.perf_counter() - start
        found, likelihood, decode = logits(peer), 0.0, 0.0
        for token in data["target"]:
            likelihood += found[token] - np.logaddexp.reduce(found)
            start = time.perf_counter()
            peer.eval([token])
            decode += time.perf_counter() - start
            found = logits(peer)
        rate = len(data["target"]) / decode
        line = {"prefill_tokens_per_s": len(prompt) / prefill, "decode_tokens_per_s": rate, "log_likelihood": likelihood}
        show({"what": "forced", "passages": len(prompts), **line})
    status = Path("/proc/self/status").read_text()
    memory = {name: int(re.search(rf"{field}:\s+(\d+)", status)[1]) * 1024
              for name, field in [("peak_bytes", "VmHWM"), ("anonymous_bytes", "RssAnon")]}  # fmt: skip
    show({"what": "memory", "open_s": opened, **memory})


def timed(peer, messages, most):
    start = time.perf_counter()
    first, last, tokens, answer = None, 0.0, 0, ""
    for part in peer.create_chat_completion(messages, temperature=0.0, max_tokens=most, stream=True):
        text = part["choices"][0]["delta"].get("content")
        if text:
            last = time.perf_counter() - start
            first = first or last
            tokens += 1
            answer += text
    seconds = time.perf_counter() - start
    return {"first_token_s": first or seconds, "last_token_s": last, "seconds": seconds, "tokens": tokens, "answer": answer}


def peer_answers(model, lines):
    peer = load(model, n_ctx=WINDOW)
    for row in lines:
        passages = ["\n".join(part for part in passage if part) for passage in row["passages"]]
        instruction, most = (SENTENCES, SENTENCES_TOKENS) if row["points"] else (SHORT, MAX_TOKENS)
        peer.reset()
        show({**timed(peer, request(row["question"], passages, instruction), most), **row, "passages": None})


def bench(profile, *arguments):
    command = ["cargo", "bench", "--quiet", "--locked", "--bench", "language"]
    command += ["--profile", profile] if profile else []
    return printed([*command, "--", "--threads", str(THREADS), *map(str, arguments)])


def itself(*arguments):
    return printed([sys.executable, __file__, *map(str, arguments)])


def printed(command):
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]


def speed(arguments):
    path = FOLDER / "input.json"
    path.write_text(json.dumps(make(arguments.model, arguments.data)))
    engines = {"peer": [], "postil": []}
    for number in range(arguments.rounds):
        for engine, found in engines.items():
            lines = itself("peer-speed", path) if engine == "peer" else bench(
                arguments.profile, "speed", path, "--mode", arguments.mode, "--max-tokens", MAX_TOKENS)  # fmt: skip
            for line in lines:
                show({"engine": engine, "model": arguments.model.name, "round": number, **line})
            found += lines
    summary = {engine: summarize(found) for engine, found in engines.items()}
    postil, peer = summary["postil"], summary["peer"]
    ratio = {
        "cold": postil["cold"]["seconds"] / peer["cold"]["seconds"],
        "cold_16": postil["cold"]["seconds_16"] / peer["cold"]["seconds_16"],
        "warm_to_cold": postil["warm"]["seconds"] / peer["cold"]["seconds"],
        "warm_16_to_cold_16": postil["warm"]["seconds_16"] / peer["cold"]["seconds_16"],
        "warm_to_peer_warm": postil["warm"]["seconds"] / peer["warm"]["seconds"],
        "first_token_warm_to_cold": postil["warm"]["first_token_s"] / peer["cold"]["first_token_s"],
        "prefill": postil[PASSAGES]["prefill_tokens_per_s"] / peer[PASSAGES]["prefill_tokens_per_s"],
        "prefill_alone": postil[1]["prefill_tokens_per_s"] / peer[1]["prefill_tokens_per_s"],
        "decode_batch": postil[PASSAGES]["decode_tokens_per_s"] / peer[1]["decode_tokens_per_s"],
        "decode_alone": postil[1]["decode_tokens_per_s"] / peer[1]["decode_tokens_per_s"],
        "log_likelihood_difference": (postil[1]["log_likelihood"] - peer[1]["log_likelihood"]) / abs(peer[1]["log_likelihood"]),
    }
    line = {engine: {str(what): values for what, values in found.items()} for engine, found in summary.items()}
    show({"model": arguments.model.name, "threads": THREADS, "rounds": arguments.rounds, **line,
          "ratio": {name: round(value, 4) for name, value in ratio.items()}})  # fmt: skip


def summarize(lines):
    """Medians, by what was measured; of `forced` by the number of passages."""
    groups = {}
    for line in lines:
        if line["what"] in ("cold", "warm"):
            more = (line["last_token_s"] - line["first_token_s"]) / max(line["tokens"] - 1, 1)
            line = {**line, "seconds_16": line["first_token_s"] + 15 * more}
        groups.setdefault(line["passages"] if line["what"] == "forced" else line["what"], []).append(line)
    numbers = lambda group: [name for name, value in group[0].items() if isinstance(value, float) or name == "tokens"
                             or name.endswith("bytes")]  # fmt: skip
    return {
        what: {name: round(statistics.median(line[name] for line in group), 4) for name in numbers(group)}
        for what, group in groups.items()
    }


def answers(arguments):
    sets = [
        ("xquad.en", "eval/xquad.en.corpus.jsonl", "eval/xquad.en.jsonl", arguments.questions),
        ("office", "office/office.shared.corpus.jsonl", "office/office.shared.jsonl", arguments.office),
        ("longform", "office/office.shared.corpus.jsonl", "office/longform.jsonl", arguments.longform),
    ]
    for name, corpus, questions, count in sets:
        if not count:
            continue
        database, corpus, questions = FOLDER / Path(corpus).with_suffix(".postil").name, arguments.data / corpus, arguments.data / questions
        ingest(arguments.profile, database, corpus)
        asked = FOLDER / f"{name}.passages.jsonl"
        found = bench(arguments.profile, "passages", database, questions, "--limit", count)
        asked.write_text("".join(json.dumps(line) + "\n" for line in found))
        lines = itself("peer-answers", arguments.model, asked)
        score({"set": name, "engine": "llama.cpp, one prompt", "model": arguments.model.name}, lines)
        for generator, mode in [("reader", "sequence"), (arguments.model.resolve(), "sequence"), (arguments.model.resolve(), "token")]:
            options = ["--mode", mode, "--generator", generator, "--limit", count]
            options += ["--max-tokens", SENTENCES_TOKENS if name == "longform" else MAX_TOKENS]
            lines = bench(arguments.profile, "answers", database, questions, *options)
            shown = {"set": name, "engine": "postil", "model": Path(generator).name, "mode": mode}
            if name == "longform":
                score(shown, lines)
            else:
                show({**shown, **lines[-1], "generator": None})


def ingest(profile, database, corpus):
    command = ["cargo", "run", "--quiet", "--locked", "--profile", profile or "release", "--", "ingest", database, "-"]
    text = "".join(json.dumps({**row, "id": row["pid"]}) + "\n" for row in rows(corpus))
    subprocess.run([*map(str, command), "--format", "jsonl", "--key", corpus.name], cwd=ROOT, input=text, text=True,
                   stdout=subprocess.DEVNULL, check=True)  # fmt: skip


def score(shown, lines):
    times = sorted(line["seconds"] for line in lines)
    shown = {**shown, "questions": len(lines), "p50_ms": round(statistics.median(times) * 1e3, 1)}
    if lines[0]["points"]:
        shares = [statistics.mean(mentions(line["answer"], point) for point in line["points"]) for line in lines]
        show({**shown, "points": round(statistics.mean(shares), 4)})
        return
    exact = [exact_match(line["answer"], line["answers"]) for line in lines]
    overlap = [f1(line["answer"], line["answers"]) for line in lines]
    kinds = {}
    for line, value in zip(lines, overlap):
        kinds.setdefault(line["kind"], []).append(value)
    by_kind = {kind: round(statistics.mean(values), 4) for kind, values in kinds.items() if kind}
    show({**shown, "em_always": statistics.mean(exact), "f1_always": statistics.mean(overlap), "f1_of_kinds": by_kind})


STOP_WORDS = set("a an the and or of to in on at by for from with is are was were be been it its that this as not no only "
                 "when than then if up out per into over under after before".split())  # fmt: skip


def mentions(answer, point):
    told = Counter(words(answer))
    wanted = [word for word in words(point) if word not in STOP_WORDS]
    numbers = [word for word in wanted if any(c.isdigit() for c in word)]
    others = [word for word in wanted if word not in numbers]
    has = sum(word in told for word in others)
    return float(all(number in told for number in numbers) and 2 * has >= len(others))


def words(text):
    return [word.removesuffix("s") for word in re.findall(r"\d+(?:[.,:]\d+)*|[^\W\d_]+", text.lower())]


def normalize(text):
    """SQuAD's normalization (Rajpurkar et al. 2016)."""
    text = "".join(c for c in text.lower() if c not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def exact_match(said, gold):
    return float(any(normalize(said) == normalize(answer) for answer in gold or [""]))


def f1(said, gold):
    def of(said, answer):
        if not said or not answer:
            return float(said == answer)
        same = sum((Counter(said) & Counter(answer)).values())
        return 2 * same / (len(said) + len(answer))

    return max(of(normalize(said).split(), normalize(answer).split()) for answer in gold or [""])


def main():
    if sys.argv[1:2] == ["peer-speed"]:
        return peer_speed(json.loads(Path(sys.argv[2]).read_text()))
    if sys.argv[1:2] == ["peer-answers"]:
        return peer_answers(Path(sys.argv[2]), rows(Path(sys.argv[3])))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--parts", default="speed,answers", help="speed, answers or both")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mode", default="sequence", help="of Postil's answers in speed")
    parser.add_argument("--questions", type=int, default=150, help="of xquad.en")
    parser.add_argument("--office", type=int, default=60, help="of the office set")
    parser.add_argument("--longform", type=int, default=20, help="long-form questions of the office set")
    parser.add_argument("--profile", help="profile of cargo, for a trial")
    arguments = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for part in arguments.parts.split(","):
        {"speed": speed, "answers": answers}[part](arguments)


if __name__ == "__main__":
    main()
