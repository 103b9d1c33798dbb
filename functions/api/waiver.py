"""The public waiver page of an event."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from html import escape
from string import Template
from typing import Any

_PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<link rel="stylesheet" href="/styles/waiver.css">
</head>
<body>
<main>
$content
</main>
</body>
</html>
""")

_WAIVER = Template("""\
<p class="brand">Ship Captain Crew</p>
<h1>Waiver: $name</h1>
<p class="when">$when$where</p>
<p>By boarding I confirm that I have read and accept the following.</p>
<ol>
<li>Going to sea is an activity with inherent risk. I take part of my own free will.</li>
<li>I follow the captain's and the crew's safety instructions at all times.</li>
<li>I have told the crew about any condition that could affect my safety on board.</li>
<li>I release Ship Captain Crew from liability for loss or injury, except where it is
caused by gross negligence.</li>
</ol>
<p class="roster">$roster_size patrons are on this event's roster.</p>
""")

_MISSING = """\
<p class="brand">Ship Captain Crew</p>
<h1>No such event</h1>
<p>Check the link that you were sent, or ask the crew at the dock.</p>
"""


def waiver_page(meta: Mapping[str, Any]) -> str:
    """The waiver of an event (its META item) as one HTML document."""
    content = _WAIVER.substitute(
        name=escape(meta["name"]),
        when=_long_date(meta["event_date"]),
        where=escape(f" · {meta['location']}") if meta.get("location") else "",
        roster_size=int(meta.get("roster_size") or 0),
    )
    return _PAGE.substitute(title=escape(f"Waiver · {meta['name']}"), content=content)


def missing_page() -> str:
    return _PAGE.substitute(title="No such event", content=_MISSING)


def _long_date(event_date: str) -> str:
    day = date.fromisoformat(event_date)
    return f"{day:%A, %B} {day.day}, {day.year}"
