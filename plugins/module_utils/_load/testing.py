# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a load test by the user's tool: measure the generator, send the load, and return what came of it."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
import typing as t
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from ansible_collections.mcp.server.plugins.module_utils import _results
from ansible_collections.mcp.server.plugins.module_utils._http import credentials
from ansible_collections.mcp.server.plugins.module_utils._load import judge, k6, options, sending, vegeta
from ansible_collections.mcp.server.plugins.module_utils._load.canned import canned_server
from ansible_collections.mcp.server.plugins.module_utils._load.judge import Figures
from ansible_collections.mcp.server.plugins.module_utils._load.options import K6, VEGETA, Limits, Plan
from ansible_collections.mcp.server.plugins.module_utils._load.processes import NOT_STARTED, OutOfTime, running
from ansible_collections.mcp.server.plugins.module_utils._load.vegeta import Way
from ansible_collections.mcp.server.plugins.module_utils._mcp.endpoint import Endpoint
from ansible_collections.mcp.server.plugins.module_utils._redact import redact
from ansible_collections.mcp.server.plugins.module_utils._task import Deadline, Failure
from ansible_collections.mcp.server.plugins.module_utils._text import hide, printable

CALIBRATION = 2  # seconds
SLACK = 10.0  # seconds beyond a load's own for which its tool is waited for
WAITING = 900.0  # seconds for other load tests of this machine
K6_SECONDS = 600.0  # of a script, if its duration is not known
GET = {
    VEGETA: "Install it (go install github.com/tsenart/vegeta/v12@v12.13.0), or name its executable in tool_path "
    "(mcp_load_tool_path)",
    K6: "Install it (grafana.com/docs/k6), or name its executable in tool_path (mcp_load_tool_path)",
}
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


class ToolFailed(_results.CannotMeasure):
    """The load tool failed, and so nothing is known of the server."""


@dataclass
class Outcome:
    """What the load test found. load: as RV(load)."""

    checks: list[_results.Result] = field(default_factory=list)
    load: dict[str, t.Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LoadTest:
    """One load test. progress: shows a line to the person who waits."""

    endpoint: Endpoint
    option: dict[str, t.Any]  # endpoint
    era: str
    credentials: credentials.Credentials
    limits: Limits
    plan: Plan
    request: dict[str, t.Any] | None
    executable: str
    progress: t.Callable[[str], None]

    @property
    def url(self) -> str:
        """Return the URL that is asked: with the server's own name where TLS needs it."""
        given = urlsplit(self.option["url"])
        named = given.scheme == "https" and self.option["host"]
        # In the form by which the tool looks up what to connect to instead: in another, it would go to the name itself.
        netloc = _netloc(f"{given.scheme}://{self.endpoint.authority}" if named else self.option["url"])
        return f"{given.scheme}://{netloc}{self.endpoint.mcp_path}"

    @property
    def way(self) -> Way:
        option, connect_to = self.option, ""
        if (named := _host_and_port(self.url)) != (given := _host_and_port(option["url"])):
            if "[" in named + given:
                raise _results.CannotMeasure(
                    "vegeta can't ask a server at an IPv6 address by another name: set the url of the endpoint "
                    "(mcp_endpoint) to a name that leads to that address, in place of host."
                )
            connect_to = f"{named}:{given}"
        return Way(
            connect_to,
            option["ca_cert"] or "",
            option["client_cert"] or "",
            option["client_key"] or "",
            option["validate_certs"],
        )

    def run(self, script: str) -> Outcome:
        """Make it by the user's script for k6, or by vegeta without one, when no other one runs on this machine."""
        with alone(self.progress) as is_alone:
            if is_alone:
                return self.by_k6(script) if script else self.by_vegeta()
        busy = _results.result(
            judge.GENERATOR,
            judge.NAMES[judge.GENERATOR],
            _results.CANNOT_MEASURE,
            f"Other load tests ran on this machine for {WAITING:.0f} s, and two at once would measure each other. Run "
            "it again when they have ended.",
        )
        return Outcome([busy, *judge.not_judged("See the load generator.", self.limits)])

    def by_vegeta(self) -> Outcome:
        outcome = Outcome()
        outcome.load |= {"tool": VEGETA, "planned_rate": self.plan.rate, "seconds": self.plan.seconds}
        try:
            self._by_vegeta(outcome)
        except ToolFailed as failure:
            broken = _results.result(
                judge.GENERATOR, judge.NAMES[judge.GENERATOR], _results.CANNOT_MEASURE, failure.msg
            )
            outcome.checks = [broken, *judge.not_judged("See the load generator.", self.limits)]
        except _results.CannotMeasure as failure:
            outcome.checks = self._nothing(_results.CANNOT_MEASURE, failure.msg)
        except Failure as failure:
            reason = hide(failure.msg.rstrip("."), self.credentials.secrets)
            sentence = (
                f"No load was sent: {reason}. Make the server healthy first (mcp_health tells more), or correct the "
                "credentials in auth (mcp_auth) and the tool in request (mcp_load_request)."
            )
            outcome.checks = self._nothing(_results.FAILED, sentence)
        return outcome

    def _nothing(self, verdict: str, why: str) -> list[_results.Result]:
        """Return the results where the server is not ready for a load."""
        first = _results.result(judge.ERRORS, judge.NAMES[judge.ERRORS], verdict, why)
        return [first, *judge.not_judged("See the load error rate.", self.limits)[1:]]

    def _by_vegeta(self, outcome: Outcome) -> None:
        shown, way = self.credentials.headers, self.way
        with sending.ready(self.endpoint, self.url, self.era, self.plan, shown, self.request) as ready:
            content_type, body = sending.sample(self.endpoint, ready, self.plan.answer_timeout)
            outcome.load |= {
                "era": ready.era,
                "session_mode": ready.session_mode,
                "sessions": len(ready.clients) if ready.session_mode == "stateful" else 0,
                "method": ready.request.method,
            }
            max_body = vegeta.max_body(len(body))
            started = time.monotonic()
            own = Plan(self.plan.rate, CALIBRATION, self.plan.workers, 1, self.plan.answer_timeout)
            with canned_server(content_type, body, environment()) as url:
                line = sending.without_values(ready.target(ready.clients[0], 1), f"{url}/").line()
                calibrated = self._attack(own, Way(), [line], max_body)
            outcome.load["generator"] = {
                "rate": round(calibrated.rate(CALIBRATION), 1),
                "p95_ms": round(calibrated.p95_ms, 2),
            }
            outcome.checks.append(judge.generator(self.plan, calibrated, CALIBRATION) | _seconds(started))
            if judge.generator_problem(self.plan, calibrated, CALIBRATION):
                outcome.checks += judge.not_judged("See the load generator.", self.limits)
                return
            started = time.monotonic()
            self.progress(
                f"sending {self.plan.rate} {ready.request.method} a second for {self.plan.seconds} s to {self.url}"
            )
            found = self._attack(self.plan, way, ready.targets(self.plan), max_body)
        outcome.load |= {
            "sent": found.sent,
            "failed": found.failed,
            "error_percent": round(found.error_percent, 3),
            "p95_ms": round(found.p95_ms, 2),
            "throughput": round(found.throughput(self.plan.seconds), 1),
            "problems": dict(found.problems),
            "unread": found.unread,
        }
        first, *others = judge.judged(self.plan, self.limits, calibrated, found)
        outcome.checks += [first | _seconds(started), *others]  # one load for all of them

    def _attack(self, plan: Plan, way: Way, targets: t.Iterable[bytes], max_body: int) -> Figures:
        """Send a load and return what came of it. Raise CannotMeasure when the tool fails."""
        reading = vegeta.Reading(max_body)
        bound = Deadline(plan.seconds + plan.answer_timeout + SLACK)
        with running(vegeta.commands(self.executable, plan, way, max_body), environment(), targets) as tool:
            try:
                for line in tool.lines(bound):
                    if line is None:
                        reading.too_long()
                    else:
                        reading.line(line)
                code = tool.code(bound)
            except OutOfTime:
                raise ToolFailed(
                    f"vegeta did not end within {bound.seconds:.0f} s and was stopped. Try again with a lower "
                    "mcp_load_rate."
                ) from None
            if code:
                said = hide(tool.tail.text(), self.credentials.secrets)
                raise ToolFailed(_failed("vegeta", code, said))
        found = reading.figures()
        secrets = self.credentials.secrets
        found = replace(found, problems={hide(reason, secrets): count for reason, count in found.problems.items()})
        if not found.sent:
            raise ToolFailed("vegeta sent nothing. Is it version 12, with the commands attack and encode?")
        return found

    def by_k6(self, script: str) -> Outcome:
        """Run the user's script."""
        outcome = Outcome(load={"tool": K6})
        variables = {
            "ENDPOINT": self.option["url"].rstrip("/"),
            "MCP_URL": self.option["url"].rstrip("/") + self.endpoint.mcp_path,
            "MCP_HOST": self.endpoint.authority,
        }
        with tempfile.TemporaryDirectory(prefix="mcp-load-") as folder:
            summary = Path(folder) / "summary.json"
            command = k6.command(self.executable, script, str(summary), variables)
            self.progress(f"k6 runs {script} against {variables['ENDPOINT']}")
            with running([command], {**os.environ, **k6.ENVIRONMENT}) as tool:
                bound = Deadline(K6_SECONDS)
                try:
                    for _line in tool.lines(bound):
                        pass
                    code = tool.code(bound)
                except OutOfTime:
                    outcome.checks = [
                        _results.result(
                            judge.GENERATOR,
                            judge.NAMES[judge.GENERATOR],
                            _results.FAILED,
                            f"k6 did not end within {K6_SECONDS:.0f} s and was stopped. Shorten its scenarios.",
                        ),
                        *judge.not_judged("See the load generator.", self.limits),
                    ]
                    return outcome
            # Of a script of the user, which may show its own credentials.
            output = redact(tool.tail.text(self.credentials.secrets))
            metrics = _summary(summary)
        if code == NOT_STARTED:
            broken = _results.result(
                judge.GENERATOR, judge.NAMES[judge.GENERATOR], _results.CANNOT_MEASURE, _failed("k6", code, output)
            )
            outcome.checks = [broken, *judge.not_judged("See the load generator.", self.limits)]
            return outcome
        outcome.checks = k6.judged(code, output, metrics, self.limits)
        outcome.load |= {"exit_code": code, **k6.figures(metrics or {})}
        return outcome


@contextmanager
def alone(progress: t.Callable[[str], None]) -> t.Iterator[bool]:
    """Wait until no other load test of this user runs on this machine, as they would slow each other. Yield whether.

    Where there is no place for the lock, all may run. The lock of a process that was killed is free.
    """
    path = os.path.join(tempfile.gettempdir(), f"mcp-load-{os.getuid()}.lock")
    try:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        yield True
        return
    try:
        bound, shown = Deadline(WAITING), False
        while not (is_alone := _locked(lock)) and bound.left:
            if not shown:
                progress("waiting for another load test on this machine to end")
                shown = True
            bound.pause(0.2)
        yield is_alone
    finally:
        os.close(lock)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # of a file system without locks
        pass
    return True


def environment() -> dict[str, str]:
    """Return the environment of the tools. No proxies: the load goes to the named server, and nowhere else."""
    return {name: value for name, value in os.environ.items() if name.lower() not in _PROXIES}


def executable_of(tool: str, path: str | None) -> str:
    """Return the tool's executable. Raise CannotMeasure where there is none."""
    if path is not None:
        if not (os.path.isfile(path) and os.access(path, os.X_OK)):
            raise _results.CannotMeasure(
                f"tool_path (mcp_load_tool_path) is {printable(path, 200)}, no file that can be run. Correct it."
            )
        return os.path.abspath(path)
    found = shutil.which(tool)
    if found is None:
        raise _results.CannotMeasure(f"There is no {tool} on PATH, which sends the load. {GET[tool]}.")
    return found


def script_of(path: str) -> str:
    """Return the script's whole path. Raise CannotMeasure when there is none."""
    if not os.path.isfile(path):
        raise Failure(f"script (mcp_load_script) is {printable(path, 200)}, which is no file. Correct it.")
    return os.path.abspath(path)


def _seconds(started: float) -> dict[str, float]:
    return {"seconds": round(time.monotonic() - started, 3)}


def _netloc(url: str) -> str:
    """Return host and port, where it is given, in lower case and without leading zeros."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port}" if parts.port else f"{host}"


def _host_and_port(url: str) -> str:
    parts, netloc = urlsplit(url), _netloc(url)
    return netloc if parts.port else f"{netloc}:{443 if parts.scheme == 'https' else 80}"


def _failed(tool: str, code: int, output: str) -> str:
    said = f": {output[-options.QUOTE :]}" if output else ", without any output"
    return f"{tool} ended with exit code {code}{said}. Run it by hand (docs/load.md has the command)."


def _summary(path: Path) -> dict[str, dict[str, t.Any]] | None:
    try:
        with path.open("rb") as file:
            text = file.read(k6.MAX_SUMMARY + 1)
    except OSError:
        return None
    return k6.metrics_in(text) if len(text) <= k6.MAX_SUMMARY else None
