"""``python -m benchmarks [NAME ...] [--json]``: some benchmarks, or all of them, each in a process of its own."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys

#: The function of each benchmark, imported when it is asked for.
BENCHMARKS = {
    "ema-sweep": "ema_sweep.ema_sweep",
    "random-population": "population.random_programs",
    "parameter-grid": "population.grid",
    "live-bar": "population.live_bar",
    "growth": "population.growth",
    "operators": "engine.operators",
    "backtest": "engine.backtest",
    "bar-by-bar": "engine.bar_by_bar",
    "journal-append": "journal.journal_append",
    "journal-replay": "journal.journal_replay",
    "gate-latency": "gate.gate_latency",
    "paper": "live.paper",
    "paper-fleet": "live.paper_fleet",
    "matching": "matching.matching",
    "research": "research.research",
    "web-fleet": "web_fleet.web_fleet",
    "web-frames": "web.web_frames",
}


def main(words: list[str]) -> int:
    names = [word for word in words if word != "--json"]
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"error: no benchmark {unknown[0]}; there is {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    if len(names) != 1:
        # A process each, so that the peak of one is not that of another.
        alone = [[sys.executable, "-m", "benchmarks", name] for name in names or BENCHMARKS]
        return max(subprocess.run(command, check=False).returncode for command in alone)
    module, _, function = BENCHMARKS[names[0]].partition(".")
    line: str = getattr(importlib.import_module(f"benchmarks.{module}"), function)().line()
    json.loads(line)
    print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
