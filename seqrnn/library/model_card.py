"""`README.md` of a run: what was learnt, from what, and how well, as it was measured (Mitchell et al. 2019).

What an author writes into it stays: only the part between two marks is written again.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from platform import python_version
from typing import Any, Final

from seqrnn.answering.opened_run import OpenedRun, open_run
from seqrnn.data.lines import in_one_cell
from seqrnn.errors import ModelError
from seqrnn.library.figures import head, shown
from seqrnn.library.run_facts import facts_of
from seqrnn.run.directory import RunDirectory
from seqrnn.run.files import read_regular, replace_file
from seqrnn.run.results import FOLDS, TEST, ResultFile
from seqrnn.strict_json import parse_object

CARD: Final = "README.md"
BEGIN, END = "<!-- seqrnn: measured -->", "<!-- seqrnn: end -->"
MAX_LABELS = 50  # that are named
MAX_BYTES = 2**20  # of a card that is written again
FRAME = f"""# {{title}}

## Intended use

_What this model is for, who may use it, and what it should not be used for: to be written by its author._

{BEGIN}
{END}

## Ethical considerations

_Whom a wrong answer harms, and what the data leave out: to be written by its author._
"""


def write_model_card(path: Path, command: Sequence[str] = ()) -> Path:
    """Write the card of the run at `path`, whose training was begun by a `command`; return where it is.

    Raises ModelError where the run is damaged, OutputError where nothing can be written.
    """
    run = open_run(path)
    facts, _ = facts_of(run)
    measured = "\n".join(_measured(run, facts, command))
    card = path / CARD
    text = _frame(card, f"{facts['task']} model {path.resolve().name}")
    start, stop = text.index(BEGIN) + len(BEGIN), text.index(END)
    replace_file(card, f"{text[:start]}\n{measured}\n{text[stop:]}".encode())
    return card


def _frame(card: Path, title: str) -> str:
    """Return the card as it is, if it has both marks in their order, else what an author begins with."""
    if card.is_file() and not card.is_symlink():
        text = read_regular(card, MAX_BYTES).decode(errors="replace")
        if 0 <= text.find(BEGIN) < text.find(END):
            return text
        return f"{text.rstrip()}\n\n{BEGIN}\n{END}\n"
    return FRAME.format(title=_plain(title))


def _measured(run: OpenedRun, facts: Mapping[str, Any], command: Sequence[str]) -> Iterator[str]:
    yield from _section("Model", _model(facts))
    yield from _section("Data", _data(facts))
    yield from _figures(run.directory, facts)
    yield from _section("Limits", _limits(run))
    yield from _section("Made by", _versions(facts, command))


def _section(title: str, pairs: Mapping[str, Any]) -> Iterator[str]:
    """Yield a heading, and a table of what there is to say."""
    yield f"\n## {title}\n"
    yield "| | |\n|---|---|"
    for name, value in pairs.items():
        if value not in (None, "", []):
            yield f"| {name} | {_plain(value)} |"


def _model(facts: Mapping[str, Any]) -> dict[str, Any]:
    both = " in both directions" if facts["bidirectional"] else ""
    return {
        "shape": facts["shape"],
        "network": f"{facts['layers']} x {facts['cell'] or 'linear'} {facts['hidden_size']}{both}",
        "parameters": f"{facts['parameters']:,} ({facts['weights']})",
        "tokens": facts["tokenizer"],
        "tokens of what is written": facts["target_tokenizer"],
        "settings that are not the defaults": _listed(facts["settings"]),
    }


def _data(facts: Mapping[str, Any]) -> dict[str, Any]:
    labels = ", ".join(facts["labels"][:MAX_LABELS]) + (" ..." if facts["label_count"] > MAX_LABELS else "")
    held_out = ", ".join(facts["validated_on"]) or f"{facts['valid_fraction']:.0%} of the training data"
    return {
        "trained on": ", ".join(facts["trained_on"]),
        "validated on": held_out,
        "format": facts["format"],
        "columns": _listed(facts["columns"]),
        "vocabulary": _listed({name: f"{size:,}" for name, size in facts["vocabularies"].items()}),
        f"labels ({facts['label_count']:,})": labels,
    }


def _figures(run: RunDirectory, facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield a table of what was measured on which data; of folds with the standard deviation."""
    lines = [line for line in facts["history"] if line.get("best") is True]
    best: Mapping[str, Any] = lines[-1] if lines else {}
    test, folds = _result(run, TEST), _result(run, FOLDS)
    columns = {
        "validation (chose the weights)": _shown(best),
        "test": _shown(test.get("figures", {})),
        f"{folds.get('folds', '')} folds, mean ± deviation": _spread(folds),
    }
    columns = {name: column for name, column in columns.items() if column}
    yield "\n## Figures\n"
    if not columns:
        yield "Nothing was measured: there were no validation data."
        return
    names = dict.fromkeys(name for column in columns.values() for name in column)
    yield f"| | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}"
    for name in names:
        cells = " | ".join(column.get(name, "") for column in columns.values())
        yield f"| {head(name)} | {cells} |"


def _shown(figures: Mapping[str, Any]) -> dict[str, str]:
    left_out = {"step", "epoch", "seconds", "best", "task", "train_loss", "signatures"}
    return {name: _plain(shown(name, value)) for name, value in figures.items() if name not in left_out}


def _spread(folds: Mapping[str, Any]) -> dict[str, str]:
    mean, deviation = folds.get("mean", {}), folds.get("standard_deviation", {})
    return {
        name: f"{shown(name, value)} ± {shown(name, deviation.get(name))}"
        for name, value in mean.items()
        if isinstance(value, float)
    }


def _limits(run: OpenedRun) -> dict[str, Any]:
    longest, checkpoint = run.config.data.max_tokens, run.checkpoint
    temperature = checkpoint.calibration.temperature
    return {
        "longest input": longest and f"{longest:,} tokens or steps; more are cut off",
        "probabilities": f"calibrated on the validation data, temperature {temperature:.3f}"
        if checkpoint.manifest.calibration
        else "as the network says them, not calibrated",
        "measured on": "data like those of the training only; other data may be answered worse",
    }


def _versions(facts: Mapping[str, Any], command: Sequence[str]) -> dict[str, Any]:
    return {
        "seqrnn": facts["seqrnn"],
        "Python": f"{python_version()} on {sys.platform}",
        "weights of": f"step {facts['step']:,}, {facts['written']}",
        "command": " ".join(command),
    }


def _result(run: RunDirectory, name: ResultFile) -> dict[str, Any]:
    """Return a file of figures; nothing where there is none, or it is damaged."""
    try:
        return parse_object(read_regular(run.path / name, MAX_BYTES), run.path / name)
    except ModelError:
        return {}


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {json.dumps(v) if isinstance(v, list) else v}" for name, v in values.items())


def _plain(value: Any) -> str:
    """Return a text as Markdown shows it just so, in one cell of a table: it may come from anybody's data."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$&!])", r"\\\1", in_one_cell(str(value)))
