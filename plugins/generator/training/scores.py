"""Exact match, F1 and the area under the ROC curve."""

from collections import Counter

from dataset import normalize


def exact_match(prediction: str, answers: list[str]) -> float:
    return float(any(normalize(prediction) == normalize(answer) for answer in answers))


def f1(prediction: str, answers: list[str]) -> float:
    return max(overlap(normalize(prediction).split(), normalize(answer).split()) for answer in answers)


def overlap(prediction: list[str], answer: list[str]) -> float:
    if not prediction or not answer:
        return float(prediction == answer)
    same = sum((Counter(prediction) & Counter(answer)).values())
    return 2 * same / (len(prediction) + len(answer))


def auroc(positive: list[float], negative: list[float]) -> float:
    """Probability that a positive scores above a negative, ties counted half."""
    ordered = sorted([(score, 1) for score in positive] + [(score, 0) for score in negative])
    rank_sum, index = 0.0, 0
    while index < len(ordered):
        end = index
        while end < len(ordered) and ordered[end][0] == ordered[index][0]:
            end += 1
        rank_sum += (index + end + 1) / 2 * sum(label for _, label in ordered[index:end])
        index = end
    most = len(positive)
    return (rank_sum - most * (most + 1) / 2) / (most * len(negative))
