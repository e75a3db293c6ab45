"""The listener on a real socket: answers after storing, bad senders, TLS, an absent database."""

from __future__ import annotations

import ssl
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from interop import storing
from interop.hl7v2.framing import DEFAULT_LIMIT, framed
from interop.inbox import Incoming, Kept, store
from interop.listener import BadCertificate, Limits, tls
from interop.models import Message
from tests.interop.building import adt
from tests.interop.delivering import ends, stays
from tests.interop.wire import Wire, code, listening, nothing_waits, until

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_message_is_stored_before_it_is_answered_and_soon_applied() -> None:
    with listening() as port, Wire(port) as wire:
        answer = wire.ask(adt("A01", control="C42", place="W1^A^1"))
        assert code(answer) == "AA"
        assert b"MSA|AA|C42" in answer
        assert Message.objects.filter(control_id="C42").exists()
        until(nothing_waits)
        assert stays("V1")[0].status == "in_hospital"


def test_a_message_is_applied_within_a_tenth_of_a_second_of_its_answer() -> None:
    with listening() as port, Wire(port) as wire:
        wire.ask(adt("A01", place="W1^A^1"))
        until(nothing_waits)
        waits = []
        for number in range(15):
            wire.ask(
                adt("A08", place="W1^A^1", control=str(number), made=f"202601101300{number:02}")
            )
            answered = time.monotonic()
            until(nothing_waits)
            waits.append(time.monotonic() - answered)
        assert sorted(waits)[len(waits) // 2] < 0.1


def test_answers_come_in_the_order_of_the_questions() -> None:
    with listening(applies=False) as port, Wire(port) as wire:
        wire.send(b"".join(framed(adt("A08", control=f"C{n}")) for n in range(200)))
        answers = [wire.answer() for _ in range(200)]
    assert [f"|C{n}\r".encode() in answer for n, answer in enumerate(answers)] == [True] * 200
    assert ends() == {"received": 200}


def test_many_senders_at_once_are_all_answered() -> None:
    def send(sender: int) -> list[str]:
        with Wire(port) as wire:
            return [code(wire.ask(adt("A08", control=f"{sender}-{n}"))) for n in range(20)]

    with listening(applies=False) as port, ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(send, range(25)))
    assert {each for codes in answers for each in codes} == {"AA"}
    assert Message.objects.count() == 500


def test_what_is_refused_is_answered_with_the_reason_and_the_line_stays_open() -> None:
    with listening(applies=False) as port, Wire(port) as wire:
        refused = wire.ask(adt("A99", control="C1"))
        assert b"MSA|AR|C1|Event not supported: A99" in refused
        assert b"ERR|||201^Unsupported event code^HL70357|E" in refused
        assert code(wire.ask(b"this is not HL7")) == "AR"
        assert code(wire.ask(adt("A01"))) == "AA"
    assert ends() == {"rejected": 2, "received": 1}


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", b"words\x1c\r", b"PID|1\r", b"\x1c\r"]
)
def test_garbage_between_blocks_is_kept_and_shifts_no_answer(
    garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with listening(applies=False) as port, Wire(port) as wire:
        wire.send(garbage + framed(adt("A01", control="C1")))
        wire.send(framed(adt("A02", control="C2")) + garbage + framed(adt("A03", control="C3")))
        answers = [wire.answer() for _ in range(3)]
        with pytest.raises(TimeoutError):
            wire.answer(timeout=0.2)
    assert [f"MSA|AA|C{n}\r".encode() in answer for n, answer in enumerate(answers, 1)] == [
        True
    ] * 3
    kept = Message.objects.filter(status="rejected")
    assert all(each.reason.startswith("There were bytes outside an MLLP block") for each in kept)
    assert {bytes(each.raw) for each in kept} == {garbage.strip(b"\x1c\r\n")} - {b""}
    assert "PID" not in caplog.text
    assert "GET" not in caplog.text


@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_lone_end_byte_is_answered_at_once(codec: str) -> None:
    def lone(control: str) -> bytes:
        return b"\x0b" + adt("A08", control=control).decode().encode(codec) + b"\x1c"

    with listening(applies=False) as port, Wire(port) as wire:
        for control in ("C1", "C2"):
            began = time.monotonic()
            wire.send(lone(control))
            assert f"MSA|AA|{control}".encode() in wire.answer()
            assert time.monotonic() - began < 5  # not the half minute of a message cut off
        wire.send(b"\r" + lone("C3") + lone("C4") + b"\r")
        assert [code(wire.answer()) for _ in range(2)] == ["AA", "AA"]
    assert ends() == {"received": 4}


def test_several_messages_in_a_block_are_kept_one_by_one() -> None:
    glued = adt("A01", control="C1").rstrip() + adt("A02", control="C2")
    with listening(applies=False) as port, Wire(port) as wire:
        answer = wire.ask(adt("A03", control="C3") + adt("A04", control="C4"))
        assert b"MSA|AA|C3" in answer
        assert b"MSA|AA|C4" in answer
        refused = wire.ask(glued)
        assert b"MSA|AR|C1|Two messages stand on one line" in refused
        assert b"MSA|AR|C2|Two messages stand on one line" in refused
    assert ends() == {"received": 2, "rejected": 2}
    assert Message.objects.filter(reason_code="transmission").count() == 2


def test_half_a_message_is_answered_when_its_end_does_not_come() -> None:
    with listening(Limits(half=0.2), applies=False) as port, Wire(port) as wire:
        wire.send(b"\x0b" + adt("A01", control="C1")[:90])
        answer = wire.answer()
        assert code(answer) == "AE"
        assert b"|C1|The message was cut off" in answer
        assert code(wire.ask(adt("A01", control="C1"))) == "AA"
    assert ends() == {"rejected": 1, "received": 1}


def test_half_a_message_before_the_line_breaks_is_kept() -> None:
    with listening(applies=False) as port:
        with Wire(port) as wire:
            wire.send(b"\x0b" + adt("A01")[:90])
        until(lambda: ends() == {"rejected": 1})


@pytest.mark.parametrize("codec", ["utf-8", "utf-16"])
def test_a_message_that_is_too_large_is_refused_and_the_next_is_taken(codec: str) -> None:
    big = adt("A01", "OBX|1|" + "\u201cx\u201d" * 50_000, control="BIG").decode().encode(codec)
    with listening(Limits(message=20_000), applies=False) as port, Wire(port) as wire:
        wire.send(framed(big) + framed(adt("A01")))
        answer = wire.answer()
        assert b"MSA|AR|BIG|The message is larger than this listener takes" in answer
        assert code(wire.answer()) == "AA"
    assert ends() == {"rejected": 1, "received": 1}
    assert "raise --max-bytes" in Message.objects.get(status="rejected").reason


def test_a_message_beyond_the_usual_limit_is_refused_for_good() -> None:
    with listening(applies=False) as port, Wire(port) as wire:
        assert code(wire.ask(adt("A01", "OBX|1|" + "x" * DEFAULT_LIMIT))) == "AR"
        assert code(wire.ask(adt("A01"))) == "AA"


def test_a_message_that_is_too_large_and_never_ends_is_refused_for_good() -> None:
    with listening(Limits(message=20_000, half=0.2), applies=False) as port, Wire(port) as wire:
        wire.send(b"\x0b" + adt("A01", "OBX|1|" + "x" * 50_000, control="BIG"))
        assert b"MSA|AR|BIG|The message is larger" in wire.answer()
        assert code(wire.ask(adt("A01"))) == "AA"


def test_an_empty_block_is_answered_counted_and_kept_once() -> None:
    with listening(applies=False) as port, Wire(port) as wire:
        for block in (b"\x0b\x1c\r", b"\x0b\r\x1c\r"):
            wire.send(block)
            answer = wire.answer()
            assert code(answer) == "AR"
            assert b"MSA|AR||The block held nothing" in answer
            assert b"ERR|" in answer
        assert code(wire.ask(adt("A01"))) == "AA"
    assert ends() == {"rejected": 1, "received": 1}
    kept = Message.objects.get(status="rejected")
    assert (bytes(kept.raw), kept.reason_code, kept.repeats) == (b"", "unreadable", 1)


def test_an_idle_line_may_stay() -> None:
    with listening(Limits(half=0.1), applies=False) as port, Wire(port) as wire:
        wire.ask(adt("A01"))
        time.sleep(0.5)
        assert code(wire.ask(adt("A02"))) == "AA"


@pytest.mark.parametrize(
    ("accept", "answer"), [("|||AL|NE", "CA"), ("|||NE|AL", "AA"), ("|||NE|NE", None)]
)
def test_the_answer_that_the_sender_asks_for(accept: str, answer: str | None) -> None:
    with listening(applies=False) as port, Wire(port) as wire:
        wire.send(framed(adt("A01", msh=accept)))
        if answer is not None:
            assert code(wire.answer()) == answer
        else:
            until(lambda: ends() == {"received": 1})
            with pytest.raises(TimeoutError):
                wire.answer(timeout=0.2)


def test_a_batch_through_the_wire_is_answered_message_by_message() -> None:
    batch = b"BHS|^~\\&|PAS\r" + adt("A01", control="C1") + adt("A02", control="C2") + b"BTS|2\r"
    with listening(applies=False) as port, Wire(port) as wire:
        answer = wire.ask(batch)
    assert b"MSA|AA|C1" in answer
    assert b"MSA|AA|C2" in answer
    assert ends() == {"received": 2}


def test_while_the_database_is_away_nothing_is_acknowledged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    away = {"for": 10**9}

    def gone(*args: Any, **kwargs: Any) -> list[Kept]:
        if away["for"] > 0:
            away["for"] -= 1
            raise OperationalError("gone")
        return store(*args, **kwargs)

    monkeypatch.setattr(storing, "store", gone)
    with listening(Limits(patience=0.3), applies=False) as port, Wire(port) as wire:
        answer = wire.ask(adt("A01", control="C1"))
        assert code(answer) == "AE"
        assert b"|C1|The database does not answer" in answer
        away["for"] = 1  # it comes back while the answer is held back
        assert code(wire.ask(adt("A01", control="C1"))) == "AA"
    assert ends() == {"received": 1}


def test_connections_that_the_database_cuts_are_made_anew() -> None:
    with listening() as port, Wire(port) as wire:
        for number in range(4):
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            assert code(wire.ask(adt("A08", control=str(number), place="W1"))) == "AA"
        until(nothing_waits)
    assert Message.objects.count() == 4


def test_one_message_that_cannot_be_stored_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def picky(incoming: list[Incoming], **kwargs: Any) -> list[Kept]:
        if any(b"|BAD|" in each.raw for each in incoming):
            raise ValueError("no")
        return store(incoming, **kwargs)

    monkeypatch.setattr(storing, "store", picky)
    with listening(applies=False) as port, Wire(port) as wire:
        wire.send(b"".join(framed(adt("A08", control=c)) for c in ("C1", "BAD", "C3")))
        assert [code(wire.answer()) for _ in range(3)] == ["AA", "AE", "AA"]


def test_a_message_under_way_when_the_listener_stops_is_answered() -> None:
    with listening(applies=False) as port:
        wires = [Wire(port) for _ in range(5)]
        for number, wire in enumerate(wires):
            wire.send(framed(adt("A08", control=str(number))))
        answers = [code(wire.answer()) for wire in wires]
    assert answers == ["AA"] * 5
    for wire in wires:
        assert wire.socket.recv(10) == b""
        wire.socket.close()
    assert Message.objects.count() == 5


# --- TLS ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, a server's and a client's certificate signed by it, and a stranger's."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    for authority in ("ca", "stranger-ca"):
        openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", f"{authority}.key", "-out", f"{authority}.pem", "-days", "30"),
            *("-subj", f"/CN=Test {authority}", "-addext", "keyUsage=critical,keyCertSign"),
        )
    for name, authority in (("server", "ca"), ("client", "ca"), ("stranger", "stranger-ca")):
        openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}"),
        )
        (folder / "names").write_text("subjectAltName=DNS:localhost\n")
        openssl(
            *("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem"),
            *("-CAkey", f"{authority}.key", "-CAcreateserial", "-days", "30"),
            *("-extfile", "names", "-out", f"{name}.pem"),
        )
    return folder


def client(folder: Path, name: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    if name is not None:
        context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    return context


def test_a_sender_with_the_right_certificate_is_let_in_and_named(certificates: Path) -> None:
    server = tls(certificates / "server.pem", certificates / "server.key", certificates / "ca.pem")
    with listening(context=server, applies=False) as port:
        with Wire(port, client(certificates, "client")) as wire:
            assert code(wire.ask(adt("A01"))) == "AA"
        assert Message.objects.get().peer == "127.0.0.1 (client)"


@pytest.mark.parametrize("name", [None, "stranger"])
def test_a_sender_without_the_right_certificate_is_not(
    certificates: Path, name: str | None
) -> None:
    server = tls(certificates / "server.pem", certificates / "server.key", certificates / "ca.pem")
    with listening(context=server, applies=False) as port:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            with Wire(port, client(certificates, name)) as wire:
                wire.ask(adt("A01"))
        with Wire(port, client(certificates, "client")) as wire:
            assert code(wire.ask(adt("A02"))) == "AA"
    assert Message.objects.count() == 1


def test_tls_without_client_certificates_lets_everybody_in(certificates: Path) -> None:
    server = tls(certificates / "server.pem", certificates / "server.key", None)
    with listening(context=server, applies=False) as port:
        with Wire(port, client(certificates, None)) as wire:
            assert code(wire.ask(adt("A01"))) == "AA"


def test_a_certificate_that_cannot_be_used_is_named(certificates: Path, tmp_path: Path) -> None:
    with pytest.raises(BadCertificate, match="nowhere"):
        tls(tmp_path / "nowhere.pem", certificates / "server.key", None)
    with pytest.raises(BadCertificate, match="names"):
        tls(certificates / "server.pem", certificates / "server.key", certificates / "names")
