"""The estimators of `seqrnn.sklearn`, in scikit-learn's own hands."""

from __future__ import annotations

import pickle  # noqa: TID251 (what a program does with what it was given)

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

import seqrnn
from seqrnn.sklearn import SequenceClassifier, SequenceTagger

ROWS = ["warm soup", "a cold wind", "fresh bread", "bright sun"] * 4
LABELS = ["food", "weather"] * 8
SENTENCES = [["Ann", "saw", "Bo"], ["Bo", "ran"]] * 5
TAGS = [["N", "V", "N"], ["N", "V"]] * 5
SMALL = {"hidden_size": 4, "embedding_size": 4, "steps": 6, "threads": 1, "learning_rate": 0.03}


def classifier(**more):
    return SequenceClassifier(**{**SMALL, **more})


def tagger(**more):
    return SequenceTagger(**{**SMALL, "settings": {"character_size": 0, "precision": "fp32"}, **more})


@pytest.fixture(scope="module")
def fitted():
    return classifier(steps=30).fit(ROWS, LABELS)


@pytest.fixture(scope="module")
def fitted_tagger():
    return tagger(steps=60).fit(SENTENCES, TAGS)


def lower(rows):
    return [row.lower() for row in rows]


def test_a_classifier_learns_and_says_how_sure_it_is(fitted):
    assert fitted.classes_.tolist() == ["food", "weather"]
    assert fitted.score(ROWS, LABELS) == 1.0
    found = fitted.predict_proba(ROWS[:3])
    assert found.shape == (3, 2)
    assert found.sum(axis=1) == pytest.approx(np.ones(3), rel=1e-5)
    assert fitted.predict(ROWS[:3]).tolist() == fitted.classes_[found.argmax(axis=1)].tolist() == LABELS[:3]
    assert fitted.predict(np.array(ROWS)).tolist() == fitted.predict(ROWS).tolist()


@pytest.mark.parametrize("labels", [[3, 10], [True, False], [2.0, -1.0], ["b ", "a"]])
def test_labels_come_back_as_they_were_given(labels):
    y = labels * 8
    found = classifier(steps=30).fit(ROWS, y)
    assert found.classes_.dtype == np.array(labels).dtype
    assert found.classes_.tolist() == sorted(labels)
    assert found.predict(ROWS).tolist() == y


def test_a_tagger_learns_tags(fitted_tagger):
    assert fitted_tagger.predict(SENTENCES[:2]) == TAGS[:2]
    assert fitted_tagger.score(SENTENCES, TAGS) == 1.0
    assert fitted_tagger.classes_.tolist() == ["N", "V"]


@pytest.mark.parametrize("layer", ["softmax", "crf"])
def test_a_tagger_says_how_likely_each_tag_of_each_token_is(layer):
    settings = {"character_size": 0, "precision": "fp32", "output_layer": layer}
    fitted = tagger(steps=60, settings=settings).fit(SENTENCES, TAGS)
    found = fitted.predict_proba(SENTENCES[:3])
    assert [each.shape for each in found] == [(len(sentence), 2) for sentence in SENTENCES[:3]]
    for each, tags in zip(found, fitted.predict(SENTENCES[:3]), strict=True):
        assert each.sum(axis=1) == pytest.approx(np.ones(len(each)), rel=1e-4)
        assert fitted.classes_[each.argmax(axis=1)].tolist() == tags


def test_the_saved_run_answers_the_same_in_the_library(fitted, tmp_path):
    fitted.save(tmp_path / "run")
    answers = seqrnn.load(tmp_path / "run").classify(ROWS[:4])
    assert [answer.prediction for answer in answers] == fitted.predict(ROWS[:4]).tolist()
    assert [a.probability for a in answers] == pytest.approx(
        fitted.predict_proba(ROWS[:4]).max(axis=1).tolist()
    )
    with pytest.raises(seqrnn.UsageError, match="not empty"):
        fitted.save(tmp_path / "run")


def test_a_fitted_estimator_is_pickled_with_its_run(fitted):
    copy = pickle.loads(pickle.dumps(fitted))
    assert (copy.predict_proba(ROWS) == fitted.predict_proba(ROWS)).all()
    assert copy.get_params() == fitted.get_params()


def test_parameters_can_be_read_set_and_cloned():
    one = classifier(cell="gru", settings={"tokenizer": "char"})
    assert clone(one).get_params() == one.get_params()
    assert one.set_params(hidden_size=7).hidden_size == 7
    with pytest.raises(NotFittedError):
        clone(one).predict(ROWS)


def test_the_seed_decides_the_weights():
    same = [classifier(random_state=seed).fit(ROWS, LABELS).run_ for seed in (3, 3, 4)]
    weights = [next(v for k, v in run.items() if k.endswith(".safetensors")) for run in same]
    assert weights[0] == weights[1] != weights[2]
    classifier(random_state=np.random.RandomState(0), steps=1).fit(ROWS, LABELS)


def test_pipelines_searches_and_cross_validation():
    pipeline = make_pipeline(FunctionTransformer(lower), classifier())
    assert cross_val_score(pipeline, ROWS, LABELS, cv=2).shape == (2,)
    search = GridSearchCV(pipeline, {"sequenceclassifier__cell": ["gru", "elman"]}, cv=2).fit(ROWS, LABELS)
    assert search.best_params_["sequenceclassifier__cell"] in {"gru", "elman"}
    assert search.predict(["Warm SOUP"]).shape == (1,)
    assert cross_val_score(tagger(), SENTENCES, TAGS, cv=2).shape == (2,)
    assert GridSearchCV(tagger(), {"hidden_size": [3, 4]}, cv=2).fit(SENTENCES, TAGS).best_score_ >= 0


@pytest.mark.parametrize(
    ("make", "rows", "y", "message"),
    [
        (classifier, np.zeros((4, 2)), [0, 1, 0, 1], r"X\[0\] is of type ndarray|X\[0\] is of type list"),
        (classifier, "one text", ["a"], "not a str"),
        (classifier, [], [], "no rows"),
        (classifier, ROWS, LABELS[:-1], "inconsistent numbers of samples"),
        (classifier, ROWS, ["food"] * 16, "1 class"),
        (classifier, ROWS, ["a", "a "] * 8, "differ in blanks only"),
        (classifier, ROWS, [[1, 0]] * 16, "1d array"),
        (tagger, SENTENCES, [["N"]] * 10, "row 0 has 3 tokens and 1 tags"),
        (tagger, ["Ann saw"], [["N", "V"]], "is a string; give a list of tokens"),
    ],
)
def test_what_holds_no_rows_or_labels_is_refused(make, rows, y, message):
    with pytest.raises(ValueError, match=message):
        make().fit(rows, y)


def test_settings_that_do_not_exist_are_told():
    with pytest.raises(seqrnn.ConfigError, match="layerz: unknown key"):
        classifier(settings={"layerz": 3}).fit(ROWS, LABELS)


@pytest.mark.parametrize("make", [classifier, tagger])
def test_scikit_learn_checks_what_it_can_of_estimators_of_strings(make):
    with pytest.warns(SkipTestWarning, match="Can't test estimator"):
        found = check_estimator(make(), on_fail="raise")
    assert {check["status"] for check in found} == {"passed"}


class OfNumbers(SequenceClassifier):
    """The classifier, of rows of numbers that are made words: so all of scikit-learn's checks apply."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.string = True, False
        return tags

    def fit(self, X, y):
        return super().fit(self._words(X, reset=True), y)

    def predict(self, X):
        return super().predict(self._words(X))

    def predict_proba(self, X):
        return super().predict_proba(X if isinstance(X, list) else self._words(X))

    def _words(self, X, reset=False):
        from sklearn.utils.validation import check_is_fitted, validate_data

        if isinstance(X, list) and X and isinstance(X[0], str):
            return X
        if not reset:
            check_is_fitted(self)
        X = validate_data(self, X, reset=reset)
        return [" ".join(f"{place}:{number:.0f}" for place, number in enumerate(row)) for row in X]


EXPECTED_FAILURES = {
    "check_classifiers_train": "asks how well it has learned, of which one update says nothing",
}


@pytest.mark.parametrize(
    ("legacy", "least"),
    [(False, 12), pytest.param(True, 45, marks=pytest.mark.slow)],
)
def test_scikit_learns_checks_of_the_interface_pass_with_numbers_made_words(legacy, least):
    found = check_estimator(
        OfNumbers(**{**SMALL, "steps": 1}),
        legacy=legacy,
        expected_failed_checks=EXPECTED_FAILURES,
        on_fail=None,
        on_skip=None,
    )
    failed = {check["check_name"]: str(check["exception"]) for check in found if check["status"] == "failed"}
    assert failed == {}
    assert len([check for check in found if check["status"] == "passed"]) >= least
