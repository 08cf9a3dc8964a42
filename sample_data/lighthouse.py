"""The log of an invented lighthouse: a text with structure at every distance, to be modelled.

Letters make words, words the set phrases of a log, phrases an entry of fixed shape. Across entries
the dates count on, the weather follows the barometer, the days grow and shrink with the season, oil
is burnt until the relief boat brings more, and the boat lands only in quiet weather.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

DAYS = 500
FIRST_DAY = date(1871, 3, 1)

WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
POINTS = ["N", "NNE", "NE", "ENE", "E", "ESE", "SE", "SSE", "S", "SSW", "SW", "WSW", "W", "WNW", "NW", "NNW"]

FORCES = ("calm", "light airs", "a light breeze", "a fresh breeze", "half a gale", "a gale", "a whole gale")
SEAS = ("glassy", "smooth", "slight", "lively", "rough", "very rough", "mountainous")
FAIR_SKIES = ("Clear", "Bright", "Fine", "High cloud", "Fine, with a red evening")
FOUL_SKIES = ("Rain", "Driving rain", "Hail at noon", "Black squalls", "Rain, thunder in the west")
DULL_SKIES = ("Overcast", "Showers", "Low cloud", "Drizzle", "Grey all day")

PLACES = ("Leith", "Bergen", "Lisbon", "Cork", "Hull", "Riga", "Oporto", "Stornoway", "Aberdeen", "Cadiz")
RIGS = ("brig", "schooner", "barque", "ketch", "cutter", "steamer", "collier", "lugger")
SHIPS = (
    "Patience", "Good Intent", "Marigold", "Three Brothers", "Halcyon", "Perseverance", "Lady Ann",
    "Kittiwake", "Fortune", "Margaret Rose", "Northern Light", "Prudence", "Heather Bell", "Sea Pink",
)  # fmt: skip
CARGOES = (
    "salt herring", "coal", "deals", "slates", "oranges", "barley", "wine in casks", "rope and tar",
    "sixty sheep", "a church bell", "bricks", "china clay", "a circus", "nothing but sand",
)  # fmt: skip

FAIR_EVENTS = (
    "The {rig} {ship} passed to the {side} at {hour}, bound for {place} with {cargo}.",
    "Spoke the {rig} {ship}, {place} to {other}. Her master asked for the time and was given it.",
    "Counted {count} sail before noon, the {ship} of {place} among them.",
    "Whitewashed the {wall} wall. Pell whitewashed the {wall} door, and himself.",
    "Seals on the {side} rocks, {count} of them, singing. Pell joined in and they left.",
    "Fished from the landing and had {count} {fish}. The cat had one more.",
    "Hung out the bedding. A gull took against it.",
    "Dug the garden, which is a box of earth, and planted {crop}.",
    "Three gentlemen rowed out to see the lamp, and were shown it, and were sick on the way home.",
)
FOUL_EVENTS = (
    "Seas over the {side} rocks since {hour}. Spray on the lantern glass, {feet} feet up.",
    "The {rig} {ship} ran past to the {side} under bare poles. We could do nothing but burn bright.",
    "The {wall} shutter carried away at {hour}. Pell went after it and came back without it.",
    "Could not stand on the gallery. Cleaned the glass from within and hoped.",
    "A {rig} showed a light to the {side} at {hour}, then none. At dawn she lay safe in the sound.",
    "The tower shook. The soup did too, and some of it is on the ceiling.",
    "Slept in turns and in our boots.",
    "Lost the hen-house roof. The hens are in the kitchen and have opinions.",
)
FOG_EVENTS = (
    "Sounded the bell from {hour} until it cleared. We are both a little deaf.",
    "Heard a {rig} close by to the {side}, and a man on board of her counting aloud.",
    "Could not see the landing. Could not see Pell. Could hear Pell.",
    "Something large breathed near the {side} rocks for an hour.",
)
HOUSE_EVENTS = (
    "Trimmed the lamp at {hour} and again at {hour}.",
    "Polished the {part}. It can be seen in now, which is no kindness.",
    "The {part} wants oil.",
    "Pell played {tune} on the fiddle after supper. The cat asked to be let out.",
    "Pell asked whether the moon is further off than {place}. I said that it was.",
    "The cat sat on the chart of the {side} coast until it was {hour}.",
    "The cat brought a {prey} up all {steps} steps and left it on this page.",
    "Baked. The loaf may serve as ballast.",
    "Supper was {fish} with {crop}, as it was yesterday.",
    "Supper was a soup of {crop}. Pell spoke of {cargo} again.",
    "The hens laid {count} eggs and shouted about each.",
    "The grey hen laid an egg in my {cloth}.",
    "Mended my {cloth}. Mended Pell's {cloth}.",
    "Wrote to my sister in {place}. Tore it up. Wrote that all is well.",
    "Read the almanac to Pell. He fell asleep in {month}.",
    "Pell and I did not speak until {hour}, on account of the {cloth}.",
    "Pell beat me at draughts, {count} games to none.",
)
BOAT_EVENTS = (
    "Relief boat at {hour} with oil, {crop}, newspapers of last month and a letter for Pell.",
    "Relief boat at {hour}. Landed oil, flour, lamp wicks and {crop}. They forgot the tea.",
    "Relief boat at {hour}. Landed oil, tea, a new {part} and a hen, who bit the boatman.",
    "Relief boat at {hour}. Landed oil. The boatman says that the {ship} is overdue at {place}.",
)

SLOTS: dict[str, tuple[str, ...]] = {
    "rig": RIGS,
    "ship": SHIPS,
    "place": PLACES,
    "other": ("Dundee", "Antwerp", "Lerwick", "Bristol", "Hamburg"),
    "cargo": CARGOES,
    "side": ("north", "south", "east", "west"),
    "wall": ("seaward", "landward", "upper", "lower"),
    "hour": ("dawn", "noon", "dusk", "midnight", "two bells", "first light", "half past nine", "low water"),
    "count": ("two", "three", "four", "five", "seven", "eleven"),
    "feet": ("forty", "sixty", "eighty", "a hundred and ten"),
    "steps": ("ninety-six", "ninety-seven"),
    "fish": ("cod", "mackerel", "pollack", "haddock"),
    "crop": ("potatoes", "kale", "onions", "turnips", "peas", "leeks"),
    "part": ("great lens", "fog bell", "clockwork", "brass rail", "weather vane", "speaking tube"),
    "tune": ("a hymn", "a jig", "something slow", "the one tune he knows", "half a waltz"),
    "prey": ("rat", "starling", "sand eel", "crab, living,", "storm petrel"),
    "cloth": ("second-best hat", "left sea-boot", "Sunday coat", "nightshirt", "blue stocking"),
    "month": tuple(MONTHS),
}


@dataclass
class Station:
    """What one day hands to the next."""

    pressure: float = 29.8  # inches of mercury
    trend: float = 0.0
    wind: int = 12  # index into POINTS
    oil: float = 40.0  # casks
    days_since_boat: int = 0

    @property
    def force(self) -> int:
        """Strength of the wind, an index into FORCES: the lower the glass, the harder it blows."""
        return min(6, max(0, round((30.35 - self.pressure) * 5)))

    def sleep(self, rng: Random) -> None:
        """Go on to the next day's weather."""
        self.trend = 0.6 * self.trend + rng.uniform(-0.3, 0.3) + 0.25 * (29.75 - self.pressure)
        self.pressure = min(30.6, max(28.5, self.pressure + self.trend))
        self.wind = (self.wind + rng.choice((-2, -1, 0, 0, 1, 1, 2))) % len(POINTS)


def log(rng: Random) -> str:
    """Return the whole log, its entries apart by blank lines."""
    station = Station()
    entries = []
    for number in range(DAYS):
        entries.append(_entry(FIRST_DAY + timedelta(days=number), station, rng))
        station.sleep(rng)
    return "\n".join(entries)


def _entry(day: date, station: Station, rng: Random) -> str:
    fog = station.force <= 1 and rng.random() < 0.3
    lines = [
        f"{WEEKDAYS[day.weekday()]}, {day.day} {MONTHS[day.month - 1]} {day.year}",
        _weather(station, fog, rng),
        _lamp(day),
        *_events(station, fog, rng),
        f"Oil: {station.oil:.0f} casks.",
    ]
    return "\n".join(lines) + "\n"


def _weather(station: Station, fog: bool, rng: Random) -> str:
    skies = FAIR_SKIES if station.force <= 2 else DULL_SKIES if station.force <= 3 else FOUL_SKIES
    sky = "Fog" if fog else rng.choice(skies)
    change = "steady" if abs(station.trend) < 0.08 else "rising" if station.trend > 0 else "falling"
    strength = FORCES[station.force]
    wind = "Calm" if station.force == 0 else f"Wind {POINTS[station.wind]}, {strength}"
    return f"{wind}, sea {SEAS[station.force]}. {sky}. Glass {station.pressure:.2f}, {change}."


def _lamp(day: date) -> str:
    """Lamp times: from before ten at midsummer to before four at midwinter."""
    season = math.cos(2 * math.pi * (day.timetuple().tm_yday - 172) / 365.25)
    lit, out = round(18.6 * 60 + 175 * season), round(5.9 * 60 - 165 * season)
    return f"Lamp lit at {_clock(lit - 12 * 60)}, put out at {_clock(out)}."


def _clock(minutes: int) -> str:
    return f"{minutes // 60}.{minutes % 60:02}"


def _events(station: Station, fog: bool, rng: Random) -> list[str]:
    weather = FOG_EVENTS if fog else FAIR_EVENTS if station.force <= 3 else FOUL_EVENTS
    house = list(HOUSE_EVENTS)
    rng.shuffle(house)
    events = [_fill(template, rng) for template in (rng.choice(weather), *house[: rng.choice((1, 2))])]
    station.oil -= 0.8
    station.days_since_boat += 1
    if station.days_since_boat > 12 and station.force <= 2 and not fog:
        station.days_since_boat, station.oil = 0, min(60.0, station.oil + 14)
        events.append(_fill(rng.choice(BOAT_EVENTS), rng))
    elif station.days_since_boat > 16:
        events.append(f"No relief boat these {station.days_since_boat} days.")
    return events


def _fill(template: str, rng: Random) -> str:
    """Replace each {slot} by one of its words, none twice."""
    sentence = template
    while "{" in sentence:
        before, _, rest = sentence.partition("{")
        slot, _, after = rest.partition("}")
        sentence = before + rng.choice([word for word in SLOTS[slot] if word not in before]) + after
    return sentence
