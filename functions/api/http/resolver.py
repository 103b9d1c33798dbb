"""Powertools' resolver, plus the HTTP it lacks: HEAD, and 405 as well as 404."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.event_handler import LambdaFunctionUrlResolver
from aws_lambda_powertools.utilities.typing import LambdaContext

_ORDER = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class Resolver(LambdaFunctionUrlResolver):
    def resolve(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """HEAD is answered as GET without the body (RFC 9110 §9.3.2)."""
        if event["requestContext"]["http"]["method"] != "HEAD":
            return super().resolve(event, context)
        http = event["requestContext"]["http"] | {"method": "GET"}
        asked = {**event, "requestContext": event["requestContext"] | {"http": http}}
        return super().resolve(asked, context) | {"body": "", "isBase64Encoded": False}

    def methods_at(self, path: str) -> list[str]:
        """The methods an address accepts, for `Allow`; empty if there is no such address."""
        routes = self._static_routes + self._dynamic_routes
        methods = {each.method for each in routes if each.rule.match(path)}
        if "GET" in methods:
            methods.add("HEAD")
        return sorted(methods, key=_ORDER.index)

    def routes(self) -> set[tuple[str, str]]:
        """Every declared (method, path), such as ("GET", "/api/events/<event_id>")."""
        return {(each.method, each.path) for each in self._static_routes + self._dynamic_routes}
