"""Log lines never carry a secret."""

from __future__ import annotations

import logging
import re

from typing_extensions import override

SECRET = re.compile(r"(?i)(\btoken=|\bsecret=|authorization:\s*bearer\s+|\bat_)[\w.\-~+/=]+")


class ScrubSecrets(logging.Filter):
    """Replaces tokens in query strings and headers before a line is written."""

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if SECRET.search(message):
            record.msg = SECRET.sub(r"\1…", message)
            record.args = ()
        return True
