"""``python -m benchmarks [NAME]``: one benchmark, or all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable

from benchmarks.engine import backtest, bar_by_bar, operators
from benchmarks.live import journal_append, paper
from benchmarks.measure import Result

BENCHMARKS: dict[str, Callable[[], Result]] = {
    "operators": operators,
    "backtest": backtest,
    "bar-by-bar": bar_by_bar,
    "journal-append": journal_append,
    "paper": paper,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"error: no benchmark {unknown[0]}; there is {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        print(BENCHMARKS[name]().line(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
