"""Frames for open pages: made once, a few times a second, and sent to everyone who wants them.

Frames of a topic are numbered, and the newest few are kept. A client that is so slow that it misses one that is not
kept any more is sent the whole picture instead, which takes the place of all that it missed: what it holds is at every
moment what was true at one moment. Nothing is queued for it, so that it can hold up nobody and costs no memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, get_args

import numpy as np
import orjson

from clawd.core.clock import Clock
from clawd.server.frames import Changed, FeedLine, Status, Topic
from clawd.server.live.columns import NUMBERS, STATES, Columns, no_agents
from clawd.server.live.picture import Source
from clawd.server.milliseconds import milliseconds

#: Seconds between two frames of a topic, and between two of the status even where nothing has changed.
EVERY: Final = 0.25
HEARTBEAT: Final = 1.0
#: Frames of a topic that a slow client may be behind before it is sent the whole picture.
KEPT: Final = 8
#: Pages that may be open at once.
MOST_CLIENTS: Final = 200

TOPICS: Final[tuple[Topic, ...]] = get_args(Topic)
EVERYTHING: Final[tuple[Changed, ...]] = get_args(Changed)


def fleet_frame(columns: Columns, seq: int, sent_at: float, rows: np.ndarray[Any, Any] | None = None) -> bytes:
    """Some rows of the fleet as JSON, all of them where none are named: `frames.FleetFrame`."""
    whole = rows is None
    states = columns.state if rows is None else columns.state[rows]
    numbers = columns.numbers if rows is None else columns.numbers[:, rows]
    body: dict[str, object] = {
        "topic": "fleet",
        "seq": seq,
        "whole": whole,
        "sent_at": sent_at,
        "run": columns.run,
        "ids": columns.ids if whole else None,
        "names": columns.names if whole else None,
        "markets": columns.markets if whole else None,
        "index": np.arange(columns.size) if rows is None else rows,
        "state": [STATES[code] for code in states.tolist()],
    }
    for place, name in enumerate(NUMBERS):
        body[name] = np.ascontiguousarray(numbers[place])
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)


@dataclass(slots=True)
class Channel:
    """The frames of one topic.

    Attributes:
        seq: number of the newest.
        kept, frames: the newest so many, each with its number.
        whole: makes the whole picture as it is after frame ``seq``.
    """

    whole: Callable[[int], str]
    seq: int = 0
    kept: int = KEPT
    frames: deque[tuple[int, str]] = field(init=False)
    _whole: tuple[int, str] | None = None

    def __post_init__(self) -> None:
        self.frames = deque(maxlen=self.kept)

    def push(self, frame: str) -> None:
        """The next frame."""
        self.seq += 1
        self.frames.append((self.seq, frame))

    def skip(self) -> None:
        """The picture has changed so that there is nothing but the whole of it."""
        self.seq += 1
        self.frames.clear()

    def since(self, seq: int | None) -> list[str]:
        """What brings a client up to date that has had frame ``seq``; None for one that has nothing."""
        if seq == self.seq:
            return []
        missed = [frame for number, frame in self.frames if seq is not None and number > seq]
        if seq is not None and len(missed) == self.seq - seq:
            return missed
        if self._whole is None or self._whole[0] != self.seq:
            self._whole = self.seq, self.whole(self.seq)
        return [self._whole[1]]


class Client:
    """An open page: which topics it wants, and the number of the last frame of each that it was sent."""

    def __init__(self) -> None:
        self.had: dict[Topic, int | None] = {}
        self.wake = asyncio.Event()

    def subscribe(self, topics: list[Topic]) -> None:
        """Want these topics, from a whole picture of each that is new."""
        self.had = {topic: self.had.get(topic) for topic in TOPICS if topic in topics}
        self.wake.set()

    def resync(self, topic: Topic) -> None:
        """Want a whole picture, where the topic is wanted at all."""
        if topic in self.had:
            self.had[topic] = None
            self.wake.set()


class Hub:
    """Makes the frames and knows who wants them. All but :meth:`announce` belongs to one event loop.

    Args:
        source: of the pictures.
        clock: stamps the frames.
        every: seconds between two looks at the source.
    """

    def __init__(self, source: Source, clock: Clock, every: float = EVERY) -> None:
        self._source, self._clock, self._every = source, clock, every
        self._lock = threading.Lock()
        self._announced: set[Changed] = set()
        self._fleet: Columns = no_agents()
        self._feed: tuple[FeedLine, ...] = ()
        self._status: Status = source.picture().status
        self._status_at = -1e9
        self.clients: set[Client] = set()
        self.channels: dict[Topic, Channel] = {
            "status": Channel(self._whole_status, kept=1),
            "fleet": Channel(self._whole_fleet),
            "feed": Channel(self._whole_feed),
            "changed": Channel(_whole_changed),
        }

    def announce(self, what: Changed) -> None:
        """Tell every open page that something it may hold has changed; from any thread."""
        with self._lock:
            self._announced.add(what)

    @asynccontextmanager
    async def joined(self) -> AsyncIterator[Client | None]:
        """A client, for as long as the block lasts; None where there are too many."""
        if len(self.clients) >= MOST_CLIENTS:
            yield None
            return
        client = Client()
        self.clients.add(client)
        try:
            yield client
        finally:
            self.clients.discard(client)

    def due(self, client: Client) -> list[str]:
        """The frames that bring a client up to date; they count as sent."""
        frames = []
        for topic, had in client.had.items():
            channel = self.channels[topic]
            frames += channel.since(had)
            client.had[topic] = channel.seq
        return frames

    async def run(self) -> None:
        """Look at the source and make frames, until cancelled."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            self.tick(loop.time())
            due = max(due + self._every, loop.time())
            await asyncio.sleep(due - loop.time())

    def tick(self, now: float) -> None:
        """Make the frames of what has changed since the last look.

        Args:
            now: seconds of a clock that only goes forward.
        """
        picture = self._source.picture()
        with self._lock:
            announced, self._announced = self._announced, set()
        if announced:
            channel = self.channels["changed"]
            channel.push(_changed_frame(channel.seq + 1, [word for word in EVERYTHING if word in announced]))
        # An equal status is sent all the same now and then, so that a page can tell quiet from gone.
        if picture.status != self._status or now - self._status_at >= HEARTBEAT:
            self._status, self._status_at = picture.status, now
            channel = self.channels["status"]
            channel.push(self._whole_status(channel.seq + 1))
        if picture.fleet is not self._fleet:
            self._push_fleet(picture.fleet)
        if picture.feed is not self._feed:
            self._push_feed(picture.feed)
        for client in self.clients:
            client.wake.set()

    def _push_fleet(self, columns: Columns) -> None:
        before, self._fleet = self._fleet, columns
        channel = self.channels["fleet"]
        if not columns.same_agents(before):
            channel.skip()
        elif (rows := columns.changed_since(before)).size:
            channel.push(fleet_frame(columns, channel.seq + 1, self._now(), rows).decode())

    def _push_feed(self, feed: tuple[FeedLine, ...]) -> None:
        before, self._feed = self._feed, feed
        channel = self.channels["feed"]
        last = before[-1] if before else None
        new = feed[feed.index(last) + 1 :] if last in feed else ()
        if not new:
            channel.skip()
        else:
            channel.push(_feed_frame(channel.seq + 1, new, whole=False))

    def _whole_status(self, seq: int) -> str:
        return self._status.model_copy(update={"seq": seq, "sent_at": self._now()}).model_dump_json()

    def _whole_fleet(self, seq: int) -> str:
        return fleet_frame(self._fleet, seq, self._now()).decode()

    def _whole_feed(self, seq: int) -> str:
        return _feed_frame(seq, self._feed, whole=True)

    def _now(self) -> float:
        return milliseconds(self._clock.now())


def _feed_frame(seq: int, lines: tuple[FeedLine, ...], *, whole: bool) -> str:
    body = {"topic": "feed", "seq": seq, "whole": whole, "lines": [line.model_dump() for line in lines]}
    return orjson.dumps(body).decode()


def _changed_frame(seq: int, what: list[Changed] | tuple[Changed, ...]) -> str:
    return orjson.dumps({"topic": "changed", "seq": seq, "what": what}).decode()


def _whole_changed(seq: int) -> str:
    """Who has missed what has changed asks for everything anew."""
    return _changed_frame(seq, EVERYTHING)


@asynccontextmanager
async def at_work(hub: Hub) -> AsyncIterator[None]:
    """The hub makes frames for as long as the block lasts."""
    task = asyncio.create_task(hub.run(), name="hub")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
