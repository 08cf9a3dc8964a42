"""Which settings a search tries."""

from __future__ import annotations

import pytest

from seqrnn.config import Config, changed
from seqrnn.errors import SeqrnnError
from seqrnn.library.search_space import asked_space, default_space, draws


def test_the_first_draw_is_the_training_without_a_search_and_none_comes_twice():
    space = default_space(Config(), ())
    found = draws(space, 50, 1)
    assert found[0] == {
        "training.learning_rate": 0.002,
        "model.hidden_size": 256,
        "training.batch_size": 32,
        "model.num_layers": 1,
        "model.dropout": 0.0,
        "model.cell": "lstm",
    }
    assert len({tuple(one.items()) for one in found}) == 50
    assert draws(space, 50, 1) == found != draws(space, 50, 2)
    for key, values in space.items():
        assert {one[key] for one in found} == set(values)


def test_what_the_user_has_given_is_not_searched():
    assert {"model.cell", "model.dropout"}.isdisjoint(
        default_space(Config(), {"model.cell", "model.dropout"})
    )


def test_what_says_nothing_to_the_data_is_not_searched():
    config = changed(Config(), {"data.source_kind": "vector"})
    assert "model.cell" not in default_space(config, ())


def test_values_are_those_of_the_schema_and_all_combinations_are_tried_where_there_are_few():
    space = asked_space(Config(), ["hidden_size=64,256", "training.learning_rate=1e-3, 2e-3", "cell=gru"])
    assert space == {
        "model.hidden_size": [256, 64],  # the training's own comes first
        "training.learning_rate": [0.002, 0.001],
        "model.cell": ["gru"],
    }
    found = draws(space, 100, 1)
    assert len(found) == 4
    assert {type(one["model.hidden_size"]) for one in found} == {int}


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ("hidden_size", "no values; write key=value,value"),
        ("hidden_size=64,,128", "no values; write key=value,value"),
        ("hiden_size=64", "unknown key; did you mean model.hidden_size?"),
        ("hidden_size=64,0", "must be at least 1, not 0"),
        ("cell=lstm,gruu", "gruu"),
        ("seed=1,2", "all trials have the same data, seed and limits"),
        ("data.tokenizer=word,char", "all trials have the same data, seed and limits"),
        ("epochs=1,2", "all trials have the same data, seed and limits"),
        ("attention=dot,none", "has no effect on classification"),
    ],
)
def test_what_cannot_be_searched_is_told(search, said):
    with pytest.raises(SeqrnnError, match=r"^`search=") as raised:
        asked_space(Config(), [search])
    assert said in str(raised.value)
