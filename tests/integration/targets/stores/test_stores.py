# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real Prometheus and a real VictoriaMetrics, which scrape one exporter as others' do: twice, and relabelled."""

from __future__ import annotations

import math
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import typing as t
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from ansible_collections.mcp.server.plugins.module_utils._gates import connect, packs
from ansible_collections.mcp.server.plugins.module_utils._gates.gate import Gate, Period
from ansible_collections.mcp.server.plugins.module_utils._gates.measurements import names_of
from ansible_collections.mcp.server.plugins.module_utils._gates.reader import MetricsReader
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mcp-sandbox"
SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
POD = {"namespace": "prod", "pod": "mcp-green-7d9f5c-abcd1"}
RATE = 200.0  # requests a second
OLD_ERRORS = 1000
THROUGHPUT = Gate("throughput", "requests", 1.0, unit="/s", direction="below")
ERRORS = Gate("errors", "errors", 1.0)


class Exporter(BaseHTTPRequestHandler):
    """A server that answers well all the time, and had errors yesterday."""

    started = time.monotonic()

    def log_message(self, *args: t.Any) -> None:
        pass

    def do_GET(self) -> None:
        good = round(RATE * (time.monotonic() - self.started))
        text = f"""# TYPE mcp_server_requests_total counter
mcp_server_requests_total{{code="200"}} {good}
mcp_server_requests_total{{code="500"}} {OLD_ERRORS}
# TYPE queue_length gauge
queue_length 7
"""
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(text.encode())


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def prometheus_binary() -> str:
    built = sorted(CACHE.glob("prometheus-*/prometheus"), key=os.path.getmtime)
    found = str(built[-1]) if built else shutil.which("prometheus")
    if not found:
        # The cluster of KUBECONFIG brings no binary; CI's sandbox has built one.
        pytest.skip("there is no Prometheus: the sandbox builds one")
    return found


def victoria_metrics_binary() -> str:
    """Debian's, which is fetched once and is not installed."""
    place = CACHE / "victoria-metrics"
    if not place.exists():
        partial = CACHE / "victoria-metrics.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            subprocess.run(["apt-get", "-q", "download", "victoria-metrics"], cwd=partial, check=True, timeout=300)
        except (OSError, subprocess.SubprocessError):
            # Not every machine is Debian; the shapes of its answers are in the unit tests too.
            pytest.skip("apt-get has no victoria-metrics")
        (package,) = partial.glob("*.deb")
        subprocess.run(["dpkg", "-x", package, partial], check=True, timeout=60)
        package.unlink()
        partial.rename(place)
    return str(place / "usr" / "bin" / "victoria-metrics")


class Store(t.NamedTuple):
    url: str
    process: subprocess.Popen[bytes]
    configuration: Path

    def configure(self, jobs: dict[str, dict[str, str]]) -> None:
        """Scrape the exporter once a second for each of these jobs, with these labels."""
        target = {name: {"targets": [EXPORTER], "labels": {**POD, **labels}} for name, labels in jobs.items()}
        self.configuration.write_text(
            yaml.safe_dump(
                {
                    "global": {"scrape_interval": "1s", "external_labels": {"replica": "a"}},
                    "scrape_configs": [{"job_name": name, "static_configs": [each]} for name, each in target.items()],
                }
            )
        )
        self.process.send_signal(signal.SIGHUP)

    def prometheus(self, **option: t.Any) -> t.Any:
        given = dict.fromkeys(("ca_cert", "token_file", "token_env", "token_secret", "username", "password"))
        return connect.connect(
            {"prometheus": {**given, "url": self.url, "validate_certs": True, "timeout": 2.5, **option}}
        )

    def verdict(self, gate: Gate, seconds: float) -> t.Any:
        """Return the verdict on the last seconds."""
        option = {"source": ["app"], "labels": {}}
        reader = MetricsReader(self.prometheus(), SERVER, "green", option, seconds)
        now = reader.read([])
        return reader.judge([gate], Period(now - seconds, now))[0]


EXPORTER = f"127.0.0.1:{free_port()}"
TWICE = {"pods": {}, "monitor": {"endpoint": "metrics", "container": "mcp"}}


@contextmanager
def running(kind: str, folder: Path) -> t.Iterator[Store]:
    port, configuration = free_port(), folder / "scrape.yml"
    configuration.write_text("scrape_configs: []\n")
    if kind == "prometheus":
        command = [
            prometheus_binary(),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ]
    else:
        command = [
            victoria_metrics_binary(),
            f"-promscrape.config={configuration}",
            f"-storageDataPath={folder / 'data'}",
            f"-httpListenAddr=127.0.0.1:{port}",
        ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        store = Store(f"http://127.0.0.1:{port}", process, configuration)
        until(lambda: store.prometheus().now(), 60)
        store.configure(TWICE)
        yield store
    finally:
        process.terminate()
        process.wait(30)


def until(wanted: t.Callable[[], t.Any], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if wanted():
                return
        except Failure:
            if time.monotonic() > deadline:
                raise
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.2)


@pytest.fixture(scope="module", params=["prometheus", "victoria-metrics"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Store]:
    with ExitStack() as stack:
        exporter = ThreadingHTTPServer(("127.0.0.1", int(EXPORTER.rpartition(":")[2])), Exporter)
        threading.Thread(target=exporter.serve_forever, daemon=True).start()
        stack.callback(exporter.server_close)
        stack.callback(exporter.shutdown)
        found = stack.enter_context(running(request.param, tmp_path_factory.mktemp("store")))
        query = packs.PACKS["app"].query(names_of(SERVER, "green"), 60)

        def has_enough() -> bool:
            prometheus = found.prometheus()
            series = prometheus.samples(query, prometheus.now())
            return len(series) == 4 and min(len(each.samples) for each in series) > 10

        until(has_enough, 60)
        yield found


def test_its_time_is_now(store: Store) -> None:
    """VictoriaMetrics answers with a vector, and would answer as of 30 s ago."""
    assert abs(store.prometheus().now() - time.time()) < 2


def test_its_newest_samples_are_told(store: Store) -> None:
    prometheus = store.prometheus()
    now = prometheus.now()
    series = prometheus.samples('queue_length{namespace="prod"}[1m]', now)
    assert len(series) == 2 and now - max(each.samples[-1][0] for each in series) < 3


@pytest.mark.parametrize("timeout", [0.75, 2.5, 10.0])
def test_time_outs_are_understood(store: Store, timeout: float) -> None:
    store.prometheus(timeout=timeout).samples("up[1m]", time.time())


def test_a_pod_that_is_scraped_by_two_jobs_counts_once(store: Store) -> None:
    verdict = store.verdict(THROUGHPUT, 8)
    assert verdict.value == pytest.approx(RATE, rel=0.1)


@pytest.mark.parametrize(
    ("query", "expected"), [("7 / 0", math.inf), ("-7 / 0", -math.inf), ("0 / 0", math.nan), ("7", 7.0)]
)
def test_what_is_no_number(store: Store, query: str, expected: float) -> None:
    """VictoriaMetrics leaves out what is NaN."""
    queue = 'max(queue_length{namespace="prod"})'
    query = query.replace("7", queue).replace("0 / 0", f"(0 * {queue}) / 0")
    prometheus = store.prometheus()

    def values() -> set[str]:
        now = prometheus.now()
        return {repr(value) for each in prometheus.values(query, now - 60, now, 1.0) for _at, value in each.samples}

    # Old versions of VictoriaMetrics hide the last 30 s of a query_range, whatever is asked for.
    until(lambda: math.isnan(expected) or values(), 60)
    assert values() in ({repr(expected)}, set() if math.isnan(expected) else {repr(expected)})


def test_a_query_that_it_refuses(store: Store) -> None:
    with pytest.raises(Failure, match=r"^Prometheus at http://127\.0\.0\.1:\d+ refused up\[1m: ."):
        store.prometheus().samples("up[1m", time.time())


def test_labels_in_quotes(store: Store) -> None:
    """Only a Prometheus from version 3 on knows them: no older one has a label with dots."""
    try:
        found = store.prometheus().samples('{__name__="queue_length", "k8s.pod.name"=~".*"}[1m]', time.time())
    except Failure as failure:
        assert "refused" in failure.msg
    else:
        assert found


def test_a_pod_whose_labels_change_has_no_new_errors(store: Store) -> None:
    """The last test: the store scrapes with another label from here on."""
    assert store.verdict(ERRORS, 8).verdict == "pass"
    store.configure({name: {**labels, "team": "a"} for name, labels in TWICE.items()})

    def is_relabelled() -> bool:
        series = store.prometheus().samples('queue_length{team="a"}[1m]', time.time())
        return len(series) == 2 and min(len(each.samples) for each in series) > 3

    until(is_relabelled, 60)
    verdict = store.verdict(ERRORS, 30)
    assert (verdict.value, verdict.verdict) == (0, "pass")
    assert store.verdict(THROUGHPUT, 20).value == pytest.approx(RATE, rel=0.2)
