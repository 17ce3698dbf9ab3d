"""Passwords of the web face: argon2id (RFC 9106), with the parameters of its second recommendation."""

from __future__ import annotations

import secrets
import unicodedata
from functools import cache
from typing import Final

from clawd.core.errors import ClawdError

#: A password that is tried over a network and stands alone: longer than the least of NIST SP 800-63B, which is 8.
SHORTEST_PASSWORD: Final = 12
#: Nobody types more, and hashing takes time with the length.
LONGEST_PASSWORD: Final = 1_000


def check_password(password: str) -> None:
    """See whether something can be a password.

    Raises:
        ClawdError: when it is too short, too long, or one letter again and again.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise ClawdError(
            f"the password has {len(password)} characters",
            where="password",
            hint=f"{SHORTEST_PASSWORD} at least; a few words in a row are easy to remember",
        )
    if len(set(password)) < 4:
        raise ClawdError("the password is made of fewer than 4 different characters", where="password")


def password_hash(password: str) -> str:
    """What is stored of a password: it says how it was made, and has a salt of its own. Takes 64 MiB for a moment."""
    from argon2 import PasswordHasher  # noqa: PLC0415 - only who has a password needs it

    return PasswordHasher().hash(_typed(password))


@cache
def nobodys_hash() -> str:
    """What no password has: whoever gives the name of nobody waits as long as who gives a wrong password."""
    return password_hash(secrets.token_urlsafe(32))


def is_password(stored: str, password: str) -> bool:
    """Whether a password is the one that was stored."""
    from argon2 import PasswordHasher  # noqa: PLC0415
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415

    if len(password) > LONGEST_PASSWORD:
        return False
    try:
        return PasswordHasher().verify(stored, _typed(password))
    except (VerificationError, InvalidHashError):
        return False


def _typed(password: str) -> bytes:
    # The same password from another keyboard must be the same bytes.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
