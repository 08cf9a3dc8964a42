"""Numbers and notes through the commands: train, evaluate, classify and inspect."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

OPTIONS = ("--steps", "80", "--evaluate-every", "40", "--hidden-size", "16", "--learning-rate", "0.02")
OPTIONS += ("--precision", "fp32", "--threads", "1", "--dropout", "0", "--embedding-dropout", "0")
CHORDS = ([0, 4, 7], [2, 5, 9], [4, 7, 11], [])


def lines(rows) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def series(count, seed):
    """Series of two features, of which the first rises or falls."""
    generator = np.random.default_rng(seed)
    for number in range(count):
        steps = generator.normal(0.0, 0.2, (generator.integers(2, 7), 2))
        steps[:, 0] += (1 if number % 2 else -1) * np.arange(len(steps))
        yield {"vectors": steps.round(3).tolist(), "label": "up" if number % 2 else "down", "n": number}


def boxes(count, seed):
    generator = np.random.default_rng(seed)
    sizes = generator.uniform(1, 3, (count, 2)) * [[1, 1 + i % 2 * 4] for i in range(count)]
    rows = "".join(f"{a:.2f},{b:.2f},{'tall' if i % 2 else 'flat'}\n" for i, (a, b) in enumerate(sizes))
    return "width,height,form\n" + rows


@pytest.fixture(scope="session")
def numbers(folder):
    """Where the commands run, with a training file and a test file of each kind."""
    for part, count, seed in (("train", 60, 1), ("test", 20, 2)):
        generator = np.random.default_rng(seed)
        x = generator.random((count * 4, 4, 1), dtype=np.float32)
        np.savez(folder / f"{part}.sums.npz", x=x, y=100 + 10 * x.sum(axis=(1, 2)))
        pieces = [[CHORDS[(start + step) % 4] for step in range(3 + start % 5)] for start in range(count)]
        (folder / f"{part}.series.jsonl").write_text(lines(series(count, seed)))
        (folder / f"{part}.boxes.csv").write_text(boxes(count, seed))
        (folder / f"{part}.music.jsonl").write_text(lines({"notes": piece} for piece in pieces))
    return folder


@pytest.fixture(scope="session")
def trained(seqrnn, numbers):
    """A function: a run's name and how it is trained -> what training said. The run is made once."""
    made: dict[str, str] = {}

    def train(name, *args):
        if name not in made:
            result = seqrnn("train", *args, "-o", name, *OPTIONS)
            assert result.returncode == 0, result.stderr.decode()
            assert result.stdout == b""
            made[name] = result.stderr.decode()
        return made[name]

    return train


@pytest.fixture(scope="session")
def risers(trained):
    return "risers", trained("risers", "train.series.jsonl")


@pytest.fixture(scope="session")
def forms(trained):
    return "forms", trained("forms", "train.boxes.csv", "--source", "vector", "--label-col", "form")


@pytest.fixture(scope="session")
def sums(trained):
    return "sums", trained("sums", "train.sums.npz")


@pytest.fixture(scope="session")
def music(trained):
    return "music", trained("music", "train.music.jsonl", "--keys", "12")


def records(result):
    assert result.returncode == 0, result.stderr.decode()
    return [json.loads(line) for line in result.stdout.splitlines()]


def figures(seqrnn, run, file, *args):
    (found,) = records(seqrnn("evaluate", "-m", run, file, "--json", *args))
    return found


def test_objects_that_name_the_columns_are_answered(seqrnn, forms, folder):
    run, _ = forms
    rows = [{"width": 1.5, "height": 9.0}, {"vector": [1.5, 9.0]}, {"height": 9.0}, {"depth": 1}]
    answered = [
        json.loads(line)
        for line in seqrnn("classify", "-m", run, "--jsonl", stdin=lines(rows).encode()).stdout.splitlines()
    ]
    assert [row["prediction"] for row in answered] == ["tall", "tall", None, None]
    assert answered[0]["score"] == answered[1]["score"]
    assert answered[2]["error"].startswith('no field "width", the fields are height; ')
    assert answered[3]["error"].startswith('no numbers in the fields "width", "height"; give one in each')
    (folder / "asked.jsonl").write_text(lines(rows[:2]))
    assert [row["prediction"] for row in records(seqrnn("classify", "-m", run, "asked.jsonl"))] == [
        "tall"
    ] * 2
    (folder / "asked.json").write_text(json.dumps([{**row, "form": "tall"} for row in rows[:2]]))
    assert figures(seqrnn, run, "asked.json")["accuracy"] == 1.0


def test_rows_that_are_steps_of_series_are_answered_together(seqrnn, trained, folder):
    rows = [
        {"id": f"s{n}", "x": step * (1 if n % 2 else -1), "label": "up" if n % 2 else "down"}
        for step in range(4)
        for n in range(40)
    ]
    (folder / "steps.jsonl").write_text(lines(rows))
    trained("stepped", "steps.jsonl")
    answered = records(seqrnn("classify", "-m", "stepped", "steps.jsonl"))
    assert len(answered) == len(rows)
    assert all(row["prediction"] == row["label"] for row in answered)
    (folder / "stray.jsonl").write_text(lines([{"x": 1}, *rows]))
    result = seqrnn("classify", "-m", "stepped", "stray.jsonl")
    first, *others = [json.loads(line) for line in result.stdout.splitlines()]
    assert first["error"].startswith('no field "id", the fields are x; ')
    assert [row["prediction"] for row in others] == [row["label"] for row in rows]
    (alone,) = seqrnn(
        "classify", "-m", "stepped", "--jsonl", stdin=lines(rows[:1]).encode()
    ).stdout.splitlines()
    assert json.loads(alone)["error"].startswith("the object is one step of a series; give all of them")


def test_series_are_classified(seqrnn, risers, numbers):
    run, said = risers
    assert "classification: train.series.jsonl (read as jsonl) holds numbers with 2 different labels" in said
    assert "shape: many-to-one" in said
    assert " steps\n" in said
    found = figures(seqrnn, run, "test.series.jsonl")
    assert (found["task"], found["examples"]) == ("classification", 20)
    assert found["accuracy"] > 0.9
    rows = (numbers / "test.series.jsonl").read_bytes()
    plain = seqrnn("classify", "-m", run, stdin=rows)
    answered = records(seqrnn("classify", "-m", run, "--jsonl", stdin=rows))
    assert (plain.returncode, plain.stderr) == (0, b"")
    assert plain.stdout.decode().splitlines() == [row["prediction"] for row in answered]
    right = [row["prediction"] == row["label"] for row in answered]
    assert sum(right) / len(right) == pytest.approx(found["accuracy"])
    assert [row["n"] for row in answered] == list(range(20))
    bare = records(seqrnn("classify", "-m", run, "--jsonl", stdin=b"[[1, 0], [2, 0.1], [3, 0]]\n"))
    assert (bare[0]["prediction"], bare[0]["vectors"]) == ("up", [[1, 0], [2, 0.1], [3, 0]])


BAD_ROWS = {
    b"": "holds no numbers",
    b"  ": "holds no numbers",
    b"[]": "holds no numbers",
    b'{"vectors": []}': "holds no numbers",
    b"[[1, 2], [3]]": "step 2 has 1 number, expected 2",
    b"[[1, 2, 3]]": "step 1 has 3 numbers, expected 2",
    b'[[1, "two"]]': "something else than finite numbers",
    b"[[1, NaN]]": "not JSON",
    b"[[1, 1e999]]": "not JSON",
    b"[[1, 1e39]]": "a number too large to compute with",
    b"rising": "not JSON",
    b'"rising"': "no numbers in the field",
    b'{"label": "up"}': 'no numbers in the field "vectors"; name it with --text-col',
    b"[" * 100_000: "not JSON",
}


def test_a_row_without_the_right_numbers_is_answered_by_its_error(seqrnn, risers):
    run, _ = risers
    good = b"[[1, 0], [2, 0], [3, 0]]"
    rows = b"\n".join([good, *BAD_ROWS, good])
    answered = records(seqrnn("classify", "-m", run, "--jsonl", stdin=rows))
    assert [row["id"] for row in answered] == list(range(len(BAD_ROWS) + 2))
    assert [row["prediction"] for row in answered] == ["up", *[None] * len(BAD_ROWS), "up"]
    for row, words in zip(answered[1:-1], BAD_ROWS.values(), strict=True):
        assert words in row["error"]
        assert "\n" not in row["error"]
    plain = seqrnn("classify", "-m", run, stdin=rows)
    assert plain.returncode == 0
    assert plain.stdout.decode().split("\n") == ["up", *[""] * len(BAD_ROWS), "up", ""]
    told = (
        f"seqrnn: rows that could not be answered: {len(BAD_ROWS)} (--jsonl says why of each), the first at "
    )
    assert plain.stderr.decode() == f"{told}stdin:2: {answered[1]['error']}\n"


def test_one_vector_is_classified_without_recurrence(seqrnn, forms, numbers):
    run, said = forms
    assert "shape: one-to-one: x -> label" in said
    assert "model: 1 x linear 16," in said
    assert figures(seqrnn, run, "test.boxes.csv")["accuracy"] > 0.9
    rows = b'2, 12\n[2, 1.5]\n{"vector": [1, 9], "id": "x"}\n3\n'
    plain = seqrnn("classify", "-m", run, "--probs", stdin=rows)
    cells = [line.split("\t") for line in plain.stdout.decode().splitlines()]
    assert [cell[0] for cell in cells] == ["tall", "flat", "tall", ""]
    assert all(float(cell[1]) > 0.5 for cell in cells[:3])
    answered = records(seqrnn("classify", "-m", run, "--jsonl", stdin=rows))
    assert [row["id"] for row in answered] == [0, 1, "x", 3]
    assert "1 number, expected 2; fix the row" in answered[3]["error"]


def test_a_number_is_learned_in_its_own_unit(seqrnn, sums, numbers):
    run, said = sums
    assert "regression: train.sums.npz (read as npz)" in said
    assert "shape: many-to-one: x_1 ... x_T -> h_T -> number" in said
    found = figures(seqrnn, run, "test.sums.npz")
    with np.load(numbers / "test.sums.npz") as arrays:
        x, y = arrays["x"], arrays["y"]
    rows = lines(x.tolist()).encode()
    answers = [row["prediction"] for row in records(seqrnn("classify", "-m", run, "--jsonl", stdin=rows))]
    assert found["mse"] == pytest.approx(np.mean((np.array(answers) - y) ** 2), rel=1e-3)
    assert found["mse"] < 0.2 * y.var()
    assert found["r2"] == pytest.approx(1 - found["mse"] / y.var(), abs=1e-4)
    plain = seqrnn("classify", "-m", run, stdin=rows).stdout.decode().split()
    assert [float(text) for text in plain] == answers  # no digit is lost


@pytest.mark.parametrize(("flags", "words"), [(["-k", "2"], "-k and --threshold"), (["--probs"], "--probs")])
def test_a_number_is_no_label_among_others(seqrnn, sums, flags, words):
    result = seqrnn("classify", "-m", sums[0], *flags, stdin=b"[1, 1, 1, 1]")
    assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (2, b"", 1)
    assert words in result.stderr.decode()


def test_the_next_notes_are_predicted(seqrnn, music, numbers):
    run, said = music
    assert "polyphony: train.music.jsonl (read as jsonl) holds the notes of music" in said
    assert "many-to-many, aligned" in said
    found = figures(seqrnn, run, "test.music.jsonl")
    assert found["nats_per_step"] == found["loss"] < 12 * math.log(2) / 4
    assert found["tokens"] == sum(2 + start % 5 for start in range(20))
    rows = lines([[CHORDS[0], CHORDS[1]], {"notes": [CHORDS[2]], "id": "b"}, [], [[12]], [[0, "c"]]]).encode()
    answered = records(seqrnn("classify", "-m", run, "--jsonl", stdin=rows))
    assert [row["prediction"] for row in answered] == [CHORDS[2], CHORDS[3], None, None, None]
    assert "holds no numbers" in answered[2]["error"]
    assert "keys from 0 to 11" in answered[3]["error"]
    assert all(row["nbest"][0]["score"] <= 0 for row in answered[:1])
    plain = seqrnn("classify", "-m", run, stdin=rows)
    assert plain.stdout == b"4\t7\t11\n\n\n\n\n"
    likely = seqrnn("classify", "-m", run, "-k", "2", "--probs", stdin=rows.split(b"\n")[0])
    keys, probs = likely.stdout.decode().split()[::2], likely.stdout.decode().split()[1::2]
    assert {*map(int, keys)} < {*CHORDS[2]}
    assert all(0.5 < float(prob) <= 1 for prob in probs)


def test_a_run_says_what_it_reads(seqrnn, risers, forms, sums, music):
    shown = {}
    for run in ("risers", "forms", "sums", "music"):
        (shown[run],) = records(seqrnn("inspect", "-m", run, "--json"))
    assert [facts["source"] for facts in shown.values()] == ["vectors", "vector", "vectors", "notes"]
    assert {facts["tokenizer"] for facts in shown.values()} == {None}
    assert [shown["risers"]["cell"], shown["forms"]["cell"]] == ["lstm", None]
    assert shown["sums"]["metric"] == "mse"
    told = seqrnn("inspect", "-m", "forms").stdout.decode()
    assert "tokenizer" not in told
    assert "bidirectional" not in told


def test_files_of_numbers_for_the_wrong_model_are_refused_with_their_location(seqrnn, risers, forms, numbers):
    (numbers / "wide.csv").write_text("a,b,c,form\n1,2,3,tall\n")
    for run, file, words in (
        ("forms", "wide.csv", 'wide.csv:1: no column "width", the columns are a, b, c, form; give'),
        ("risers", "test.sums.npz", "test.sums.npz:1: step 1 has 1 number, expected 2"),
    ):
        result = seqrnn("evaluate", "-m", run, file)
        assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (3, b"", 1)
        assert words in result.stderr.decode()


def test_words_and_vectors_do_not_go_together(seqrnn, numbers):
    (numbers / "words.vec").write_text("up 1 2 3 4\n")
    result = seqrnn("train", "train.series.jsonl", "-o", "none", "--embeddings", "words.vec", *OPTIONS)
    assert (result.returncode, result.stdout) == (2, b"")
    assert "--embeddings words.vec: the classification task reads no words" in result.stderr.decode()
    assert not (numbers / "none").exists()


SECONDS = [*range(30), *range(200, 230)]
OFFSETS = {"near": 0, "far": 1_700_000_000_000}  # milliseconds since 1970


def test_times_in_milliseconds_are_told_apart_as_if_they_began_at_0(seqrnn, numbers):
    said = {}
    for name, offset in OFFSETS.items():
        cells = [f"{1000 * s + offset},{'late' if s >= 100 else 'early'}\n" for s in SECONDS]
        (numbers / f"{name}.csv").write_text("v,label\n" + "".join(cells))
        result = seqrnn("train", f"{name}.csv", "-o", name, *OPTIONS, "--steps", "20")
        assert result.returncode == 0, result.stderr.decode()
        features = json.loads((numbers / name / "features.json").read_text())
        assert features["deviation"][0] == pytest.approx(100_000, rel=0.1)
        said[name] = list(figures(seqrnn, name, f"{name}.csv").values())[1:]
    assert said["far"] == pytest.approx(said["near"], rel=1e-4)
    times = "".join(f"{1000 * s + OFFSETS['far']}\n" for s in SECONDS).encode()
    answers = seqrnn("classify", "-m", "far", stdin=times).stdout.decode().split()
    assert answers == ["early"] * 30 + ["late"] * 30


def test_large_target_numbers_are_answered_in_full(seqrnn, numbers):
    rows = "".join(f"{i},{1_700_000_000 + 7 * i}\n" for i in range(60))
    (numbers / "large.csv").write_text("v,target\n" + rows)
    result = seqrnn("train", "large.csv", "-o", "large", "--task", "regression", *OPTIONS)
    assert result.returncode == 0, result.stderr.decode()
    asked = b"1\n30\n55\n"
    plain = seqrnn("classify", "-m", "large", stdin=asked).stdout.decode().split()
    answers = [
        row["prediction"] for row in records(seqrnn("classify", "-m", "large", "--jsonl", stdin=asked))
    ]
    assert [float(text) for text in plain] == answers
    assert len(set(plain)) == 3
    assert all(1_699_999_900 < answer < 1_700_000_600 for answer in answers)
    (numbers / "asked.csv").write_text("v\n1\n30\n55\n")
    (numbers / "asked.tsv").write_text("v\tnote\n1\ta\n30\tb\n55\tc\n")
    for name, delimiter in (("asked.csv", ","), ("asked.tsv", "\t")):
        table = seqrnn("classify", "-m", "large", name).stdout.decode().splitlines()
        assert [line.split(delimiter)[-1] for line in table] == ["prediction", *plain]


def test_arrays_come_back_with_their_answers(seqrnn, sums, numbers):
    run, _ = sums
    done = seqrnn("classify", "-m", run, "test.sums.npz", "-o", "answers.npz")
    assert (done.returncode, done.stdout) == (0, b"")
    told = [row["prediction"] for row in records(seqrnn("classify", "-m", run, "test.sums.npz", "--jsonl"))]
    with np.load(numbers / "test.sums.npz") as before, np.load(numbers / "answers.npz") as after:
        assert [*after] == [*before, "prediction"]  # a number has no probability
        assert all((after[name] == before[name]).all() for name in before)
        assert after["prediction"].tolist() == told
        mse = np.mean((after["prediction"] - before["y"]) ** 2)
    assert figures(seqrnn, run, "test.sums.npz")["mse"] == pytest.approx(mse, rel=1e-3)


def test_the_rows_of_a_series_have_its_answer(seqrnn, numbers):
    rows = [
        (f"s{n:02}", t, t if n % 2 else -t, "up" if n % 2 else "down") for t in range(3) for n in range(40)
    ]
    text = "series,time,value,label\n" + "".join(f"{','.join(map(str, row))}\n" for row in rows)
    (numbers / "steps.csv").write_text(text)
    result = seqrnn("train", "steps.csv", "-o", "steps", *OPTIONS)
    assert result.returncode == 0, result.stderr.decode()
    (numbers / "steps.csv").write_text(text.replace("s00,1,-1", "s00,1,x") + "odd\n")
    done = seqrnn("classify", "-m", "steps", "steps.csv")
    header, *answered, odd = done.stdout.decode().splitlines()
    assert header == "series,time,value,label,prediction,probability"
    cells = [line.split(",") for line in answered]
    assert [tuple(row[:2]) for row in cells] == [(s, str(t)) for s, t, _, _ in rows]
    assert all(row[4] == (row[3] if row[0] != "s00" else "") for row in cells)
    assert odd == "odd,,"
    assert b"rows that could not be answered: 2" in done.stderr
    assert len(seqrnn("classify", "-m", "steps", "steps.csv", "--jsonl").stdout.splitlines()) == 41


def test_columns_whose_names_are_numbers_are_found_wherever_they_are(seqrnn, trained, numbers):
    table = (numbers / "train.boxes.csv").read_text().splitlines()
    (numbers / "numbered.csv").write_text("\n".join(["0,1,kind", *table[1:]]) + "\n")
    told = trained("numbered", "numbered.csv", "--header", "yes")
    assert 'read: "0", "1"; answer: kind' in told
    cells = [row.split(",") for row in (numbers / "test.boxes.csv").read_text().splitlines()[1:]]
    for name, order, header in (("same.csv", (0, 1), "0,1"), ("other.csv", (1, 0), "1,0")):
        (numbers / name).write_text("\n".join([header, *(",".join(row[i] for i in order) for row in cells)]))
    same, other = (
        [
            json.loads(line)
            for line in seqrnn("classify", "-m", "numbered", name, "--jsonl").stdout.splitlines()
        ]
        for name in ("same.csv", "other.csv")
    )
    assert [row["score"] for row in same] == [row["score"] for row in other]
    assert [(row["0"], row["1"]) for row in same] == [(row["0"], row["1"]) for row in other]
    assert {row["prediction"] for row in same} == {"tall", "flat"}
    objects = "".join(json.dumps({"1": float(row[1]), "0": float(row[0])}) + "\n" for row in cells)
    (numbers / "objects.jsonl").write_text(objects)
    for given in ({"stdin": objects.encode()}, {}):
        args = ("--jsonl",) if given else ("objects.jsonl",)
        answered = seqrnn("classify", "-m", "numbered", *args, **given)
        assert answered.returncode == 0, answered.stderr.decode()
        found = [json.loads(line) for line in answered.stdout.splitlines()]
        assert [row["prediction"] for row in found] == [row["prediction"] for row in same]
