"""How smoothly a page runs: frames of the screen, tasks that block it, and what its memory does."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import CDPSession, Page

from clawd.server.front_end import DIST

_WATCH = """seconds => new Promise(done => {
  const frames = [], tasks = []
  const watching = new PerformanceObserver(list => tasks.push(...list.getEntries().map(task => task.duration)))
  watching.observe({type: 'longtask'})
  const began = performance.now()
  let last = began
  const frame = now => {
    frames.push(now - last)
    last = now
    if (now - began < seconds * 1000) requestAnimationFrame(frame)
    else { watching.disconnect(); done([frames.slice(1), tasks]) }
  }
  requestAnimationFrame(frame)
})"""


@dataclass(frozen=True)
class FrameRate:
    """What was seen of a page for some time.

    Attributes:
        fps: frames of the screen in a second.
        p95: milliseconds that 95 of 100 frames did not exceed.
        long_tasks: how many tasks took more than 50 ms.
        longest: of them, milliseconds; 0 where there was none.
        heap_growth: of what the page holds after everything that is not held was thrown away, megabytes.
    """

    fps: float
    p95: float
    long_tasks: int
    longest: float
    heap_growth: float


def frame_rate(page: Page, seconds: float) -> FrameRate:
    """Watch a page that is open."""
    memory = page.context.new_cdp_session(page)
    before = _held(memory)
    frames, tasks = page.evaluate(_WATCH, seconds)
    after = _held(memory)
    memory.detach()
    return FrameRate(
        fps=1000 * len(frames) / sum(frames),
        p95=sorted(frames)[int(0.95 * (len(frames) - 1))],
        long_tasks=len(tasks),
        longest=max(tasks, default=0.0),
        heap_growth=(after - before) / 1e6,
    )


_FILTER = """async text => {
  const field = document.querySelector('.fleet-filter input')
  const write = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set
  const count = document.querySelector('[data-testid=count]')
  const before = count.textContent
  const began = performance.now()
  write.call(field, text)
  field.dispatchEvent(new Event('input', {bubbles: true}))
  // What is posted in the frame that is about to be painted is done as soon as it was.
  const painted = () => new Promise(done => requestAnimationFrame(() => {
    const channel = new MessageChannel()
    channel.port1.onmessage = () => done()
    channel.port2.postMessage(0)
  }))
  do await painted(); while (field.value !== text || count.textContent === before && performance.now() - began < 1000)
  return performance.now() - began
}"""


def filter_times(page: Page, words: Sequence[str]) -> list[float]:
    """Type words into the filter of the page of all agents, a letter at a time, and take them away again.

    Returns:
        Of each letter that leaves other agents, the milliseconds to the first paint that says so.
    """
    page.evaluate(_FILTER.replace("&& performance.now() - began < 1000", "&& false"), " ")  # what is done only once
    taken = []
    for word in words:
        for end in [*range(1, len(word) + 1), 0]:
            before = page.get_by_test_id("count").inner_text()
            milliseconds = float(page.evaluate(_FILTER, word[:end]))
            if page.get_by_test_id("count").inner_text() != before:
                taken.append(milliseconds)
    return taken


def first_load(page: Page, url: str) -> float:
    """Open a page where nothing is kept; kilobytes of compressed script that it asks for before it is still."""
    asked: list[str] = []
    page.on("response", lambda answer: asked.append(answer.url) if answer.url.endswith(".js") else None)
    page.goto(url)
    page.wait_for_load_state("networkidle")
    return sum(_compressed(DIST / "assets" / name.rpartition("/")[2]) for name in set(asked)) / 1e3


def _compressed(script: Path) -> int:
    return len(gzip.compress(script.read_bytes(), 9))


def _held(memory: CDPSession) -> float:
    for _ in range(2):
        memory.send("HeapProfiler.collectGarbage")
    return float(memory.send("Runtime.getHeapUsage")["usedSize"])
