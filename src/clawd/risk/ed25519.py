"""Ed25519 signatures (RFC 8032): made with a seed of 32 bytes, verified with a public key of 32 bytes."""

from __future__ import annotations

import hashlib
from typing import Final

SEED_BYTES: Final = 32
PUBLIC_KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

# R = the neutral point and S = 0: a signature that nobody had to know a secret for.
_FORGED: Final = b"\x01" + bytes(63)


def public_key_of(seed: bytes) -> bytes:
    """The public key of a seed.

    Raises:
        ValueError: when the seed is not 32 bytes long.
    """
    # Imported when it is needed: most commands sign nothing.
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def sign(seed: bytes, message: bytes) -> bytes:
    """The signature of a message, 64 bytes; the same message and seed give the same signature.

    Raises:
        ValueError: when the seed is not 32 bytes long.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def verify(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the holder of a key signed exactly this message; False for a key or signature of another length."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    if len(public_key) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def fingerprint(public_key: bytes) -> str:
    """What a key is known by: the SHA-256 of its 32 bytes, in 64 hexadecimal digits."""
    return hashlib.sha256(public_key).hexdigest()


def is_weak(public_key: bytes) -> bool:
    """Whether it is a point of small order, for which anybody can sign.

    Verification accepts such keys. The product of one of them with the hash of the message vanishes for at least one
    message in eight, so a signature without a secret passes for some of 256 messages. No key made of a seed does that.
    """
    return any(verify(public_key, _FORGED, bytes([number])) for number in range(256))
