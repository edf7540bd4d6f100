# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send a test alert to its receiver only, and see it notified."""

from __future__ import annotations

import contextlib
import secrets
import typing as t
from dataclasses import dataclass

from ansible_collections.mcp.server.plugins.module_utils._alertmanager import Alertmanager
from ansible_collections.mcp.server.plugins.module_utils._alerts import counters, receiver, routing
from ansible_collections.mcp.server.plugins.module_utils._alerts.routing import Reached
from ansible_collections.mcp.server.plugins.module_utils._kubernetes import yaml_document
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.fields import Object, items, mapping
from ansible_collections.mcp.server.plugins.module_utils._results import CannotMeasure
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure
from ansible_collections.mcp.server.plugins.module_utils._text import printable

ORDINARY = {"alertname": "McpServerErrors"}  # the labels of an alert that is no test
NAME, ID, SERVER = "alertname", "mcp_test_id", "mcp_server"  # labels of the test alert
SPARE = 10.0  # seconds beyond what Alertmanager waits by its configuration
PEER_WAIT = 15.0  # seconds that each further peer of a cluster waits for the one before
APPEARING = 5.0  # seconds until Alertmanager's API has the alert
POLL = 0.5  # seconds
READS = 3  # of the configuration, before a test alert is sent
SHOWN = 5.0  # seconds between lines of progress


@dataclass(frozen=True)
class Plan:
    """A test alert that reaches its receiver only. seconds: within which it must be notified. why: of their number."""

    receiver: str
    labels: dict[str, str]
    integrations: tuple[str, ...]
    seconds: float
    why: str
    muted_by: tuple[str, ...]
    identity: tuple[str, ...]  # of the Alertmanager by whose configuration this was decided


def labels(server: str, given: t.Mapping[str, str]) -> dict[str, str]:
    """Return the labels of the alert: one of its own, by which it is found again, and a name of its own."""
    identifier = secrets.token_hex(4)
    # Neither namespace nor severity: a release silences the alerts of its namespace, and pages are for severities.
    return {NAME: f"McpServerTest_{identifier}", SERVER: server, **given, ID: identifier}


def plan(status: Object, wanted: str, alert: dict[str, str]) -> Plan:
    """Return how the test alert goes. Pure. Raises Failure when it would reach anybody else, CannotMeasure.

    status: of Alertmanager's API. wanted: the test receiver.
    """
    try:
        config = yaml_document.load(_identity(status)[0].encode())
    except Failure:
        raise
    except Exception:  # of PyYAML, and TooMuch
        raise CannotMeasure("Alertmanager's configuration cannot be read, so no test alert is sent.") from None
    integrations = routing.integrations(config, wanted)
    if integrations is None:
        raise Failure(
            f"Alertmanager has no receiver {printable(wanted, 80)} (mcp_alert_test_receiver), so no test alert is "
            "sent. Add it, and a route to it that matches mcp_alert_test_labels."
        )
    if not integrations:
        raise Failure(
            f"Receiver {printable(wanted, 80)} of Alertmanager notifies nobody, as it has no integration. Give it one, "
            "such as webhook_configs."
        )
    try:
        found = routing.reached(config, alert)
        others = routing.reached(config, ORDINARY)
        silences_others = routing.inhibits(config, alert)
    except Failure as failure:
        raise CannotMeasure(
            f"Where Alertmanager would send the test alert is not certain ({failure.msg}), so it is not sent."
        ) from None
    names = list(dict.fromkeys(one.receiver for one in found))
    if names != [wanted]:
        raise Failure(
            f"Alertmanager would send the test alert to {printable(', '.join(names), 300)} and not to "
            f"{printable(wanted, 80)} only, so it is not sent. Put a route with the receiver {printable(wanted, 80)} "
            "and the matchers of mcp_alert_test_labels before the others, without continue: true."
        )
    if wanted in [one.receiver for one in others]:
        raise Failure(
            f"Receiver {printable(wanted, 80)} gets alerts that are no test, too, so the test alert would wake whom "
            "they wake, and it is not sent. Name a receiver in mcp_alert_test_receiver that gets test alerts only."
        )
    if silences_others:
        raise Failure(
            "The test alert would inhibit other alerts by inhibit_rules of Alertmanager, so it is not sent. Make their "
            "source_matchers name more than it has."
        )
    seconds, why = _bound(found, alert, len(items(status, "cluster", "peers")))
    muted = tuple(dict.fromkeys(name for one in found for name in one.muted_by))
    return Plan(wanted, alert, tuple(integrations), seconds, why, muted, _identity(status))


def _identity(status: Object) -> tuple[str, ...]:
    """Return the configuration of an Alertmanager, its name in its cluster, and when it was started."""
    name = mapping(status, "cluster").get("name")
    return str(mapping(status, "config").get("original") or ""), str(name), str(status.get("uptime"))


def _bound(found: t.Sequence[Reached], alert: t.Mapping[str, str], peers: int) -> tuple[float, str]:
    """Return within how many seconds the alert must be notified, and why."""
    own = [ID, *([NAME] if alert[ID] in alert[NAME] else [])]
    seconds, parts = 0.0, "group_wait + 10 s"
    for one in found:
        wait = one.group_wait
        if not one.is_alone(own):  # an earlier test may have left its group, which waits for its interval
            wait, parts = max(wait, one.group_interval), "group_interval + 10 s, as group_by has not alertname"
        seconds = max(seconds, wait)
    if peers > 1:
        seconds += PEER_WAIT * (peers - 1)
        parts += f" + {PEER_WAIT:g} s for each of {peers - 1} further peers"
    return seconds + SPARE, parts


def sent(
    alertmanager: Alertmanager, its: Plan, listen: tuple[str, int] | None, progress: t.Callable[[str], None]
) -> str:
    """Send the alert, see it notified, and end it. Raises Failure, CannotMeasure."""
    ours = receiver.Receiver(ID, its.labels[ID])
    with contextlib.ExitStack() as stack:
        if listen:
            try:
                stack.enter_context(receiver.listening(*listen, ours))
            except Failure as failure:
                raise CannotMeasure(failure.msg) from None
        before = _counts(alertmanager, its)
        if before is None and not listen:
            raise CannotMeasure(
                "Alertmanager has no metrics of its notifications at /metrics, so the test alert is not sent. Set "
                "receiver_listen (mcp_alert_receiver_listen) to see it arrive."
            )
        _refuse_another(alertmanager, its)
        alert: Object = {
            "labels": its.labels,
            "annotations": {"summary": f"A test of {its.labels[SERVER]} by mcp.server: nothing is wrong."},
        }
        stack.callback(_end, alertmanager, alert)
        alertmanager.post_alert(alert)
        progress(f"test alert {its.labels[NAME]} sent; it must be notified within {its.seconds:g} s ({its.why})")
        _routed(alertmanager, its)
        return _notified(alertmanager, its, before, ours if listen else None, listen, progress)


def _refuse_another(alertmanager: Alertmanager, its: Plan) -> None:
    """Raise CannotMeasure where the alert may get to another Alertmanager, or configuration, than was looked at.

    Its routes may be others, and its counters are.
    """
    for _number in range(READS):
        if _identity(alertmanager.status()) != its.identity:
            raise CannotMeasure(
                "Another Alertmanager, or one with another configuration, answers at each look, so no test alert is "
                "sent. If it was changed or restarted just now, run it again. If there are several behind its address, "
                "name one of them in alertmanager.url."
            )


def _routed(alertmanager: Alertmanager, its: Plan) -> None:
    """Return once Alertmanager has the alert, for its receiver only. Raises Failure, CannotMeasure."""
    bound = Deadline(APPEARING)
    while not (found := alertmanager.alerts(f'{ID}="{its.labels[ID]}"')):
        if not bound.pause(POLL):
            raise CannotMeasure(
                f"Alertmanager took the test alert and does not have it after {APPEARING:g} s. Behind its address "
                "there may be several that know nothing of each other: name one of them in alertmanager.url."
            )
    names = {str(one.get("name")) for alert in found for one in items(alert, "receivers")}
    if names != {its.receiver}:
        raise Failure(
            f"Alertmanager routes the test alert to {printable(', '.join(sorted(names)), 300) or 'nobody'} and not to "
            f"{its.receiver} only; it was ended at once. See the routes of Alertmanager."
        )


def _notified(
    alertmanager: Alertmanager,
    its: Plan,
    before: counters.Counts | None,
    ours: receiver.Receiver | None,
    listen: tuple[str, int] | None,
    progress: t.Callable[[str], None],
) -> str:
    bound, shown, found = Deadline(its.seconds), 0.0, counters.PENDING
    by = " and ".join(its.integrations)
    while True:
        if before is not None:
            now = _counts(alertmanager, its)
            found = counters.PENDING if now is None else counters.outcome(before, now, its.integrations)
        if ours is not None and ours.arrived.is_set():
            return (
                f"The test alert arrived {bound.elapsed:.1f} s after it was sent to receiver {its.receiver} ({by}), "
                "and went to nobody else."
            )
        if ours is None and found == counters.DELIVERED:
            return (
                f"Alertmanager notified receiver {its.receiver} ({by}) of the test alert within {bound.elapsed:.1f} s, "
                "and nobody else."
            )
        _refuse_suppressed(alertmanager, its)
        if bound.elapsed - shown >= SHOWN:
            shown = bound.elapsed
            progress(f"waiting for the notification of {its.receiver}, {bound.elapsed:.0f} of {bound.seconds:g} s")
        if not bound.pause(POLL):
            break
    raise _unnotified(its, found, listen, by)


def _unnotified(its: Plan, found: str, listen: tuple[str, int] | None, by: str) -> Failure:
    """Return what is wrong, as no notification was seen in time. Pure."""
    within = f"within {its.seconds:g} s ({its.why})"
    if found == counters.REFUSED:
        return Failure(
            f"Alertmanager could not deliver the test alert to receiver {its.receiver}: its notifications by {by} fail "
            "(alertmanager_notification_requests_failed_total rises). See Alertmanager's log, and the address and "
            "credentials of the receiver."
        )
    if found == counters.RESTARTED:
        return CannotMeasure("Alertmanager was restarted during the test. Run it again.")
    if its.muted_by and found != counters.DELIVERED:
        return CannotMeasure(
            f"Receiver {its.receiver} ({by}) was not notified of the test alert {within}. Its route has time intervals "
            f"({printable(', '.join(its.muted_by), 100)}), which may mute it now: run it when they do not."
        )
    if listen:
        said = "says that it sent it" if found == counters.DELIVERED else "says nothing of it"
        return Failure(
            f"The test alert did not arrive at {listen[0]}:{listen[1]} {within}; Alertmanager {said}. Check the URL of "
            f"receiver {its.receiver}, and that Alertmanager reaches this machine."
        )
    if found == counters.MIXED:
        return CannotMeasure(
            f"Notifications by {by} succeed and fail, and its metrics do not say whose. Set receiver_listen "
            "(mcp_alert_receiver_listen), or its feature receiver-name-in-metrics."
        )
    return Failure(
        f"Alertmanager did not notify receiver {its.receiver} ({by}) of the test alert {within}. See "
        "Alertmanager's log."
    )


def _refuse_suppressed(alertmanager: Alertmanager, its: Plan) -> None:
    for one in alertmanager.alerts(f'{ID}="{its.labels[ID]}"'):
        state = mapping(one, "status")
        by = [
            f"{what} {printable(', '.join(map(str, names)), 200)}"
            for what, names in (
                ("silence", state.get("silencedBy")),
                ("alert", state.get("inhibitedBy")),
                ("time interval", state.get("mutedBy")),
            )
            if isinstance(names, list) and names
        ]
        if by:
            raise CannotMeasure(
                f"The test alert is suppressed by {' and '.join(by)}, so nobody is notified. End what suppresses it, "
                "or give the test alert labels that it does not match (mcp_alert_test_labels)."
            )


def _counts(alertmanager: Alertmanager, its: Plan) -> counters.Counts | None:
    """Return the counters of notifications; None where there are none."""
    try:
        found = counters.counts(alertmanager.metrics(), its.receiver)
    except Failure:
        return None
    return found if any(one in found for one in its.integrations) else None


def _end(alertmanager: Alertmanager, alert: Object) -> None:
    """End the alert by Alertmanager's own clock. Where that fails, it ends by itself after resolve_timeout."""
    with contextlib.suppress(Failure):
        for one in alertmanager.alerts(f'{ID}="{alert["labels"][ID]}"'):
            alertmanager.post_alert({**alert, "startsAt": one["startsAt"], "endsAt": one["updatedAt"]})
