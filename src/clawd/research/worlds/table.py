"""Many campaigns in many worlds, and what they say of the pipeline: false proofs, power, and how sure either is."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.synchronize import Event
from typing import Any, Final

import numpy as np

from clawd.core.costs import Costs
from clawd.research.worlds.experiment import Experiment, Found, run_experiment
from clawd.research.worlds.planted import EDGES, HIDDEN, Edge, calibrated
from clawd.research.worlds.surrogates import INSTRUMENTS, Rows
from clawd.research.worlds.truth import SURROGATES, Making, clopper_pearson

#: Annual Sharpe ratios of the oracles, net of costs.
SHARPES: Final = (1.0, 1.5, 2.0, 3.0)
#: Of a world's instruments, how many hold the edge in a mixed one.
_HOLDERS: Final = 2


@dataclass(frozen=True, slots=True)
class Size:
    """How large a run is.

    Attributes:
        years: of a world. The vault is a fifth of it, and has to hold a proof: see ``docs/worlds.md``.
        budget: distinct strategies that each search may try.
        noise: campaigns in worlds without an edge.
        planted: campaigns at each Sharpe ratio with every instrument holding the edge, and as many mixed ones.
        hidden: campaigns with an edge that nobody is shown.
        sharpes: of the planted ones.
    """

    years: float
    budget: int
    noise: int
    planted: int
    hidden: int
    sharpes: tuple[float, ...] = SHARPES

    @property
    def campaigns(self) -> int:
        """Of every kind together."""
        return self.noise + self.planted * (len(self.sharpes) + 1) + self.hidden


def full(campaigns: int) -> Size:
    """The whole proof: so many campaigns of noise, and a quarter as many of each of the others."""
    quarter = max(1, campaigns // 4)
    return Size(years=40, budget=2_000, noise=campaigns, planted=quarter, hidden=max(1, campaigns // 10))


def quick(campaigns: int) -> Size:
    """A small version, for a look and for the tests."""
    return Size(years=40, budget=300, noise=campaigns, planted=campaigns, hidden=0, sharpes=(3.0,))


@dataclass(frozen=True, slots=True)
class _Wish:
    """A campaign whose edge is not calibrated yet."""

    kind: str
    surrogate: str
    edge: Edge | None
    sharpe: float
    holders: int


def _wishes(size: Size) -> list[_Wish]:
    """All campaigns of a size, those of each row spread evenly: a run that is stopped has something of every row."""
    names = list(SURROGATES)
    lots = [[_Wish("noise", names[number % len(names)], None, 0.0, INSTRUMENTS) for number in range(size.noise)]]
    for sharpe in size.sharpes:
        lots.append([_Wish("planted", *_nth(number), sharpe, INSTRUMENTS) for number in range(size.planted)])
    lots.append(
        [
            _Wish("mixed", *_nth(number), size.sharpes[-1 - number % len(size.sharpes)], _HOLDERS)
            for number in range(size.planted)
        ]
    )
    lots.append(
        [
            _Wish("hidden", names[number % len(names)], HIDDEN, max(size.sharpes), INSTRUMENTS)
            for number in range(size.hidden)
        ]
    )
    placed = [((number + 0.5) / len(lot), row, wish) for row, lot in enumerate(lots) for number, wish in enumerate(lot)]
    return [wish for _, _, wish in sorted(placed, key=lambda each: each[:2])]


def _nth(number: int) -> tuple[str, Edge]:
    """Every kind in turn, then their next variants; the surrogates in turn as well."""
    kinds = list(EDGES.values())
    variant, kind = divmod(number, len(kinds))
    names = list(SURROGATES)
    return names[(variant + kind) % len(names)], kinds[kind][variant % len(kinds[kind])]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Attributes:
        done, total: campaigns.
        calibrating: whether the edges are still being measured.
        found: what has come last, None before the first.
    """

    done: int
    total: int
    calibrating: bool
    found: Found | None = None


def run_worlds(
    rows: Rows, size: Size, *, seed: int, costs: Costs, workers: int, stop: Callable[[], bool] = lambda: False
) -> Iterator[Progress]:
    """Run all campaigns of a size and give what became of each as it comes; the order hangs on the machine, the
    results do not.

    Args:
        rows: of real bars.
        size: how many, how long.
        seed: of everything.
        costs: of every campaign, and what the oracles' Sharpe ratios are net of.
        workers: processes.
        stop: asked often; true ends it.
    """
    wishes = _wishes(size)
    yield Progress(0, len(wishes), calibrating=True)
    processes = get_context("spawn")
    stopped = processes.Event()
    with ProcessPoolExecutor(workers, processes, _begin, (stopped,)) as pool:
        try:
            wanted: dict[tuple[Edge, int], set[float]] = {}
            for each in wishes:
                if each.edge is not None:
                    wanted.setdefault((each.edge, each.holders), set()).add(each.sharpe)
            jobs = {
                (edge, holders): pool.submit(_calibrate, rows, edge, sorted(sharpes), costs, seed, holders)
                for (edge, holders), sharpes in wanted.items()
            }
            for job in _as_done(list(jobs.values()), stop):
                job.result()
            if stop():
                return
            strengths = {key: job.result() for key, job in jobs.items()}
            seeds = np.random.SeedSequence([seed, 0xA11]).generate_state(len(wishes))
            experiments = [
                Experiment(
                    kind=each.kind,
                    making=Making(
                        each.surrogate,
                        each.edge,
                        strengths[each.edge, each.holders][each.sharpe] if each.edge is not None else 0.0,
                        each.holders,
                    ),
                    sharpe=each.sharpe,
                    bars=round(size.years * rows.bars_per_year),
                    budget=size.budget,
                    seed=int(own),
                )
                for each, own in zip(wishes, seeds, strict=True)
            ]
            yield Progress(0, len(wishes), calibrating=False)
            waiting = [pool.submit(_run, each, rows, costs) for each in experiments]
            for done, job in enumerate(_as_done(waiting, stop), start=1):
                yield Progress(done, len(wishes), calibrating=False, found=job.result())
        finally:
            stopped.set()
            pool.shutdown(cancel_futures=True)


_stopped: Event | None = None


def _begin(stopped: Event) -> None:
    """What a process does first. Ctrl-C is for the one that asked: it tells the others."""
    global _stopped  # noqa: PLW0603  (a process has one pool)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _stopped = stopped


def _run(experiment: Experiment, rows: Rows, costs: Costs) -> Found | None:
    return run_experiment(experiment, rows, costs, lambda: _stopped is not None and _stopped.is_set())


def _calibrate(
    rows: Rows, edge: Edge, sharpes: Sequence[float], costs: Costs, seed: int, holders: int
) -> dict[float, float]:
    return calibrated(rows, edge, sharpes, costs, seed=seed, holders=holders)


def _as_done(jobs: Sequence[Future[Any]], stop: Callable[[], bool]) -> Iterator[Future[Any]]:
    left = set(jobs)
    while left and not stop():
        done, left = wait(left, timeout=0.2, return_when=FIRST_COMPLETED)
        yield from done


@dataclass(frozen=True, slots=True)
class Row:
    """What campaigns of one kind came to.

    Attributes:
        kind, sharpe: which; 0 for no oracle, and the mean over them where they differ.
        campaigns, trials: how many, and strategies tried in all of them.
        planted, found: edges, and those of which a strategy was proven.
        power: interval of the share found; (0, 1) where none was planted.
        promoted, false: strategies proven, and those among them without an edge.
        false_campaigns: campaigns with at least one of these.
        false_share: interval of the share of campaigns with one.
        discovery_rate: measured false discovery rate: the mean over campaigns of false over proven, 0 where none is.
        oracle: campaigns in which the rule that knows the edge would have been proven, had it come first.
        naive_found, naive_false: edges that the naive pipeline found, and promotions of it without one.
        missed: edges that were not found, by the stage that lost them.
    """

    kind: str
    sharpe: float
    campaigns: int
    trials: int
    planted: int
    found: int
    power: tuple[float, float]
    promoted: int
    false: int
    false_campaigns: int
    false_share: tuple[float, float]
    discovery_rate: float
    oracle: int
    naive_found: int
    naive_false: int
    missed: tuple[tuple[str, int], ...]

    def to_json(self) -> dict[str, Any]:
        """For programs; shares are of campaigns, intervals are Clopper and Pearson's at 95 %."""
        return {
            "kind": self.kind,
            "sharpe": self.sharpe,
            "campaigns": self.campaigns,
            "trials": self.trials,
            "planted": self.planted,
            "found": self.found,
            "found_interval": list(self.power),
            "promoted": self.promoted,
            "false": self.false,
            "false_campaigns": self.false_campaigns,
            "false_interval": list(self.false_share),
            "false_discovery_rate": self.discovery_rate,
            "oracle_found": self.oracle,
            "naive_found": self.naive_found,
            "naive_false": self.naive_false,
            "missed": dict(self.missed),
        }


def rows_of(found: Sequence[Found]) -> list[Row]:
    """A row for noise, for each Sharpe ratio planted, for the mixed ones and for the control, where there are any."""
    keys = dict.fromkeys(_key(each) for each in sorted(found, key=_place))
    return [_row(key, [each for each in found if _key(each) == key]) for key in keys]


_ORDER: Final = ("noise", "planted", "mixed", "hidden")


def _place(found: Found) -> tuple[int, float]:
    return _ORDER.index(found.experiment.kind), found.experiment.sharpe


def _key(found: Found) -> tuple[str, float]:
    kind = found.experiment.kind
    return kind, found.experiment.sharpe if kind == "planted" else 0.0


def _row(key: tuple[str, float], found: Sequence[Found]) -> Row:
    kind, _ = key
    planted = len(found) if kind in {"planted", "mixed"} else 0
    hits = sum(each.true > 0 for each in found)
    wrong = sum(each.false > 0 for each in found)
    shares = [each.false / max(1, each.true + each.false) for each in found]
    return Row(
        kind=kind,
        sharpe=float(np.mean([each.experiment.sharpe for each in found])),
        campaigns=len(found),
        trials=sum(each.trials for each in found),
        planted=planted,
        found=hits,
        power=clopper_pearson(hits, planted),
        promoted=sum(each.true + each.false for each in found),
        false=sum(each.false for each in found),
        false_campaigns=wrong,
        false_share=clopper_pearson(wrong, len(found)),
        discovery_rate=float(np.mean(shares)),
        oracle=sum(each.oracle_proven for each in found),
        naive_found=sum(each.naive_true for each in found),
        naive_false=sum(each.naive_false for each in found),
        missed=tuple(Counter(each.missed for each in found if planted and each.missed is not None).most_common()),
    )
