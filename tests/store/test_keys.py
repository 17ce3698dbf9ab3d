"""Keys lie encrypted and alone readable for their owner, are never overwritten, and only trusted ones decide."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clawd.core.errors import ClawdError
from clawd.risk.approvals import Approver
from clawd.risk.ed25519 import public_key_of, sign, verify
from clawd.store import keys

PASSPHRASE = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second a key is for those who guess; the command line's tests pay it."""
    monkeypatch.setattr(keys, "SCRYPT_COST", 2**4)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def key_file(home: Path) -> Path:
    return home / "keys" / "alice.key"


def edit(path: Path, **changes: Any) -> None:
    fields = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: value for name, value in fields.items() if value is not None}))


# Key pairs


def test_a_key_is_made_kept_and_unlocked(home: Path) -> None:
    made = keys.make_key(home, "alice", PASSPHRASE)
    seed = keys.unlock(keys.find_key(home, "alice"), PASSPHRASE)
    assert public_key_of(seed) == made.public_key
    assert verify(made.public_key, sign(seed, b"x"), b"x")
    assert keys.key_names(home) == ("alice",)
    assert (
        keys.public_part_of(keys.find_key(home, "alice")) == keys.read_public_key(home / "keys" / "alice.pub") == made
    )


def test_the_true_cost_is_what_the_documents_say() -> None:
    script = "from clawd.store import keys; print(keys.SCRYPT_COST)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert int(done.stdout) == 2**17


def test_nothing_secret_is_readable(home: Path) -> None:
    keys.make_key(home, "alice", PASSPHRASE)
    seed = keys.unlock(keys.find_key(home, "alice"), PASSPHRASE)
    for path in (home / "keys").iterdir():
        content = path.read_bytes()
        assert seed not in content
        assert seed.hex().encode() not in content
        assert PASSPHRASE.encode() not in content
    assert mode(home / "keys") == 0o700
    assert mode(key_file(home)) == 0o600
    assert sorted(path.name for path in (home / "keys").iterdir()) == ["alice.key", "alice.pub"]


def test_two_keys_of_one_passphrase_share_nothing(home: Path) -> None:
    keys.make_key(home, "alice", PASSPHRASE)
    keys.make_key(home, "bob", PASSPHRASE)
    one, other = (json.loads((home / "keys" / f"{name}.key").read_text()) for name in ("alice", "bob"))
    for field in ("public_key", "salt", "nonce", "encrypted"):
        assert one[field] != other[field]


def test_a_key_is_never_overwritten(home: Path) -> None:
    keys.make_key(home, "alice", PASSPHRASE)
    before = key_file(home).read_bytes()
    with pytest.raises(ClawdError, match="never overwritten"):
        keys.make_key(home, "alice", PASSPHRASE)
    (home / "keys" / "bob.pub").write_text("mine")
    with pytest.raises(ClawdError, match="never overwritten"):
        keys.make_key(home, "bob", PASSPHRASE)
    assert key_file(home).read_bytes() == before
    assert (home / "keys" / "bob.pub").read_text() == "mine"
    assert not (home / "keys" / "bob.key").exists()


def test_nor_by_another_that_comes_at_the_same_moment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.make_key(home, "alice", PASSPHRASE)
    before = key_file(home).read_bytes()
    monkeypatch.setattr(Path, "exists", lambda _: False)
    with pytest.raises(ClawdError, match="never overwritten"):
        keys.make_key(home, "alice", PASSPHRASE)
    monkeypatch.undo()
    assert key_file(home).read_bytes() == before
    assert sorted(path.name for path in (home / "keys").iterdir()) == ["alice.key", "alice.pub"]


@pytest.mark.parametrize("wrong", ["", "correct horse batter", "Correct horse battery", PASSPHRASE + " ", "ü" * 9])
def test_a_wrong_passphrase_is_said_to_be_wrong(home: Path, wrong: str) -> None:
    keys.make_key(home, "alice", PASSPHRASE)
    with pytest.raises(ClawdError, match=r"alice\.key: the passphrase is wrong, or the file is damaged"):
        keys.unlock(keys.find_key(home, "alice"), wrong)


def test_a_passphrase_is_the_same_however_its_letters_are_composed(home: Path) -> None:
    keys.make_key(home, "alice", "caf\u00e9 noir fort")
    assert keys.unlock(keys.find_key(home, "alice"), "cafe\u0301 noir fort")


@pytest.mark.parametrize("short", ["", "1234567"])
def test_a_short_passphrase_is_refused(home: Path, short: str) -> None:
    with pytest.raises(ClawdError, match=r"8 at least"):
        keys.make_key(home, "alice", short)
    assert not home.exists()


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../alice", "a/b", ".hidden", "-x", "a b", "é", "a\n", "x" * 65, "a\0"]
)
def test_what_cannot_name_a_key(home: Path, name: str) -> None:
    with pytest.raises(ClawdError, match="cannot name a key"):
        keys.make_key(home, name, PASSPHRASE)
    with pytest.raises(ClawdError, match=r"cannot name a key|no such key file"):
        keys.find_key(home, name)
    assert not keys.has_key(home, name)
    assert not home.exists()


def test_a_key_that_is_not_there(home: Path) -> None:
    with pytest.raises(ClawdError, match=r"there is no key 'alice' \(`clawd keys new alice` makes it\)"):
        keys.unlock(keys.find_key(home, "alice"), PASSPHRASE)
    keys.make_key(home, "bob", PASSPHRASE)
    with pytest.raises(ClawdError, match=r"there is no key 'alice' \(there is bob\)"):
        keys.public_part_of(keys.find_key(home, "alice"))


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o660, 0o602, 0o610])
def test_a_private_key_that_others_may_read_is_not_used(home: Path, bits: int) -> None:
    keys.make_key(home, "alice", PASSPHRASE)
    key_file(home).chmod(bits)
    with pytest.raises(ClawdError, match=r"others may read this private key \(chmod 600"):
        keys.unlock(keys.find_key(home, "alice"), PASSPHRASE)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"format": "clawd private key v2"}', "\xff", "{" * 9999])
def test_a_file_that_is_no_key(home: Path, text: str) -> None:
    keys.make_key(home, "alice", PASSPHRASE)
    key_file(home).write_text(text)
    for call in (
        lambda: keys.unlock(keys.find_key(home, "alice"), PASSPHRASE),
        lambda: keys.public_part_of(keys.find_key(home, "alice")),
    ):
        with pytest.raises(ClawdError, match=r"alice\.key: this is no clawd private key file"):
            call()


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "bob"}, {"name": None}, {"name": 1}, {"public_key": "00" * 32}, {"public_key": "00"},
        {"scrypt_cost": 2**5}, {"scrypt_cost": 2**21}, {"scrypt_cost": 0}, {"scrypt_cost": 3}, {"scrypt_cost": "16"},
        {"scrypt_cost": True}, {"salt": "00" * 16}, {"salt": "0"}, {"nonce": "00" * 12}, {"nonce": None},
        {"encrypted": "00" * 48}, {"encrypted": ""}, {"encrypted": "zz"}, {"encrypted": None}, {"more": 1},
    ],
    ids=str,
)  # fmt: skip
def test_a_private_key_that_was_altered_is_not_used(home: Path, changes: dict[str, Any]) -> None:
    keys.make_key(home, "alice", PASSPHRASE)
    edit(key_file(home), **changes)
    with pytest.raises(ClawdError, match=r"alice\.key"):
        keys.unlock(keys.find_key(home, "alice"), PASSPHRASE)


def test_a_key_whose_public_part_is_of_another_is_not_used(home: Path) -> None:
    """Whoever sealed it may have sealed a lie."""
    keys.make_key(home, "alice", PASSPHRASE)
    other = Approver("alice", public_key_of(b"other".ljust(32)))
    key_file(home).write_text(keys._encrypted(other, b"mine".ljust(32), PASSPHRASE))
    with pytest.raises(ClawdError, match="not the key that its public part says"):
        keys.unlock(key_file(home), PASSPHRASE)


def test_a_key_is_used_from_anywhere(home: Path, tmp_path: Path) -> None:
    made = keys.make_key(home, "alice", PASSPHRASE)
    elsewhere = key_file(home).rename(tmp_path / "stick.key")
    found = keys.find_key(home, str(elsewhere))
    assert keys.public_part_of(found) == made
    assert public_key_of(keys.unlock(found, PASSPHRASE)) == made.public_key
    for missing in ("gone.key", str(tmp_path / "gone")):
        with pytest.raises(ClawdError, match="there is no such key file"):
            keys.find_key(home, missing)


def test_a_public_key_file_that_was_altered_is_refused(home: Path) -> None:
    keys.make_key(home, "alice", PASSPHRASE)
    path = home / "keys" / "alice.pub"
    text = path.read_text()
    for changes in ({"public_key": "00" * 32}, {"fingerprint": "00" * 32}, {"fingerprint": None}, {"name": "a/b"}):
        edit(path, **changes)
        with pytest.raises(ClawdError, match="damaged"):
            keys.read_public_key(path)
        path.write_text(text)
    with pytest.raises(ClawdError, match="no clawd public key file"):
        keys.read_public_key(key_file(home))
    with pytest.raises(ClawdError, match="No such file"):
        keys.read_public_key(home / "nobody.pub")
    path.write_text(" " * 1_000_001)
    with pytest.raises(ClawdError, match="no clawd public key file"):
        keys.read_public_key(path)


# Trust


def person(name: str) -> Approver:
    return Approver(name, public_key_of(name.encode().ljust(32)))


def test_keys_are_trusted_and_no_longer(home: Path) -> None:
    assert keys.trusted(home) == ()
    assert keys.trust(home, person("alice"))
    assert not keys.trust(home, person("alice"))
    assert keys.trust(home, person("bob"))
    assert keys.trusted(home) == (person("alice"), person("bob"))
    assert keys.untrust(home, "alice") == person("alice")
    assert keys.trusted(home) == (person("bob"),)
    with pytest.raises(ClawdError, match=r"no key named 'alice' is trusted \(trusted: bob\)"):
        keys.untrust(home, "alice")
    assert mode(keys.trust_path(home)) == 0o644


def test_one_name_has_one_key_and_one_key_one_name(home: Path) -> None:
    keys.trust(home, person("alice"))
    with pytest.raises(ClawdError, match="alice is trusted with another key"):
        keys.trust(home, Approver("alice", person("bob").public_key))
    with pytest.raises(ClawdError, match="this key is trusted as alice's"):
        keys.trust(home, Approver("bob", person("alice").public_key))
    assert keys.trusted(home) == (person("alice"),)


@pytest.mark.parametrize("point", ["01" + "00" * 31, "00" * 32, "ec" + "ff" * 30 + "7f"])
def test_a_key_that_anybody_can_sign_for_is_not_trusted(home: Path, point: str) -> None:
    with pytest.raises(ClawdError, match="anybody can sign for this key"):
        keys.trust(home, Approver("eve", bytes.fromhex(point)))


def test_a_list_that_others_may_change_is_not_trusted(home: Path) -> None:
    keys.trust(home, person("alice"))
    for bits in (0o620, 0o602, 0o666):
        keys.trust_path(home).chmod(bits)
        with pytest.raises(ClawdError, match="others may change who approves"):
            keys.trusted(home)
    keys.trust_path(home).chmod(0o644)
    assert keys.trusted(home)


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{}", '{"format": "clawd approvers v1"}', '{"format": "clawd approvers v1", "approvers": [1]}',
        '{"format": "clawd approvers v1", "approvers": [{"name": "x"}]}',
        '{"format": "clawd approvers v1", "approvers": [{"name": "x", "public_key": "00"}]}',
        '{"format": "clawd approvers v2", "approvers": []}',
    ],
)  # fmt: skip
def test_a_damaged_list_trusts_nobody(home: Path, text: str) -> None:
    keys.trust(home, person("alice"))
    keys.trust_path(home).write_text(text)
    for call in (lambda: keys.trusted(home), lambda: keys.trust(home, person("bob"))):
        with pytest.raises(ClawdError, match=r"approvers\.json"):
            call()
    assert keys.trust_path(home).read_text() == text


def test_a_list_with_a_key_or_a_name_twice_trusts_nobody(home: Path) -> None:
    keys.trust(home, person("alice"))
    path = keys.trust_path(home)
    (entry,) = json.loads(path.read_text())["approvers"]
    for other in (entry, entry | {"name": "eve"}, entry | {"public_key": person("bob").public_key.hex()}):
        edit(path, approvers=[entry, other])
        with pytest.raises(ClawdError, match="two approvers have the same"):
            keys.trusted(home)


CHILD = """
import sys
from pathlib import Path
from clawd.risk.approvals import Approver
from clawd.risk.ed25519 import public_key_of
from clawd.store import keys
people = [Approver(name, public_key_of(name.encode().ljust(32))) for name in sys.argv[2:]]
keys.is_weak = lambda key: False  # slow, and so what the processes do at the same time
print("ready", flush=True)
sys.stdin.readline()
for person in people:
    keys.trust(Path(sys.argv[1]), person)
"""


def test_nobody_is_lost_when_several_are_trusted_at_once(home: Path) -> None:
    groups = [[f"p{number}-{each}" for each in range(20)] for number in range(3)]
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CHILD, str(home), *group], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for group in groups
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        child.communicate(timeout=60)
        assert child.returncode == 0
    assert {approver.name for approver in keys.trusted(home)} == {name for group in groups for name in group}
