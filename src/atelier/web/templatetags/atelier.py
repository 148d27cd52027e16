"""Tags that every page uses: icons, Sparks, times and pictures."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from atelier.core import clock
from atelier.web.icons import ICONS

register = template.Library()
MINUS = "\N{MINUS SIGN}"
MINUTE = 60


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """An inline icon; without ``label`` it is decoration, and text stands beside it."""
    access = format_html('role="img" aria-label="{}"', label) if label else 'aria-hidden="true"'
    return mark_safe(  # noqa: S308 - our own drawings; the label is escaped above
        f'<svg width="20" height="20" viewBox="0 0 20 20" fill="none" stroke="currentColor" '
        f'stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" {access}>'
        f"{ICONS[name]}</svg>"
    )


@register.simple_tag
def sparks(amount: int | None) -> SafeString:
    """An amount of Sparks, with thousands apart and the word for screen readers."""
    return format_html(
        '<span class="sparks">{}{}<span class="visually-hidden"> Sparks</span></span>',
        icon("spark"),
        f"{amount or 0:,}",
    )


@register.filter
def signed(amount: int) -> str:
    """An amount with its sign, in the typographic minus that aligns with figures."""
    return f"+{amount:,}" if amount > 0 else f"{MINUS}{abs(amount):,}"


@register.simple_tag
def moment(at: dt.datetime | None) -> SafeString:
    """A point in time as people say it, with the exact time on hover and for machines."""
    if at is None:
        return SafeString("")
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        at.astimezone(dt.UTC).isoformat(timespec="seconds"),
        at.astimezone(dt.UTC).strftime("%-d %B %Y, %H:%M"),
        _distance(at),
    )


def _distance(at: dt.datetime) -> str:
    seconds = (at - clock.now()).total_seconds()
    ahead = seconds > 0
    seconds = abs(seconds)
    if seconds < MINUTE:
        return "in under a minute" if ahead else "just now"
    for size, unit in ((86400, "day"), (3600, "hour"), (MINUTE, "minute")):
        if seconds >= size:
            count = int(seconds // size)
            words = f"{count} {unit}{'' if count == 1 else 's'}"
            return f"in {words}" if ahead else f"{words} ago"
    return ""


@register.filter
def ratio_class(media: Any) -> str:
    """The aspect-ratio class of a picture, in steps of five hundredths from 0.5 to 2."""
    width, height = media.width or 1, media.height or 1
    step = round(min(2.0, max(0.5, width / height)) * 20) * 5
    return f"ar-{step}"


@register.inclusion_tag("components/picture.html")
def picture(
    media: Any,
    alt: str = "",
    sizes: str = "(max-width: 767px) 50vw, 320px",
    *,
    eager: bool = False,
) -> dict[str, Any]:
    """A picture with a source for every width that intake made, and its space reserved."""
    widths = sorted(int(width) for width in (media.derivatives or {}))

    def sources(kind: str) -> str:
        return ", ".join(f"/media/{media.id}/{width}.{kind} {width}w" for width in widths)

    return {
        "media": media,
        "alt": alt,
        "sizes": sizes,
        "eager": eager,
        "avif": sources("avif"),
        "webp": sources("webp"),
        "src": f"/media/{media.id}/{f'{widths[-1]}.webp' if widths else 'original.png'}",
    }


@register.inclusion_tag("components/field.html")
def field(bound: Any, hint: str = "") -> dict[str, Any]:
    """A form field with label, hint and problems tied together for screen readers."""
    described = []
    if hint or bound.help_text:
        described.append(f"{bound.id_for_label}-hint")
    if bound.errors:
        described.append(f"{bound.id_for_label}-problem")
        bound.field.widget.attrs["aria-invalid"] = "true"
    if described:
        bound.field.widget.attrs["aria-describedby"] = " ".join(described)
    kind = getattr(bound.field.widget, "input_type", "")
    return {"field": bound, "hint": hint or bound.help_text, "is_check": kind == "checkbox"}


@register.simple_tag(takes_context=True)
def query(context: dict[str, Any], **changes: Any) -> str:
    """The present query string with some parameters changed, and the cursor dropped."""
    parameters = context["request"].GET.copy()
    parameters.pop("after", None)
    for name, value in changes.items():
        if value in (None, ""):
            parameters.pop(name, None)
        else:
            parameters[name] = value
    text = parameters.urlencode()
    return f"?{text}" if text else "?"
