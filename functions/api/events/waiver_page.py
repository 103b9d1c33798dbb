"""The public waiver page of an event. It reads without a script; signing it needs one."""

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
<link rel="icon" href="/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/styles/waiver.css">
$script</head>
<body>
<main>
$content
</main>
</body>
</html>
""")

_SCRIPT = """\
<script type="module" src="/scripts/waiver.js"></script>
<link rel="modulepreload" href="/scripts/kit/dom.js">
<link rel="modulepreload" href="/scripts/kit/time.js">
<link rel="modulepreload" href="/scripts/server/api-fetch.js">
"""

_WAIVER = Template("""\
<p class="brand">Ship Captain Crew</p>
<h1>Waiver: $name</h1>
<p class="when">$when$where</p>
<p>By signing I confirm that I have read and accept the following.</p>
<ol>
<li>Boating involves inherent risk, and I take part of my own free will.</li>
<li>I will follow the captain's and the crew's safety instructions at all times.</li>
<li>I have told the crew about any condition that could affect my safety on board.</li>
<li>I release Ship Captain Crew from liability for loss or injury, except where it is
caused by gross negligence.</li>
</ol>
<noscript><p class="banner warn">Signing online needs JavaScript. The crew at the dock has paper
copies of this waiver.</p></noscript>
<form id="sign" action="/g/$event_id/waiver" method="post" novalidate hidden>
<h2>Sign the waiver</h2>
<p id="problem" class="banner bad" role="alert" hidden></p>
<div class="field">
<label for="name">Full name</label>
<input id="name" class="input" name="name" type="text" autocomplete="name" maxlength="120"
 aria-describedby="name-error" required>
<p id="name-error" class="field-error" aria-live="polite"></p>
</div>
<div class="field">
<label for="email">E-mail</label>
<input id="email" class="input" name="email" type="email" autocomplete="email" maxlength="254"
 autocapitalize="none" spellcheck="false" aria-describedby="email-hint email-error" required>
<p id="email-hint" class="hint">Use the e-mail you booked with; it is on the event's roster.</p>
<p id="email-error" class="field-error" aria-live="polite"></p>
</div>
<button type="submit" class="button primary wide"><span class="spinner" aria-hidden="true"></span>
Sign the waiver</button>
</form>
<section id="signed" class="signed" aria-labelledby="signed-title" hidden>
<h2 id="signed-title" tabindex="-1">The waiver is signed</h2>
<p>Signed by <strong data-text="name"></strong> (<span data-text="email"></span>) on
<time data-text="when"></time>. The crew will see it on the roster, so there is
nothing to bring.</p>
<button type="button" class="button" id="another">Sign for another person</button>
</section>
""")

_MISSING = """\
<p class="brand">Ship Captain Crew</p>
<h1>No such event</h1>
<p>Check the link you were sent, or ask the crew at the dock.</p>
"""

_UNUSABLE = """\
<p class="brand">Ship Captain Crew</p>
<h1>This waiver cannot be signed online</h1>
<p>The crew at the dock has paper copies of it.</p>
"""


def waiver_page(meta: Mapping[str, Any]) -> str:
    """The waiver of an event (its META item) as one HTML document."""
    content = _WAIVER.substitute(
        event_id=escape(meta["event_id"]),
        name=escape(meta["name"]),
        when=_long_date(meta["event_date"]),
        where=escape(f" · {meta['location']}") if meta.get("location") else "",
    )
    title = escape(f"Waiver · {meta['name']}")
    return _PAGE.substitute(title=title, script=_SCRIPT, content=content)


def missing_page() -> str:
    return _PAGE.substitute(title="No such event", script="", content=_MISSING)


def unusable_page() -> str:
    return _PAGE.substitute(title="No waiver here", script="", content=_UNUSABLE)


def _long_date(event_date: str) -> str:
    day = date.fromisoformat(event_date)
    return f"{day:%A, %B} {day.day}, {day.year}"
