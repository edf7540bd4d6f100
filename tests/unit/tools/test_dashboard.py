# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Grafana dashboard. What its queries return is looked at in the target monitoring."""

from __future__ import annotations

import itertools
import json
import re
import subprocess

import dashboard
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from ansible_collections.mcp.server.plugins.module_utils._gates import packs, thresholds

DATA = json.loads(dashboard.FILE.read_text())
PANELS = DATA["panels"]


def test_the_file_is_current():
    assert dashboard.FILE.read_text() == dashboard.text(), "run tests/tools/dashboard.py"


def test_grafanas_library_reads_it_whole():
    """It drops what its schema does not have."""
    register_default_plugins()
    assert json.loads(JSONEncoder().encode(Dashboard.from_json(DATA))) == DATA
    odd = {**DATA, "panels": [{**PANELS[0], "colour": "red"}]}
    assert json.loads(JSONEncoder().encode(Dashboard.from_json(odd))) != odd


def test_panels_fill_the_grid_and_do_not_overlap():
    places = [one["gridPos"] for one in PANELS]
    cells = [
        (x, y)
        for one in places
        for x in range(one["x"], one["x"] + one["w"])
        for y in range(one["y"], one["y"] + one["h"])
    ]
    assert len(cells) == len(set(cells)) and max(x for x, _y in cells) == 23
    assert len({one["id"] for one in PANELS}) == len(PANELS)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_each_panel_has_both_pools_from_the_chosen_source_of_data(panel):
    lines = [one["legendFormat"] for one in panel["targets"]]
    assert len(lines) == len(set(lines)) and {line.split()[0] for line in lines} == {"blue", "green"}
    assert len({one["refId"] for one in panel["targets"]}) == len(lines)
    assert {one["datasource"]["uid"] for one in (panel, *panel["targets"])} == {"${datasource}"}


def test_every_measure_and_every_trigger_is_drawn():
    drawn = json.dumps([one["expr"] for panel in PANELS for one in panel["targets"]])
    names = {name for pack in packs.PACKS.values() for measure in pack.measures.values() for name in measure.metrics()}
    assert {name for name in names if name not in drawn and not name.endswith(("_sum", "_count"))} == set()
    limits = sorted(
        step["value"]
        for panel in PANELS
        for step in panel["fieldConfig"]["defaults"].get("thresholds", {}).get("steps", [])
        if step["value"] is not None
    )
    assert limits == sorted(gate.limit for gate in thresholds.TRIGGERS)


@pytest.mark.parametrize("name", dashboard.expressions())
def test_queries_are_whole(name):
    query = dashboard.filled(dashboard.expressions()[name], "prod", "weather", "1m")
    assert "$" not in query and "(?!" not in query and not re.search(r"\{(pool|pods|both_pods|service|route)\}", query)
    for opened, closed in ("()", "[]", "{}"):
        assert query.count(opened) == query.count(closed)


def test_the_variables_that_queries_have_are_there():
    known = {one["name"] for one in DATA["templating"]["list"]}
    used = set(
        itertools.chain.from_iterable(re.findall(r"\$\{(\w+)\}", query) for query in dashboard.expressions().values())
    )
    assert used <= known and {"datasource", "namespace", "server"} <= known


@pytest.mark.parametrize(
    ("pod", "server"),
    [
        ("weather-blue-7877f54bb6-bcrqj", "weather"),
        ("my-blue-green-0", "my-blue"),
        ("weather-7877f54bb6-bcrqj", None),
    ],
)
def test_servers_are_found_by_their_pods(pod, server):
    found = re.match(dashboard.pool_of_pod().strip("/"), pod)
    assert (found and found[1]) == server


def test_other_names_as_the_page_says(tmp_path):
    (command,) = re.findall(
        r"```shell\n(sed .*?)```", (dashboard.FILE.parents[1] / "dashboard.md").read_text(), re.DOTALL
    )
    (tmp_path / "mcp-server.json").write_text(dashboard.FILE.read_text())
    subprocess.run(["sh", "-euc", command], cwd=tmp_path, check=True)
    changed = (tmp_path / "weather.json").read_text()
    assert json.loads(changed)["panels"] and "weather-a" in changed and "weather-b" in changed
    assert not re.search(r"\$\{server\}-(blue|green)", "".join(re.findall(r'"expr": "(.*)"', changed)))
