"""Learning rates computed by hand."""

from __future__ import annotations

import math

import pytest

from seqrnn.training.schedule import Schedule


@pytest.mark.parametrize(
    ("name", "fraction", "share"),
    [
        ("cosine", 0.0, 0.01),
        ("cosine", 0.1, 0.505),  # half of the warm-up
        ("cosine", 0.2, 1.0),
        ("cosine", 0.4, 0.5 * (1 + math.sqrt(0.5))),  # a quarter of the way down: cos(45 degrees)
        ("cosine", 0.6, 0.5),
        ("cosine", 1.0, 0.0),
        ("linear", 0.1, 0.505),
        ("linear", 0.4, 0.75),
        ("linear", 1.0, 0.0),
        ("constant", 0.1, 0.505),
        ("constant", 0.9, 1.0),
        ("plateau", 0.9, 1.0),
    ],
)
def test_the_rate_is_what_a_hand_computes(name, fraction, share):
    assert Schedule(name, peak=0.3, warmup=0.2).rate(fraction, 10**6) == pytest.approx(0.3 * share, abs=1e-12)


@pytest.mark.parametrize("name", ["cosine", "linear", "constant", "plateau"])
def test_without_a_warm_up_the_rate_begins_at_its_peak(name):
    assert Schedule(name, peak=0.3, warmup=0.0).rate(0.0, 0) == 0.3


def test_a_plateau_halves_the_rate_at_every_second_stale_evaluation():
    schedule = Schedule("plateau", peak=1.0, warmup=0.0)
    rates = []
    for stale in (0, 1, 2, 3, 4, 0, 1):
        schedule.observe(stale)
        rates.append(schedule.rate(0.5, 50))
    assert rates == [1.0, 1.0, 0.5, 0.5, 0.25, 0.25, 0.25]


def test_only_the_plateau_schedule_heeds_evaluations():
    schedule = Schedule("cosine", peak=1.0, warmup=0.0)
    schedule.observe(2)
    assert schedule.rate(0.0, 0) == 1.0


def test_after_a_return_the_rate_is_half_and_rises_anew():
    schedule = Schedule("constant", peak=1.0, warmup=0.02)
    assert schedule.rate(0.5, 100) == 1.0
    schedule.begin_anew(100)
    assert schedule.rate(0.5, 100) == pytest.approx(0.005)
    assert schedule.rate(0.5, 120) == pytest.approx(0.5 * (0.01 + 0.99 * 0.5))
    assert schedule.rate(0.5, 140) == 0.5


def test_the_rate_rises_in_no_fewer_updates_than_asked_for():
    schedule = Schedule("constant", peak=1.0, warmup=0.02, warmup_updates=40)
    assert schedule.rate(0.05, 20) == pytest.approx(0.01 + 0.99 * 0.5)
    assert schedule.rate(0.5, 40) == schedule.rate(0.9, 400) == 1.0
    assert schedule.rate(0.01, 400) == pytest.approx(0.01 + 0.99 * 0.5)  # a share of 2 % is longer there


@pytest.mark.parametrize(
    ("planned", "boost"),
    [
        (12_000, 1.0),
        (3000, 1.0),  # what the rate is right for
        (1000, 3**0.6),
        (300, 10**0.6),
        (100, 4.0),  # no more than that
    ],
)
def test_the_fewer_updates_a_training_has_the_higher_is_its_rate(planned, boost):
    schedule = Schedule("linear", peak=1e-3, warmup=0.0, horizon=3000)
    for share in (0.1, 0.5, 0.9):
        rate = schedule.rate(share, round(share * planned))
        assert rate == pytest.approx(1e-3 * boost * (1.0 - share))
    assert Schedule("linear", peak=1e-3, warmup=0.0).rate(0.5, planned // 2) == 5e-4


@pytest.mark.parametrize("name", ["constant", "plateau"])
def test_a_schedule_that_knows_no_length_has_one_rate_for_all(name):
    schedule = Schedule(name, peak=1e-3, warmup=0.0, horizon=3000)
    assert schedule.rate(0.5, 10) == schedule.rate(0.5, 10_000) == 1e-3


def test_a_warm_up_of_so_many_updates_is_a_fifth_of_a_training_at_most():
    schedule = Schedule("constant", peak=1.0, warmup=0.02, warmup_updates=40)
    assert schedule.rate(10 / 1000, 10) == pytest.approx(0.01 + 0.99 * 10 / 40)
    assert schedule.rate(10 / 100, 10) == pytest.approx(0.01 + 0.99 * 10 / 20)
