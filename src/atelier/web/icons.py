"""The site's icons: paths of inline SVG."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# Drawn by us on a 20-pixel grid with 1.5-pixel strokes.
ICONS: Mapping[str, str] = {
    "spark": '<path d="M10 2.5 11.8 8.2 17.5 10 11.8 11.8 10 17.5 8.2 11.8 2.5 10 8.2 8.2Z" fill="currentColor" stroke="none"/>',
    "mark": '<path d="M3 17 10 3l7 14M6 12.5h8"/><circle cx="10" cy="12.5" r="2" fill="currentColor" stroke="none"/>',
    "search": '<circle cx="9" cy="9" r="5.5"/><path d="m13 13 4 4"/>',
    "bell": '<path d="M5 14h10l-1.2-2V8.5a3.8 3.8 0 0 0-7.6 0V12Z"/><path d="M8.5 16.5a1.6 1.6 0 0 0 3 0"/>',
    "home": '<path d="m3 9.5 7-6 7 6V17h-4.5v-4.5h-5V17H3Z"/>',
    "plus": '<path d="M10 4v12M4 10h12"/>',
    "user": '<circle cx="10" cy="7" r="3.2"/><path d="M3.8 17c.8-3.4 3.2-5 6.2-5s5.4 1.6 6.2 5"/>',
    "heart": '<path d="M10 16.500C4 12.5 2.8 9.8 3.2 7.6 3.7 4.6 7.5 3.4 10 6.500c2.5-3.1 6.3-1.9 6.8 1.1.4 2.2-.8 4.9-6.8 8.900Z"/>',
    "flag": '<path d="M5 17V3.500M5 4h9l-2 3.5 2 3.500H5"/>',
    "download": '<path d="M10 3v9.500M6 9l4 4 4-4M4 16.500h12"/>',
    "copy": '<rect x="7" y="7" width="9.5" height="9.5" rx="1.5"/><path d="M4 13V5a1.5 1.5 0 0 1 1.5-1.500H13"/>',
    "check": '<path d="m4 10.5 4 4 8-9"/>',
    "warn": '<path d="M10 3 18 16.500H2Z"/><path d="M10 8v4M10 14.200v.3"/>',
    "stop": '<circle cx="10" cy="10" r="7"/><path d="m7.5 7.5 5 5m0-5-5 5"/>',
    "info": '<circle cx="10" cy="10" r="7"/><path d="M10 9v4.500M10 6.300v.3"/>',
    "clock": '<circle cx="10" cy="10" r="7"/><path d="M10 6v4.200l2.8 1.8"/>',
    "lock": '<rect x="4.5" y="9" width="11" height="8" rx="1.5"/><path d="M7 9V6.500a3 3 0 0 1 6 0V9"/>',
    "image": '<rect x="3" y="4" width="14" height="12" rx="1.5"/><circle cx="7.3" cy="8" r="1.3"/><path d="m3.5 14.5 4.5-4 3 2.5 2.5-2 3 3"/>',
    "cube": '<path d="M10 2.8 16.5 6.300v7.400L10 17.200l-6.5-3.500V6.300ZM3.5 6.3 10 10l6.5-3.700M10 10v7.2"/>',
    "target": '<circle cx="10" cy="10" r="7"/><circle cx="10" cy="10" r="3"/>',
    "wand": '<path d="m4 16 8.5-8.500M14.5 3v3M13 4.500h3M15 9v2M14 10h2M8 3.500v2M7 4.500h2"/>',
    "upload": '<path d="M10 13V3.500M6 7l4-4 4 4M4 16.500h12"/>',
    "comment": '<path d="M3.5 4.500h13v9H9l-3.5 3v-3h-2Z"/>',
    "gear": '<circle cx="10" cy="10" r="2.5"/><path d="M10 2.500v2.500M10 15v2.500M2.5 10H5M15 10h2.500M4.7 4.700l1.8 1.800M13.5 13.500l1.8 1.800M15.3 4.700l-1.8 1.800M6.5 13.500l-1.8 1.8"/>',
    "down": '<path d="m5 8 5 5 5-5"/>',
}  # fmt: skip
