"""What `manage.py demo` prepares: places, people who may sign in, and weeks of history.

Everything here may be run again at any time; what is there already is left as it is. The demo
knows the simulated hospitals as any installation would: from a file of places and from messages.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import io
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Min

from accounts.models import ApiToken, Organisation, Team, User
from accounts.people import add_user
from accounts.roles import Role
from accounts.tokens import TokenScope, issue
from flowboard import demo_meetings, embedded
from flowboard.supervise import Program, die_with_parent
from huddles.models import OpelRuleSet
from huddles.opel.files import FOLDER as OPEL_FOLDER
from interop.feeds import code_for
from interop.models import Feed
from patients.code_loading import built_in, load_codes
from patients.cohort_loading import built_in as built_in_cohorts
from patients.cohort_loading import load_cohorts
from simulation.messages import APPLICATION
from simulation.places import NEIGHBOURHOODS, NORTHMOOR, RULES
from wards.grants import set_grant
from wards.models import Movement, Site, Ward, WardLimits
from wards.place_loading import load_places
from wards.place_plan import Since
from wards.rule_files import read_rules
from wards.rule_loading import load_rules

BASE: Final = Path(__file__).resolve().parent.parent
SYSTEM: Final = "QNM"  # the organisation above all others in the file of places
TRUST: Final = "RNM"
COMMUNITY: Final = "RNC"
NEIGHBOUR: Final = "REM"  # outside the system; some patients go back to its hospital
SOCIAL_WORK: Final = ("NMC", "SW")
NEIGHBOURHOOD_TEAM: Final = "NT-NORTH"
NURSES_WARD: Final = "NGH-W12"
ACUTE: Final = ("NGH", "ERH")
WEIGHTS: Final = ("NGH=0.62", "ERH=0.38")
"""How much each hospital counts in the system's score; invented."""
OPEL_RULES: Final = OPEL_FOLDER / "example.yaml"
CARDS: Final = BASE / "huddles" / "escalation" / "example_cards.yaml"
MAIL_AT: Final = "northmoor.example"
CLEANED_AFTER: Final = 45
"""Minutes until a bed is usually ready again."""
LEARNT_DAYS: Final = 8
"""Days of the invented history that come before the first forecast that is replayed."""
TOKEN_NAME: Final = "demo"  # noqa: S105 (a name, no secret)
STAFF_SCOPES: Final = (
    TokenScope.EPISODES_READ, TokenScope.WAITS_READ, TokenScope.WAITS_WRITE,
    TokenScope.BEDS_READ, TokenScope.BEDS_WRITE,
)  # fmt: skip
SIGNER_SCOPES: Final = (TokenScope.RETURNS_WRITE,)
TELLER_SCOPES: Final = (TokenScope.HUDDLES_WRITE,)

_AS_ROOT: Final = "You're running the worker with superuser privileges"

Say = Callable[[str], None]


class CannotShow(Exception):
    """The demo cannot run; the text says why and what to do."""


def _drawn() -> str:
    return secrets.token_urlsafe(9)


@dataclass(frozen=True, slots=True)
class Secrets:
    """What people and programs sign in with, drawn once for each home."""

    bed_manager: str = field(default_factory=_drawn)
    site_manager: str = field(default_factory=_drawn)
    ward_nurse: str = field(default_factory=_drawn)
    cleaner: str = field(default_factory=_drawn)
    coordinator: str = field(default_factory=_drawn)
    social_work: str = field(default_factory=_drawn)
    community: str = field(default_factory=_drawn)
    neighbourhood: str = field(default_factory=_drawn)
    administrator: str = field(default_factory=_drawn)
    api_token: str = ""


def check_ports(*ports: tuple[str, int]) -> None:
    """Raises CannotShow if one of the named ports of this machine is taken."""
    taken = []
    for name, port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if error.errno == errno.EACCES:
                    taken.append(f"Port {port} may not be used by this account; set {name}.")
                else:
                    taken.append(
                        f"Port {port} is in use. Stop what uses it (another demo?) or choose "
                        f"another: {name}={port + 1} make demo"
                    )
    if taken:
        raise CannotShow("\n".join(taken))


@contextlib.contextmanager
def alone(home: Path, port: int) -> Iterator[None]:
    """Be the only demo of this home. Raises CannotShow while another one is."""
    embedded.make_folder(home)
    lock = embedded.open_lock(home, "demo")
    try:
        if not embedded.try_lock(lock, fcntl.LOCK_EX):
            at = os.pread(lock, 100, 0).decode(errors="replace")
            raise CannotShow(
                f"A demo of {home} runs already{f' at {at}' if at else ''}. Use that one, stop it "
                "first, or set FLOWBOARD_HOME to another folder for a second one."
            )
        os.truncate(lock, 0)
        os.pwrite(lock, f"http://127.0.0.1:{port}/".encode(), 0)
        yield
    finally:
        os.close(lock)


def _keep(path: Path, found: Secrets) -> None:
    _write_secret(path, json.dumps(asdict(found), indent=1))


def _write_secret(path: Path, text: str) -> None:
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


def _recall(path: Path) -> Secrets:
    """What was drawn before; what a home of an earlier version lacks is drawn now."""
    try:
        kept = json.loads(path.read_text())
        names = {one.name for one in fields(Secrets)}
        return Secrets(**{name: str(kept[name]) for name in names & set(kept)})
    except (OSError, ValueError, TypeError):
        return Secrets()


def _person(username: str, first: str, last: str, password: str | None) -> User:
    user = User.objects.filter(username=username).first()
    if user is None:
        email = f"{username}@{MAIL_AT}" if password is not None else ""
        return add_user(
            username=username,
            first_name=first,
            last_name=last,
            email=email,
            password=password,
            by=None,
        )
    if password is not None and not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return user


@transaction.atomic
def make_accounts(home: Path) -> Secrets:
    """The demo's people and token, with what they sign in with; made or put right as needed."""
    path = home / "demo.json"
    found = _recall(path)
    system = Organisation.objects.get(code=SYSTEM)
    beds = _person("bed.manager", "Noor", "Ellis", found.bed_manager)
    manager = _person("site.manager", "Sam", "Okafor", found.site_manager)
    nurse = _person("ward.nurse", "Robin", "Hale", found.ward_nurse)
    cleaner = _person("cleaner", "Jules", "Arden", found.cleaner)
    administrator = _person("administrator", "Alex", "Moreno", found.administrator)
    reader = _person("demo.reader", "Demonstration", "reader", None)
    hospitals = Organisation.objects.get(code=TRUST)
    set_grant(user=beds, role=Role.BED_MANAGER, organisation=hospitals, by=None)
    set_grant(user=manager, role=Role.SITE_MANAGER, organisation=system, by=None)
    set_grant(user=nurse, role=Role.WARD_NURSE, ward=Ward.objects.get(code=NURSES_WARD), by=None)
    hospital = Site.objects.get(code=ACUTE[0])
    set_grant(user=cleaner, role=Role.CLEANER, site=hospital, by=None)
    set_grant(user=administrator, role=Role.ADMINISTRATOR, everywhere=True, by=None)
    set_grant(user=reader, role=Role.READER, everywhere=True, by=None)
    _make_planners(found)
    scopes = [scope for scope in TokenScope if scope.endswith(":read")]
    found = replace(found, api_token=_token(reader, TOKEN_NAME, scopes, found.api_token))
    _keep(path, found)
    _make_staff(home, system)
    return found


def _make_planners(found: Secrets) -> None:
    """Those who plan discharges: in the hospitals, at the council, in the community."""
    coordinator = _person("coordinator", "Jo", "Whitcombe", found.coordinator)
    social_work = _person("social.work", "Ade", "Lockhart", found.social_work)
    community = _person("community", "Mina", "Faraday", found.community)
    trust = Organisation.objects.get(code=TRUST)
    set_grant(user=coordinator, role=Role.DISCHARGE_COORDINATOR, organisation=trust, by=None)
    body, code = SOCIAL_WORK
    team = Team.objects.get(organisation__code=body, code=code)
    set_grant(user=social_work, role=Role.PARTNER, team=team, by=None)
    provider = Organisation.objects.get(code=COMMUNITY)
    set_grant(user=community, role=Role.PARTNER, organisation=provider, by=None)
    neighbourhood = _person("neighbourhood", "Bea", "Thornley", found.neighbourhood)
    team = Team.objects.get(organisation__code=COMMUNITY, code=NEIGHBOURHOOD_TEAM)
    set_grant(user=neighbourhood, role=Role.PARTNER, team=team, by=None)


def staff_token(home: Path) -> Path:
    """The file with the token of the simulated staff; for the owner's eyes alone."""
    return home / "staff.token"


def signer_token(home: Path) -> Path:
    """The file with the token of whoever signs the daily returns."""
    return home / "signer.token"


def teller_token(home: Path) -> Path:
    """The file with the token of the ambulance service, which tells escalation values."""
    return home / "teller.token"


def staff_memory(home: Path) -> Path:
    """The file in which the simulated staff keep what they have told."""
    return home / "staff.json"


def _make_staff(home: Path, system: Organisation) -> None:
    """The simulated staff, who speak REST: an account that plans and asks for beds everywhere in
    the system, and somebody who signs the returns of its trust."""
    staff = _person("northmoor.staff", "Northmoor", "ward teams", None)
    for role in (Role.DISCHARGE_COORDINATOR, Role.BED_MANAGER):
        set_grant(user=staff, role=role, organisation=system, by=None)
    neighbour = Organisation.objects.get(code=NEIGHBOUR)
    set_grant(user=staff, role=Role.PARTNER, organisation=neighbour, by=None)
    _hand_token(staff_token(home), staff, STAFF_SCOPES)
    signer = _person("northmoor.returns", "Lena", "Brook", None)
    trust = Organisation.objects.get(code=TRUST)
    set_grant(user=signer, role=Role.SITE_MANAGER, organisation=trust, by=None)
    _hand_token(signer_token(home), signer, SIGNER_SCOPES)
    # Its role would let it do more; its token lets it tell values and nothing else.
    teller = _person("northmoor.ambulance", "Northmoor", "ambulance service", None)
    set_grant(user=teller, role=Role.BED_MANAGER, organisation=trust, by=None)
    _hand_token(teller_token(home), teller, TELLER_SCOPES)


def _hand_token(path: Path, user: User, scopes: Iterable[TokenScope]) -> None:
    known = path.read_text().strip() if path.exists() else ""
    _write_secret(path, _token(user, "simulated staff", scopes, known))


def _token(user: User, name: str, scopes: Iterable[TokenScope], known: str) -> str:
    """A token that works: the one known, or a new one. One of an earlier version may do less."""
    tokens = ApiToken.objects.filter(
        user=user, name=name, revoked_at=None, scopes=sorted(set(scopes))
    )
    if known and tokens.filter(prefix=known[:12]).exists():
        return known
    return issue(user, name, scopes, None)[1]


def make_feeds() -> None:
    """A feed for each body of the simulated system that has places, as its senders name it."""
    for body in Organisation.objects.filter(sites__isnull=False).distinct():
        Feed.objects.get_or_create(
            code=code_for(APPLICATION, body.code),
            defaults={
                "name": f"{body.name}: patient administration",
                "sending_application": APPLICATION,
                "sending_facility": body.code,
                "organisation": body,
            },
        )


def set_cleaning_times() -> None:
    """Beds that are left by hand need cleaning in the demo, where no feed says so itself."""
    WardLimits.objects.filter(cleaned_after=None).update(cleaned_after=CLEANED_AFTER)
    WardLimits.objects.bulk_create(
        WardLimits(ward=ward, cleaned_after=CLEANED_AFTER)
        for ward in Ward.objects.filter(limits=None, same_as=None)
    )


def load_escalation() -> None:
    """The example rules and cards, unless there are some: a demo may have been filled in."""
    if not OpelRuleSet.objects.exists():
        weights = [part for one in WEIGHTS for part in ("--weight", one)]
        call_command("load_opel", "example", *weights, verbosity=0, stdout=io.StringIO())
        call_command("load_action_cards", str(CARDS), verbosity=0, stdout=io.StringIO())


def _identity() -> str:
    """What tells this database from every other, so that a mark left by one is not read for two."""
    first = MigrationRecorder.Migration.objects.aggregate(applied=Min("applied"))["applied"]
    return f"{connection.settings_dict['NAME']} of {first.isoformat()}"


def migrate() -> None:
    """Bring the tables up to date; asking first is much quicker than doing nothing in full."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", verbosity=0, interactive=False)


class Preparation:
    """What a demo needs once: places, rules, feeds and weeks of history. Done in steps; a step cut
    short is done again, and messages received twice are known and change nothing."""

    def __init__(self, home: Path, environment: Mapping[str, str], say: Say, *, days: int) -> None:
        self._days = days
        self._folder = home / "history"
        self._environment = environment
        self._say = say
        self.state = home / "simulation.json"
        self._told = staff_memory(home)

    def is_done(self) -> bool:
        """Whether this database has it all, from places and rules as the files now have them."""
        try:
            return (self._folder / "loaded").read_text() == self._mark()
        except OSError:
            return False

    def do(self, at: datetime) -> None:
        """Prepare what is missing."""
        load_places(NORTHMOOR, at=at, since=Since(None))
        load_rules(read_rules(RULES), site=None, at=at)
        load_codes(built_in())
        load_cohorts([NEIGHBOURHOODS, *built_in_cohorts()])
        make_feeds()
        set_cleaning_times()
        load_escalation()
        demo_meetings.set_up(ACUTE, f"site.manager@{MAIL_AT}")
        if not Movement.objects.exists() or not self._was_loaded():
            self._load_history()
        (self._folder / "loaded").write_text(self._mark())

    def _was_loaded(self) -> bool:
        try:
            mark = (self._folder / "loaded").read_text()
        except OSError:
            return False
        return mark.split("\n")[0] == _identity()

    def _mark(self) -> str:
        described = (NORTHMOOR, RULES, NEIGHBOURHOODS, *built_in_cohorts(), OPEL_RULES, CARDS)
        files = b"".join(file.read_bytes() for file in described)
        return f"{_identity()}\n{hashlib.sha256(files).hexdigest()}"

    def _load_history(self) -> None:
        messages = self._folder / "messages"
        written = self._folder / "written"
        if not written.exists():
            messages.mkdir(parents=True, exist_ok=True)
            self._say("inventing weeks of history …")
            self._run(
                "-m", "simulation", "history", "--out", str(messages), "--state", str(self.state),
                "--days", str(self._days),
            )  # fmt: skip
            written.touch()
        self._told.unlink(missing_ok=True)  # whatever it says, this database was not told
        self._say("receiving them as HL7 messages …")
        # Its staff knew of each movement when it was made, not only now that it is loaded.
        self._run("manage.py", "receive_hl7", "--history", "--file", str(messages))
        self._replay_forecasts()

    def _replay_forecasts(self) -> None:
        """What its hospitals would have foretold: a week is learnt from, the rest told."""
        days = self._days - LEARNT_DAYS
        if days < 1:
            return
        self._say(f"replaying the forecasts of {days} days …")
        sites = [word for code in ACUTE for word in ("--site", code)]
        self._run("manage.py", "replay_forecasts", *sites, "--days", str(days), "--hour", "8")

    def _run(self, *command: str) -> None:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=BASE,
            env=dict(self._environment),
            umask=0o077,  # what it writes names people, if only invented ones
            start_new_session=True,  # Ctrl-C is for us; it is told below, with all it has started
            preexec_fn=die_with_parent,
        )
        try:
            status = process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
            raise
        if status:
            raise CannotShow(f"`{' '.join(command)}` ended with status {status}.")


def programs(*, bind: str, port: int, mllp_port: int, home: Path, state: Path) -> list[Program]:
    """What a running demo consists of."""
    python = sys.executable
    return [
        Program(
            "web",
            (
                python, "-m", "uvicorn", "flowboard.asgi:application", "--host", bind,
                "--port", str(port), "--no-access-log", "--no-server-header",
                "--timeout-graceful-shutdown", "2", "--log-level", "warning",
            ),
        ),
        Program(
            "worker",
            (
                python, "-W", f"ignore:{_AS_ROOT}", "-m", "celery", "--app", "flowboard.celery",
                "--quiet", "worker", "--beat", "--schedule", str(home / "celery-schedule"),
                "--pool", "threads", "--concurrency", "2", "--without-gossip", "--without-mingle",
            ),
        ),
        # Learning takes minutes of a processor: by itself, and behind everything else.
        Program(
            "learner",
            (
                "nice", "-n", "10", python, "-W", f"ignore:{_AS_ROOT}", "-m", "celery",
                "--app", "flowboard.celery", "--quiet", "worker", "--queues", "learning",
                "--pool", "solo", "--without-gossip", "--without-mingle",
            ),
        ),
        Program(
            "listener",
            (python, "manage.py", "receive_hl7", "--listen", f"{bind}:{mllp_port}"),
        ),
        Program(
            "simulator",
            (
                python, "-m", "simulation", "live", "--to", f"127.0.0.1:{mllp_port}",
                "--state", str(state),
            ),
        ),
        Program(
            "staff",
            (
                python, "-m", "simulation", "care", "--api", f"http://127.0.0.1:{port}/api/v1/",
                "--token-file", str(staff_token(home)), "--state", str(state),
                "--memory", str(staff_memory(home)),
                "--signer-token-file", str(signer_token(home)),
                "--teller-token-file", str(teller_token(home)),
            ),
        ),
    ]  # fmt: skip
