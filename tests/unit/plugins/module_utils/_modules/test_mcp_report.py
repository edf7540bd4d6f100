# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
import re
from html.parser import HTMLParser

import pytest

from ansible_collections.mcp.server.plugins.module_utils._kubernetes import connection
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_report
from ansible_collections.mcp.server.plugins.module_utils._report import page
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Task
from ansible_collections.mcp.server.plugins.module_utils._workload.kept_logs import Kept, Log
from ansible_collections.mcp.server.tests.unit.fakes.records import ID, Store, old, release, step

START = 1795496400.0  # the release's
LIGHT = 200_000  # bytes
WARNINGS: list[str] = []  # of the module


class Read(HTMLParser):
    """What a browser makes of it. open: tags that were not closed."""

    VOID = ("meta", "line", "circle", "path", "br")

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.outside, self.said = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.outside += [value for name, value in attrs if name in ("src", "href", "xlink:href", "action", "style")]
        self.outside += [name for name, _value in attrs if name.startswith("on")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.said.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.said).split())


def read(*args, **kwargs):
    """The page, which stands alone, is whole and is light."""
    text = page.page(*args, **kwargs)
    found = Read(text)
    assert not found.open and not found.outside and not {"script", "img", "link", "iframe", "object"} & set(found.tags)
    assert "url(" not in text and "@import" not in text and len(text.encode()) < LIGHT
    return found


def series(count=200, every=5.0, **values):
    """One of each chart and pool. values: of green, by the chart's name."""
    made = []
    for name in page.CHARTS:
        for pool in ("blue", "green"):
            value = values.get(name, 10.0) if pool == "green" else 5.0
            made.append(
                {"name": name, "pool": pool, "points": [(START + every * number, value) for number in range(count)]}
            )
    return made


@pytest.mark.parametrize(
    ("outcome", "badge", "headline"),
    [
        ("succeeded", "✓ succeeded", "v1.2.0 is released, v1.1.5 was live before"),
        ("rolled_back", "↩ rolled back", "v1.2.0 was rolled back to v1.1.5"),
        ("failed", "✕ failed", "the release of v1.2.0 failed"),
        ("paused", "… paused", "the release of v1.2.0 is paused at"),
        ("running", "… running", "the release of v1.2.0 is running"),
        ("<odd>", "<odd>", "the release of v1.2.0 ended as <odd>"),
    ],
)
def test_outcomes(outcome, badge, headline):
    text = read(release(outcome), "prod/mcp").text
    assert badge in text and f"prod/mcp: {headline}" in text
    assert ("Ended not yet" in text) == (outcome == "running")


def test_logs_of_the_bad_pool():
    logs = (
        Log("a", "mcp", True, ("<script>alert(1)</script> & more", "two")),
        Log("b", "mcp", False, (), "Its log was not read within 3 s."),
        Log("c", "mcp", False, ()),
    )
    kept = Kept(ID, "green", "2026-11-24T05:16:40Z", logs, 2)
    found = read(release("rolled_back"), "prod/mcp", logs=kept)
    assert found.tags.count("pre") == 1
    for part in (
        "Logs of the bad pool The last lines of pool green, kept at 05:16:40, without the secrets in them.",
        "a/mcp (previous) <script>alert(1)</script> & more two",
        "b/mcp Its log was not read within 3 s.",
        "c/mcp It wrote nothing.",
        "and of 2 more pods",
    ):
        assert part in found.text
    assert "Logs of" not in read(release("rolled_back"), "prod/mcp").text


def test_what_who_when_and_why():
    text = read(
        release(
            "rolled_back",
            reason="5xx of green was 12 %.",
            to={**release()["to"], "contract": {"accepted": ["tools/x"]}},
        ),
        "prod/mcp",
    ).text
    for part in (
        f"Release {ID}",
        "Why 5xx of green was 12 %.",
        "v1.1.5 on blue x:v1.1.5 sha256:aa",
        "v1.2.0 on green x:v1.2.0",
        "By kim@runner",
    ):
        assert part in text
    assert "Started 2026-11-24 05:00:00 UTC" in text and "Ended 2026-11-24 05:16:30 UTC, after 16 min 30 s" in text
    assert "Traffic at the end blue 0 %, green 100 %" in text and "changes accepted by name: tools/x" in text


def test_steps_and_what_the_pools_gave_in_them():
    watched = read(release(), "prod/mcp", series(errors=0.25, latency=41.7))
    assert "05:00:20 +20 s 10 % 10.4 % 144 0.026 s followed 0.25 / 5.00 % 42 / 5 ms" in watched.text
    assert "without Prometheus" not in watched.text and watched.tags.count("svg") == 3
    alone = read(release(), "prod/mcp")
    assert "05:05:20 +5 min 20 s 100 % 100.0 % 144 0.026 s followed" in alone.text
    assert "made without Prometheus" in alone.text and alone.tags.count("svg") == 1
    unmeasured = read(release(steps=[step("05:00:20", 10, verdict="not_measured", seconds_to_follow=None)]), "prod/mcp")
    assert "10 % – – – not measured" in unmeasured.text
    assert (
        "no data"
        in read(
            release(),
            "prod/mcp",
            (),
            [{"gate": "errors", "verdict": "no_data", "at": "2026-11-24T05:00:20Z", "pool": "green"}],
        ).text
    )
    assert "No traffic was shifted." in read(release("failed", steps=[]), "prod/mcp").text


def test_step_boundaries_are_marked_in_each_chart():
    text = page.page(release("rolled_back"), "prod/mcp", series())
    assert len(re.findall(r'<line class="mark"[^>]*><title>10 %</title>', text)) == 3
    assert len(re.findall(r'<line class="warn"[^>]*><title>rolled back</title>', text)) == 3


def verdict(second, said="pass", **more):
    at = f"2026-11-24T05:{second // 60:02}:{second % 60:02}Z"
    return {
        "at": at,
        "gate": "5xx",
        "pool": "green",
        "verdict": said,
        "value": second,
        "unit": "%",
        "limit": 5,
        "requests": 80,
        **more,
    }


def test_gates_that_say_the_same_are_one_row():
    given = [
        one
        for second in range(0, 300, 5)
        for one in (verdict(second, "pass" if second < 200 else "breach"), verdict(second, gate="p95", pool=None))
    ]
    text = read(release(), "prod/mcp", (), given).text
    assert "5xx green pass 05:00:00 – 05:03:15 195 %, limit 5 %; 80 requests" in text
    assert "5xx green breach 05:03:20 – 05:04:55 295 %, limit 5 %; 80 requests" in text
    assert "p95 pass 05:00:00 – 05:04:55 295 %, limit 5 %; 80 requests" in text
    assert len(re.findall("295 %, limit", text)) == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"value": 0.25, "unit": "%", "limit": 5.0, "requests": 80}, "0.25 %, limit 5 %; 80 requests"),
        (
            {"value": None, "unit": "s", "limit": 0.5, "reason": "Prometheus does not answer."},
            "no value, limit 0.5 s; Prometheus does not answer.",
        ),
        ({"value": "x", "limit": None}, "no value"),
    ],
)
def test_the_last_verdict_of_a_gate(given, said):
    assert (
        f" {said} Made by"
        in read(release(), "prod/mcp", (), [{"at": None, "gate": "errors", "verdict": "pass", **given}]).text
    )


def test_all_text_is_escaped():
    evil = "</title></style><script>alert(1)</script>\"'&"
    hostile = release(
        evil,
        id=evil,
        by=evil,
        reason=evil,
        steps=[
            step(
                "05:00:20",
                10,
                verdict=evil,
                share={"green": evil, "blue": evil, "requests": evil, "failed": evil},
                seconds_to_follow=evil,
            )
        ],
        to={"pool": "green", "image_ref": evil, "digest": evil, "version": evil, "contract": {"accepted": [evil]}},
    )
    points = [{"name": "errors", "pool": "green", "points": [(START, 1.0), (START + 5, 2.0)]}]
    found = read(hostile, evil, points, [verdict(5, evil, gate=evil, unit=evil, reason=evil, requests=evil)])
    assert found.text.count("<script>alert(1)</script>") > 10


@pytest.mark.parametrize(
    "broken",
    [
        {"steps": [None, 7, {}, {"at": 3, "weights": [], "share": "x"}]},
        {"started": None, "ended": 12, "by": None},
        {"steps": [step("05:00:20", 10, weights={"green": math.nan})]},
        {"from": {"pool": "blue", "weights": None}, "to": {"pool": "green", "contract": "x"}},
    ],
)
def test_a_record_that_somebody_edited(broken):
    assert read(release(**broken), "prod/mcp").text


def test_it_is_light_however_long_it_took():
    long = series(20_000, 1.0)
    for one in long:
        one["points"] = [
            (at, 50 + 49.123456 * math.sin(number * 12.9898)) for number, (at, _value) in enumerate(one["points"])
        ]
    many = [verdict(number % 3600, ("pass", "breach")[number % 2], reason="d" * 80) for number in range(3000)]
    found = read(
        release(reason="r" * 500, steps=[step("05:00:20", number, number) for number in range(30)]),
        "prod/mcp",
        long,
        many,
    )
    assert "and 2800 more rows" in found.text


def test_the_same_gives_the_same():
    assert page.page(release(), "prod/mcp", series()) == page.page(release(), "prod/mcp", series())


def run(monkeypatch, dest, current, history=(), name=None, check_mode=False, **more):
    monkeypatch.setattr(connection, "connect", lambda params: Store(current, history))
    names = {
        "namespace": "prod",
        "server": "mcp",
        "pool_name_format": "{server}-{pool}",
        "route": None,
        "container": None,
    }
    names |= {"release_id": name, "prometheus": None, "verdicts": [], "kind": None, "escalation": []}
    names |= {"dest": str(dest), "dashboard_url": None}
    return mcp_report.run(Task({**names, **more}, check_mode, warn=WARNINGS.append))


def test_a_record_with_the_names_of_before_gives_the_same_report(monkeypatch, tmp_path):
    steps = [
        step("05:00:20", 10, 10.4),
        step("05:05:20", 50, 49.0, verdict="cannot_measure"),
        step("05:10:20", 100, verdict="inconclusive"),
    ]
    new = release(steps=steps)
    assert old(new) != new
    written = [(tmp_path / name, one) for name, one in (("old.html", old(new)), ("new.html", new))]
    for dest, one in written:
        run(monkeypatch, dest, one)
    first, second = (dest.read_text() for dest, _one in written)
    assert first == second
    assert "49.0 % 144 0.026 s cannot measure" in Read(first).text and "inconclusive" in Read(first).text


def test_the_file(monkeypatch, tmp_path):
    folder = tmp_path / "reports"
    planned = run(monkeypatch, folder, release(), check_mode=True)
    assert planned["changed"] and not folder.exists()
    made = run(monkeypatch, folder, release())
    file = folder / "mcp-2026-11-24T050000.000Z-v1.2.0.html"
    assert (made["changed"], made["path"], made["size"]) == (True, str(file), file.stat().st_size)
    assert file.stat().st_mode & 0o777 == 0o644 and [*folder.iterdir()] == [file]
    assert made["stats"]["outcome"] == "succeeded"
    assert not run(monkeypatch, folder, release())["changed"]
    assert not run(monkeypatch, folder, release(), check_mode=True)["changed"]
    assert run(monkeypatch, folder, release("rolled_back"))["changed"] and "rolled back" in file.read_text()
    assert run(monkeypatch, tmp_path / "a.html", release())["path"] == str(tmp_path / "a.html")


def test_whom_to_call_for_a_failure(monkeypatch, tmp_path):
    file = tmp_path / "a.html"
    tree = [{"kind": "deployment", "name": "Platform"}, {"kind": "application", "name": "<Dev>", "contact": "pager 1"}]
    run(monkeypatch, file, release("rolled_back"), kind="application", escalation=tree)
    assert "application<br>1. Application issues: &lt;Dev&gt; (pager 1)</p>" in file.read_text()
    run(monkeypatch, file, release(), escalation=tree)
    assert "Kind of failure" not in file.read_text()


def test_an_older_release(monkeypatch, tmp_path):
    history = ["broken", release("failed", id="2026-11-20T00:00:00.000Z-v1.1.9/../../x")]
    made = run(monkeypatch, tmp_path, release(), history, history[1]["id"])
    assert made["path"] == str(tmp_path / "mcp-2026-11-20T000000.000Z-v1.1.9....x.html")
    with pytest.raises(
        Failure, match=f"The release record of prod/mcp has no release v7. The newest are {re.escape(ID)}, 2026-11-20"
    ):
        run(monkeypatch, tmp_path, release(), history, "v7")
    with pytest.raises(Failure, match="nothing was released yet"):
        run(monkeypatch, tmp_path, None)


def test_a_place_that_can_not_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Failure, match="Cannot write the report to .*file/mcp-2026.*html: File exists"):
        run(monkeypatch, tmp_path / "file", release())


def test_the_link_to_the_dashboard(monkeypatch, tmp_path):
    run(monkeypatch, tmp_path, release(), dashboard_url='https://g.example.com/d/mcp?orgId=2&from=1&x="><b>')
    (file,) = tmp_path.glob("*.html")
    found = Read(file.read_text())
    (url,) = found.outside
    assert url == (
        "https://g.example.com/d/mcp?orgId=2&x=%22%3E%3Cb%3E&var-namespace=prod&var-server=mcp"
        "&from=1795496340000&to=1795497510000"
    )
    assert "Dashboard of both pools" in found.text and "<b>" not in file.read_text()
    run(monkeypatch, tmp_path, release("running"), dashboard_url=" https://g.example.com/d/mcp ")
    assert Read(file.read_text()).outside[0].endswith("&to=now")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("javascript:alert(1)", "must be an http or https URL"),
        ("data:text/html,x", "must be an http or https URL"),
        ("grafana.example.com/d/x", "must be an http or https URL"),
        ("https:///d/x", "must be an http or https URL"),
        ("https://[::1", "is not a URL"),
        ("https://kim:planted@g.example.com/", "must not have a user name or password"),
        ("https://g.example.com/d/x?orgId=1&auth_token=planted", "must not have a secret in its query"),
    ],
)
def test_what_is_no_link_is_left_out(monkeypatch, tmp_path, url, why):
    WARNINGS.clear()
    run(monkeypatch, tmp_path, release(), dashboard_url=url)
    (file,) = tmp_path.glob("*.html")
    assert not Read(file.read_text()).outside and "planted" not in file.read_text()
    (warning,) = WARNINGS
    assert f"dashboard_url {why}" in warning and url not in warning
