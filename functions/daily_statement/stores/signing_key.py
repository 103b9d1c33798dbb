"""The stack's signing key, which never leaves KMS."""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any

ALGORITHM = "RSASSA_PKCS1_V1_5_SHA_256"


class SigningKey:
    def __init__(self, client: Any, key_id: str) -> None:
        self._client = client
        self._key_id = key_id

    @cached_property
    def sha256(self) -> str:
        """Of the public key in DER form (SubjectPublicKeyInfo), in hex."""
        public_key = self._client.get_public_key(KeyId=self._key_id)["PublicKey"]
        return hashlib.sha256(public_key).hexdigest()

    def sign(self, content: bytes) -> bytes:
        """The signature of these bytes; the same bytes always get the same one (PKCS #1 v1.5)."""
        answer = self._client.sign(
            KeyId=self._key_id,
            Message=hashlib.sha256(content).digest(),
            MessageType="DIGEST",  # RAW takes 4,096 bytes at most
            SigningAlgorithm=ALGORITHM,
        )
        signature: bytes = answer["Signature"]
        return signature

    def has_signed(self, content: bytes, signature: bytes) -> bool:
        try:
            answer = self._client.verify(
                KeyId=self._key_id,
                Message=hashlib.sha256(content).digest(),
                MessageType="DIGEST",
                Signature=signature,
                SigningAlgorithm=ALGORITHM,
            )
        except self._client.exceptions.KMSInvalidSignatureException:
            return False
        return bool(answer["SignatureValid"])
