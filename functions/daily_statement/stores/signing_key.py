"""The stack's signing key, which never leaves KMS."""

from __future__ import annotations

import hashlib
from functools import cached_property

from shared.statements.signature import ALGORITHM, VerifyingKey


class SigningKey(VerifyingKey):
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
            MessageType="DIGEST",
            SigningAlgorithm=ALGORITHM,
        )
        signature: bytes = answer["Signature"]
        return signature
