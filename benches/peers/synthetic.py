"""Makes more vectors like those at hand: Gaussian, with their mean and covariance, of unit length.

    python benches/peers/synthetic.py VECTORS ROWS OUT

VECTORS and OUT are folders of base.f16.npy, query.f16.npy and gt.i32.npy (the 100 nearest by inner product).
Seeded: the same rows each time. Needs numpy. They have no clusters, so they are harder than real ones.
"""

import sys
from pathlib import Path

import numpy as np

SEED = 11
QUERIES = 1000
NEAREST = 100
CHUNK = 20_000


def drawn(rng, mean, factor, rows):
    vectors = mean + rng.standard_normal((rows, len(mean)), dtype=np.float32) @ factor.T
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)


def nearest(base, queries):
    """Exact: the best of each chunk, merged."""
    kept_scores = np.full((len(queries), 0), -np.inf, dtype=np.float32)
    kept_rows = np.zeros((len(queries), 0), dtype=np.int32)
    for begin in range(0, len(base), CHUNK):
        scores = queries @ base[begin : begin + CHUNK].astype(np.float32).T
        best = np.argpartition(-scores, NEAREST, axis=1)[:, :NEAREST]
        kept_scores = np.concatenate([kept_scores, np.take_along_axis(scores, best, 1)], axis=1)
        kept_rows = np.concatenate([kept_rows, (best + begin).astype(np.int32)], axis=1)
        order = np.argsort(-kept_scores, axis=1, kind="stable")[:, :NEAREST]
        kept_scores = np.take_along_axis(kept_scores, order, 1)
        kept_rows = np.take_along_axis(kept_rows, order, 1)
    return kept_rows


def main():
    source, rows, out = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    out.mkdir(parents=True, exist_ok=True)
    real = np.load(source / "base.f16.npy").astype(np.float32)
    mean = real.mean(axis=0)
    covariance = np.cov(real, rowvar=False).astype(np.float64)
    factor = np.linalg.cholesky(covariance + 1e-9 * np.eye(len(mean))).astype(np.float32)
    rng = np.random.default_rng(SEED)
    queries = drawn(rng, mean, factor, QUERIES)
    base = np.concatenate([drawn(rng, mean, factor, min(CHUNK, rows - at)) for at in range(0, rows, CHUNK)])
    np.save(out / "base.f16.npy", base)
    np.save(out / "query.f16.npy", queries)
    np.save(out / "gt.i32.npy", nearest(base, queries.astype(np.float32)))


if __name__ == "__main__":
    main()
