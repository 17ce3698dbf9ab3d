"""What a backtest's report says in words: the strategy itself, what was assumed, and what to doubt."""

from __future__ import annotations

from clawd.core.clock import duration
from clawd.engine.prices import ENTRY_BAND
from clawd.language.exits import Distance, Target
from clawd.language.strategy import Strategy
from clawd.reports.formats import counted, percent, rate
from clawd.reports.html import Html, tag
from clawd.reports.tables import FEWEST_BARS
from clawd.reports.view import View

#: Fewer closed trades than this say little about the next one.
_FEW_TRADES = 30


def cautions(view: View) -> Html:
    """What a reader should know before the figures, or nothing."""
    lines = caution_lines(view)
    return tag("ul", *(tag("li", line) for line in lines), class_="cautions") if lines else Html("")


def caution_lines(view: View) -> list[str]:
    """The same, a sentence each."""
    result = view.result
    lines = []
    ruined = (result.equity <= 0.0).nonzero()[0]
    if ruined.size:
        lines.append(f"The capital was lost: equity fell to zero or below on {view.when(int(ruined[0]))}.")
    if view.bars < FEWEST_BARS:
        lines.append(f"The run has {counted(view.bars, 'bar')}: too few for annualised figures.")
    if not result.fills:
        lines.append("The strategy made no trade.")
    elif len(view.closed) < _FEW_TRADES:
        trades = counted(len(view.closed), "closed trade")
        lines.append(f"The run has {trades}: figures per trade carry little weight.")
    if view.open_profit:
        profit = sum(view.open_profit.values())
        lines.append(
            f"{counted(len(view.open_profit), 'position')} still open at the end, "
            f"with a result of {view.money(profit, signed=True)} at the last close."
        )
    return lines


def strategy(strategy: Strategy) -> Html:
    """The strategy as written, its exits, and what it is the same as."""
    exits = strategy.exits
    parts = [_row(name, tag("code", text)) for name, text in strategy.let.items()]
    parts.append(_row("position", tag("code", strategy.target_text or strategy.target.text)))
    parts.append(_row("stop", _from_entry(exits.stop)))
    if exits.trail:
        parts.append(_row("trailing stop", f"{exits.trail} from the best price since the entry"))
    if exits.chandelier:
        parts.append(_row("chandelier", f"{exits.chandelier} from the best price since the entry, as they come"))
    if exits.break_even:
        parts.append(_row("break-even", f"the stop goes to the entry price after {exits.break_even} in favour"))
    parts += [_row("profit target", _from_entry(target)) for target in exits.take]
    if exits.time:
        parts.append(_row("longest time", counted(exits.time, "bar")))
    parts.append(
        _row(
            "after an exit",
            f"the same side again after {counted(exits.cooldown, 'bar')}, or when the signal has been renewed"
            if exits.cooldown
            else "the same side only when the signal has been renewed",
        )
    )
    parts.append(_row("bars", duration(strategy.bar) if strategy.bar else "whatever the market has"))
    parts.append(_row("instruments", ", ".join(strategy.universe) if strategy.universe else "the whole market"))
    parts.append(_row("history needed", counted(strategy.lookback, "bar")))
    if strategy.claim:
        parts.append(_row("claim", strategy.claim))
    if strategy.source:
        parts.append(_row("source", strategy.source))
    parts.append(_row("canonical", tag("code", strategy.target.text)))
    parts.append(_row("content hash", tag("code", strategy.content_hash)))
    parts.append(_row("family hash", tag("code", strategy.family_hash)))
    return tag("dl", *parts, class_="rows")


def _from_entry(level: Distance | Target) -> str:
    # A percentage names the entry price already.
    distance = level.distance if isinstance(level, Target) else level
    return str(level) if distance.window is None else f"{level} from the entry price"


def _row(name: str, value: str) -> Html:
    return tag("div", tag("dt", name), tag("dd", value))


def assumptions(view: View) -> Html:
    """What the figures assume and what they leave out."""
    groups = assumption_lines(view)
    return tag(
        "div",
        *(tag("section", tag("h3", name), tag("ul", *(tag("li", line) for line in lines))) for name, lines in groups),
        class_="assumptions",
    )


def assumption_lines(view: View) -> list[tuple[str, list[str]]]:
    """The same: groups with a title, and their sentences."""
    costs, held = view.result.costs, view.benchmark is not None
    groups = [
        (
            "Orders and fills",
            [
                "Decisions are made at the close of a bar, from that bar and earlier ones, and never before "
                "the strategy has the history that it needs.",
                f"They fill at the next open that trades, worse by slippage of {rate(costs.slippage)}. "
                "A bar without volume trades nothing; a missing bar decides and fills nothing.",
                f"An entry is cancelled when the open lies more than {percent(ENTRY_BAND, 0)} "
                "from the close that it was decided at.",
                "A stop or trailing stop fills at its level, or at the open where the bar opens beyond it, "
                "worse by the slippage.",
                "A profit target fills at its level, or at the open where that is better, without slippage.",
                "Which price of a bar came first is not known: a stop counts before a target. "
                "A trailing stop moves only when the bar is over.",
            ],
        ),
        (
            "Costs",
            [
                f"Every fill pays a fee of {rate(costs.fee)} of its notional.",
                "Funding that falls due within a bar is charged on the position at the bar's close, "
                "where the market has funding rates.",
            ],
        ),
        (
            "Capital",
            [
                f"The capital is fixed at {view.money(view.capital)}: profits are not reinvested, so returns "
                "add up and do not compound.",
                "Gross exposure is never opened beyond the capital: where targets add up to more, all are "
                "scaled down alike. Sizes are rounded down to whole lots.",
                "A losing position is never enlarged. Without a stop there is no entry.",
                "A short that reaches twice its entry price is closed there, its margin lost.",
                "When the capital is lost everything is closed at the next open.",
                "Positions open at the end are marked at the last close, without the cost of leaving them.",
            ],
        ),
        (
            "Not modelled",
            [
                "Market impact, depth and partial fills: every order fills whole, whatever the volume.",
                "Borrow cost and the availability of shorts; interest on cash; margin calls before the "
                "liquidation price.",
                "Spreads that widen, latency, rejected orders, and outages of the venue.",
                "Taxes, and dividends and splits beyond what the prices already hold.",
                "How this strategy was chosen: the best of many that were tried looks good by luck alone.",
            ],
        ),
    ]
    if held:
        groups.insert(
            3,
            (
                "Buy and hold",
                [
                    "The same capital split equally over the instruments, each bought at its first open that "
                    "trades, with the same fee, slippage and funding, and never sold. Until then its share "
                    "waits as cash.",
                    "Its figures follow the same formulas; returns are shares of the capital at the start.",
                ],
            ),
        )
    return groups
