"""``clawd journal`` with ``--journal``: the same for a file and for a journal in PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import clawd as package
from clawd.store.journal import open_journal


def clawd(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CLAWD_HOME": str(home), "PYTHONPATH": str(Path(package.__file__).parents[1])}
    command = [sys.executable, "-m", "clawd", "journal", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)


def test_from_one_database_to_the_other_and_back(
    new_place: Callable[[], Path | str], tmp_path: Path, server: str
) -> None:
    first, back = str(new_place()), str(new_place())
    other = str(tmp_path / "other.db") if "://" in first else f"{server}?journal=commands"
    with open_journal(first) as journal:
        journal.append([(i, "OrderFilled", {"size": f"-{i}.5", "note": "ü\0✓\u2028"}) for i in range(1, 9)])
        head = journal.head
    export = clawd(tmp_path, "export", "--journal", first)
    assert export.returncode == 0, export.stderr
    assert export.stdout.isascii()
    assert head[1] in export.stderr
    (tmp_path / "a.jsonl").write_text(export.stdout)
    taken = clawd(tmp_path, "import", str(tmp_path / "a.jsonl"), "--journal", other)
    assert taken.returncode == 0, taken.stderr
    assert f"8 entries, chain unbroken, are now in {other}" in taken.stdout
    copied = clawd(tmp_path, "backup", str(tmp_path / "b.copy"), "--journal", other)
    assert copied.returncode == 0, copied.stderr
    assert head[1] in copied.stdout
    if "://" in other:
        assert (tmp_path / "b.copy").read_text() == export.stdout
    again = clawd(tmp_path, "export", "--journal", other)
    assert (again.stdout, again.stderr) == (export.stdout, export.stderr)
    assert clawd(tmp_path, "import", str(tmp_path / "a.jsonl"), "--journal", back).returncode == 0
    with open_journal(back, read_only=True) as journal:
        assert journal.verify_chain(head) == 8
    shown = clawd(tmp_path, "show", "--journal", other, "--last", "1").stdout
    assert json.loads(shown)["size"] == "-8.5"
    csv = clawd(tmp_path, "export", "--csv", "--journal", other).stdout.splitlines()
    assert len(csv) == 9
    assert ",sell,8.5," in csv[-1]
