"""The accuracy page: scores beside what they have to beat, in numbers, pictures and words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from flow.forecast_pages.judging import verdicts
from flow.forecast_pages.score_charts import coverage_figure, reliability_figure
from flow.forecasts.accuracy import Scores, Tenth
from flow.forecasts.recorded import Speaker
from flow.models import Forecast, ForecastModel, ForecastScore, ForecastTraining
from tests.screens.forecasts import foretell, forget, lived_in
from tests.screens.hospital import Hospital

OWN, PLAN, WEEKDAY = Speaker.FORECAST, Speaker.PLAN, Speaker.WEEKDAY


@pytest.fixture(autouse=True)
def _nothing_foretold() -> Iterator[None]:
    forget()
    yield
    forget()


@pytest.fixture
def hospital(db: None) -> Hospital:
    return lived_in()


@pytest.fixture
def here(hospital: Hospital) -> str:
    return f"/sites/{hospital.site.code}/forecast/accuracy/"


def text(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, (address, answer.status_code)
    return unescape(answer.content.decode())


def figure(page: str, name: str) -> dict[str, list[dict[str, object]]]:
    found = re.search(rf'id="{name}-figure">(.*?)</script>', page)
    assert found is not None, name
    told: dict[str, list[dict[str, object]]] = json.loads(found[1])
    return told


def scored(
    forecast: Forecast, speaker: Speaker, *, back: int, crps: float, hour: int = 8,
    part: str = "site", key: str = "", until: str = "24h", patients: int = 100, log: float = 30.0,
) -> None:  # fmt: skip
    """One number of one forecast so many days back: 10 said, 8 seen, held by the wider intervals;
    of the patients 40 were given 20 %, of whom 10 left, and 60 were given 55 %, of whom 30 did."""
    told = speaker in (OWN, PLAN)
    ForecastScore.objects.create(
        forecast=forecast, site=forecast.site, day=timezone.localdate() - timedelta(days=back),
        hour=hour, what="departures", until=until, part=part, key=key, speaker=speaker,
        scored_at=timezone.now(), forecasts=1, seen=8, said=10.0, crps=crps, within_50=0,
        within_80=1, within_90=1, patients=patients if told else 0, log_sum=log if told else 0,
        brier_sum=15.0 if told else 0,
        bin_patients=[0, 0, 40, 0, 0, 60, 0, 0, 0, 0] if told else [0] * 10,
        bin_said=[0, 0, 8.0, 0, 0, 33.0, 0, 0, 0, 0] if told else [0.0] * 10,
        bin_came=[0, 0, 10, 0, 0, 30, 0, 0, 0, 0] if told else [0] * 10,
    )  # fmt: skip


@pytest.fixture
def record(hospital: Hospital) -> Forecast:
    """Twelve scored mornings: the forecast is twice as good as the same weekday's mean, and a
    little worse than the teams' dates."""
    row = foretell(hospital.site)
    rows = [row, *(foretell(hospital.site, at=row.at - timedelta(hours=n)) for n in range(1, 12))]
    for back, one in enumerate(rows):
        scored(one, OWN, back=back, crps=2.0)
        scored(one, PLAN, back=back, crps=1.8, log=20.0)
        scored(one, WEEKDAY, back=back, crps=4.0)
    return row


def test_before_anything_is_scored_the_page_says_when_it_will_be(
    hospital: Hospital, here: str, manager: Client
) -> None:
    page = text(manager, here)
    assert "Nothing is scored yet" in page
    assert "None yet." in page  # no model


def test_the_table_holds_every_speaker_and_the_words_say_who_is_better(
    record: Forecast, here: str, manager: Client
) -> None:
    page = text(manager, here)
    table = page[page.index("scores-title") : page.index("</table>")]
    rows = re.findall(r"<tr[^>]*><th scope=\"row\">.*?</tr>", table)
    cells = [re.findall(r">([^<]*)<", re.sub(r"<span.*?</span>", "", row)) for row in rows]
    told = {one[1]: [cell for cell in one[2:] if cell] for one in cells}
    assert told["The forecast"] == [
        "12", "2.00", "2.00", "+2.00", "0 %", "100 %", "100 %", "1200", "0.300", "0.150",
    ]  # fmt: skip
    assert told["The teams’ expected dates"][1] == "1.80"
    assert told["Same weekday, mean of six weeks"][7:] == ["–", "–", "–"]
    assert "Beats Same weekday, mean of six weeks: CRPS 2.00 against 4.00, 50 % less." in page
    assert "Does not beat The teams’ expected dates: CRPS 2.00 against 1.80." in page
    assert "Patient by patient it does not (log score 0.300 against 0.200)." in page
    assert "On average 2.0 too many were said." in page


def test_every_picture_has_its_table_and_its_sentence(
    record: Forecast, here: str, manager: Client
) -> None:
    page = text(manager, here)
    reliability = figure(page, "reliability")["data"]
    assert [trace["name"] for trace in reliability] == ["The forecast"]
    assert (reliability[0]["x"], reliability[0]["y"]) == ([20.0, 55.0], [25.0, 50.0])
    assert reliability[0]["customdata"] == [480, 720]
    assert "Of 1200 chances of single patients the mean was 41.0 %, and it came" in page
    coverage = figure(page, "coverage")["data"]
    assert coverage[0]["y"] == [0, 100, 100]
    assert "The 50 % intervals held 0 % of what came, those of 80 % held 100 %" in page
    crps = figure(page, "crps")["data"]
    assert [len(trace["x"]) for trace in crps] == [12, 12, 12]  # type: ignore[arg-type]
    assert figure(page, "bias")["data"][0]["y"] == [2.0] * 12
    assert page.count("The same as a table") == 2
    for name in ("reliability-said", "coverage-said", "bias-said"):
        assert f'id="{name}"' in page
        assert f'aria-labelledby="{name}"' in page


def test_the_address_narrows_what_is_told(
    record: Forecast, hospital: Hospital, here: str, manager: Client
) -> None:
    ward = hospital.wards[0]
    scored(record, OWN, back=0, crps=0.5, part="ward", key=str(ward.pk))
    scored(record, WEEKDAY, back=0, crps=0.7, part="ward", key=str(ward.pk))
    scored(record, OWN, back=0, crps=6.0, until="48h")
    page = text(manager, f"{here}?of=ward:{ward.pk}")
    assert "0.50" in page[page.index("scores-title") : page.index("</table>")]
    assert "1 forecast scored beside it, too few" in page
    assert "6.00" in text(manager, f"{here}?until=48h")
    assert "Nothing is scored yet" in text(manager, f"{here}?hour=16")
    old = (timezone.localdate() - timedelta(days=40)).isoformat()
    assert "Nothing is scored yet" in text(manager, f"{here}?from={old}&to={old}")
    apart = text(manager, here)
    assert f'href="?of=ward%3A{ward.pk}">{ward.name}</a>' in apart
    hours = text(manager, f"{here}?by=hour")
    assert '">08:00</a>' in hours[hours.index("apart-title") :]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("from=yesterday", "Give a date, such as 21/11/2026."),
        ("from=2026-02-31", "Give a date, such as 21/11/2026."),
        ("from=2026-03-02&to=2026-03-01", "The first day lies after the last one."),
        ("from=2020-01-01&to=2026-01-01", "Ask for two years at most."),
        ("hour=7", "Forecasts of these hours are scored: 00:00, 08:00, 12:00, 16:00, 20:00."),
        ("what=weather", "“weather” is nothing to choose here."),
        ("of=planet:9", "Choose the site, a ward or a specialty from the list."),
    ],
)
def test_what_makes_no_sense_says_what_to_do(
    hospital: Hospital, here: str, manager: Client, query: str, said: str
) -> None:
    page = text(manager, f"{here}?{query}", status=400)
    assert said in page
    name, value = query.split("&")[0].split("=")
    if name == "from":
        assert f'name="from" value="{value}"' in page  # what was typed stays


def test_who_sees_a_ward_alone_is_told_of_that_ward_alone(
    record: Forecast, hospital: Hospital, here: str, nurse: Client
) -> None:
    mine, other = hospital.wards
    for ward in (mine, other):
        scored(record, OWN, back=0, crps=0.5, part="ward", key=str(ward.pk))
    page = text(nurse, here)
    assert "Of the whole site those are told who see all its wards" in page
    assert other.name not in page
    assert "0.50" in text(nurse, f"{here}?of=ward:{mine.pk}")
    assert "Nothing is scored yet" in text(nurse, f"{here}?of=ward:{other.pk}")


def test_the_page_tells_which_model_speaks_and_why_another_does_not(
    record: Forecast, hospital: Hospital, here: str, manager: Client
) -> None:
    live = ForecastModel.objects.get()
    ForecastModel.objects.create(
        site=hospital.site, number=2, kind="boosted", trained_at=timezone.now(),
        learnt_from=live.learnt_from, learnt_until=live.learnt_until, departures=9, seconds=3,
        own_loss=0.4321, live_loss=0.4300, compared=14, verdict="lost", format=1, libraries="x",
        floor_loss=0.45, boosted_loss=0.44,
    )  # fmt: skip
    ForecastTraining.objects.create(
        site=hospital.site, state="running", step="learning", done=6, steps=9,
        started_at=timezone.now(), heard_at=timezone.now(),
    )  # fmt: skip
    page = text(manager, here)
    assert "<strong>Model 1</strong>, Hazard by how far a discharge has come, since" in page
    assert "Never spoke: it did not tell the last days better than the one that speaks" in page
    assert "(log score 0.4321, the other’s 0.4300, over 14 mornings)" in page
    assert "In this time spoke model 1 (12 forecasts)" in page
    assert "learning from all days, <strong>67 %</strong> done" in page


# --- in words -------------------------------------------------------------------------------------


def scores(speaker: Speaker, *, forecasts: int = 20, crps: float, log: float | None) -> Scores:
    return Scores(
        speaker=speaker, patients=100 if log else 0, log_score=log, brier=None, chance=0.2,
        came=0.2, tenths=(Tenth(0.2, 0.3, 100, 0.2, 0.2),), forecasts=forecasts, said=5.0, seen=5.0,
        crps=crps, mae=1.0, bias=0.0, within_50=0.5, within_80=0.8, within_90=0.9,
    )  # fmt: skip


def test_the_forecast_lies_on_top_and_its_signs_are_filled() -> None:
    told = [scores(OWN, crps=1.0, log=0.3), scores(Speaker.KAPLAN_MEIER, crps=1.0, log=0.3)]
    for made in (reliability_figure, coverage_figure):
        others, own = json.loads(made(told))["data"]
        assert (own["name"], own["marker"]["symbol"]) == ("The forecast", "circle")
        assert others["marker"]["symbol"].endswith("-open")


def test_where_another_is_better_the_table_marks_it(
    record: Forecast, here: str, manager: Client
) -> None:
    page = text(manager, f"{here}?by=hour")
    row = page[page.index("apart-title") :]
    assert "less than the forecast’s:" in row  # the teams' dates: 1.80 against 2.00
    for one in Forecast.objects.all():
        scored(one, OWN, back=0, crps=1.0, part="ward", key="1")
        scored(one, WEEKDAY, back=0, crps=2.0, part="ward", key="1")
    row = text(manager, f"{here}?by=ward")
    assert "less than the forecast’s:" not in row[row.index("apart-title") :]


@pytest.mark.parametrize(
    ("own", "other", "better"),
    [(2.0, 3.0, True), (3.0, 2.0, False), (2.0, 2.01, None)],
)
def test_a_verdict_says_who_is_better(own: float, other: float, better: bool | None) -> None:
    [found] = verdicts(
        [scores(OWN, crps=own, log=0.3), scores(Speaker.KAPLAN_MEIER, crps=other, log=0.4)]
    )
    assert found.is_better is better
    word = {True: "Beats", False: "Does not beat", None: "Even with"}[better]
    assert found.words.startswith(word)


def test_of_few_forecasts_nothing_is_claimed() -> None:
    [found] = verdicts(
        [scores(OWN, crps=1.0, log=0.3), scores(WEEKDAY, forecasts=9, crps=9.0, log=None)]
    )
    assert found.is_better is None
    assert "9 forecasts scored beside it, too few" in found.words
    assert verdicts([scores(WEEKDAY, crps=1.0, log=None)]) == []


def test_the_dates_of_the_form_are_those_told(record: Forecast, here: str, manager: Client) -> None:
    today = timezone.localdate()
    page = text(manager, here)
    first: date = today - timedelta(days=27)
    assert f'name="from" value="{first.isoformat()}"' in page
    assert f'name="to" value="{today.isoformat()}"' in page
