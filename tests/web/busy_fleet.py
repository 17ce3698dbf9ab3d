"""A fleet in which everything changes all the time: a source of pictures for pages, with no journal behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from clawd.server.frames import AgentState, FeedLine, Status
from clawd.server.live.columns import STATES, Columns
from clawd.server.live.pauses import under_pauses
from clawd.server.live.picture import Picture
from clawd.store.switchboard import Pause

CAPITAL = 10_000.0
#: 2024-04-01, milliseconds since 1970; a picture is a minute after the one before.
BEGAN = 1_711_929_600_000.0
MINUTE = 60_000.0

_FAMILIES = ("ema-cross", "dip-buyer", "grid", "pairs", "breakout", "momentum")
_MARKETS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BTCUSDT,ETHUSDT")


class BusyFleet:
    """Every agent's numbers walk at random, seeded, one step with each picture that is asked for.

    Args:
        agents: how many.
        names: of the strategies of the first agents, in the place of made-up ones.
        more: fields of the status that are said instead of those that follow from the agents.

    Attributes:
        walking: whether the numbers move.
        pauses: what a person has ordered of single agents, by the content hash of their strategy; ``obeys``, whether
            that is done as soon as it is ordered.
    """

    def __init__(self, agents: int, names: Sequence[str] = (), **more: object) -> None:
        self._rng = np.random.default_rng(7)
        self._lock = threading.Lock()
        self._more = more
        self.walking = True
        self.pauses: Callable[[], Mapping[str, Pause]] = dict
        self.obeys = True
        self._step = 0
        state = np.zeros(agents, np.int8)
        state[3::17] = STATES.index("halted")
        state[5::23] = STATES.index("fired")
        made_up = [f"{_FAMILIES[row % 6]}-{row * 37 % 199}" for row in range(agents)]
        profit = self._rng.normal(0, 80, agents)
        total = profit + self._rng.normal(0, 300, agents)
        wealth = np.where(np.arange(agents) % 3, np.nan, 1 + self._rng.exponential(0.5, agents))
        rest = [self._rng.uniform(0, high, agents) for high in (0.08, CAPITAL, 1.0)]
        self._fleet = Columns(
            run="busy",
            ids=tuple(f"a{row:04d}" for row in range(agents)),
            names=(*names, *made_up[len(names) :]),
            markets=tuple(_MARKETS[row % 4] for row in range(agents)),
            strategies=tuple(f"{row:064x}" for row in range(agents)),
            state=state,
            numbers=np.vstack([CAPITAL + total, profit, total, *rest, wealth]) if agents else np.zeros((7, 0)),
        )
        self._feed: tuple[FeedLine, ...] = ()
        self._picture = self._pictured()

    def picture(self) -> Picture:
        """The next one; the same again while nobody walks."""
        with self._lock:
            if self.walking and self._fleet.size:
                self._walk()
                self._picture = self._pictured()
            pauses = self.pauses()
            if not pauses:
                return self._picture
            return replace(self._picture, fleet=under_pauses(self._fleet, pauses, working=not self.obeys))

    def set_state(self, agent: str, state: AgentState) -> None:
        """As when an agent is halted."""
        with self._lock:
            states = self._fleet.state.copy()
            states[self._fleet.ids.index(agent)] = STATES.index(state)
            self._fleet = replace(self._fleet, state=states)
            self._picture = self._pictured()

    def say(self, **more: object) -> None:
        """Fields of the status that are others from now on."""
        with self._lock:
            self._more.update(more)
            self._picture = self._pictured()

    def _walk(self) -> None:
        self._step += 1
        numbers = self._fleet.numbers.copy()
        numbers[:3] += self._rng.normal(0, 5, self._fleet.size)
        numbers[5] = np.clip(numbers[5] + self._rng.normal(0, 0.01, self._fleet.size), 0, 1)
        self._fleet = replace(self._fleet, numbers=numbers)
        if self._step % 10 == 0:
            row = self._step % self._fleet.size
            agent, symbol = self._fleet.ids[row], self._fleet.markets[row].split(",")[0]
            line = FeedLine(
                seq=self._step,
                time=BEGAN + self._step * MINUTE,
                kind="OrderFilled",
                agent=agent,
                text=f"{self._fleet.names[row]} ({agent}) bought 0.01 {symbol}",
                tone="plain",
            )
            self._feed = (*self._feed[-99:], line)

    def _pictured(self) -> Picture:
        fleet, some = self._fleet, self._fleet.size > 0
        status = Status(
            seq=0,
            sent_at=0.0,
            mode="sample",
            run="busy" if some else None,
            kind="bars" if some else None,
            phase="trading" if some else "idle",
            phase_text="trading on paper" if some else "nothing has been traded from this home yet",
            progress=None,
            market_time=BEGAN + self._step * MINUTE if some else None,
            heard_at=None,
            standing="active",
            currency="USD",
            equity=float(fleet.number("equity").sum()) if some else None,
            day_profit=float(fleet.number("profit").sum()) if some else None,
            day_loss_limit=CAPITAL * max(fleet.size, 1) * 0.02,
            reserved=CAPITAL * fleet.size * 0.005 if some else None,
            drawdown=0.031 if some else None,
            gross=float(fleet.number("exposure").sum()) if some else None,
            agents=fleet.size,
            positions=fleet.size // 2,
            approvals=0,
            alerts=0,
        ).model_copy(update=self._more)
        return Picture(status, fleet, self._feed)
