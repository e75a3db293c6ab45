"""The documentation, the kinds of problem, and addresses that lead nowhere."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from flow.api.problems import TYPES, missing


class Schema(SpectacularAPIView):
    """The OpenAPI document. It names no place and no person, so everybody may read it."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class Docs(SpectacularSwaggerSplitView):
    """The same for people, to read and to try out. Its script and style come from this host, and
    no script stands in the page, as the content security policy asks."""

    template_name = "api/docs.html"
    authentication_classes = ()
    permission_classes = (AllowAny,)


class Problems(APIView):
    """The kinds of problem that an answer's `type` can name."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Each with what it means."""
        return Response(
            {
                "results": [
                    {"type": f"/api/v1/problems/#{kind}", "meaning": meaning}
                    for kind, meaning in TYPES.items()
                ]
            }
        )


class Nowhere(APIView):
    """Every other address below the API: a problem document, or the address with its slash."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Addresses end with a slash; one that lacks it is sent on, whatever the method."""
        if not request.path_info.endswith("/"):
            try:
                found = resolve(f"{request.path_info}/").func
                leads_nowhere = getattr(found, "cls", None) is type(self)
            except Resolver404:
                leads_nowhere = True
            if not leads_nowhere:
                query = request.META.get("QUERY_STRING", "")
                address = f"{request.path}/" + (f"?{query}" if query else "")
                return HttpResponsePermanentRedirect(address, preserve_request=True)
        return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Whatever the method: there is nothing here."""
        raise missing("such address in the API; /api/v1/docs/ lists them all")
