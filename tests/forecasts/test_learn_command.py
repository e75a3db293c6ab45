"""`manage.py learn_forecasts`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from flow.forecasts import learning
from flow.models import ForecastModel, ForecastTraining
from tests.forecasts.living import BEGIN, Hospital

pytestmark = pytest.mark.django_db


def test_it_learns_and_says_how_far_it_is_and_what_came_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hospital, other = Hospital(), Hospital(seed=2)
    hospital.live(BEGIN + timedelta(days=2))
    code = hospital.site.code
    call_command("learn_forecasts", site=[code])
    said = capsys.readouterr()
    assert f"{code}: version 1, Hazard by how far a discharge has come, from " in said.out
    assert f"{code}: 0 %: Reading the history" in said.err
    assert not ForecastModel.objects.filter(site=other.site).exists()
    call_command("learn_forecasts")
    assert ForecastModel.objects.filter(site=other.site).exists()


def test_a_site_that_is_not_there_is_named() -> None:
    hospital = Hospital()
    with pytest.raises(CommandError, match=f"no site 'NO'. Known: {hospital.site.code}"):
        call_command("learn_forecasts", site=["NO"])


def test_a_failure_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("a fault")

    monkeypatch.setattr(learning, "learn_site", fails)
    with pytest.raises(CommandError, match="was not learnt"):
        call_command("learn_forecasts", site=[Hospital().site.code])


def test_a_training_can_be_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    hospital = Hospital()
    call_command("learn_forecasts", stop=True)
    assert "No training runs" in capsys.readouterr().out
    row = ForecastTraining.objects.create(site=hospital.site, started_at=BEGIN, heard_at=BEGIN)
    call_command("learn_forecasts", stop=True, site=[hospital.site.code])
    assert f"{hospital.site.code}: stops at its next step" in capsys.readouterr().out
    row.refresh_from_db()
    assert row.stop_asked
