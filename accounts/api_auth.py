"""How a program proves to the API who it is, and what its token allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models import ApiToken, User
from accounts.tokens import TokenRefused, TokenScope, recognise

if TYPE_CHECKING:
    # The framework loads this module while it loads its views.
    from rest_framework.views import APIView

REALM: Final = 'Bearer realm="Flowboard"'


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer SECRET` (RFC 6750). Put it first among the authentication classes:
    the first one says in WWW-Authenticate what a refused caller should send.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """User and token; None when the header is missing or of another scheme.

        Raises AuthenticationFailed with the reason when there is a token that opens nothing.
        """
        scheme, _, secret = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            token = recognise(secret.strip(), timezone.now())
        except TokenRefused as refused:
            request._flowboard_refused = True  # type: ignore[attr-defined]
            raise AuthenticationFailed(refused.reason, code="invalid_token") from None
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """The challenge, which tells a wrong token from a missing one as RFC 6750 asks."""
        if getattr(request, "_flowboard_refused", False):
            return f'{REALM}, error="invalid_token"'
        return REALM


def HasScope(*scopes: str) -> type[BasePermission]:
    """A permission: somebody is signed in and, if by a token, it carries one of `scopes`.

    A scope limits programs. What a person may do, and where, follows from their grants alone.
    Raises ValueError for a scope that does not exist.
    """
    needed = [TokenScope(scope) for scope in scopes]
    named = " or ".join(needed)

    class _HasScope(BasePermission):
        message = f"This token lacks the scope {named}; ask an administrator for one that has it."
        code = "insufficient_scope"

        def has_permission(self, request: Request, view: APIView) -> bool:
            user: Any = request.user
            if not user.is_authenticated:
                return False
            return not isinstance(request.auth, ApiToken) or any(
                scope in request.auth.scopes for scope in needed
            )

    _HasScope.__name__ = _HasScope.__qualname__ = (
        f"HasScope_{'_'.join(scope.name for scope in needed)}"
    )
    return _HasScope
