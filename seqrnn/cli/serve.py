"""`seqrnn serve`: a model that answers over HTTP."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Annotated

import typer

from seqrnn.cli.shared_options import (
    THREADS,
    BackendOption,
    BeamSizeOption,
    DeviceOption,
    LengthPenaltyOption,
    MinProbabilityOption,
    ModelOption,
    QuietOption,
    RowThreadsOption,
    TextFieldOption,
)
from seqrnn.errors import UsageError
from seqrnn.library.decoding import TEMPERATURE, DecodingOptions

PACKAGES = ("starlette", "uvicorn", "prometheus_client")


def serve(
    context: typer.Context,
    model: ModelOption,
    host: Annotated[
        str,
        typer.Option(help="Address to listen on. Other machines reach 0.0.0.0; there is no authentication."),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0: any that is free.")
    ] = 8080,
    max_body: Annotated[int, typer.Option(min=1, help="Largest body of a request, in bytes.")] = 1 << 20,
    max_rows: Annotated[int, typer.Option(min=1, help="Most rows of a request.")] = 1024,
    max_queue: Annotated[
        int, typer.Option(min=1, help="Most rows that wait; more are refused (503).")
    ] = 8192,
    max_connections: Annotated[int, typer.Option(min=1, help="Most clients connected at once.")] = 256,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=3600, help="Most seconds from a request to the end of its answer.")
    ] = 30.0,
    k: Annotated[int | None, typer.Option("-k", min=1, help="As for classify.", show_default=False)] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="As for classify.", show_default=False)
    ] = None,
    probs: Annotated[bool, typer.Option("--probs", help="As for classify.")] = False,
    min_probability: MinProbabilityOption = None,
    max_len: Annotated[
        int | None,
        typer.Option(help="Maximum number of tokens to generate (default 400).", show_default=False),
    ] = None,
    beam_size: BeamSizeOption = None,
    n_best: Annotated[int | None, typer.Option(help="As for generate.", show_default=False)] = None,
    length_penalty: LengthPenaltyOption = None,
    sample: Annotated[
        bool | None, typer.Option("--sample/--greedy", help="As for generate.", show_default=False)
    ] = None,
    temperature: Annotated[float, typer.Option(help="As for generate.")] = TEMPERATURE,
    seed: Annotated[int, typer.Option(help="Random seed of sampling, of each prompt.")] = 1,
    text_col: TextFieldOption = None,
    device: DeviceOption = "auto",
    backend: BackendOption = "auto",
    threads: RowThreadsOption = THREADS,
    quiet: QuietOption = False,
) -> None:
    """Answer over HTTP, with the JSON that `classify --jsonl` and `generate --jsonl` write.

    POST /classify or /generate (GET / says which) takes `{"rows": [...]}` as application/json, and answers
    `{"answers": [...]}`; or a row a line as application/x-ndjson, and answers so. Concurrent requests are
    answered in one batch. GET /healthz, /readyz and /metrics (Prometheus) are for operators.

    There is no authentication and no encryption: other machines reach it only if --host says so. SIGTERM and
    Ctrl-C finish the requests that have begun.
    """
    _check_installed()
    from seqrnn.cli.model import open_model
    from seqrnn.cli.process import prepare_for_many_rows
    from seqrnn.cli.serving.answerer import Choices, answerer
    from seqrnn.cli.serving.bounded import is_loopback
    from seqrnn.cli.serving.limits import Limits
    from seqrnn.cli.serving.server import bind, run, url_of
    from seqrnn.cli.stdio import say
    from seqrnn.library.opened_model import Resources

    decoding = DecodingOptions(
        max_len=max_len,
        beam_size=beam_size,
        n_best=n_best,
        length_penalty=length_penalty,
        sample=sample,
        temperature=temperature,
        seed=seed,
    )
    network = open_model(model, None, Resources(backend, device, threads))
    asked = answerer(network, Choices(k, threshold, probs, min_probability, text_col, decoding))
    limits = Limits(max_body, max_rows, max_queue, timeout, max_connections)
    bound = bind(host, port)
    if not is_loopback(host):
        say(f"--host {host}: all who reach this machine can ask the model; there is no authentication")
    if not quiet:
        say(
            *network.run.warnings,
            f"POST {url_of(bound)}/{asked.command} asks {model}; Ctrl-C ends the server",
        )
    prepare_for_many_rows()
    debug = bool(context.find_root().params.get("debug"))
    run(bound, host, asked, limits, threads if network.in_numpy else 1, debug)


def _check_installed() -> None:
    """Raise UsageError where a package of the extra is missing."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise UsageError(f"serving needs {', '.join(missing)}; install it: pip install 'seqrnn[serve]'")
