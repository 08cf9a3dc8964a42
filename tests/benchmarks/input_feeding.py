"""A model that pronounces words, trained by a plain loop: attention with input feeding, padded batches.

The attentional vector of a step is read with the next token (Luong et al. 2015, section 3.3), so a decoder
must go step by step in training as well. Batches are drawn at random and padded to their longest word.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

EMBEDDING, HIDDEN, BATCH = 128, 320, 128  # as seqrnn's own defaults are
PAD, BOS, EOS = 0, 1, 2


class InputFeeding(nn.Module):
    """An encoder in both directions, and a decoder with attention that is fed."""

    def __init__(self, letters: int, phonemes: int) -> None:
        super().__init__()
        self.letters = nn.Embedding(letters, EMBEDDING, PAD)
        self.encoder = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True, bidirectional=True)
        self.bridge = nn.Linear(2 * HIDDEN, HIDDEN)
        self.phonemes = nn.Embedding(phonemes, EMBEDDING, PAD)
        self.cell = nn.LSTMCell(EMBEDDING + HIDDEN, HIDDEN)
        self.keys = nn.Linear(2 * HIDDEN, HIDDEN, bias=False)
        self.combine = nn.Linear(3 * HIDDEN, HIDDEN)
        self.output = nn.Linear(HIDDEN, phonemes)

    def forward(self, source: Tensor, inputs: Tensor) -> Tensor:
        """Score what follows each of `inputs` (B, T), given `source` (B, S): (B, T, V)."""
        values, (last, _) = self.encoder(self.letters(source))
        keys, ended = self.keys(values), (source == PAD).unsqueeze(1)
        h = torch.tanh(self.bridge(torch.cat([last[0], last[1]], dim=1)))
        c, fed, found = torch.zeros_like(h), torch.zeros_like(h), []
        for token in self.phonemes(inputs).unbind(1):
            h, c = self.cell(torch.cat([token, fed], dim=1), (h, c))
            scores = torch.bmm(h.unsqueeze(1), keys.transpose(1, 2)).masked_fill(ended, -1e9)
            context = torch.bmm(scores.softmax(dim=2), values).squeeze(1)
            fed = torch.tanh(self.combine(torch.cat([context, h], dim=1)))
            found.append(fed)
        scored: Tensor = self.output(torch.stack(found, dim=1))
        return scored


def read(path: Path) -> tuple[list[Tensor], list[Tensor], int, int]:
    """Return letters and phonemes of each word as numbers, and how many of each there are."""
    pairs = [line.split("\t")[:2] for line in path.read_text(encoding="utf-8").splitlines()]
    letters = {letter: 3 + i for i, letter in enumerate(sorted({x for word, _ in pairs for x in word}))}
    phonemes = {name: 3 + i for i, name in enumerate(sorted({x for _, said in pairs for x in said.split()}))}
    sources = [torch.tensor([letters[letter] for letter in word]) for word, _ in pairs]
    targets = [torch.tensor([BOS, *(phonemes[name] for name in said.split()), EOS]) for _, said in pairs]
    return sources, targets, 3 + len(letters), 3 + len(phonemes)


def input_feeding_loop(path: Path, seconds: float) -> Callable[[], tuple[float, float]]:
    """Return a function that trains for so long: letters and phonemes a second, and a second of CPU time."""
    torch.manual_seed(1)
    sources, targets, letters, phonemes = read(path)
    network = InputFeeding(letters, phonemes)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            rows = torch.randint(len(sources), (BATCH,)).tolist()
            yield (
                pad_sequence([sources[row] for row in rows], batch_first=True),
                pad_sequence([targets[row] for row in rows], batch_first=True),
            )

    drawn = batches()

    def run() -> tuple[float, float]:
        begun, by_cpu, count = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() - begun < seconds:
            source, target = next(drawn)
            logits = network(source, target[:, :-1]).flatten(0, 1)
            loss = F.cross_entropy(logits, target[:, 1:].flatten(), ignore_index=PAD)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            count += int((target[:, 1:] != PAD).sum() + (source != PAD).sum())
        return count / (time.perf_counter() - begun), count / (time.process_time() - by_cpu)

    return run
