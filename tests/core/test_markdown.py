from __future__ import annotations

import pytest

from atelier.core import markdown


def test_headings_start_below_the_page() -> None:
    assert markdown.render("# Big\n\n## Less") == "<h3>Big</h3>\n<h3>Less</h3>\n"


def test_links_do_not_vouch_for_where_they_lead() -> None:
    assert markdown.render("[x](https://example.org)") == (
        '<p><a href="https://example.org" rel="nofollow ugc noopener">x</a></p>\n'
    )


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "![x](https://example.org/track.png)",
        '<a href="data:text/html,x">x</a>',
        "<style>*{}</style>",
    ],
)
def test_nothing_runs_or_loads(text: str) -> None:
    html = markdown.render(text)
    for danger in ("<script", "<img", "<style", '<a href="javascript', '<a href="data'):
        assert danger not in html
