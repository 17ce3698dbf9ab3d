"""Saved strategies: nothing is lost, nothing is overwritten that was not seen, and a name is never a path."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from clawd.core.errors import ClawdError
from clawd.store.strategies import RevisionError, put_back, read_saved, remove, save, saved_strategies

TEXT = 'name = "mine"\n[position]\ntarget = "long_only(1)"\n[exits]\nstop = { percent = 10 }\n'


def test_what_was_saved_is_read_back(tmp_path: Path) -> None:
    drawing = {"graph": {"name": "mine"}, "pane": "text"}
    saved = save(tmp_path, "mine", 0, TEXT, drawing, None, 5)
    assert read_saved(tmp_path, "mine") == saved
    assert (saved.revision, saved.text, saved.drawing, saved.draft, saved.edited) == (1, TEXT, drawing, None, False)
    assert (tmp_path / "strategies" / "mine.toml").read_text(encoding="utf-8") == TEXT


def test_a_draft_leaves_the_last_valid_text_in_its_file(tmp_path: Path) -> None:
    save(tmp_path, "mine", 0, TEXT, {}, None, 1)
    saved = save(tmp_path, "mine", 1, None, {}, {"form": "text", "content": "name = "}, 2)
    assert saved.text == TEXT
    assert read_saved(tmp_path, "mine") == saved
    first = save(tmp_path, "new", 0, None, {}, {"form": "graph", "content": None}, 2)
    assert first.text is None
    assert not (tmp_path / "strategies" / "new.toml").exists()
    assert [each.name for each in saved_strategies(tmp_path)] == ["mine", "new"]


def test_a_save_that_has_not_seen_the_last_one_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    save(tmp_path, "mine", 0, TEXT, {}, None, 1)
    theirs = save(tmp_path, "mine", 1, TEXT + "# theirs\n", {}, None, 2)
    for revision in (0, 1, 3):
        with pytest.raises(RevisionError) as caught:
            save(tmp_path, "mine", revision, TEXT, {}, None, 3)
        assert caught.value.saved == theirs
    assert read_saved(tmp_path, "mine") == theirs


def test_of_many_who_save_at_once_one_wins(tmp_path: Path) -> None:
    won, lost = [], []

    def run(number: int) -> None:
        try:
            won.append(save(tmp_path, "mine", 0, f"{TEXT}# {number}\n", {}, None, number))
        except RevisionError:
            lost.append(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 11)
    assert read_saved(tmp_path, "mine") == won[0]


def test_an_editor_outside_makes_a_revision_that_must_be_seen(tmp_path: Path) -> None:
    save(tmp_path, "mine", 0, TEXT, {"pane": "text"}, {"form": "text", "content": "x"}, 1)
    (tmp_path / "strategies" / "mine.toml").write_text(TEXT + "# by hand\n", encoding="utf-8")
    saved = read_saved(tmp_path, "mine")
    assert saved is not None
    assert (saved.revision, saved.edited, saved.draft) == (2, True, None)
    with pytest.raises(RevisionError):
        save(tmp_path, "mine", 1, TEXT, {}, None, 2)
    assert save(tmp_path, "mine", 2, TEXT, {}, None, 2).revision == 3


def test_a_file_that_was_only_ever_edited_outside_is_a_strategy_too(tmp_path: Path) -> None:
    folder = tmp_path / "strategies"
    folder.mkdir()
    (folder / "mine.toml").write_text(TEXT, encoding="utf-8")
    (folder / "other.layout").write_text("{broken", encoding="utf-8")
    (folder / "Not A Name.toml").write_text(TEXT, encoding="utf-8")
    (saved,) = saved_strategies(tmp_path)
    assert (saved.name, saved.revision, saved.text, saved.saved_at) == ("mine", 1, TEXT, 0)


def test_a_drawing_that_is_damaged_costs_the_drawing_only(tmp_path: Path) -> None:
    save(tmp_path, "mine", 0, TEXT, {"pane": "text"}, None, 1)
    for damage in ("", "[]", '{"revision": "x", "drawing": 3, "draft": []}', "[" * 100_000):
        (tmp_path / "strategies" / "mine.layout").write_text(damage, encoding="utf-8")
        saved = read_saved(tmp_path, "mine")
        assert saved is not None
        assert (saved.text, saved.drawing, saved.draft) == (TEXT, {}, None)


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = save(tmp_path, "mine", 0, TEXT, {}, None, 1)

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ClawdError, match="No space left"):
        save(tmp_path, "mine", 1, TEXT + "# more\n", {}, None, 2)
    monkeypatch.undo()
    assert read_saved(tmp_path, "mine") == saved
    assert not [path for path in (tmp_path / "strategies").iterdir() if path.name.startswith(".mine")]


def test_what_was_removed_is_set_aside_and_can_be_put_back(tmp_path: Path) -> None:
    saved = save(tmp_path, "mine", 0, TEXT, {"pane": "json"}, None, 1)
    ticket = remove(tmp_path, "mine")
    assert read_saved(tmp_path, "mine") is None
    assert put_back(tmp_path, ticket) == saved
    again = remove(tmp_path, "mine")
    save(tmp_path, "mine", 0, TEXT, {}, None, 2)
    assert remove(tmp_path, "mine") != again, "two of one name lie beside each other"
    save(tmp_path, "mine", 0, TEXT, {}, None, 3)
    with pytest.raises(ClawdError, match="again"):
        put_back(tmp_path, again)
    with pytest.raises(ClawdError, match="nothing was removed"):
        put_back(tmp_path, "mine.77")


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../x", "a/b", "a\\b", "A", "a b", "a.b", "é", "x" * 61, "-a", "\x00", "con\n", "a\u202e", "/etc"],
)
def test_what_is_no_name_reaches_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(ClawdError, match="small letters"):
        save(tmp_path, name, 0, TEXT, {}, None, 1)
    with pytest.raises(ClawdError, match="small letters"):
        read_saved(tmp_path, name)
    with pytest.raises(ClawdError):
        put_back(tmp_path, f"{name}.1")
    assert not list(tmp_path.rglob("*.toml"))
