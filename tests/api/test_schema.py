"""The OpenAPI document says what the views do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient

from flow.api import urls
from flow.api.episodes import SearchEpisodes
from flow.api.reading import Reader
from tests.flow.places import HOUR, START, Hospital, beds_of, make_episode, put

API = "/api/v1"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    generator: Any = SchemaGenerator
    document: dict[str, Any] = generator().get_schema(request=None, public=True)
    return document


def answer_of(schema: dict[str, Any], path: str, method: str = "get") -> dict[str, Any]:
    content = schema["paths"][path][method]["responses"]["200"]["content"]
    assert "text/csv" in content
    return resolved(schema, content["application/json"]["schema"])


def resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    if "allOf" in part:
        part = part["allOf"][0]
    if "$ref" in part:
        part = schema["components"]["schemas"][part["$ref"].rpartition("/")[2]]
    return part


def test_the_document_is_valid_and_complete(schema: dict[str, Any]) -> None:
    validate: Any = validate_schema
    validate(schema)
    paths = set(schema["paths"])
    for name in ("occupancy", "beds", "wards", "sites", "organisations", "episodes", "hl7v2"):
        assert f"{API}/{name}/" in paths
    assert f"{API}/wards/{{code}}/beds/" in paths
    token = schema["components"]["securitySchemes"]["token"]
    assert (token["type"], token["scheme"]) == ("http", "bearer")


def test_every_reader_documents_the_parameters_it_knows(schema: dict[str, Any]) -> None:
    seen = 0
    for pattern in urls.urlpatterns:
        view = getattr(pattern.callback, "cls", None)
        if view is None or not issubclass(view, Reader) or not hasattr(view, "get"):
            continue
        path = f"{API}/" + re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern))
        told = schema["paths"][path]["get"].get("parameters", [])
        names = {one["name"] for one in told if one["in"] == "query"}
        assert names == set(view.known) | {"format"}, path
        seen += 1
    assert seen >= 10
    body = schema["components"]["schemas"]["EpisodeQuery"]["properties"]
    assert set(body) == set(SearchEpisodes.known)


def agrees(schema: dict[str, Any], told: dict[str, Any], value: object, where: str) -> None:
    """Every field that is told of is there, and no other, all the way down."""
    told = resolved(schema, told)
    if isinstance(value, dict):
        assert set(told["properties"]) == set(value), where
        for name, inner in value.items():
            agrees(schema, told["properties"][name], inner, f"{where}.{name}")
    elif isinstance(value, list):
        for inner in value:
            agrees(schema, told["items"], inner, f"{where}[]")


def test_answers_have_the_shape_the_document_gives_them(
    client: APIClient, hospital: Hospital, schema: dict[str, Any]
) -> None:
    bed = beds_of(hospital.ward)[0]
    put(hospital.ward, bed)
    put(hospital.ward, wanted=bed)
    make_episode(discharged_at=START + HOUR)
    codes = {
        "/wards/{code}/": hospital.ward.code,
        "/wards/{code}/beds/": hospital.ward.code,
        "/sites/{code}/": hospital.site.code,
    }
    for path in (
        "/occupancy/",
        "/occupancy/totals/",
        "/beds/",
        "/wards/",
        "/sites/",
        "/organisations/",
        "/episodes/",
        *codes,
    ):
        response = client.get(API + path.format(code=codes.get(path, "")))
        assert response.status_code == 200
        agrees(schema, answer_of(schema, API + path), response.json(), path)
    one = client.get(f"{API}/beds/{bed.pk}/").json()
    agrees(schema, answer_of(schema, f"{API}/beds/{{key}}/"), one, "bed")
    found = client.post(f"{API}/episodes/search/", {}, format="json").json()
    agrees(schema, answer_of(schema, f"{API}/episodes/search/", "post"), found, "search")


def test_the_documentation_asks_no_other_host(db: None) -> None:
    client = APIClient()
    page = client.get(f"{API}/docs/")
    assert page.status_code == 200
    text = page.content.decode()
    sources = re.findall(r'(?:src|href)="([^"]+)"', text)
    assert len(sources) >= 4
    assert all(source.startswith("/") for source in sources)
    assert not re.search(r"<script>", text)
    script = next(source for source in sources if source.startswith(f"{API}/docs/"))
    body = client.get(script.replace("&amp;", "&"))
    assert body["Content-Type"].startswith("application/javascript")
    assert f"{API}/schema/" in body.content.decode()
    assert client.get(f"{API}/schema/", HTTP_ACCEPT="application/json").status_code == 200


def test_the_kinds_of_problem_are_listed(db: None) -> None:
    rows = APIClient().get(f"{API}/problems/").json()["results"]
    assert {"type", "meaning"} == set(rows[0])
    assert "/api/v1/problems/#throttled" in {row["type"] for row in rows}
