"""Hashed n-grams beside a recurrent network: which there are, what they add, in both backends."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqrnn.backends.numpy.ops import NumpyOps
from seqrnn.backends.torch.ops import TorchOps
from seqrnn.networks.ngrams import Ngrams
from seqrnn.networks.sizes import NgramSizes

BUCKETS = 1009
BOS = 2


def bucket(parts):
    """The formula in whole numbers of Python."""
    number = len(parts)
    for part in parts:
        number = (number * 16_777_619 + part) % (2**31 - 1)
    return 1 + number % (BUCKETS - 1)


def ngrams_of(steps, sizes):
    """All n-grams of a sequence with its marks, of which the one at the end is none by itself."""
    marked = [BOS, *steps, 0]
    found = []
    for size in sizes:
        marks = len(marked) - 1 if size == 1 else len(marked)
        found += [marked[start : start + size] for start in range(marks - size + 1)]
    return found


def expected(table, tokens, characters, sizes):
    parts = ngrams_of(tokens, sizes.of_tokens) + (
        ngrams_of(characters, sizes.of_characters) if sizes.of_characters else []
    )
    rows = [table[bucket(part)] for part in parts]
    return np.sum(rows, axis=0) / np.sqrt(len(rows))


def padded(rows, width):
    return np.array([[*row, *[0] * (width - len(row))] for row in rows], dtype=np.int64)


@pytest.mark.parametrize(
    "sizes",
    [NgramSizes(BUCKETS, (1, 2), (2, 3, 5)), NgramSizes(BUCKETS, (1, 2, 3, 4, 5), ())],
    ids=["words", "characters"],
)
def test_scores_are_those_of_all_ngrams(sizes):
    tokens, texts = [[5, 6, 7], [9], [], [6, 5]], ["\U0001f600b c", "d", "", "bc"]
    characters = [[ord(character) for character in f" {text} "] for text in texts]
    root = torch.nn.Module()
    network = Ngrams(TorchOps(root, shrink=False).within("ngrams"), sizes, 3, 0.3)
    table = np.random.default_rng(1).normal(size=(BUCKETS, 3)).astype(np.float32)
    table[0] = 0
    with torch.no_grad():
        dict(root.named_parameters())["ngrams.table.weight"].copy_(torch.from_numpy(table))
    root.eval()
    arrays = {
        "source": padded(tokens, 5),
        "lengths": np.array([len(row) for row in tokens]),
        "code_points": padded(characters, 9),
    }
    arrays["source"][0, 4] = 8  # what a row holds after its end says nothing
    wanted = [expected(table, *row, sizes) for row in zip(tokens, characters, strict=True)]

    in_torch = network({name: torch.from_numpy(array) for name, array in arrays.items()})
    twin = Ngrams(NumpyOps(lambda name, shape: table), sizes, 3, 0.3)

    np.testing.assert_allclose(in_torch.detach().numpy(), wanted, atol=1e-5)
    np.testing.assert_allclose(twin(arrays), wanted, atol=1e-5)


def test_training_begins_at_nothing_and_leaves_ngrams_out():
    root = torch.nn.Module()
    network = Ngrams(TorchOps(root, shrink=False).within("ngrams"), NgramSizes(BUCKETS, (1,), ()), 2, 0.3)
    arrays = {"source": torch.arange(5, 105)[None], "lengths": torch.tensor([100])}
    scores = network(arrays)
    assert not scores.any()
    scores.sum().backward()
    (table,) = root.parameters()
    learnt = table.grad.abs().sum(dim=1) > 0
    assert 50 < learnt.sum() < 90
    assert not learnt[0]
