"""The staff's caller of REST: keeps at it, waits when told to, and stops when told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from simulation.care.memory import Kept, Memory
from simulation.care.rest import Rest, RestError
from simulation.mllp import Stopped
from simulation.state import StateError


@dataclass
class Server:
    """A server that answers as told: a status with headers, or "drop" to hang up; 200 after."""

    answers: list[tuple[int, dict[str, str]] | str] = field(default_factory=list)
    heard: list[tuple[str, str, str, Any]] = field(default_factory=list)
    body: Any = field(default_factory=lambda: {"id": 7})
    port: int = 0
    _http: ThreadingHTTPServer | None = None

    @property
    def address(self) -> str:
        """The base of the interface."""
        return f"http://127.0.0.1:{self.port}/api/v1/"

    def open(self) -> None:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.answer()

            def do_POST(self) -> None:
                self.answer()

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                said = json.loads(self.rfile.read(length)) if length else None
                token = self.headers.get("Authorization", "")
                server.heard.append((self.command, self.path, token, said))
                answer = server.answers.pop(0) if server.answers else (200, {})
                if isinstance(answer, str):
                    self.close_connection = True
                    return
                status, headers = answer
                told = server.body if status == 200 else {"detail": f"told {status}"}
                if "/staffing/" in self.path:
                    told = {"patients_per_nurse": None, "results": []}
                content = json.dumps(told).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_arguments: Any) -> None:
                """Tests are silent."""

        self._http = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    made.open()
    yield made
    made.close()


@dataclass
class Caller:
    """A caller whose pauses take no time and are counted."""

    rest: Rest
    said: list[str]
    paused: list[float]


@pytest.fixture
def caller(server: Server, tmp_path: Path) -> Iterator[Caller]:
    token = tmp_path / "token"
    token.write_text("flow_secret\n")
    said: list[str] = []
    paused: list[float] = []
    made = Rest(server.address, token, say=said.append, stopped=lambda: False, pause=paused.append)
    yield Caller(made, said, paused)
    made.close()


def test_it_asks_with_its_token_and_reads_the_answer(server: Server, caller: Caller) -> None:
    reply = caller.rest.post("episodes/4/reviews/", {"key": "k"})
    assert (reply.is_done, reply.body["id"]) == (True, 7)
    caller.rest.get("episodes/", visit="V 1")
    caller.rest.get("/api/v1/episodes/?cursor=x")
    assert server.heard == [
        ("POST", "/api/v1/episodes/4/reviews/", "Bearer flow_secret", {"key": "k"}),
        ("GET", "/api/v1/episodes/?visit=V+1", "Bearer flow_secret", None),
        ("GET", "/api/v1/episodes/?cursor=x", "Bearer flow_secret", None),
    ]
    assert (caller.said, caller.paused) == ([], [])


def test_it_waits_as_long_as_a_busy_server_asks_for(server: Server, caller: Caller) -> None:
    server.answers = [(429, {"Retry-After": "9"})]
    assert caller.rest.post("x/", {}).is_done
    assert sum(caller.paused) == pytest.approx(9, abs=0.3)
    assert caller.said == []


@pytest.mark.parametrize("trouble", ["drop", (503, {}), (500, {})])
def test_it_asks_again_and_says_so_once(
    server: Server, caller: Caller, trouble: tuple[int, dict[str, str]] | str
) -> None:
    server.answers = [trouble, trouble, trouble]
    assert caller.rest.post("x/", {"key": "k"}).is_done
    assert [said for *_, said in server.heard] == [{"key": "k"}] * 4
    assert len(caller.said) == 2
    assert "trying again" in caller.said[0]
    assert "again" in caller.said[1]
    assert caller.rest.again == 3


def test_a_request_that_always_fails_is_left_behind(server: Server, caller: Caller) -> None:
    server.answers = [(500, {})] * 20
    reply = caller.rest.post("x/", {})
    assert (reply.status, reply.reason) == (500, "told 500")
    assert len(server.heard) == 6


def test_it_waits_for_a_server_that_is_away(server: Server, caller: Caller) -> None:
    server.close()
    original = caller.rest._pause

    def pause(seconds: float) -> None:
        original(seconds)
        if len(caller.paused) == 4:
            server.open()

    caller.rest._pause = pause
    assert caller.rest.get("x/").is_done
    assert caller.said[-1] == "the server answers again"


def test_a_new_token_is_found_in_the_file(server: Server, caller: Caller, tmp_path: Path) -> None:
    server.answers = [(401, {})]
    (tmp_path / "token").write_text("flow_old")

    def pause(seconds: float) -> None:
        (tmp_path / "token").write_text("flow_new")

    caller.rest._pause = pause
    assert caller.rest.get("x/").is_done
    assert [token for _, _, token, _ in server.heard] == ["Bearer flow_old", "Bearer flow_new"]
    assert "not accepted" in caller.said[0]


def test_it_waits_for_the_file_of_the_token(server: Server, caller: Caller, tmp_path: Path) -> None:
    (tmp_path / "token").unlink()
    caller.rest._pause = lambda seconds: (tmp_path / "token").write_text("flow_late")
    assert caller.rest.get("x/").is_done
    assert "waiting for the token" in caller.said[0]


def test_what_is_refused_is_not_asked_again(server: Server, caller: Caller) -> None:
    for status in (400, 403, 404, 409):
        server.answers = [(status, {})]
        reply = caller.rest.post("x/", {})
        assert (reply.is_done, reply.reason) == (False, f"told {status}")
    assert len(server.heard) == 4


def test_it_stops_while_it_waits(server: Server, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("flow_x")
    paused: list[float] = []
    rest = Rest(
        server.address, tmp_path / "token", say=lambda text: None,
        stopped=lambda: len(paused) > 2, pause=paused.append,
    )  # fmt: skip
    server.answers = [(503, {})] * 50
    with pytest.raises(Stopped):
        rest.get("x/")
    rest.close()


@pytest.mark.parametrize("address", ["127.0.0.1:8000", "ftp://here/", "http://"])
def test_an_address_that_is_none_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(RestError, match="is no address"):
        Rest(address, tmp_path / "token", say=print, stopped=lambda: False)


def test_what_was_told_is_kept_with_its_seed(tmp_path: Path) -> None:
    memory = Memory.load(tmp_path / "told", seed=4)
    memory.of("V1").found.append(100)
    memory.of("V2").waits["a"] = [7, 0, 2]
    memory.save()
    again = Memory.load(tmp_path / "told", seed=99)
    assert (again.seed, again.stays) == (4, memory.stays)
    again.forget_all_but({"V2"})
    assert again.stays == {"V2": Kept(waits={"a": [7, 0, 2]})}


@pytest.mark.parametrize("content", ["", "[]", '{"format": 9}', '{"format": 1, "seed": 1}'])
def test_a_file_of_something_else_is_refused_with_a_way_out(tmp_path: Path, content: str) -> None:
    (tmp_path / "told").write_text(content)
    with pytest.raises(StateError, match="delete it"):
        Memory.load(tmp_path / "told", seed=1)
