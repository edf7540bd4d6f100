# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module mcp_alert_check: the rules of alerts, and a test alert from Alertmanager to its receiver."""

from __future__ import annotations

import functools
import typing as t

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.module_utils._alertmanager import OPTION as ALERTMANAGER
from ansible_collections.mcp.server.plugins.module_utils._alertmanager import Alertmanager, NoAnswer
from ansible_collections.mcp.server.plugins.module_utils._alerts import receiver, rules, testing
from ansible_collections.mcp.server.plugins.module_utils._gates import connect
from ansible_collections.mcp.server.plugins.module_utils._gates.options import OPTION as PROMETHEUS
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._release import lease_renewal
from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure, Result, Skipped
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER_OPTIONS
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task

SPEC = Spec(
    options={
        **CLUSTER_OPTIONS,
        **SERVER_OPTIONS,
        **lease_renewal.OPTION,
        "prometheus": PROMETHEUS,
        "alertmanager": ALERTMANAGER,
        "rules": {"type": "list", "elements": "str", "default": []},
        "test_receiver": {"type": "str"},
        "test_labels": {"type": "dict", "default": {"mcp_test": "true"}},
        "receiver_listen": {"type": "str"},
        "timeout": {"type": "float", "default": 5.0},
    }
)


def run(task: Task) -> dict[str, t.Any]:
    params = task.params
    server = Server.from_params(params)
    listen = receiver.address(params["receiver_listen"]) if params["receiver_listen"] else None
    if params["timeout"] <= 0:
        raise Failure(f"timeout is {params['timeout']:g}: it must be more than 0 seconds.")
    checks: list[Result] = []

    def add(check_id: str, name: str, check: _results.Check) -> Result:
        found = _results.made(check_id, name, check)
        checks.append(found)
        task.progress(f"{'skipped' if found['skipped'] else 'ok' if found['ok'] else 'FAILED'}: {found['message']}")
        return found

    add("alert_rules", "alert rules", functools.partial(_rules, params))
    add("alert_sender", "alerts to Alertmanager", functools.partial(_sender, params))
    plans: list[testing.Plan] = []
    add("alert_route", "route of the test alert", functools.partial(_route, params, server, plans))
    add(
        "alert_notification",
        "notification of the test alert",
        functools.partial(_notification, task, plans, listen),
    )
    result = {"changed": False, "checks": checks}
    if failed := _results.problems(checks):
        raise Failure(" ".join(failed), **result)
    return result


def _rules(params: dict[str, t.Any]) -> str:
    wanted = list(dict.fromkeys(params["rules"]))
    if not wanted:
        raise Skipped("No alert is named (mcp_alert_rules), so no rule was looked for.")
    if not params["prometheus"]:
        raise CannotMeasure("Whether the rules of alerts are loaded cannot be told without mcp_prometheus: set it.")
    try:
        prometheus = connect.connect(params)
        groups, now = prometheus.rules(), prometheus.now()
    except Failure as failure:
        raise CannotMeasure(f"The rules of alerts cannot be read: {failure.msg}") from None
    return rules.judged(groups, wanted, now)


def _sender(params: dict[str, t.Any]) -> str:
    if not (params["rules"] and params["prometheus"]):
        raise Skipped("Prometheus is asked for its Alertmanagers only with both mcp_prometheus and mcp_alert_rules.")
    try:
        found = connect.connect(params).alertmanagers()
    except Failure as failure:
        raise Skipped(f"Where Prometheus sends alerts cannot be read: {failure.msg}") from None
    if not found:
        raise Failure(
            "Prometheus sends its alerts to no Alertmanager: nobody would be told. See alerting.alertmanagers in its "
            "configuration, and whether Alertmanager is running."
        )
    return f"Prometheus sends its alerts to {len(found)} Alertmanager{'s' if len(found) > 1 else ''}."


def _route(params: dict[str, t.Any], server: Server, plans: list[testing.Plan]) -> str:
    wanted = params["test_receiver"]
    if not wanted:
        raise Skipped("No receiver for a test alert is named (mcp_alert_test_receiver), so none is sent.")
    if not params["alertmanager"]:
        raise CannotMeasure("No test alert can be sent without mcp_alertmanager: set it.")
    given = {str(key): _text(value) for key, value in params["test_labels"].items()}
    if not given:
        raise Failure("test_labels (mcp_alert_test_labels) is empty: name the labels that route the test alert.")
    try:
        status = _alertmanager(params).status()
    except Failure as failure:
        raise CannotMeasure(failure.msg) from None
    plans.append(testing.plan(status, wanted, testing.labels(str(server), given)))
    return f"Alertmanager would send the test alert of {server} to receiver {wanted} only."


def _notification(task: Task, plans: list[testing.Plan], listen: tuple[str, int] | None) -> str:
    if not plans:
        raise Skipped("No test alert was sent.")
    if task.check_mode:
        raise Skipped("In check mode no test alert is sent.")
    try:
        return testing.sent(_alertmanager(task.params), plans[0], listen, task.progress)
    except NoAnswer as failure:
        raise CannotMeasure(failure.msg) from None


def _alertmanager(params: dict[str, t.Any]) -> Alertmanager:
    return Alertmanager(params, omit="the test alert (mcp_alert_test_receiver)")


def _text(value: t.Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
