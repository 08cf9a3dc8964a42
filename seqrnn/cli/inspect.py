"""`seqrnn inspect`: what a run directory holds."""

from __future__ import annotations

from typing import Annotated

import typer

from seqrnn.cli.options import ModelOption, OutputOption
from seqrnn.cli.tables import pairs


def inspect(
    model: ModelOption,
    output: OutputOption = None,
    config: Annotated[bool, typer.Option("--config", help="Print the settings, as YAML.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what a run directory holds."""
    from seqrnn.cli.stdio import Output, say
    from seqrnn.config_file import load_run_config
    from seqrnn.run.directory import RunDirectory

    run = RunDirectory.open(model)
    best = run.best()
    settings = run.read_text("config.yaml")
    resolved = load_run_config(settings, str(model / "config.yaml"))
    shapes = [array.size for array in best.tensors(None).values()]
    facts = {
        "task": resolved.task,
        "cell": resolved.model.cell,
        "layers": resolved.model.num_layers,
        "hidden_size": resolved.model.hidden_size,
        "parameters": int(sum(shapes)),
        "step": best.step,
        "metric": best.metric.name if best.metric else None,
        "value": best.metric.value if best.metric else None,
        "written": best.manifest.created,
        "seqrnn": best.manifest.seqrnn,
    }
    with Output(output) as out:
        if config:
            out.write_text(settings)
        elif as_json:
            out.write_json([facts])
        else:
            out.write_text(pairs(facts))
    say(*run.warnings)
