"""Keys of approvers: private ones encrypted with a passphrase, public ones in the open, and which are trusted.

A private key is the seed of an Ed25519 key, encrypted with AES-256-GCM under a key that scrypt makes of the passphrase.
Everything else that its file says (the name, the public key, the parameters) is authenticated with it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import stat
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from clawd.core.errors import ClawdError
from clawd.risk.approvals import Approver
from clawd.risk.ed25519 import PUBLIC_KEY_BYTES, SEED_BYTES, is_weak, public_key_of
from clawd.store.lock import take_lock

#: scrypt's cost (RFC 7914): 128 MiB and about half a second a guess, as OWASP recommends with r = 8 and p = 1.
SCRYPT_COST: Final = 2**17
#: The least that NIST SP 800-63B allows a person to choose.
SHORTEST_PASSPHRASE: Final = 8

_PRIVATE: Final = "clawd private key v1"
_PUBLIC: Final = "clawd public key v1"
_TRUSTED: Final = "clawd approvers v1"
_BLOCK: Final = 8
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
# A file that asks for more memory than 1 GiB is not ours.
_HIGHEST_COST: Final = 2**20
_LARGEST_FILE: Final = 1_000_000
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})*")


class PassphraseError(ClawdError):
    """The passphrase is wrong, or the file that it should open is damaged: nobody can tell the two apart."""


def make_key(home: Path, name: str, passphrase: str) -> Approver:
    """Make a new key pair: ``keys/NAME.key``, encrypted and for its owner's eyes alone, and ``keys/NAME.pub``.

    Raises:
        ClawdError: when the name cannot be one, a file of that name is there, or the passphrase is too short.
    """
    check_name(name)
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise ClawdError(
            f"the passphrase has {len(passphrase)} characters", hint=f"{SHORTEST_PASSPHRASE} at least; more are better"
        )
    private, public = _private_path(home, name), _public_path(home, name)
    for path in (private, public):
        if path.exists():
            raise _in_the_way(path)
    private.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    seed = secrets.token_bytes(SEED_BYTES)
    approver = Approver(name, public_key_of(seed))
    _write_new(private, _encrypted(approver, seed, passphrase), 0o600)
    _write_new(public, public_text(approver), 0o644)
    return approver


def key_names(home: Path) -> tuple[str, ...]:
    """The names of the key pairs in a home, sorted."""
    return tuple(sorted(path.stem for path in (home / "keys").glob("*.key") if _NAME.fullmatch(path.stem)))


def public_text(approver: Approver) -> str:
    """What a public key file says."""
    return _json(
        {
            "format": _PUBLIC,
            "name": approver.name,
            "public_key": approver.public_key.hex(),
            "fingerprint": approver.fingerprint,
        }
    )


def read_public_key(path: Path) -> Approver:
    """The key in a public key file.

    Raises:
        ClawdError: when the file cannot be read, is no public key file, or is damaged.
    """
    fields = _read(path, _PUBLIC)
    approver = _approver(fields, path)
    if fields.get("fingerprint") != approver.fingerprint:
        raise ClawdError("the fingerprint is not that of the key: the file is damaged", where=str(path))
    return approver


def find_key(home: Path, key: str) -> Path:
    """The private key file that a person means: a key of this home by its name, or a file from anywhere.

    Raises:
        ClawdError: when there is none.
    """
    path = Path(key)
    if "/" in key or path.suffix == ".key":
        if not path.is_file():
            raise ClawdError("there is no such key file", where=key)
        return path
    return _existing(home, key)


def public_part_of(path: Path) -> Approver:
    """The public part that a private key file says it has.

    Raises:
        ClawdError: when the file is none, or damaged.
    """
    return _approver(_read(path, _PRIVATE), path)


def unlock(path: Path, passphrase: str) -> bytes:
    """The seed in a private key file, decrypted; it is that of the public part.

    Raises:
        PassphraseError: when the passphrase is wrong.
        ClawdError: when others may read the file, or it is damaged.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    fields = _read(path, _PRIVATE)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ClawdError("others may read this private key", where=str(path), hint=f"chmod 600 {path}")
    approver = _approver(fields, path)
    cost, salt = fields.get("scrypt_cost"), _bytes(fields, "salt", _SALT_BYTES, path)
    if type(cost) is not int or not 2 <= cost <= _HIGHEST_COST or cost & (cost - 1):
        raise ClawdError("the cost of scrypt is no power of two up to 2^20: the file is damaged", where=str(path))
    nonce = _bytes(fields, "nonce", _NONCE_BYTES, path)
    sealed = _bytes(fields, "encrypted", None, path)
    try:
        seed = AESGCM(_derived(passphrase, salt, cost)).decrypt(nonce, sealed, _header(fields))
    except (InvalidTag, ValueError):
        raise PassphraseError("the passphrase is wrong, or the file is damaged", where=str(path)) from None
    if len(seed) != SEED_BYTES or public_key_of(seed) != approver.public_key:
        raise ClawdError("this is not the key that its public part says", where=str(path))
    return seed


def trusted(home: Path) -> tuple[Approver, ...]:
    """The approvers: whose keys may decide, by their names.

    Raises:
        ClawdError: when the list is damaged, or others may change it.
    """
    path = trust_path(home)
    if not path.exists():
        return ()
    if stat.S_IMODE(path.stat().st_mode) & 0o022:
        raise ClawdError("others may change who approves", where=str(path), hint=f"chmod 600 {path}")
    entries = _read(path, _TRUSTED).get("approvers")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ClawdError("the list of approvers is damaged", where=str(path))
    approvers = tuple(_approver(entry, path) for entry in entries)
    for attribute in ("name", "public_key"):
        if len({getattr(approver, attribute) for approver in approvers}) < len(approvers):
            raise ClawdError(f"two approvers have the same {attribute.replace('_', ' ')}", where=str(path))
    return approvers


def trust(home: Path, approver: Approver) -> bool:
    """Make a key an approver's.

    Returns:
        Whether it was not one before.

    Raises:
        ClawdError: when the name has another key, the key another name, or anybody could sign for the key.
    """
    check_name(approver.name)
    if is_weak(approver.public_key):
        raise ClawdError("anybody can sign for this key: it was not made of a seed", where=approver.name)
    home.mkdir(parents=True, exist_ok=True)
    with take_lock(trust_path(home), "list of approvers", wait=True):
        before = trusted(home)
        if approver in before:
            return False
        for known in before:
            if known.name == approver.name:
                raise ClawdError(
                    f"{known.name} is trusted with another key, {known.fingerprint[:16]}",
                    where=approver.name,
                    hint=f"`clawd keys untrust {known.name}` first",
                )
            if known.public_key == approver.public_key:
                raise ClawdError(f"this key is trusted as {known.name}'s", where=approver.name, hint="it counts once")
        _write_trusted(home, (*before, approver))
    return True


def untrust(home: Path, name: str) -> Approver:
    """Take an approver's key from the list.

    Raises:
        ClawdError: when no key of that name is trusted.
    """
    home.mkdir(parents=True, exist_ok=True)
    with take_lock(trust_path(home), "list of approvers", wait=True):
        before = trusted(home)
        gone = next((approver for approver in before if approver.name == name), None)
        if gone is None:
            names = ", ".join(approver.name for approver in before) or "none"
            raise ClawdError(f"no key named {name!r} is trusted", where=str(trust_path(home)), hint=f"trusted: {names}")
        _write_trusted(home, (approver for approver in before if approver is not gone))
    return gone


def trust_path(home: Path) -> Path:
    """Where the list of approvers lies in a home folder."""
    return home / "approvers.json"


def check_name(name: str) -> None:
    """See whether a key can be named so; the name is a file's as well.

    Raises:
        ClawdError: when it cannot.
    """
    if not _NAME.fullmatch(name):
        raise ClawdError(
            f"{name[:80]!r} cannot name a key", hint="letters, digits, dots, dashes and underscores, 64 at most"
        )


def has_key(home: Path, name: str) -> bool:
    """Whether a home holds a key pair of this name."""
    return _NAME.fullmatch(name) is not None and _private_path(home, name).is_file()


def _private_path(home: Path, name: str) -> Path:
    return home / "keys" / f"{name}.key"


def _public_path(home: Path, name: str) -> Path:
    return home / "keys" / f"{name}.pub"


def _existing(home: Path, name: str) -> Path:
    check_name(name)
    path = _private_path(home, name)
    if not path.is_file():
        names = ", ".join(key_names(home))
        hint = f"there is {names}" if names else f"`clawd keys new {name}` makes it"
        raise ClawdError(f"there is no key {name!r}", where=str(home / "keys"), hint=hint)
    return path


def _encrypted(approver: Approver, seed: bytes, passphrase: str) -> str:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    fields = {
        "format": _PRIVATE,
        "name": approver.name,
        "public_key": approver.public_key.hex(),
        "scrypt_cost": SCRYPT_COST,
        "salt": salt.hex(),
        "nonce": nonce.hex(),
    }
    sealed = AESGCM(_derived(passphrase, salt, SCRYPT_COST)).encrypt(nonce, seed, _header(fields))
    return _json({**fields, "encrypted": sealed.hex()})


def _derived(passphrase: str, salt: bytes, cost: int) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # noqa: PLC0415

    # The same passphrase from another keyboard must be the same bytes.
    typed = unicodedata.normalize("NFKC", passphrase).encode("utf-8", "surrogateescape")
    return Scrypt(salt=salt, length=32, n=cost, r=_BLOCK, p=1).derive(typed)


def _header(fields: dict[str, Any]) -> bytes:
    """All of a private key's file but what is encrypted."""
    header = {name: value for name, value in fields.items() if name != "encrypted"}
    return json.dumps(header, sort_keys=True).encode("ascii")


def _approver(fields: dict[str, Any], path: Path) -> Approver:
    name = fields.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ClawdError("a key has no name that can be one: the file is damaged", where=str(path))
    return Approver(name, _bytes(fields, "public_key", PUBLIC_KEY_BYTES, path))


def _bytes(fields: dict[str, Any], name: str, length: int | None, path: Path) -> bytes:
    text = fields.get(name)
    if not isinstance(text, str) or not _HEX.fullmatch(text) or (length is not None and len(text) != 2 * length):
        raise ClawdError(f"`{name}` is damaged", where=str(path))
    return bytes.fromhex(text)


def _read(path: Path, kind: str) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ClawdError(f"this is no {kind.removesuffix(' v1')} file", where=str(path))
        fields = json.loads(path.read_text(encoding="ascii"))
    except OSError as error:
        raise ClawdError(error.strerror or str(error), where=str(path)) from error
    except (ValueError, RecursionError):
        raise ClawdError(f"this is no {kind.removesuffix(' v1')} file, or it is damaged", where=str(path)) from None
    if not isinstance(fields, dict) or fields.get("format") != kind:
        raise ClawdError(f"this is no {kind.removesuffix(' v1')} file of version 1", where=str(path))
    return fields


def _json(fields: dict[str, Any]) -> str:
    return json.dumps(fields, indent=1) + "\n"


def _write_trusted(home: Path, approvers: Iterable[Approver]) -> None:
    path = trust_path(home)
    entries = [{"name": each.name, "public_key": each.public_key.hex()} for each in approvers]
    fresh = _fresh(path, _json({"format": _TRUSTED, "approvers": entries}), 0o644)
    fresh.replace(path)
    _keep(path.parent)


def _write_new(path: Path, text: str, mode: int) -> None:
    """Write a file whole or not at all, and never over another."""
    fresh = _fresh(path, text, mode)
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        raise _in_the_way(path) from None
    finally:
        fresh.unlink()
    _keep(path.parent)


def _fresh(path: Path, text: str, mode: int) -> Path:
    """A file beside ``path`` with this text, safe on the disk."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return fresh


def _keep(folder: Path) -> None:
    """Have the names in a folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _in_the_way(path: Path) -> ClawdError:
    return ClawdError("there is such a key, and keys are never overwritten", where=str(path), hint="take another name")
