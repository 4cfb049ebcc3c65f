"""A report as one HTML file that makes no request."""

import base64
import hashlib
import json
from html import escape
from importlib.resources import files
from typing import Any

# Characters that could end a script or a line of it, wherever they stand in JSON.
ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<noscript>
<h1>{title}</h1>
{answer}
<p>Tables, curves and images need a browser that runs the scripts of this file.</p>
</noscript>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def html(document: dict[str, Any]) -> str:
    """The page that shows a document, with all that it needs in it."""
    script, style = bundled("report.js"), bundled("report.css")
    return PAGE.format(
        policy=policy(live=document.get("live", False)),
        title=_text(document["title"]),
        answer="\n".join(f"<p>{_text(sentence)}</p>" for sentence in document["answer"]),
        style=style,
        data=as_json(document),
        script=script,
    )


def policy(*, live: bool) -> str:
    """What the page may do: nothing but run its script, and, if it is live, ask for its data."""
    asks = " connect-src 'self';" if live else ""
    return (
        f"default-src 'none'; script-src {_digest(bundled('report.js'))};{asks} "
        "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def as_json(document: dict[str, Any]) -> str:
    """The document as JSON that may stand inside of a script element."""
    text = json.dumps(document, allow_nan=False, separators=(",", ":"))
    return text.translate(ESCAPES)


def bundled(name: str) -> str:
    """A file of the page: report.js or report.css."""
    return files("harness.views.report").joinpath(name).read_text("utf-8")


def _text(text: str) -> str:
    """Text of an element; names of files may hold bytes that are no text."""
    return escape(text.encode("utf-8", "replace").decode())


def _digest(script: str) -> str:
    """How a policy names a script that may run."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return f"'sha256-{digest}'"
