"""Checking a statement's signature with the stack's key, which never leaves KMS."""

from __future__ import annotations

import hashlib
from typing import Any

ALGORITHM = "RSASSA_PKCS1_V1_5_SHA_256"
MOST_BYTES = 6_144  # of a signature that KMS takes


class VerifyingKey:
    def __init__(self, client: Any, key_id: str) -> None:
        self._client = client
        self._key_id = key_id

    def has_signed(self, content: bytes, signature: bytes) -> bool:
        if not 0 < len(signature) <= MOST_BYTES:
            return False
        try:
            answer = self._client.verify(
                KeyId=self._key_id,
                Message=hashlib.sha256(content).digest(),
                MessageType="DIGEST",  # RAW takes 4,096 bytes at most
                Signature=signature,
                SigningAlgorithm=ALGORITHM,
            )
        except self._client.exceptions.KMSInvalidSignatureException:
            return False
        return bool(answer["SignatureValid"])
