"""How a model is to write, as options of which each may be left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from msgspec import Struct

from seqrnn.errors import UsageError, refuse

if TYPE_CHECKING:  # the command line shows these defaults, and has no time for NumPy
    from seqrnn.search.beam import Beam
    from seqrnn.search.decoding import Decoding
    from seqrnn.search.generation import Limits
    from seqrnn.search.sampling import Sampling

BEAM_SIZE = 5
"""Width of a beam, where none is given."""
TEMPERATURE = 0.8  # what a small model writes at 1 is seldom worth reading


class GenerationOptions(TypedDict, total=False):
    """The arguments of `Model.generate` and `Model.stream`: what `DecodingOptions` is made of."""

    max_len: int | None
    fixed_len: int | None
    beam_size: int | None
    n_best: int | None
    length_penalty: float | None
    sample: bool | None
    temperature: float
    top_k: int
    top_p: float
    repetition_penalty: float
    no_repeat_ngram: int
    seed: int


class DecodingOptions(Struct, frozen=True):
    """What a caller says of lengths, draws and the beam; None where nothing is said.

    A language model draws each token, other models search a beam; `sample` True draws and False is greedy
    with both. `limits`, `sampling` and `of_rows` raise UsageError for what does not go together.
    """

    max_len: int | None = None
    fixed_len: int | None = None
    beam_size: int | None = None
    n_best: int | None = None
    length_penalty: float | None = None
    sample: bool | None = None
    temperature: float = TEMPERATURE
    top_k: int = 0
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    no_repeat_ngram: int = 0
    seed: int = 1

    @property
    def of_beams(self) -> Mapping[str, Any]:
        """The options that only a beam search reads, by their flags."""
        return {"`decoding.beam_size`": self.beam_size, "`decoding.length_penalty`": self.length_penalty}

    @classmethod
    def of(cls, given: GenerationOptions) -> DecodingOptions:
        """Return the options that were given. Raises UsageError for one that there is not."""
        unknown = sorted(given.keys() - set(cls.__struct_fields__))
        if unknown:
            known = ", ".join(cls.__struct_fields__)
            raise UsageError(f"{unknown[0]}: no such option; the options are {known}")
        return cls(**given)

    def for_prompts(self) -> tuple[Limits, Sampling]:
        """Return how a language model goes on. Raises UsageError for what only other models read."""
        refuse(
            {**self.of_beams, "`decoding.n_best`": self.n_best},
            "a language model searches no beam; leave it out",
        )
        return self.limits(), self.sampling()

    def limits(self) -> Limits:
        """Return how many tokens may be written."""
        from seqrnn.search.generation import Limits

        if self.fixed_len is not None:
            reason = "`decoding.fixed_len` says how many tokens to write; leave one of them out"
            refuse({"`decoding.max_len`": self.max_len}, reason)
            return Limits(fixed_len=self.fixed_len)
        return Limits() if self.max_len is None else Limits(self.max_len)

    def sampling(self) -> Sampling:
        """Return how tokens are drawn, or chosen greedily."""
        from seqrnn.search.sampling import Sampling

        if self.sample is False:
            self._refuse_draws("leave out `decoding.sample=false`")
        temperature = 0.0 if self.sample is False else self.temperature
        penalties = self.repetition_penalty, self.no_repeat_ngram
        return Sampling(temperature, self.top_k, self.top_p, *penalties, self.seed)

    def of_rows(self) -> Decoding:
        """Return how a sequence is written for each row."""
        from seqrnn.search.decoding import Decoding

        limits, sampling = self.limits(), self.sampling()
        count = 1 if self.n_best is None else self.n_best
        if self.sample is None:
            return Decoding(limits, self._beam(count), count)
        refuse(self.of_beams, "there is no beam in `decoding.sample=true` and `decoding.sample=false`")
        return Decoding(limits, sampling, count)

    def _beam(self, count: int) -> Beam:
        from seqrnn.search.beam import Beam

        self._refuse_draws("add `decoding.sample=true`")
        if self.repetition_penalty != 1.0:
            raise UsageError(
                "`decoding.repetition_penalty` changes no beam; add `decoding.sample=true` or "
                "`decoding.sample=false`"
            )
        size = max(BEAM_SIZE, count) if self.beam_size is None else self.beam_size
        return Beam(size, self.length_penalty or 0.0, self.no_repeat_ngram)

    def _refuse_draws(self, advice: str) -> None:
        """Raise UsageError, which ends with the advice, where something is said of draws."""
        if (self.temperature, self.top_k, self.top_p) != (TEMPERATURE, 0, 1.0):
            raise UsageError(
                f"`decoding.temperature`, `decoding.top_k` and `decoding.top_p` are for draws; {advice}"
            )
