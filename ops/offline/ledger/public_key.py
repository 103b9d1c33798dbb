"""An RSA public key, read and used without any library: what an auditor checks statements with.

The signatures are RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2).
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

_PEM = re.compile(
    rb"-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----", re.ASCII
)
_RSA = bytes.fromhex("06092a864886f70d0101010500")  # rsaEncryption, and no parameters
_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")  # DigestInfo, before the digest
LEAST_BITS, MOST_BITS = 2_048, 16_384
MOST_EXPONENT = 2**32  # larger ones only take time
_SEQUENCE, _INTEGER, _BITS = 0x30, 0x02, 0x03


@dataclass(frozen=True, slots=True)
class PublicKey:
    """sha256: of the key in DER form, by which statements name it."""

    modulus: int
    exponent: int
    sha256: str

    def has_signed(self, digest: bytes, signature: bytes) -> bool:
        """Whether this signature is the key's, of content with this SHA-256."""
        size = (self.modulus.bit_length() + 7) // 8
        if len(signature) != size:
            return False
        opened = pow(int.from_bytes(signature, "big"), self.exponent, self.modulus)
        told = _SHA256 + digest
        wanted = b"\x00\x01" + b"\xff" * (size - len(told) - 3) + b"\x00" + told
        return opened.to_bytes(size, "big") == wanted


def read_public_key(path: Path) -> PublicKey:
    """A PEM or DER file. Raises OSError, ValueError for another file."""
    return public_key_of(path.read_bytes(), str(path))


def public_key_of(content: bytes, name: str) -> PublicKey:
    """name: what it is read from. Raises ValueError for what is no such key."""
    pem = _PEM.search(content)
    try:
        der = base64.b64decode(pem[1]) if pem else content
        key = _inside(der, _SEQUENCE)[0]
        algorithm, rest = _inside(key, _SEQUENCE)
        bits, _ = _inside(rest, _BITS)
        numbers, _ = _inside(bits[1:], _SEQUENCE)
        modulus, rest = _inside(numbers, _INTEGER)
        exponent, _ = _inside(rest, _INTEGER)
    except (IndexError, ValueError) as error:
        raise ValueError(
            f"{name} is no public key: it must be the stack's, as PEM or DER"
        ) from error
    made = PublicKey(
        int.from_bytes(modulus, "big"),
        int.from_bytes(exponent, "big"),
        hashlib.sha256(der).hexdigest(),
    )
    is_usual = 3 <= made.exponent < MOST_EXPONENT and made.modulus.bit_length() <= MOST_BITS
    if algorithm != _RSA or made.modulus.bit_length() < LEAST_BITS or not is_usual:
        raise ValueError(f"{name} is no RSA key of {LEAST_BITS:,} bits or more")
    return made


def _inside(der: bytes, kind: int) -> tuple[bytes, bytes]:
    """The content of a value, and what follows it. Raises IndexError or ValueError."""
    if der[0] != kind:
        raise ValueError("another kind of value")
    length, start = der[1], 2
    if length & 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(der[2 : 2 + count], "big"), 2 + count
    if start + length > len(der):
        raise ValueError("it ends early")
    return der[start : start + length], der[start + length :]
