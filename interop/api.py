"""HL7 v2 over HTTP: a message in, its acknowledgment out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import IO, Any, Final
from uuid import uuid4

from django.core.cache import cache
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from kombu.exceptions import OperationalError as BrokerAway
from rest_framework.exceptions import APIException, PermissionDenied, ValidationError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api_auth import HasScope
from accounts.roles import Permission
from accounts.tokens import TokenScope
from interop.feeds import Feeds, UnknownSender
from interop.hl7v2.ack import Answer, Verdict, acknowledgment
from interop.hl7v2.batches import messages_in
from interop.hl7v2.framing import DEFAULT_LIMIT
from interop.hl7v2.header import Unreadable, header_of
from interop.inbox import Incoming, Kept, store
from interop.listener import APPLICATION
from interop.storing import AWAY
from interop.tasks import apply_waiting
from wards.scope import Scope, scope_of

MEDIA_TYPE: Final = "application/hl7-v2"
_WAKE: Final = "interop:wake"
_GATHER: Final = 1  # seconds in which one task is asked for, however many messages come


class TooLarge(APIException):
    """The body is larger than a message may be."""

    status_code = 413
    default_detail = f"Send at most {DEFAULT_LIMIT // 1024 // 1024} MB at once."
    default_code = "too_large"


class Hl7Parser(BaseParser):
    """The body as bytes, whatever HL7 media type it is sent under."""

    media_type = MEDIA_TYPE

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Raises TooLarge before reading on."""
        body = stream.read(DEFAULT_LIMIT + 1)
        if len(body) > DEFAULT_LIMIT:
            raise TooLarge
        return body


class PlainParser(Hl7Parser):
    """The same, for senders that know no other type."""

    media_type = "text/plain"


class OlderHl7Parser(Hl7Parser):
    """The same, under the name that HL7 over HTTP tools have long used."""

    media_type = "application/x-hl7-v2+er7"


class Hl7Negotiation(DefaultContentNegotiation):
    """The answer to a message is an acknowledgment, whatever else the sender would accept."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        """Problems alone are rendered, and those are JSON."""
        return renderers[0], renderers[0].media_type


class ReceiveHl7(APIView):
    """Takes HL7 v2 messages. 200: stored (AA); 400: refused (AR); 503: send again (AE).

    Not throttled: a feed sends as fast as a hospital moves, and a refused message would be
    sent again.
    """

    permission_classes = (HasScope(TokenScope.HL7_WRITE),)
    parser_classes = (Hl7Parser, OlderHl7Parser, PlainParser)
    content_negotiation_class = Hl7Negotiation
    throttle_classes = ()
    feeds = Feeds()

    @extend_schema(
        summary="Send HL7 v2 messages",
        description=(
            "The body is one ADT message, or a batch. The answer is its acknowledgment. AA "
            "means that the message is stored and need not be sent again."
        ),
        request={MEDIA_TYPE: OpenApiTypes.STR, "text/plain": OpenApiTypes.STR},
        responses={
            (200, MEDIA_TYPE): OpenApiTypes.STR,
            (400, MEDIA_TYPE): OpenApiResponse(OpenApiTypes.STR, "Refused; the reason is in it"),
            (503, MEDIA_TYPE): OpenApiResponse(OpenApiTypes.STR, "Not stored; send it again"),
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Store, then answer."""
        scope = scope_of(request.user)
        if not scope.may_anywhere(Permission.MANAGE_FEEDS):
            raise PermissionDenied(
                "Sending messages needs an account that may manage feeds; "
                "an administrator can give it the role of a feed manager."
            )
        body: Any = request.data
        if not isinstance(body, bytes) or not body.strip():
            raise ValidationError(
                {
                    "body": "The body is empty: nothing was stored. Put an HL7 v2 message that "
                    f"begins with MSH into it, and send it as {MEDIA_TYPE}."
                }
            )
        pieces = list(messages_in(body))
        self._refuse_foreign(scope, [piece.data for piece in pieces])
        peer = f"http {request.META.get('REMOTE_ADDR', '')}".strip()
        found = [Incoming(piece.data, peer, piece.fault) for piece in pieces]
        incoming = found or [Incoming(body, peer)]
        try:
            kept = store(incoming, feeds=self.feeds, at=timezone.now())
        except (OperationalError, InterfaceError):
            return _answer([Kept(0, None, AWAY, is_new=False)])
        _wake()
        return _answer(kept)

    def _refuse_foreign(self, scope: Scope, messages: Iterable[bytes]) -> None:
        """Raises PermissionDenied unless the account looks after the feed of every message: that
        of its organisation, or any if it looks after all. What cannot be read is kept and refused
        as such, and changes nothing."""
        if scope.may_everywhere(Permission.MANAGE_FEEDS):
            return
        for message in messages:
            try:
                feed = self.feeds.of(header_of(message))
            except (Unreadable, UnknownSender):
                continue
            if feed.organisation is None or not scope.may_at_organisation(
                Permission.MANAGE_FEEDS, feed.organisation
            ):
                raise PermissionDenied(
                    "This account may not send for the sender named in MSH-3 and MSH-4: it must "
                    "manage feeds at the organisation that sender belongs to. Nothing was stored."
                )


def _answer(kept: list[Kept]) -> HttpResponse:
    """All acknowledgments; the status is that of the message that fared worst."""
    body = b"".join(
        acknowledgment(
            each.answer,
            to=each.header,
            at=timezone.now(),
            control_id=uuid4().hex[:20],
            application=APPLICATION,
        )
        for each in kept
    )
    status = max(_status(each.answer) for each in kept)
    return HttpResponse(body, status=status, content_type=f"{MEDIA_TYPE}; charset=utf-8")


def _status(answer: Answer) -> int:
    return {Verdict.TAKEN: 200, Verdict.REFUSED: 400, Verdict.ERROR: 503}[answer.verdict]


def _wake() -> None:
    """Have the messages applied soon, also where no listener runs; the sweep is the safety net."""
    if cache.add(_WAKE, 1, _GATHER):
        try:
            apply_waiting.apply_async(countdown=0, retry=False)
        except (BrokerAway, OSError):
            return
