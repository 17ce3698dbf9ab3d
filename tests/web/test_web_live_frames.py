"""A page that takes frames in order holds what the server has, whatever is lost on the way, and never a mixture."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from live_world import Page
from loops import run_apart

from clawd.core.clock import ReplayClock
from clawd.core.settings import Settings
from clawd.server.frames import FeedLine, FleetFrame, Topic
from clawd.server.live.columns import NUMBERS, Columns, no_agents
from clawd.server.live.curves import Bar, BarSeries, Curves
from clawd.server.live.hub import EVERYTHING, KEPT, TOPICS, Channel, Client, Hub, fleet_frame
from clawd.server.live.picture import Picture
from clawd.server.live.status import nothing_to_show


class Changing:
    """A source whose pictures a test makes."""

    def __init__(self) -> None:
        status = nothing_to_show(Settings(), None).status
        self.now = Picture(status, no_agents(), ())
        self.lines = 0

    def picture(self) -> Picture:
        return self.now

    def agents(self, seed: int, count: int, run: str) -> None:
        """Other agents, or some that have changed."""
        random = np.random.default_rng(seed)
        before = self.now.fleet
        if run == before.run and count == before.size:
            numbers = before.numbers.copy()
            rows = random.random(count) < 0.3
            numbers[:, rows] = np.where(random.random((len(NUMBERS), rows.sum())) < 0.1, np.nan, seed)
            columns = replace(before, numbers=numbers, state=random.integers(0, 5, count).astype(np.int8))
        else:
            ids = tuple(f"{run}{place}" for place in range(count))
            numbers = random.normal(size=(len(NUMBERS), count))
            columns = Columns(run, ids, ids, ids, ids, np.zeros(count, np.int8), numbers)
        self.now = replace(self.now, fleet=columns)

    def say(self, count: int) -> None:
        """News."""
        new = []
        for _ in range(count):
            self.lines += 1
            line = FeedLine(seq=self.lines, time=1.0, kind="K", agent=None, text=str(self.lines), tone="plain")
            new.append(line)
        self.now = replace(self.now, feed=(*self.now.feed, *new)[-100:])


def agents_of(columns: Columns) -> dict[str, dict[str, Any]]:
    """What a page should hold."""
    return {
        name: {
            "id": name,
            "name": columns.names[row],
            "markets": columns.markets[row],
            "state": columns.state_of(row),
            **{
                each: None if np.isnan(value) else value
                for each, value in zip(NUMBERS, columns.numbers[:, row].tolist(), strict=True)
            },
        }
        for row, name in enumerate(columns.ids)
    }


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("agents"), st.integers(0, 99), st.integers(0, 6), st.sampled_from("ab")),
        st.tuples(st.just("say"), st.integers(1, 150)),
        st.tuples(st.just("deliver"), st.lists(st.booleans(), max_size=12)),
        st.tuples(st.just("quiet"), st.integers(1, 2 * KEPT)),
        st.tuples(st.just("subscribe"), st.permutations(TOPICS).flatmap(lambda topics: st.just(list(topics)))),
        st.tuples(st.just("leave"), st.sampled_from(TOPICS)),
        st.tuples(st.just("resync"), st.sampled_from(TOPICS)),
    ),
    max_size=40,
)


@given(steps=STEPS)
def test_what_a_page_holds_was_true_at_one_moment_and_is_true_at_the_end(steps: list[tuple[Any, ...]]) -> None:
    async def play() -> None:
        source, time = Changing(), 0.0
        hub = Hub(source, ReplayClock())
        client, page = Client(), Page()
        client.subscribe(["fleet", "feed"])
        moments: list[tuple[str | None, dict[str, Any]]] = [(None, {})]
        feeds: list[list[int]] = [[]]

        def tick() -> None:
            nonlocal time
            time += 0.25
            hub.tick(time)
            moments.append((source.now.fleet.run, agents_of(source.now.fleet)))
            feeds.append([line.seq for line in source.now.feed])

        def deliver(lost: list[bool]) -> None:
            for place, frame in enumerate(hub.due(client)):
                if place < len(lost) and lost[place]:
                    continue
                asked: str | None = page.take(frame)
                if asked is not None:
                    client.resync(asked)  # type: ignore[arg-type]
                assert (page.run, page.agents) in moments, "never a mixture"
                assert [line["seq"] for line in page.feed] in feeds

        for step in steps:
            match step:
                case ("agents", seed, count, run):
                    source.agents(seed, count, run)
                    tick()
                case ("say", count):
                    source.say(count)
                    tick()
                case ("quiet", count):
                    for place in range(count):
                        source.agents(place, source.now.fleet.size, source.now.fleet.run or "a")
                        tick()
                case ("deliver", lost):
                    deliver(lost)
                case ("subscribe", topics):
                    client.subscribe(topics)
                case ("leave", topic):
                    client.subscribe([each for each in client.had if each != topic])
                case ("resync", topic):
                    client.resync(topic)
        # A page that has lost the last frame of all hears of it with the next.
        client.subscribe(["status", "fleet", "feed", "changed"])
        source.agents(1, max(source.now.fleet.size, 1), "a")
        source.say(1)
        tick()
        deliver([])
        deliver([])
        assert page.run == source.now.fleet.run
        assert page.agents == agents_of(source.now.fleet)
        assert [line["seq"] for line in page.feed] == [line.seq for line in source.now.feed]

    run_apart(play())


def test_a_client_that_is_far_behind_is_sent_one_whole_picture() -> None:
    channel = Channel(lambda seq: f"whole {seq}")
    for number in range(1, KEPT + 3):
        channel.push(f"frame {number}")
    last = KEPT + 2
    assert channel.since(last) == []
    assert channel.since(last - 2) == [f"frame {last - 1}", f"frame {last}"]
    assert channel.since(last - KEPT) == [f"frame {number}" for number in range(3, last + 1)]
    assert channel.since(last - KEPT - 1) == [f"whole {last}"]
    assert channel.since(None) == [f"whole {last}"]
    channel.skip()
    assert channel.since(last) == [f"whole {last + 1}"], "no frame tells what has changed"


def test_a_frame_is_what_the_model_says() -> None:
    source = Changing()
    source.agents(3, 5, "a")
    source.agents(4, 5, "a")
    whole = FleetFrame.model_validate_json(fleet_frame(source.now.fleet, 7, 1.5))
    assert whole.whole and whole.index == [0, 1, 2, 3, 4] and whole.ids == list(source.now.fleet.ids)
    some = FleetFrame.model_validate_json(fleet_frame(source.now.fleet, 8, 1.5, np.array([4, 1])))
    assert not some.whole and some.ids is None and some.index == [4, 1]
    assert some.equity == [whole.equity[4], whole.equity[1]]
    unknown = np.full_like(source.now.fleet.numbers, np.nan)
    none = FleetFrame.model_validate_json(fleet_frame(replace(source.now.fleet, numbers=unknown), 9, 1.5))
    assert none.equity == [None] * 5, "what is not known is null, never 0"


def test_a_status_comes_every_second_although_nothing_changes() -> None:
    async def play() -> None:
        hub, client = Hub(Changing(), ReplayClock()), Client()
        client.subscribe(["status"])
        sent = []
        for step in range(41):
            hub.tick(step * 0.1)
            sent += [(step, frame) for frame in hub.due(client)]
        steps = [step for step, _ in sent]
        assert max(later - earlier for earlier, later in pairwise(steps)) <= 10
        assert len(steps) <= 6, "and not more often"

    run_apart(play())


def test_what_was_announced_is_said_once_and_everything_to_who_has_missed_it() -> None:
    async def play() -> None:
        hub, client, late = Hub(Changing(), ReplayClock()), Client(), Client()
        topics: list[Topic] = ["changed"]
        client.subscribe(topics)
        page = Page()
        for frame in hub.due(client):
            page.take(frame)
        assert page.changed == list(EVERYTHING), "who has just come may hold anything from before"
        page.changed.clear()
        hub.announce("alerts")
        hub.announce("alerts")
        hub.announce("runs")
        hub.tick(1.0)
        hub.tick(2.0)
        for frame in hub.due(client):
            page.take(frame)
        assert sorted(page.changed) == ["alerts", "runs"]
        late.subscribe(topics)
        (frame,) = hub.due(late)
        assert all(word in frame for word in EVERYTHING)

    run_apart(play())


@given(count=st.integers(0, 900), joins=st.integers(0, 300), most=st.sampled_from([4, 16, 50]))
def test_a_curve_stays_in_bounds_and_keeps_its_last_point(count: int, joins: int, most: int) -> None:
    curves = Curves(most=most)
    for time in range(count):
        curves.add(time, {"account": time * 2.0} | ({"late": time * 3.0} if time >= joins else {}))
        assert len(curves.times) < max(most, 2)
    for name, factor, since in (("account", 2.0, 0), ("late", 3.0, joins)):
        times, values = curves.of(name)
        assert np.array_equal(values, times * factor)
        assert np.all(np.diff(times) > 0)
        assert times.size <= most
        if count > since:
            assert times[-1] == count - 1
            assert times[0] - since < curves.stride


@given(count=st.integers(0, 400), most=st.sampled_from([4, 10, 64]), points=st.integers(1, 50))
def test_bars_that_are_merged_lose_nothing(count: int, most: int, points: int) -> None:
    series = BarSeries(most=most)
    random = np.random.default_rng(count)
    bars = [Bar(time, time + 1, *random.normal(size=4).tolist(), 1.0) for time in range(count)]
    for bar in bars:
        series.add(bar)
        assert len(series.rows) <= most
    shown = series.latest(points)
    assert len(shown) <= points
    assert sum(bar.volume for bar in shown) == count
    if bars:
        assert max(bar.high for bar in shown) == max(bar.high for bar in bars)
        assert min(bar.low for bar in shown) == min(bar.low for bar in bars)
        assert (shown[0].opened, shown[0].open) == (bars[0].opened, bars[0].open)
        assert (shown[-1].told, shown[-1].close) == (bars[-1].told, bars[-1].close)
