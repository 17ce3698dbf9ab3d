"""Random days of an account: a seed decides what the market, the agents, the person, the network and fate do."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from random import Random

from chaos_world import AGENTS, INSTRUMENTS, LIMIT, RULES, SECOND, START, D, World

from clawd.core.account_events import AdoptionDecided
from clawd.core.errors import ClawdError
from clawd.core.orders import OrderType, TimeInForce
from clawd.core.reason import Reason
from clawd.execution.dealer import Dealer
from clawd.store.switchboard import Switch
from clawd.venues.faults import NETWORK_FAULTS, Chances, Fault, Rule, from_json, to_json

STEPS = 400  # random steps of an episode
HALVES = {"stop": {"percent": 2}, "take": [{"percent": 2, "share": 0.5}, {"percent": 4, "share": 0.5}]}
TRAIL = {"stop": {"percent": 2}, "trail": {"percent": 1}}
TIMED = {"stop": {"percent": 2}, "take": {"percent": 1}, "time": 5}


class Episode:
    """One random day.

    Args:
        seed: of everything.
        script: the faults; None for those that are drawn.
        chances: of those that are drawn; None for what the seed says.
        day_loss: the limit.
        reduce_only: whether the exchange knows it.
    """

    def __init__(
        self,
        seed: int,
        script: tuple[Rule, ...] | None = None,
        chances: Chances | None = None,
        day_loss: Decimal = LIMIT,
        *,
        reduce_only: bool = True,
    ) -> None:
        self.random = random = Random(seed)
        faults = NETWORK_FAULTS if random.random() < 0.6 else tuple(Fault)
        share, quotes = random.choice((0.0, 0.02, 0.1, 0.3)), random.choice((0.0, 0.01, 0.05))
        longest = random.choice((2, 10)) * SECOND
        chances = chances or Chances(seed, share, quotes, faults, longest)
        self.world = World(
            script=script or (),
            chances=chances if script is None else None,
            day_loss=day_loss,
            seed=seed,
            rules=replace(RULES, reduce_only=reduce_only),
        )
        self.hands = random.random() < 0.3
        self.seed = seed
        self.done = 0
        weights: dict[Callable[[], None], int] = {
            self.passes: 60,
            self.moves: 12,
            self.jumps: 1,
            self.enters: 16,
            self.leaves: 3,
            self.cancels: 3,
            self.bars: 8,
            self.crashes: 2,
            self.person: 2 if self.hands else 0,
            self.commands: 1 if random.random() < 0.5 else 0,
            self.resumes: 3,
            self.sleeps: 1 if random.random() < 0.2 else 0,
        }
        self._actions, self._weights = list(weights), list(weights.values())

    def run(self, steps: int = STEPS) -> None:
        """Random steps, then quiet, then everything must be right."""
        for _ in range(steps):
            self.done += 1
            self.random.choices(self._actions, self._weights)[0]()
        self.quiet()

    def quiet(self) -> None:
        self.world.calm()

    # What happens.

    def passes(self) -> None:
        self.world.step(self.random.choice((0.05, 0.1, 0.3, 1.0)), self.random)

    def moves(self) -> None:
        for symbol in START:
            self.world.prices[symbol] += self.random.randint(-12, 12)
        self.passes()

    def jumps(self) -> None:
        symbol = self.random.choice(list(START))
        share = self.random.choice((0.99, 1.01, 0.97, 1.03))
        self.world.prices[symbol] = max(int(self.world.prices[symbol] * share), 1_000)
        self.passes()

    def enters(self) -> None:
        random, world = self.random, self.world
        agent, symbol = random.choice(AGENTS), random.choice(list(INSTRUMENTS))
        instrument = INSTRUMENTS[symbol]
        price = world.prices[symbol] * instrument.tick
        notional = D(random.choice((200, 1_000, 4_000)))
        size = (notional / price // instrument.lot) * instrument.lot * random.choice((1, -1))
        exits, distances = random.choice(
            (
                (None, ()),
                (HALVES, (-0.02, 0, 0, 0, -0.02, -0.04)),
                (TRAIL, (-0.02, -0.01)),
                (TIMED, (-0.02, 0, 0, 0, -0.01)),
            )
        )
        changes: dict[str, object] = {}
        way = random.random()
        if way < 0.3:
            off = random.randint(-15, 5) * instrument.tick
            limit = price + off if size > 0 else price - off
            changes = {"type": OrderType.LIMIT, "limit": limit, "time_in_force": random.choice(tuple(TimeInForce))}
            if changes["time_in_force"] is TimeInForce.GTD:
                changes["expires"] = world.clock.now() + random.randint(1, 20) * SECOND
            changes["post_only"] = changes["time_in_force"] is TimeInForce.GTC and random.random() < 0.3
        elif way < 0.4:
            off = random.randint(5, 30) * instrument.tick
            changes = {"type": OrderType.STOP, "level": price + off if size > 0 else price - off}
        held = world.trader.account.agents[agent].size(symbol)
        if held:
            size = abs(size) if held > 0 else -abs(size)
            changes["reason"] = Reason.INCREASE
        self.world.number += 1
        order = world.order(agent, symbol, size, number=world.number, **changes)
        world.enter(order, exits, distances)
        if random.random() < 0.1:
            world.enter(order, exits, distances)  # the same decision again

    def leaves(self) -> None:
        self.world.leave(self.random.choice(AGENTS), self.random.choice(list(INSTRUMENTS)))

    def cancels(self) -> None:
        working = [each.order.id for each in self.world.trader.account.working() if not each.order.reduces]
        if working:
            self.world.trader.dealer.cancel(self.random.choice(working), "AGENT")

    def bars(self) -> None:
        world, random = self.world, self.random
        symbol = random.choice(list(INSTRUMENTS))
        tick = INSTRUMENTS[symbol].tick
        close = float(world.prices[symbol] * tick)
        high, low = close * (1 + random.random() / 200), close * (1 - random.random() / 200)
        opened = world.clock.now() // (10 * SECOND) * 10 * SECOND
        world.trader.bar(symbol, 10 * SECOND, opened, high, low, close, random.random() < 0.9, {})

    def crashes(self) -> None:
        """It starts again from the beginning or from a snapshot; now and then one is taken."""
        world, random = self.world, self.random
        world.crash(random.choice((0.0, 0.5, 5.0, 40.0)), from_snapshot=random.random() < 0.5)
        if random.random() < 0.5:
            world.keep_snapshot()

    def person(self) -> None:
        random, world = self.random, self.world
        symbol = random.choice(list(INSTRUMENTS))
        instrument = INSTRUMENTS[symbol]
        size = instrument.lot * random.randint(1, 500) * random.choice((1, -1))
        what = random.random()
        if what < 0.6:
            world.by_hand.trade(symbol, size)
        elif what < 0.8:
            world.by_hand.trade(symbol, size, (world.prices[symbol] - random.randint(-9, 9)) * instrument.tick)
        else:
            self.adopts(world.trader.dealer)

    def adopts(self, dealer: Dealer) -> None:
        for block in list(dealer.account.blocks):
            if block.why == "unattributed":
                dealer.enter(AdoptionDecided(symbol=block.symbol, by="person"))

    def commands(self) -> None:
        active = self.world.trader.account.state == "active"
        away = (Switch.HALT, Switch.REDUCE, Switch.FLATTEN) if active else (Switch.RESUME, Switch.RESUME)
        switch = self.random.choice((*away, Switch.RESUME))
        self.world.command(switch)

    def resumes(self) -> None:
        """The person lets it trade again, where it does not, and decides what is theirs."""
        if self.world.trader.account.state != "active":
            self.world.command(Switch.RESUME)
        self.adopts(self.world.trader.dealer)

    def sleeps(self) -> None:
        """The machine sleeps, the market does not."""
        hours = self.random.choice((1, 8, 16))
        self.world.step(hours * 3600.0, self.random)
        self.world.step(0.1, self.random)


def described(seed: int, episode: Episode | None, error: BaseException) -> str:
    """A failure, and how it is seen again."""
    struck = () if episode is None else episode.world.faults.struck
    script = to_json(struck)
    steps = 0 if episode is None else episode.done
    kind = type(error).__name__
    return f"seed {seed}, step {steps}, {kind}: {error}\n  {len(struck)} faults, as a script: {script}"


def run_seed(seed: int, steps: int = STEPS, script: tuple[Rule, ...] | None = None, *, reduce_only: bool = True) -> str:
    """One episode; what is wrong, empty where nothing is."""
    episode = None
    try:
        episode = Episode(seed, script, reduce_only=reduce_only)
        episode.run(steps)
    except (AssertionError, ClawdError, ArithmeticError, LookupError, TypeError, ValueError) as error:
        return described(seed, episode, error)
    return ""


def run_days(steps: int, first: int, say: Callable[[str], None] = lambda text: None) -> tuple[list[str], int]:
    """Days of one seed after another, until so many random steps have been done; what was wrong, and the steps."""
    wrong: list[str] = []
    done, seed = 0, first
    while done < steps:
        if text := run_seed(seed):
            wrong.append(text)
            say(text)
        done, seed = done + STEPS, seed + 1
        if (seed - first) % 250 == 0:
            say(f"{done:,} random steps, {len(wrong)} days of {seed - first:,} ended wrong")
    return wrong, done


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Random days of an account behind faults.")
    parser.add_argument("--steps", type=int, default=100_000, help="random steps")
    parser.add_argument("--seed", type=int, default=1_000_000, help="of the first day")
    parser.add_argument("--script", help="faults as JSON for that one day, in place of those that the seed draws")
    asked = parser.parse_args(words)
    if asked.script is not None:
        text = run_seed(asked.seed, script=from_json(asked.script))
        print(text or "nothing was wrong")
        return 1 if text else 0
    begun = time.monotonic()
    wrong, steps = run_days(asked.steps, asked.seed, lambda text: print(text, flush=True))
    print(f"random steps {steps}, days that ended wrong {len(wrong)} ({time.monotonic() - begun:.0f} s)", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
