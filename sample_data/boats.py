"""Boats in a harbour, measured, and what kind each is: one vector and a label.

Kinds overlap in every single measure; a boat's length moves all its other measures.
"""

from __future__ import annotations

from random import Random

TRAIN_ROWS, TEST_ROWS = 600, 200
HEADER = "length,beam,draught,sail,crew,kind\n"  # metres, metres, metres, square metres, heads

KINDS = {
    # lengths in metres; beam and draught as shares of the length; sail in square metres a metre of
    # length and beam; metres of length a head of the crew
    "barge": ((16, 30), 0.22, 0.045, 0.4, 9.0),
    "cutter": ((9, 20), 0.26, 0.140, 2.6, 4.0),
    "dinghy": ((3, 9), 0.38, 0.080, 1.4, 3.0),
    "ketch": ((14, 28), 0.25, 0.120, 2.1, 5.5),
    "trawler": ((12, 27), 0.30, 0.130, 0.3, 4.5),
}


def split(rng: Random) -> tuple[str, str]:
    """Return the boats to train on and those to test on, as CSV."""
    rows = [_boat(rng) for _ in range(TRAIN_ROWS + TEST_ROWS)]
    return HEADER + "".join(rows[:TRAIN_ROWS]), HEADER + "".join(rows[TRAIN_ROWS:])


def _boat(rng: Random) -> str:
    kind = rng.choice(sorted(KINDS))
    (shortest, longest), beam_share, draught_share, canvas, metres_a_head = KINDS[kind]
    length = rng.uniform(shortest, longest)
    beam = length * beam_share * rng.gauss(1, 0.1)
    draught = length * draught_share * rng.gauss(1, 0.15)
    sail = max(length * beam * canvas * rng.gauss(1, 0.25), 0)
    crew = max(round(length / metres_a_head * rng.gauss(1, 0.3)), 1)
    return f"{length:.1f},{beam:.1f},{draught:.1f},{sail:.0f},{crew},{kind}\n"
