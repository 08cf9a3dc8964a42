"""Sightings from an invented lighthouse, each token tagged: ships, places, cargoes and times.

Ships and places of the test sentences do not occur in training, so that what is learned is how
they are spoken of and spelled. Some ships bear the name of a place: `Star of Bergen` is no harbour.
"""

from __future__ import annotations

from random import Random

TRAIN_SENTENCES = 500
TEST_SENTENCES = 120

SENTENCES = (
    "The {rig} {ship} of {place} passed to the {side} {time} , with {cargo} .",
    "Spoke the {rig} {ship} , {count} days out of {place} .",
    "{time} the {ship} , a {rig} , ran for {place} under bare poles .",
    "A {rig} went by {time} ; her name was hidden , her colours those of {place} .",
    "{ship} , {place} to {place} , {cargo} . All well .",
    "The {ship} lies in the sound since {time} and sells {cargo} .",
    "Pell says that the {rig} was the {ship} . I say the {ship} .",
    "Wreckage on the {side} rocks {time} : {cargo} , and a board with the name {ship} .",
    "The master of the {ship} asked the way to {place} .",
    "Heard a bell {time} . Pell thinks of the {ship} , which is long overdue at {place} .",
    "{count} sail {time} , none of them from {place} .",
    "Landed {cargo} from the {ship} , and a letter from {place} for Pell .",
    "Fog . A {rig} , close by , gave her name as {ship} and was gone {time} .",
    "The boat brought {cargo} {time} , and news that the {ship} was sold to {place} .",
    "No ship {time} . Painted the {side} door .",
    "Pell was born in {place} and tells of it .",
)

RIGS = ("brig", "schooner", "barque", "ketch", "cutter", "steamer", "collier", "lugger")
SIDES = ("north", "south", "east", "west", "seaward")
COUNTS = ("two", "three", "five", "nine", "eleven", "thirty")
TIMES = (
    "at dawn", "at noon", "at two bells", "at half past nine", "at low water", "on Tuesday",
    "on Sunday night", "before midnight", "after supper", "this morning", "in the middle watch", "yesterday",
)  # fmt: skip
CARGOES = (
    "coal", "salt herring", "slates", "oranges", "barley", "wine in casks", "rope and tar", "sixty sheep",
    "a church bell", "bricks", "china clay", "one piano", "oil and flour", "dried peas", "a circus",
    "eleven goats", "letters", "Baltic timber",
)  # fmt: skip
PLACES = (
    "Leith", "Bergen", "Lisbon", "Cork", "Hull", "Riga", "Oporto", "Stornoway", "Aberdeen", "Cadiz",
    "Dundee", "Antwerp", "Lerwick", "Bristol", "Hamburg", "Saint Malo", "Vigo", "Den Helder", "Wick",
    "New York", "Peterhead", "Malmo", "La Rochelle", "Whitby", "Galway", "Ostend", "Narvik", "Belfast",
    "Fleetwood", "Danzig", "Kirkwall", "Brest", "Port Glasgow", "Genoa", "Stavanger", "Yarmouth",
)  # fmt: skip
SHIP_FIRST = (
    "Good", "Lady", "Northern", "Bonny", "Sea", "Golden", "Old", "Brave", "Morning", "Merry", "Silver",
    "Little", "Red", "White", "Flying", "Gallant", "Queen", "Captain", "Twin", "Wild", "Royal", "Sweet",
    "Dark", "Happy",
)  # fmt: skip
SHIP_LAST = (
    "Intent", "Ann", "Light", "Pink", "Kittiwake", "Fortune", "Margaret", "Prudence", "Heather",
    "Halcyon", "Hope", "Marigold", "Thetis", "Star", "Maid", "Tern", "Curlew", "Ellen", "Thistle",
    "Dolphin", "Endeavour", "Rose", "Otter", "Fulmar", "Patience", "Swan", "Meg", "Herald",
)  # fmt: skip

Sentence = list[tuple[str, str]]  # tokens, each with its tag


def split(rng: Random) -> tuple[str, str]:
    """Return the sentences to train on and those to test on, in CoNLL's columns."""
    names = _names(rng)
    train = [_sentence(names[0], rng) for _ in range(TRAIN_SENTENCES)]
    test = [_sentence(names[1], rng) for _ in range(TEST_SENTENCES)]
    return _columns(train), _columns(test)


def _names(rng: Random) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Share ships and places out between training and test; the rest serves both."""
    places = rng.sample(PLACES, len(PLACES))
    ships = [*SHIP_LAST, *(f"{first} {last}" for first in SHIP_FIRST for last in SHIP_LAST)]
    rng.shuffle(ships)
    parts = []
    for number in (0, 1):
        harbours, fleet = places[number::2], ships[number::2]
        fleet += [f"{word} of {rng.choice(harbours)}" for word in ("Star", "Pride", "Maid")]
        parts.append({"place": harbours, "ship": fleet})
    return parts[0], parts[1]


def _sentence(names: dict[str, list[str]], rng: Random) -> Sentence:
    tagged = {**names, "time": [*TIMES], "cargo": [*CARGOES]}
    plain = {"rig": RIGS, "side": SIDES, "count": COUNTS}
    sentence: Sentence = []
    for token in rng.choice(SENTENCES).split():
        slot = token.strip("{}")
        if slot in tagged and slot != token:
            words = rng.choice(tagged[slot]).split()
            sentence += [(word, f"{'I' if place else 'B'}-{slot}") for place, word in enumerate(words)]
        else:
            sentence.append((rng.choice(plain[slot]) if slot != token else token, "O"))
    first, tag = sentence[0]
    return [(first[0].upper() + first[1:], tag), *sentence[1:]]


def _columns(sentences: list[Sentence]) -> str:
    blocks = ("".join(f"{token} {tag}\n" for token, tag in sentence) for sentence in sentences)
    return "\n".join(blocks)
