"""``python -m clawd.backtests.worker HOME``: the process in which backtests run, one after another.

It is told what to do in lines of JSON on its standard input, and answers in lines on its standard output::

    → {"run": id, "request": {…}, "folder": path}      work it out
    ← {"ready": true}                                  before the first, and after each
    ← {"stage": name, "share": 0.25}                   while it does
    ← {"found": true}                                  worked out, not yet counted
    → {"show": true}                                   it will be shown: count it and write it down
    ← {"written": true}, or {"refused": {what, where, hint}}, or {"failed": text}

Whoever wants it to stop ends it. When its input ends, because its parent died, it ends itself.
"""

from __future__ import annotations

import json
import os
import queue
import resource
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TextIO

from clawd.backtests.limits import MOST_MEMORY, TOO_LARGE
from clawd.backtests.request import Request
from clawd.backtests.study import study
from clawd.core.clock import SystemClock
from clawd.core.errors import ClawdError
from clawd.engine.compiled import is_warm
from clawd.engine.warm import load_rules, load_steps, warm_up

Say = Callable[..., None]
Orders = queue.Queue[dict[str, Any]]

_BETWEEN_LOOKS: Final = 0.25  # seconds
_BETWEEN_WORDS: Final = 0.1  # seconds between two tellings of one stage
_NICE: Final = 5  # the server comes first
_STATM: Final = Path("/proc/self/statm")


def main(home: Path, heard: TextIO, said: TextIO) -> None:
    """Serve until the input ends."""
    os.nice(_NICE)
    orders: Orders = queue.Queue()
    threading.Thread(target=_listen, args=(heard, orders), daemon=True).start()
    threading.Thread(target=_watch_memory, daemon=True).start()

    def say(**words: Any) -> None:
        said.write(json.dumps(words) + "\n")
        said.flush()

    _make_ready(say)
    while True:
        say(ready=True)
        _serve(orders.get(), home, say, orders)


def _make_ready(say: Say) -> None:
    """Load everything that a backtest needs, so that the first one need not wait for it."""
    with suppress(ClawdError):  # said when somebody wants a backtest
        if not is_warm():
            say(stage="compiling", share=0.0)
            warm_up()
        load_rules()
        load_steps()


def _serve(order: dict[str, Any], home: Path, say: Say, orders: Orders) -> None:
    told = ("", 0.0)

    def progress(stage: str, share: float) -> None:
        nonlocal told
        now = time.monotonic()
        if stage != told[0] or now - told[1] >= _BETWEEN_WORDS:
            told = stage, now
            say(stage=stage, share=share)

    def may_show() -> bool:
        say(found=True)
        return bool(orders.get().get("show"))

    try:
        study(Request.from_json(order["request"]), home, Path(order["folder"]), SystemClock(), progress, may_show)
    except ClawdError as error:
        say(refused={"what": error.what, "where": error.where, "hint": error.hint})
    except MemoryError:
        os._exit(TOO_LARGE)
    except Exception as error:  # whatever it is, the next backtest must not suffer for it
        say(failed=f"{type(error).__name__}: {error}"[:500])
    else:
        say(written=True)


def _listen(heard: TextIO, orders: Orders) -> None:
    for line in heard:
        orders.put(json.loads(line))
    os._exit(0)


def _watch_memory() -> None:
    while _memory() < MOST_MEMORY:
        time.sleep(_BETWEEN_LOOKS)
    os._exit(TOO_LARGE)


def _memory() -> int:
    """Bytes that this process has in memory; at its peak where the system does not say how many it has now."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    # What is printed by accident must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    main(Path(sys.argv[1]), sys.stdin, answers)
