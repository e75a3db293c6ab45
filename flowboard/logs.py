"""Logs as one line a record, with no patient data in them.

Three layers keep people out of the logs. Code logs names of things and primary keys, never what
a message or a form said. Of an exception only its type and the places it passed are written,
because database errors repeat the row. And whatever text remains loses query strings, HL7
segments and numbers that could identify somebody.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import traceback
from contextvars import ContextVar
from typing import Any, Final

import psycopg

request_id: ContextVar[str] = ContextVar("request_id", default="")

_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime"}
# Extra fields of libraries that hold whole objects or say the same again.
_NEVER: Final = frozenset({"request", "sock", "params", "sql", "data", "color_message"})
_CONCEALED: Final = (
    (re.compile(r"\?[^\s\"'?]*=[^\s\"']*"), "?…"),
    (re.compile(r"\b(?:MSH|EVN|PID|PD1|NK1|PV1|PV2|MRG|NPU|OBX|Z[A-Z0-9]{2})\|[^\n\"]*"), "[HL7]"),
    (re.compile(r"(?<![\w.:-])\d{3}[ -]?\d{3}[ -]?\d{4}(?![\w:-]|\.\d)"), "[number]"),
)


def conceal(text: str) -> str:
    """`text` without query strings, HL7 segments and numbers of the shape of an NHS number."""
    for pattern, replacement in _CONCEALED:
        text = pattern.sub(replacement, text)
    return text


def describe(error: BaseException) -> dict[str, Any]:
    """What may be said of an exception: its type, where it passed, and a database's own codes."""
    frames = traceback.extract_tb(error.__traceback__)
    said: dict[str, Any] = {
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    cause = error.__cause__ or error.__context__
    if isinstance(error, psycopg.Error):
        said["sqlstate"] = error.sqlstate
        said["constraint"] = error.diag.constraint_name
        said["table"] = error.diag.table_name
    elif isinstance(error, OSError):
        said["errno"] = error.errno
    if cause is not None:
        said["cause"] = describe(cause)
    return said


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    return {
        name: conceal(value) if isinstance(value, str) else value
        for name, value in record.__dict__.items()
        if name not in _STANDARD and name not in _NEVER
    }


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, event, request, and the record's own fields."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of `record`."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line: dict[str, Any] = {
            "time": f"{moment}.{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": conceal(record.getMessage()),
        }
        if identifier := request_id.get():
            line["request"] = identifier
        line |= _fields(record)
        if record.exc_info and record.exc_info[1]:
            line["error"] = describe(record.exc_info[1])
        return json.dumps(line, default=lambda value: type(value).__name__, ensure_ascii=False)


class PlainLines(logging.Formatter):
    """One short line a record, for reading in a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of `record`."""
        parts = [f"{record.levelname.lower()} {record.name}: {conceal(record.getMessage())}"]
        parts += [f"{name}={value}" for name, value in _fields(record).items()]
        if record.exc_info and record.exc_info[1]:
            said = describe(record.exc_info[1])
            parts.append(f"error={said['type']} at={said['at'][-1] if said['at'] else '?'}")
        return " ".join(parts)


class FullLines(logging.Formatter):
    """Everything, for a developer who has switched DEBUG on over invented patients."""


class Unquoting(logging.Filter):
    """Keeps libraries from quoting addresses, exceptions and tasks' arguments."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; keep it, unless it says nothing: that open screens were let go at
        the end of a server is no error."""
        if record.name == "uvicorn.error" and str(record.msg).startswith("Cancel %s running"):
            return False
        request = getattr(record, "request", None)
        task = getattr(record, "data", None)
        if request is not None:
            match = getattr(request, "resolver_match", None)
            status = getattr(record, "status_code", 500)
            route = match.route if match else "no route"
            record.msg, record.args = "answered %s to %s %s", (status, request.method, route)
        elif record.name == "celery.app.trace" and isinstance(task, dict):
            record.msg = "task %s %s"
            record.args = (task.get("name"), task.get("description", "is done"))
        elif isinstance(record.args, tuple):
            record.args = tuple(
                type(part).__name__ if isinstance(part, BaseException) else part
                for part in record.args
            )
        return True


def configuration(style: str, level: str, *, debug: bool = False) -> dict[str, Any]:
    """Django's LOGGING: everything to standard error in one style."""
    formatter: dict[str, Any] = {"()": JsonLines if style == "json" else PlainLines}
    if debug:
        formatter = {"()": FullLines, "format": "%(levelname)s %(name)s: %(message)s"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "filters": {"unquoting": {"()": Unquoting}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": sys.stderr,
                "formatter": "line",
                "level": level,
                "filters": ["unquoting"],
            }
        },
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            # Django's own handlers would print addresses and mail whole requests.
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            # What was not found or not allowed already stands in the request's own line.
            "django.request": {"level": "ERROR"},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            # Says of each statement what it held; only ever wanted by hand.
            "django.db.backends": {"level": "INFO"},
            "uvicorn": {"handlers": [], "propagate": True},
            "uvicorn.error": {"handlers": [], "propagate": True},
            "uvicorn.access": {"handlers": [], "level": "CRITICAL", "propagate": False},
            "celery": {"level": "INFO"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
        },
    }
