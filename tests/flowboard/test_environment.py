"""One reading of the environment: what it accepts, and how it refuses."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from flowboard.environment import LOOPBACK, Environment, Misconfigured, own_secret_key, read

BASE = Path("/srv/flowboard")
KEY = "k3Jq8Zr1Wt6Yv0Lx5Np9Bm2Hs7Dg4FcA-k3Jq8Zr1Wt6Yv0Lx5N"
OWN = {"DATABASE_URL": "postgresql://flow:pw@db:5432/flow", "REDIS_URL": "redis://cache:6379/2"}
PRODUCTION = OWN | {"SECRET_KEY": KEY, "ALLOWED_HOSTS": "beds.example.nhs.uk"}


def mistakes(**values: str) -> list[str]:
    with pytest.raises(Misconfigured) as caught:
        read(values, base=BASE)
    for mistake in caught.value.mistakes:
        assert mistake in str(caught.value)
    return caught.value.mistakes


def accepted(**values: str) -> Environment:
    return read(values, base=BASE)


def test_an_empty_environment_runs_servers_of_its_own_for_this_machine_alone() -> None:
    found = accepted()
    assert found.embedded
    assert not found.production
    assert not found.debug
    assert found.allowed_hosts == LOOPBACK
    assert found.bind == "127.0.0.1"
    assert not found.https
    assert found.home == BASE / ".flowboard"
    assert found.database["host"].endswith("/run")
    assert found.redis_url.startswith("unix:///")


def test_named_servers_are_used() -> None:
    found = accepted(**OWN)
    assert not found.embedded
    assert found.database == {
        "host": "db",
        "port": "5432",
        "user": "flow",
        "password": "pw",
        "dbname": "flow",
    }
    assert found.redis_url == "redis://cache:6379/2"


def test_everything_a_driver_understands_may_stand_in_the_address() -> None:
    url = "postgresql:///flow?host=/run/postgresql&sslmode=require"
    found = accepted(DATABASE_URL=url, REDIS_URL="unix:///run/redis.sock?db=3")
    assert found.database["host"] == "/run/postgresql"
    assert found.database["sslmode"] == "require"


def test_production_is_named_hosts_and_a_key_of_its_own() -> None:
    found = accepted(**PRODUCTION, TRUSTED_ORIGINS="https://a.nhs.uk, https://b.nhs.uk")
    assert found.production
    assert found.https
    assert found.allowed_hosts == ("beds.example.nhs.uk",)
    assert found.trusted_origins == ("https://a.nhs.uk", "https://b.nhs.uk")
    assert not accepted(**PRODUCTION, HTTPS="0").https


@pytest.mark.parametrize("missing", sorted(PRODUCTION))
def test_half_a_pair_is_refused_and_the_missing_half_is_named(missing: str) -> None:
    values = {name: value for name, value in PRODUCTION.items() if name != missing}
    assert any(f"{missing} is not" in mistake for mistake in mistakes(**values))


def test_production_does_not_run_on_embedded_servers() -> None:
    (mistake,) = mistakes(SECRET_KEY=KEY, ALLOWED_HOSTS="beds.example.nhs.uk")
    assert "set DATABASE_URL and REDIS_URL" in mistake


def test_debug_is_refused_in_production_alone() -> None:
    assert accepted(**OWN, DEBUG="1").debug
    assert any("DEBUG" in mistake for mistake in mistakes(**PRODUCTION, DEBUG="yes"))


def test_every_mistake_is_reported_at_once() -> None:
    found = mistakes(
        DATABASE_URL="mysql://somewhere/x",
        REDIS_URL="http://cache",
        PORT="99999",
        MLLP_PORT="many",
        DEBUG="perhaps",
        TIME_ZONE="Europe/Atlantis",
        LOG_FORMAT="xml",
        LOG_LEVEL="LOUD",
        WEB_THREADS="0",
        TRUSTED_ORIGINS="beds.example.nhs.uk",
        FLOWBOARD_HOEM="/data",
        SECRET_KEY="short",
    )
    for name in (
        "DATABASE_URL",
        "REDIS_URL",
        "PORT",
        "MLLP_PORT",
        "DEBUG",
        "TIME_ZONE",
        "LOG_FORMAT",
        "LOG_LEVEL",
        "WEB_THREADS",
        "TRUSTED_ORIGINS",
        "FLOWBOARD_HOEM",
        "SECRET_KEY",
        "ALLOWED_HOSTS",
    ):
        assert any(name in mistake for mistake in found), name


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://flow:hunter2@[db/flow",
        "postgresql://flow:hunter2@db:5432",
        "flow:hunter2@db/flow",
        "postgresql://flow:hunter2@db/flow?nonsense=1",
    ],
)
def test_a_wrong_address_is_refused_without_showing_its_password(url: str) -> None:
    found = mistakes(DATABASE_URL=url, REDIS_URL="redis://cache")
    assert len(found) == 1
    assert "hunter2" not in found[0]


def test_one_port_is_not_used_twice() -> None:
    assert any("MLLP_PORT" in mistake for mistake in mistakes(PORT="9000", MLLP_PORT="9000"))


def test_the_environment_shows_no_secret_when_printed() -> None:
    shown = repr(accepted(**PRODUCTION))
    assert KEY not in shown
    assert "pw" not in shown


def _key_of(home: str) -> str:
    return own_secret_key(Path(home))


def test_programs_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        keys = set(pool.map(_key_of, [str(home)] * 8))
    assert len(keys) == 1
    assert len(keys.pop()) >= 60
    assert (home / "secret_key").stat().st_mode & 0o077 == 0
    assert [path.name for path in home.iterdir()] == ["secret_key"]


def test_where_mail_goes_is_an_address() -> None:
    assert accepted().mail is None
    sent = accepted(MAIL_URL="smtp+tls://a%40b:p%2Fw@mail.example:2525").mail
    assert sent is not None
    assert (sent.host, sent.port, sent.user, sent.password) == ("mail.example", 2525, "a@b", "p/w")
    assert (sent.starttls, sent.tls) == (True, False)
    assert "p/w" not in repr(sent)
    plain, safe = accepted(MAIL_URL="smtp://mail").mail, accepted(MAIL_URL="smtps://mail").mail
    assert plain is not None
    assert safe is not None
    assert (plain.port, plain.starttls, safe.port, safe.tls) == (25, False, 465, True)
    folder = accepted(MAIL_URL="file:///var/mail").mail
    assert folder is not None
    assert folder.folder == "/var/mail"
    for wrong in ("mail.example", "smtp://", "http://mail", "file://mail"):
        [told] = mistakes(MAIL_URL=wrong)
        assert told.startswith("MAIL_URL must be smtp+tls://")
    assert accepted(PUBLIC_ADDRESS="https://beds.example/").public_address == "https://beds.example"
    assert mistakes(PUBLIC_ADDRESS="beds")[0].startswith("PUBLIC_ADDRESS is 'beds'")
