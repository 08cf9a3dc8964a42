"""The sample of tagged sentences, trained for some seconds, finds names that it never saw."""

from __future__ import annotations


def test_the_sample_of_sightings_is_learned(train_sample, measure):
    session, _ = train_sample("sightings", {"training.epochs": 5.0})
    figures = measure(session, "sightings.test.conll")
    assert figures["span_f1"] > 0.7
    assert {row.label for row in figures.classes} == {"cargo", "place", "ship", "time"}
