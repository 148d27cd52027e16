"""An HTTP client that knows the contract alone: addresses, JSON and a token."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 600
PAUSE = 0.25


class Client:
    """One person's program."""

    def __init__(self, address: str, token: str = "") -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=address, headers=headers, timeout=60)

    def get(self, path: str, status: int = 200) -> Any:
        """The JSON of a GET that answers ``status``."""
        return self._checked(self.http.get(path), status)

    def post(self, path: str, body: Any = None, status: int = 201, **headers: str) -> Any:
        """The JSON of a POST that answers ``status``."""
        return self._checked(self.http.post(path, json=body, headers=headers), status)

    def upload(self, data: bytes, name: str = "picture.png") -> str:
        """The id of a picture once it is ready."""
        sent = self._checked(self.http.post("/api/v2/media", files={"file": (name, data)}), 201)
        made = self.until(f"/api/v2/media/{sent['id']}", lambda one: one["status"] != "pending")
        assert made["status"] == "ready", made
        return str(made["id"])

    def until(self, path: str, done: Callable[[Any], bool]) -> Any:
        """Asks again until ``done`` says so; the limit only ends a hung journey."""
        end = time.monotonic() + PATIENCE
        while True:
            seen = self.get(path)
            if done(seen):
                return seen
            assert time.monotonic() < end, seen
            time.sleep(PAUSE)

    @staticmethod
    def _checked(answer: httpx.Response, status: int) -> Any:
        assert answer.status_code == status, f"{answer.request.url}: {answer.text[:2000]}"
        return answer.json() if answer.content else None
