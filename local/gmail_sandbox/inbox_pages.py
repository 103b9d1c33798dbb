"""The web inbox's files. Their content policy allows nothing from elsewhere and no inline code."""

from pathlib import Path

from aiohttp import web

_FOLDER = Path(__file__).parent / "inbox"
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def _page(path: Path) -> web.RouteDef:
    text = path.read_text(encoding="utf-8")

    async def serve(_request: web.Request) -> web.Response:
        return web.Response(
            text=text,
            content_type=_TYPES[path.suffix],
            headers={"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"},
        )

    return web.get("/" if path.name == "index.html" else f"/inbox/{path.name}", serve)


def routes() -> list[web.RouteDef]:
    return [_page(path) for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES]
