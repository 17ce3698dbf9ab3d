"""Staged evaluation: a tenth of the bars, one fold, all folds; most are dropped before they cost much."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from clawd.authors.evolution.objectives import Outcome, whole_sharpe

#: Segments of time over all bars; the evaluation of a part has its part of them.
SEGMENTS: Final = 60
_SHORTEST: Final = 60
#: Where the parts of the bars lie that are looked at first: the tenth in the middle, the fold at the end. Together
#: they see two different times, and neither is the beginning, where much has no history yet.
_TENTH_ENDS, _FOLD_ENDS = 0.6, 1.0
#: Share of all bars before such a part that warm its programs up.
_WARMED: Final = 0.05
#: Share of all bars that a strategy may wait for: one that waits for longer could not trade in a quarter of the tenth.
_PATIENCE: Final = 1 / 8

#: Share of those looked at that go on to the next stage, at most, and how many may always.
_KEEP, _LEAST_KEPT = 0.4, 8


@dataclass(frozen=True, slots=True)
class Stage:
    """How much of the bars is looked at, and what it takes to see more.

    Attributes:
        name: for people.
        start: index of the first bar that is read.
        first, last: indices of the bars that are traded, [first, last).
        segments: into how many segments of time their returns are summed up.
        floor: t-value of the mean return, net of costs, below which a strategy is dropped.
        keep: share of the strategies looked at that go on, at most.
    """

    name: str
    start: int
    first: int
    last: int
    segments: int
    floor: float
    keep: float

    @property
    def bars(self) -> int:
        """How many bars are traded."""
        return self.last - self.first


def stages_of(bars: int) -> tuple[Stage, ...]:
    """The stages over so many bars; those that would be too short to see anything are left out."""
    found = [Stage("all folds", 0, 0, bars, SEGMENTS, -math.inf, 1.0)]
    parts = (
        ("one fold", _FOLD_ENDS, bars // 5, SEGMENTS // 5, -0.25),
        ("a tenth", _TENTH_ENDS, bars // 10, SEGMENTS // 10, -0.5),
    )
    for name, ends, length, segments, floor in parts:
        if length >= _SHORTEST:
            last = int(ends * bars)
            first = last - length
            found.insert(0, Stage(name, first - int(_WARMED * bars), first, last, segments, floor, _KEEP))
    return tuple(found)


def longest_lookback(bars: int) -> int:
    """For how many bars a strategy may wait before it trades, of so many in all."""
    return int(_PATIENCE * bars)


def verdicts(outcomes: Sequence[Outcome | None], kinds: Sequence[str], stage: Stage) -> list[str]:
    """What a stage says of each: ``passed``, or why it goes no further.

    Half of the places are shared out among the kinds, to the best of each, so that one kind that does well does not
    shut the others out before they are known; the rest go to the best of all.

    ``failed`` has no figures; ``never traded``; ``ruined`` lost all of its capital; of those that lost more than the
    floor allows, ``costs`` had made something before them and ``lost`` had not; ``weak`` were good enough, and others
    better.
    """
    said = [_alone(outcome) for outcome in outcomes]
    traded = [index for index, outcome in enumerate(outcomes) if outcome is not None and said[index] == "passed"]
    sums = [outcome for outcome in outcomes if outcome is not None]
    looked = [each for each, outcome in zip(said, outcomes, strict=True) if outcome is not None]
    ratios = [
        float(ratio)
        for ratio, word in zip(whole_sharpe(sums, 1.0) if sums else (), looked, strict=True)
        if word == "passed"
    ]
    good: list[tuple[float, int]] = []
    for index, ratio in zip(traded, ratios, strict=True):
        outcome = outcomes[index]
        assert outcome is not None
        if ratio * math.sqrt(stage.bars) >= stage.floor:
            good.append((-ratio, index))
        else:
            said[index] = "costs" if outcome.returns.sum() + outcome.costs > 0.0 else "lost"
    most = max(_LEAST_KEPT, math.ceil(stage.keep * len(outcomes)))
    good.sort()
    share = math.ceil(most / 2 / max(1, len({kinds[index] for _, index in good})))
    places = Counter[str]()
    chosen = set()
    for _, index in good:
        places[kinds[index]] += 1
        if places[kinds[index]] <= share:
            chosen.add(index)
    for _, index in good:
        if len(chosen) >= most:
            break
        chosen.add(index)
    for _, index in good:
        if index not in chosen:
            said[index] = "weak"
    return said


def _alone(outcome: Outcome | None) -> str:
    if outcome is None:
        return "failed"
    if outcome.exposure <= 0.0:
        return "never traded"
    return "ruined" if outcome.returns.sum() <= -1.0 else "passed"
