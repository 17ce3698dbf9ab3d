"""Simple strategies of one signal each, laid out in order: what anybody would try first, and chance need not find.

Every signal is tried on both sides. The coarse grid comes before the fine one and the whole market before single
instruments, so that a short search has seen the most different ideas.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, combinations, zip_longest
from typing import Final, TypeVar

from clawd.core.errors import ClawdError
from clawd.language.builder import build
from clawd.language.exits import Exits, read_exits
from clawd.language.node import Node
from clawd.language.strategy import Strategy
from clawd.language.types import POSITION
from clawd.language.vocabulary import Vocabulary

#: Far away, and back in after a day of reflection: a signal should be judged before its exits are.
_FAR: Final = {"stop": {"percent": 25}, "cooldown": 5}
_COARSE: Final = (1, 5, 20, 60)
_FINE: Final = (2, 3, 10, 40, 120, 250)
_MOST_PAIRS: Final = 45
_MOST_SINGLES: Final = 30
_HOURS: Final = 24

_T = TypeVar("_T")

_DAY: Final = "ret(close, 1)"
_RANGE: Final = "((close - low) / (high - low) - 0.5) * 2"


def simple_strategies(
    vocabulary: Vocabulary, symbols: Sequence[str], *, intraday: bool, longest: int
) -> Iterator[Strategy]:
    """Distinct strategies of one signal each, the most telling first.

    Args:
        vocabulary: what may be used.
        symbols: of the market; where there are several, its capital is shared among them.
        intraday: whether a day has several bars, so that hours mean something.
        longest: lookback beyond which nothing could be learned from so few bars.
    """
    exits = read_exits(_FAR)
    several = len(symbols) > 1
    pooled, across = _pooled(vocabulary, intraday), _across(vocabulary) if several else ()
    first = _alternately(_sided(pooled[0], several), _sided(across, several))
    single = [(symbol,) for symbol in symbols[:_MOST_SINGLES]] if several else []
    alone = ((text, symbol) for text in _sided(pooled[0], False) for symbol in single)
    second = _alternately(_sided(pooled[1], several), _sided(_related(vocabulary, symbols), several))
    seen: set[str] = set()
    whole: None = None
    for text, universe in chain(
        ((text, whole) for text in first), _alternately(((text, whole) for text in second), alone)
    ):
        strategy = _strategy(text, exits, universe, vocabulary, longest)
        if strategy is not None and strategy.content_hash not in seen:
            seen.add(strategy.content_hash)
            yield strategy


def _strategy(
    text: str, exits: Exits, universe: tuple[str, ...] | None, vocabulary: Vocabulary, longest: int
) -> Strategy | None:
    try:
        node = build(text)
    except ClawdError:  # a window that an operator does not take, or an instrument that is alone
        return None
    if not isinstance(node, Node) or node.type != POSITION or node.lookback > longest:
        return None
    if node.size > vocabulary.largest or node.depth > vocabulary.deepest or not _known(node, vocabulary):
        return None
    return Strategy(name="simple", target=node, exits=exits, universe=universe)


def _known(node: Node, vocabulary: Vocabulary) -> bool:
    """Whether the vocabulary has every input of a program."""
    leaf = not node.inputs and node.operator != "const"
    return (not leaf or node.operator in vocabulary.operators) and all(
        _known(child, vocabulary) for child in node.inputs
    )


def _sided(signals: Sequence[str], several: bool) -> Iterator[str]:
    """Each signal as a position, followed and opposed. What is a position already has its two sides in it."""
    for text in signals:
        if text.startswith(("signal_if", "spread_position", "xs_portfolio", "gate", "hysteresis")):
            position = text if text.startswith(("xs_portfolio", "spread_position")) or not several else _share(text)
            yield position
        else:
            for signed in (text, f"-({text})"):
                yield _share(f"long_short({signed})") if several else f"long_short({signed})"


def _share(position: str) -> str:
    return f"share_by({position}, 1)"


def _both(template: str, *words: object) -> list[str]:
    """A template with a `{s}` in it, with both signs."""
    return [template.format(*words, s=sign) for sign in ("", "-")]


def _pooled(vocabulary: Vocabulary, intraday: bool) -> tuple[list[str], list[str]]:
    """Signals of each instrument by itself, the coarse grid and the fine one."""
    coarse: list[str] = []
    fine: list[str] = []
    rest: list[str] = []
    for windows, into in ((_COARSE, coarse), (_FINE, fine)):
        for window in windows:
            into.append(f"sign(ret(close, {window}))")
            if window > 2:
                into.append(f"squash(ts_zscore(close, {window}))")
                high, low = f"delay(ts_max(high, {window}), 1)", f"delay(ts_min(low, {window}), 1)"
                into += [
                    f"signal_if(close > {high}, close < {low})",
                    f"signal_if(close < {low}, close > {high})",
                    *_both("hysteresis({s}ts_zscore(close, {0}), 1.5, 0)", window),
                ]
            if "volume" in vocabulary.operators and window > 1:
                into.append(f"sign(volume / ts_mean(volume, {window}) - 1)")
                into.append(f"where(volume > ts_mean(volume, {window}), sign({_DAY}), 0)")
    for fast, slow in ((5, 20), (10, 60)):
        coarse.append(f"sign(ts_std({_DAY}, {fast}) - ts_std({_DAY}, {slow}))")
        if "volume" in vocabulary.operators:
            coarse.append(f"sign(ts_mean(volume, {fast}) - ts_mean(volume, {slow}))")
    coarse += [f'where(clock("month_day") > {day}, 1, -1)' for day in (5, 10, 15, 20, 25)]
    coarse += [_RANGE, "sign(open / delay(close, 1) - 1)", f"squash(ts_zscore({_DAY}, 20))"]
    for name in ("ext", "book", "deriv", "model"):
        for series in map(str, vocabulary.names.get(name, ())):
            value = f'{name}("{series}")'
            coarse += [f"squash(ts_zscore({value}, 60))", f"sign(delta({value}, 1))", f"sign({value})"]
            coarse += [f"sign({value} - ts_mean({value}, 20))", f"sign(ts_mean({value}, 5))"]
            fine += [f"squash(ts_zscore({value}, {window}))" for window in (20, 120, 250)]
            fine += [f"sign(delta({value}, {window}))" for window in (5, 20)]
    fine += [_on("month_day", day, day + 4) for day in range(1, 31, 5)]
    fine += [f"sign(delay({_DAY}, {lag}))" for lag in (1, 2, 3, 4)]
    fine += [f"sign(ema(close, {fast}) - ema(close, {4 * fast}))" for fast in (3, 5, 10, 20, 60)]
    fine += [
        text for window in (2, 5, 14) for text in _both("hysteresis({s}(rsi(close, {0}) - 50) / 20, 1, 0)", window)
    ]
    fine += [f"sign(ts_skew({_DAY}, {window}))" for window in (20, 60)]
    fine += [f"{_DAY} / ts_std({_DAY}, 60)"]
    rest += [_on("weekday", day) for day in range(7)] + [_on("is_month_turn", 1)]
    if intraday:
        rest += [_on("hour", hour) for hour in range(_HOURS)]
        rest += [f'where(clock("hour") > {hour}, 1, -1)' for hour in (5, 11, 17)]
    for window in (1, 5, 20):
        for calm in ("<", ">"):
            gate = f"ts_std({_DAY}, 10) {calm} ts_std({_DAY}, 60)"
            rest += _both("gate(long_short({s}sign(ret(close, {0}))), {1}, 0)", window, gate)
    return coarse, [*rest, *fine]


def _on(name: str, first: int, last: int | None = None) -> str:
    """1 on some days or hours of the calendar."""
    return f'where(between(clock("{name}"), {first - 0.5}, {(first if last is None else last) + 0.5}), 1, 0)'


def _across(vocabulary: Vocabulary) -> list[str]:
    """Scores by which instruments are held against each other."""
    scores = [f"ret(close, {window})" for window in (*_COARSE, *_FINE)]
    scores += [f"ts_std({_DAY}, {window})" for window in (20, 60)] + [_RANGE, f"ts_skew({_DAY}, 60)"]
    scores += [f"ts_zscore(close, {window})" for window in (5, 20, 60)]
    if "volume" in vocabulary.operators:
        scores += ["volume / ts_mean(volume, 20)", f"volume / ts_mean(volume, 20) * {_DAY}"]
    scores += [f'{kind}("{name}")' for kind in ("ext", "book", "deriv", "model") for name in _names(vocabulary, kind)]
    return [f"xs_portfolio({sign}cs_rank({score}))" for score in scores for sign in ("", "-")]


def _names(vocabulary: Vocabulary, kind: str) -> Sequence[str]:
    return vocabulary.names.get(kind, ())


def _related(vocabulary: Vocabulary, symbols: Sequence[str]) -> list[str]:
    """Signals of one instrument for the others, and pairs."""
    if "asset" not in vocabulary.operators or "spread_position" not in vocabulary.operators:
        return []
    known = [symbol for symbol in symbols if symbol in vocabulary.instruments]
    signals = [f'sign(ret(asset(close, "{symbol}"), {window}))' for window in (1, 5) for symbol in known[:12]]
    for one, other in list(combinations(known, 2))[:_MOST_PAIRS]:
        prices = f'asset(close, "{one}"), asset(close, "{other}")'
        signals.append(
            f'spread_position(hysteresis(-coint_z({prices}, 60), 1.5, 0), 1, "{one}", "{other}")',
        )
    return signals


def _alternately(*streams: Iterable[_T]) -> Iterator[_T]:
    """One of each in turn, until all have ended."""
    for row in zip_longest(*streams):
        yield from (each for each in row if each is not None)
