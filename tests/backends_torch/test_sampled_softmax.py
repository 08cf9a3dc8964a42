"""The loss over a large vocabulary, estimated from tokens that are drawn: right in the mean, and cheap."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from seqrnn.backends.torch.loss import PLAIN, Objective
from seqrnn.backends.torch.sampled_softmax import LARGE, draw_tokens, is_worth_sampling, sampled_cross_entropy
from seqrnn.training.evaluation import EvaluationOptions, evaluate

V, N, FEATURES, DRAWS = 5000, 40, 16, 2048


@pytest.fixture
def output():
    torch.manual_seed(1)
    layer = nn.Linear(FEATURES, V)
    with torch.no_grad():
        layer.weight.normal_(0, 0.2)
        layer.bias.copy_(-torch.log(torch.arange(V) + 2.0))
    return layer


@pytest.fixture
def asked():
    generator = torch.Generator().manual_seed(2)
    features = torch.randn(N, FEATURES, generator=generator)
    targets = torch.cat([torch.arange(4, 24), torch.arange(V - 20, V)])  # frequent ones and the rarest
    return features, targets


def test_a_token_is_drawn_as_often_as_it_is_said_to_be():
    torch.manual_seed(3)
    drawn = np.zeros(V)
    for _ in range(400):
        tokens, _ = draw_tokens(V, DRAWS)
        assert len(tokens.unique()) == len(tokens)
        drawn[tokens.numpy()] += 1 / 400
    said = np.full(V, np.nan)
    for _ in range(400):
        tokens, log_probability = draw_tokens(V, DRAWS)
        said[tokens.numpy()] = log_probability.exp().numpy()
    assert not np.isnan(said).any()
    assert abs(drawn - said).max() < 5 * math.sqrt(0.25 / 400)
    assert drawn.sum() == pytest.approx(said.sum(), rel=0.01)


def test_the_estimate_is_the_loss_in_the_mean(output, asked):
    torch.manual_seed(4)
    features, targets = asked
    exact = F.cross_entropy(output(features), targets, reduction="sum").item()
    with torch.no_grad():
        found = [sampled_cross_entropy(output, features, targets, DRAWS, -1).item() for _ in range(50)]
    assert sum(found) / len(found) == pytest.approx(exact, rel=0.005)


def test_its_gradient_is_that_of_the_loss_in_the_mean(output, asked):
    torch.manual_seed(5)
    features, targets = asked
    features.requires_grad_()
    wanted = [features, output.weight, output.bias]
    exact = torch.autograd.grad(F.cross_entropy(output(features), targets, reduction="sum"), wanted)
    sums = [torch.zeros_like(gradient) for gradient in exact]
    for _ in range(200):
        loss = sampled_cross_entropy(output, features, targets, DRAWS, -1)
        for total, gradient in zip(sums, torch.autograd.grad(loss, wanted), strict=True):
            total.add_(gradient / 200)
    for mean, gradient in zip(sums, exact, strict=True):
        assert (mean - gradient).norm() < 0.05 * gradient.norm()


def test_with_draws_for_all_tokens_nothing_is_estimated(output, asked):
    features, targets = asked
    exact = F.cross_entropy(output(features), targets, reduction="sum").item()
    found = sampled_cross_entropy(output, features, targets, 1_000_000, -1).item()
    assert found == pytest.approx(exact, rel=1e-5)


def test_ignored_targets_do_not_count(output, asked):
    features, targets = asked
    torch.manual_seed(6)
    some = sampled_cross_entropy(output, features[:7], targets[:7], DRAWS, -1)
    torch.manual_seed(6)
    rest_ignored = torch.where(torch.arange(N) < 7, targets, -1)
    assert sampled_cross_entropy(output, features, rest_ignored, DRAWS, -1).item() == pytest.approx(
        some.item()
    )
    nothing = sampled_cross_entropy(output, features, torch.full((N,), -1), DRAWS, -1)
    assert nothing.item() == 0.0
    nothing.backward()
    assert not output.weight.grad.any()


def test_only_large_vocabularies_and_plain_losses_are_estimated():
    asked = Objective(sampled_tokens=DRAWS)
    assert is_worth_sampling(nn.Linear(2, LARGE), asked)
    assert not is_worth_sampling(nn.Linear(2, LARGE - 1), asked)
    assert not is_worth_sampling(nn.Linear(2, LARGE), PLAIN)
    assert not is_worth_sampling(nn.Linear(2, LARGE), Objective(0.1, sampled_tokens=DRAWS))


def test_a_model_of_many_words_learns_as_from_the_exact_loss(train):
    generator = np.random.default_rng(7)
    ranks = (np.exp(generator.random(8000) * math.log(4201)) - 1).astype(int)
    text = " ".join(f"w{rank} x{rank % 7}" for rank in ranks)  # what follows a word is certain
    text += " ".join(f"w{rank}" for rank in range(4200))
    settings = {
        "data.tokenizer": "word",
        "model.hidden_size": 16,
        "training.batch_size": 16,
        "training.segment_length": 32,
        "training.learning_rate": 2e-2,
        "training.steps": 60,
        "training.epochs": None,
    }
    losses, seen = {}, {}
    for draws in (0, DRAWS):
        session, _ = train("text", {**settings, "training.sampled_tokens": draws}, text)
        measured = evaluate(session.model, session.task, session.prepared.train, EvaluationOptions(32))
        estimated = f"loss: estimated in training, from {draws:,} draws of "
        assert any(line.startswith(estimated) for line in session.descriptions()) is bool(draws)
        losses[draws] = measured.figures["loss"]
        seen[draws] = len(session.task.text.tokenizer)
    assert seen[0] == seen[DRAWS] > LARGE
    assert losses[DRAWS] != losses[0]
    assert losses[DRAWS] == pytest.approx(losses[0], abs=0.3)
    assert losses[0] < 7.5
