"""Names of islands in three invented tongues: the tongue is a label, and a name is to be made from it.

Each tongue has beginnings, middles and endings of its own, so an ear for them tells the tongues
apart; which of them a name puts together is free.
"""

from __future__ import annotations

from random import Random

NAMES = 400  # of each tongue

TONGUES: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "Norran": (
        ("Skar", "Hval", "Grim", "Lunn", "Torr", "Ask", "Vind", "Kald", "Ormen", "Fjell", "Sild", "Rav"),
        ("", "", "s", "e", "er", "a"),
        ("holm", "øy", "vik", "nes", "sund", "skjær", "fjord", "havn"),
    ),
    "Luméan": (
        ("Bel", "Cal", "Mar", "San", "Lor", "Vi", "Al", "Ser", "Ri", "Do", "Fa", "Ten"),
        ("la", "me", "ri", "vo", "ne", "ta", "lu", "mira"),
        ("na", "lia", "retto", "ssa", "dora", "nelle", "cino", "mare"),
    ),
    "Tokuwa": (
        ("A", "Ka", "Hi", "Mo", "Te", "Nu", "Wai", "Ro", "Pa", "Ha", "Ku", "Ma"),
        ("ka", "ra", "ho", "nui", "te", "ma", "wa", "rangi", "ki", "tu"),
        ("ra", "hoa", "tea", "kau", "nga", "pao", "rua", "hi"),
    ),
}


def table(rng: Random) -> str:
    """Return the tongue and the name of each island, as TSV, in random order."""
    rows = []
    for tongue, (beginnings, middles, endings) in TONGUES.items():
        names = {a + b + c for a in beginnings for b in middles for c in endings}
        rows += [f"{tongue}\t{name}\n" for name in rng.sample(sorted(names), min(NAMES, len(names)))]
    rng.shuffle(rows)
    return "".join(rows)
