"""The conditional random field against a sum over every sequence of tags."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
import torch

from seqrnn.backends.numpy import crf as runtime_crf
from seqrnn.backends.torch.crf import CRF
from seqrnn.backends.torch.log_partition import log_partition

LENGTHS = (4, 1, 0, 3)
TAGS, STEPS = 3, 5


@pytest.fixture
def crf():
    torch.manual_seed(3)
    crf = CRF(TAGS)
    for parameter in crf.parameters():
        torch.nn.init.normal_(parameter, std=2.0)
    return crf


@pytest.fixture
def emissions():
    return torch.randn(len(LENGTHS), STEPS, TAGS, generator=torch.Generator().manual_seed(4)) * 2


MASK = torch.arange(STEPS) < torch.tensor(LENGTHS).unsqueeze(1)


def score(crf, emissions, tags):
    """The score of one sequence, number by number."""
    total = sum(emissions[step, tag].item() for step, tag in enumerate(tags))
    total += sum(crf.transitions[a, b].item() for a, b in pairwise(tags))
    return total + crf.start[tags[0]].item() + crf.end[tags[-1]].item()


def enumerated(crf, emissions, length):
    """The log-probability of every sequence of `length` tags."""
    sequences = list(product(range(TAGS), repeat=length))
    scores = torch.tensor([score(crf, emissions, tags) for tags in sequences], dtype=torch.float64)
    return dict(zip(sequences, (scores - scores.logsumexp(0)).tolist(), strict=True))


@torch.no_grad()
def test_the_likelihood_is_that_of_enumeration(crf, emissions):
    for row, length in enumerate(LENGTHS):
        for tags, expected in enumerated(crf, emissions[row], length).items() if length else [((), 0.0)]:
            padded = torch.zeros(len(LENGTHS), STEPS, dtype=torch.int64)
            padded[row, :length] = torch.tensor(tags)
            found = crf.log_likelihood(emissions, padded, MASK)[row].item()
            assert found == pytest.approx(expected, abs=1e-4)


@torch.no_grad()
def test_the_decoded_tags_are_the_likeliest_of_all(crf, emissions):
    tags, log_prob = crf.decode(emissions, MASK)
    for row, length in enumerate(LENGTHS):
        found = enumerated(crf, emissions[row], length) if length else {(): 0.0}
        best = max(found, key=found.get)
        assert tuple(tags[row, :length].tolist()) == best
        assert log_prob[row].item() == pytest.approx(found[best], abs=1e-4)


@torch.no_grad()
def test_a_marginal_is_the_sum_over_all_sequences_with_that_tag(crf, emissions):
    marginals = crf.marginals(emissions, MASK)
    for row, length in enumerate(LENGTHS):
        if not length:
            continue
        probs = {tags: 2.718281828459045**p for tags, p in enumerated(crf, emissions[row], length).items()}
        for step, tag in product(range(length), range(TAGS)):
            expected = sum(p for tags, p in probs.items() if tags[step] == tag)
            assert marginals[row, step, tag].exp().item() == pytest.approx(expected, abs=1e-5)


def test_the_gradient_of_the_partition_is_the_marginal_and_nothing_behind_the_end_matters(crf, emissions):
    emissions.requires_grad_()
    crf._log_partition(emissions, MASK).sum().backward()
    expected = crf.marginals(emissions, MASK).exp() * MASK.unsqueeze(2)
    torch.testing.assert_close(emissions.grad, expected.detach(), atol=1e-5, rtol=1e-4)


@torch.no_grad()
@pytest.mark.parametrize("steps", [2, 3000])
def test_the_probability_of_a_long_sequence_is_exact(crf, steps):
    emissions = torch.randn(1, steps, TAGS, generator=torch.Generator().manual_seed(6))
    emissions[..., 0] += 12.0  # one sequence is much likelier than the others
    mask = torch.ones(1, steps, dtype=torch.bool)
    exact = CRF(TAGS).double()
    exact.load_state_dict(crf.state_dict())
    in_numpy = runtime_crf.CRF(lambda name, _: getattr(crf, name).numpy(), TAGS)
    tags, log_prob = crf.decode(emissions, mask)
    expected = (
        exact._score(emissions.double(), tags, mask) - exact._log_partition(emissions.double(), mask)
    ).item()
    assert expected < -1e-5
    assert log_prob.item() == pytest.approx(expected, rel=1e-4)
    assert in_numpy.decode(emissions.numpy(), mask.numpy())[1].item() == pytest.approx(expected, rel=1e-4)


@torch.no_grad()
def test_rows_of_a_batch_do_not_change_each_other(crf, emissions):
    tags, log_prob = crf.decode(emissions, MASK)
    for row, length in enumerate(LENGTHS):
        alone = emissions[row : row + 1, :length]
        found, single = crf.decode(alone, torch.ones(1, length, dtype=torch.bool))
        assert found[0].tolist() == tags[row, :length].tolist()
        torch.testing.assert_close(single[0], log_prob[row], atol=1e-5, rtol=1e-5)


def test_huge_scores_stay_finite(crf):
    emissions = torch.tensor([[[900.0, -900.0, 0.0], [-900.0, 900.0, 0.0]]], requires_grad=True)
    mask = torch.ones(1, 2, dtype=torch.bool)
    likelihood = crf.log_likelihood(emissions, torch.tensor([[0, 1]]), mask)
    likelihood.sum().backward()
    assert likelihood.item() == pytest.approx(0.0, abs=1e-3)
    assert emissions.grad.isfinite().all()
    assert all(parameter.grad.isfinite().all() for parameter in crf.parameters())


def gradients(function, crf, emissions):
    """The values of a function of emissions, and the gradients of a random sum of them."""
    emissions = emissions.clone().requires_grad_()
    crf.zero_grad()
    found = function(emissions)
    weights = torch.randn(found.shape, generator=torch.Generator().manual_seed(6), dtype=found.dtype)
    (found * weights).sum().backward()
    parts = [emissions, crf.transitions, crf.start, crf.end]
    return found.detach(), *(torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in parts)


@pytest.mark.parametrize(
    ("scale", "dtype"), [(1.0, torch.float64), (1.0, torch.float32), (12.0, torch.float32)]
)
@pytest.mark.parametrize("lengths", [(9, 1, 0, 3, 9), (1, 1), (0,)], ids=str)
def test_its_own_backward_pass_is_that_of_autograd(scale, dtype, lengths):
    torch.manual_seed(5)
    crf = CRF(7).to(dtype)
    for parameter in crf.parameters():
        torch.nn.init.normal_(parameter, std=scale)
    steps = max(*lengths, 1)
    emissions = torch.randn(len(lengths), steps, 7, dtype=dtype) * scale
    mask = torch.arange(steps) < torch.tensor(lengths).unsqueeze(1)
    scores = (crf.transitions, crf.start, crf.end)
    found = gradients(lambda e: log_partition(e, mask, scores), crf, emissions)
    exact = gradients(lambda e: crf.double()._log_partition(e, mask), crf, emissions.double())
    for one, other in zip(found, exact, strict=True):
        close = 1e-12 if dtype == torch.float64 else 2e-5 * scale
        torch.testing.assert_close(one.double(), other, rtol=close, atol=close)


def test_scores_that_are_far_apart_have_a_finite_loss_and_gradient():
    crf = CRF(3)
    with torch.no_grad():
        crf.start.copy_(torch.tensor([0.0, -300.0, 0.0]))
        crf.transitions.fill_(-200.0).fill_diagonal_(200.0)
    emissions = torch.tensor([[[-500.0, 500.0, -500.0], [500.0, -500.0, -500.0], [0.0, 0.0, 0.0]]])
    mask = torch.ones(1, 3, dtype=torch.bool)
    for part in gradients(lambda e: crf.log_likelihood(e, torch.tensor([[1, 1, 1]]), mask), crf, emissions):
        assert part.isfinite().all()
