"""Rounds for three voices over a bass that comes again and again: the notes of each time step.

Every phrase of a tune goes over the same four chords, so the voices may enter a phrase after one
another and still agree. A step is an eighth note; keys are those of a piano, 0 being its lowest A.
"""

from __future__ import annotations

import json
from random import Random

TRAIN_PIECES, TEST_PIECES = 60, 15
VOICES, PHRASES = 3, 3
STEPS = 4  # of a chord

SCALE = (0, 2, 4, 5, 7, 9, 11)  # semitones above the key note
GROUNDS = ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 4, 0), (0, 5, 1, 4))  # degrees of the scale that bear chords
KEY_NOTES = (25, 27, 30, 32)  # B flat, C, E flat, F below the middle of the keyboard
RHYTHMS = ((1, 1, 1, 1), (2, 1, 1), (2, 2), (1, 1, 2), (4,))  # steps of the notes over a chord


def split(rng: Random) -> tuple[str, str]:
    """Return the pieces to train on and those to test on, as JSON lines."""
    rows = [json.dumps({"notes": _piece(rng)}) + "\n" for _ in range(TRAIN_PIECES + TEST_PIECES)]
    return "".join(rows[:TRAIN_PIECES]), "".join(rows[TRAIN_PIECES:])


def _piece(rng: Random) -> list[list[int]]:
    """Write a tune and let the voices follow one another; a voice that is done starts no second time."""
    key_note, ground = rng.choice(KEY_NOTES), rng.choice(GROUNDS)
    tune = [note for _ in range(PHRASES) for note in _phrase(ground, rng)]
    phrase = STEPS * len(ground)
    piece = []
    for step in range(phrase * (PHRASES + VOICES - 1)):
        sung = [step - phrase * voice for voice in range(VOICES)]
        degrees = {tune[place] for place in sung if 0 <= place < len(tune)}
        bass = _key(ground[step % phrase // STEPS], key_note - 12)
        piece.append(sorted({bass, *(_key(degree, key_note + 12) for degree in degrees)}))
    return piece


def _phrase(ground: tuple[int, ...], rng: Random) -> list[int]:
    """Return a degree of the scale for each step: tones of the chords, and what lies between two of them."""
    degrees: list[int] = []
    for chord in ground:
        tones = [degree for degree in range(9) if (degree - chord) % 7 in {0, 2, 4}]
        for length in rng.choice(RHYTHMS):
            last = degrees[-1] if degrees else 4
            on_chord = len(degrees) % 2 == 0
            near = [degree for degree in (tones if on_chord else range(9)) if 0 < abs(degree - last) <= 3]
            degrees += [rng.choice(near)] * length
    return degrees


def _key(degree: int, key_note: int) -> int:
    octave, place = divmod(degree, len(SCALE))
    return key_note + 12 * octave + SCALE[place]
