"""A caller of a REST interface that keeps at it: JSON over HTTP with a bearer token."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from simulation.mllp import Stopped

_PATIENCE: Final = 30.0  # seconds for an answer
_LONGEST_PAUSE: Final = 30.0
_RETRIED: Final = frozenset({408, 500, 502, 503, 504})
_TRIES: Final = 5  # of a request that the server fails at each time


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its status and what it says."""

    status: int
    body: Mapping[str, Any]

    @property
    def is_done(self) -> bool:
        """Whether what was asked has been done."""
        return 200 <= self.status < 300

    @property
    def reason(self) -> str:
        """Why it was not, in the server's words."""
        return str(self.body.get("detail", "")) or f"status {self.status}"


class RestError(ValueError):
    """The interface cannot be used; the text says why and what to do."""


class Rest:
    """An interface below an address such as http://127.0.0.1:8000/api/v1/.

    The token is read from its file for each connection, so that a new one is found. `say` hears
    when the server is away and when it is back; `stopped` is asked while waiting.
    """

    def __init__(
        self,
        address: str,
        token_file: Path,
        *,
        say: Callable[[str], None],
        stopped: Callable[[], bool],
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RestError(f"{address!r} is no address such as http://127.0.0.1:8000/api/v1/")
        self.base = parts.path.rstrip("/") + "/"
        self.again = 0
        self._origin = (parts.scheme, parts.hostname, parts.port)
        self._token_file = token_file
        self._say, self._stopped, self._pause = say, stopped, pause
        self._line: http.client.HTTPConnection | None = None
        self._token = ""
        self._is_away = False

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def get(self, path: str, **query: str | int) -> Reply:
        """Read. `path` is below the base; a path with a query of its own may come from `next`."""
        return self._asked("GET", f"{path}?{urlencode(query)}" if query else path, None)

    def post(self, path: str, body: Any) -> Reply:
        """Have something done. May be repeated after a failure: give it a key of its own."""
        return self._asked("POST", path, json.dumps(body))

    def put(self, path: str, body: Any) -> Reply:
        """Have something be so; the same again changes nothing."""
        return self._asked("PUT", path, json.dumps(body))

    def _asked(self, method: str, path: str, body: str | None) -> Reply:
        """Ask until there is an answer to keep. Raises Stopped where `stopped` turns true."""
        failures, waits = 0, 0.0
        while True:
            if self._stopped():
                raise Stopped
            was_open = self._line is not None
            try:
                reply, wait = self._once(method, path, body)
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.close()
                if was_open:
                    continue  # a line that had lain idle is often hung up; nothing is wrong yet
                reason, wait = f"{self._origin[1]}: {error or type(error).__name__}", 0.0
            else:
                if reply.status == 401:
                    self.close()  # a new token may lie in the file
                    reason = "the token is not accepted"
                elif reply.status == 429:
                    reason = ""
                elif reply.status in _RETRIED and failures < _TRIES:
                    failures += 1
                    reason = f"the server answered {reply.status}"
                else:
                    self._came_back()
                    return reply
            self.again += 1
            waits = min(_LONGEST_PAUSE, waits * 1.6 + 0.5)
            if reason:
                self._went_away(reason)
            self._wait(wait or waits)

    def _once(self, method: str, path: str, body: str | None) -> tuple[Reply, float]:
        """One try: the answer, and how long it asks to wait."""
        if self._line is None:
            self._token = self._read_token()
            scheme, host, port = self._origin
            kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
            self._line = kind(host, port, timeout=_PATIENCE)
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        address = path if path.startswith("/") else self.base + path
        self._line.request(method, address, body=body, headers=headers)
        response = self._line.getresponse()
        content = response.read()
        said = json.loads(content) if content else {}
        after = response.headers.get("Retry-After", "")
        if response.will_close:
            self.close()
        reply = Reply(response.status, said if isinstance(said, dict) else {"results": said})
        return reply, float(after) if after.isdecimal() else 0.0

    def _read_token(self) -> str:
        try:
            return self._token_file.read_text(encoding="utf-8").strip()
        except FileNotFoundError as error:
            raise OSError(f"waiting for the token in {error.filename}") from None

    def _went_away(self, reason: str) -> None:
        if not self._is_away:
            self._say(f"{reason}; trying again until it answers")
            self._is_away = True

    def _came_back(self) -> None:
        if self._is_away:
            self._say("the server answers again")
            self._is_away = False

    def _wait(self, seconds: float) -> None:
        left = seconds
        while left > 0 and not self._stopped():
            self._pause(min(0.3, left))
            left -= 0.3
