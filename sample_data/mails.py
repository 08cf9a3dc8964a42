"""Mails to an invented bicycle shop, sorted by what their writers want: a classification set.

A mail is a greeting, the request itself, small talk and a close. The small talk brings up the other
topics as well, so single words do not tell the label; people mistype, forget capitals and full
stops, and some requests can be read in two ways, so nobody sorts all of them right.

The request is a phrase, an item and a time. No such combination stands in both train and test.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

TRAIN_ROWS, TEST_ROWS = 2000, 300

# How many of each hundred mails; a shop hears less about invoices than about late parcels.
SHARES = {"delivery": 25, "repair": 22, "return": 18, "appointment": 15, "invoice": 12, "cancel": 8}

REQUESTS: dict[str, tuple[str, ...]] = {
    "delivery": (
        "where is the {item} that I ordered {time}?",
        "I ordered a {item} {time} and nothing has come.",
        "when will my {item} get here? You took my money {time}.",
        "the tracking page has said 'on its way' for my {item} since I looked {time}.",
        "could you find out what became of the {item} from {time}?",
        "has my {item} been sent yet? I paid {time}.",
        "still waiting for the {item} you promised {time}.",
        "the postman knows nothing of any {item}, and you sent it {time}, you say.",
        "how long does a {item} take? It has been on order since I wrote {time}.",
        "my {item} went to the wrong house {time}.",
    ),
    "repair": (
        "the {item} I bought {time} has stopped working.",
        "my {item} broke {time}. Can you mend it?",
        "the {item} makes a grinding noise, it began {time}.",
        "the {item} came loose {time} while I was riding.",
        "there has been a crack in the {item} since I fell {time}.",
        "what would it cost to get a {item} fixed? It gave up {time}.",
        "something is wrong with the {item}, it worked well until I rode home {time}.",
        "the {item} rattles. You had it on the bench {time} already.",
        "is the {item} under guarantee? It fell apart {time}.",
        "I bent the {item} {time} and it needs straightening.",
    ),
    "return": (
        "I would like to send back the {item} that came {time}.",
        "the {item} is too small, can I bring it back? I got it {time}.",
        "please tell me how to return the {item} I bought {time}.",
        "the {item} does not fit my bike. I want my money back, I paid {time}.",
        "can I swap the {item} from {time} for a larger one?",
        "you sent a blue {item} {time}, I asked for a green one. Where do I send it?",
        "I no longer need the {item} that arrived {time}. It is unopened.",
        "my husband bought the same {item} {time}. May I give mine back?",
        "I sent the {item} back {time}. When do I get my refund?",
        "is it too late to exchange a {item}? I picked it up {time}.",
    ),
    "appointment": (
        "could I bring my bike in for a new {item}? I asked {time} and heard nothing.",
        "when are you free to fit the {item} I asked about {time}?",
        "I need a date to have my {item} looked at, you were shut {time}.",
        "can we move the visit for the {item} that we arranged {time}?",
        "I cannot come about the {item} after all, we spoke {time}. Is there another day?",
        "do you have an hour to fit a {item}? I asked {time} at the counter.",
        "what time shall I drop in with the {item}? Your note {time} does not say.",
        "please put me down for a fitting of the {item}, as agreed {time}.",
        "is there a free slot for my {item} soon? I rang {time} and nobody answered.",
    ),
    "invoice": (
        "could you send me the bill for the {item} from {time}?",
        "I paid twice for the {item}, look at what you booked {time}.",
        "the invoice for the {item} shows the wrong address. It came {time}.",
        "I need a receipt for the {item} I got {time}, my firm pays for it.",
        "you charged the full price for the {item} {time}, it was on offer.",
        "why is there a fee on top of the {item} that I bought {time}?",
        "may I pay for the {item} in two parts? The bill came {time}.",
        "the sum on the receipt for the {item} is not what you told me {time}.",
    ),
    "cancel": (
        "please cancel the {item} I ordered {time}.",
        "I ordered a {item} {time} by mistake, do not send it.",
        "I have changed my mind about the {item} from {time}, stop the order.",
        "two of the same {item} are in my order from {time}, take one out.",
        "forget the {item} I asked for {time}, I found one nearer home.",
        "can I still call off the order for the {item}? I placed it {time}.",
        "if the {item} I ordered {time} has not left, do not bother any more.",
    ),
}

# Two clerks would sort these differently.
UNCLEAR: tuple[tuple[str, tuple[str, str]], ...] = (
    ("it is about the {item} from {time}, it is not right.", ("repair", "return")),
    ("I do not want to wait any longer for the {item} from {time}.", ("delivery", "cancel")),
    ("can you have a look at the {item} that came {time}?", ("repair", "appointment")),
    ("what happened to my money for the {item} from {time}?", ("invoice", "return")),
)
UNCLEAR_SHARE = 0.04

ITEMS = (
    "saddle", "helmet", "bell", "front light", "dynamo", "pannier", "chain", "crank", "pedal", "rear wheel",
    "tyre", "tube", "mudguard", "kickstand", "basket", "child seat", "lock", "pump", "rain cape",
    "brake lever", "handlebar", "gear hub", "trailer", "bottle cage", "tandem", "folding bike",
)  # fmt: skip
TIMES = (
    "on Monday", "on Friday", "last week", "two weeks ago", "a month ago", "yesterday", "in March",
    "before Easter", "on the 3rd", "on the 21st", "the other day", "this morning",
)  # fmt: skip

GREETINGS = ("Hello,", "Hi,", "Dear shop,", "Good morning,", "Dear Ms Lund,", "Hi there,", "", "", "")
CLOSES = ("Thanks, Jo", "Thank you!", "Regards, P. Ode", "Best wishes", "Yours, Ines", "Cheers", "", "", "")
SMALL_TALK = (
    "My last order came on time, so thank you for that.",
    "I have the invoice here in front of me.",
    "The bell I had repaired last year rings like new.",
    "I was in the shop about an appointment before, and you were very kind.",
    "I once sent something back to you and it was no trouble.",
    "I do not want to cancel anything.",
    "The parcel was well packed.",
    "The order number is on the receipt.",
    "My bike is eleven years old and has a name.",
    "It rains here, as you may have noticed.",
    "My daughter rides it to school every day.",
    "No hurry.",
    "I need it before the holidays.",
    "I tried to ring, but the line was busy.",
    "You did say to write if anything came up.",
    "I have been a customer since you opened.",
)


class Mail(NamedTuple):
    """A mail, what it asks for, and the request's phrase, item and time."""

    text: str
    label: str
    request: tuple[str, str, str]


def split(rng: Random) -> tuple[list[Mail], list[Mail]]:
    """Return the mails to train on and those to test on, without a request in common."""
    train: list[Mail] = []
    test: list[Mail] = []
    requests = _requests(rng)
    for mails, rows in ((train, TRAIN_ROWS), (test, TEST_ROWS)):
        while len(mails) < rows:
            mails.append(_mail(requests, rng))
    return train, test


def table(mails: list[Mail]) -> str:
    """Return the mails as TSV with a header."""
    return "".join(f"{text}\t{label}\n" for text, label in [("text", "label"), *(m[:2] for m in mails)])


def _requests(rng: Random) -> dict[str, list[tuple[str, str, str]]]:
    """Every request there is, by label, in random order: each is used once."""
    phrases = {**REQUESTS, "unclear": tuple(phrase for phrase, _ in UNCLEAR)}
    requests = {}
    for label, choices in phrases.items():
        requests[label] = [(phrase, item, time) for phrase in choices for item in ITEMS for time in TIMES]
        rng.shuffle(requests[label])
    return requests


def _mail(requests: dict[str, list[tuple[str, str, str]]], rng: Random) -> Mail:
    if rng.random() < UNCLEAR_SHARE:
        request = requests["unclear"].pop()
        label = rng.choice(dict(UNCLEAR)[request[0]])
    else:
        label = rng.choice([name for name, share in SHARES.items() for _ in range(share)])
        request = requests[label].pop()
    phrase, item, time = request
    asked = phrase.format(item=item, time=time)
    parts = [rng.choice(GREETINGS), *_around(asked[0].upper() + asked[1:], rng), rng.choice(CLOSES)]
    return Mail(_type(" ".join(filter(None, parts)), rng), label, request)


def _around(asked: str, rng: Random) -> list[str]:
    """Put some small talk before and after the request."""
    talk = list(SMALL_TALK)
    rng.shuffle(talk)
    before, after = rng.choice(((0, 0), (0, 1), (1, 0), (1, 1), (2, 0)))
    return [*talk[:before], asked, *talk[before : before + after]]


def _type(text: str, rng: Random) -> str:
    """Type the text as people do."""
    if rng.random() < 0.2:
        text = text.lower()
    if rng.random() < 0.15:
        text = text.replace(".", "").replace(",", "")
    return " ".join(_slip(word, rng) if rng.random() < 0.05 else word for word in text.split(" "))


def _slip(word: str, rng: Random) -> str:
    """Leave out, double or swap letters inside a word."""
    if len(word) < 4:
        return word
    place = rng.choice(range(1, len(word) - 2))
    here, following = word[place], word[place + 1]
    slip = rng.choice((following, here + here + following, following + here))
    return word[:place] + slip + word[place + 2 :]
