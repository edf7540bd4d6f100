# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The example server as clients and operators meet it: a process on loopback, beside a real PostgreSQL where one is installed."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from mcp import Client
from mcp.server import MCPServer
from mcp_server_example import faults, inventory, metrics
from mcp_server_example.database import Database
from mcp_server_example.settings import FAULTS, Settings, SettingsError, read

SERVER = Path(__file__).parents[3] / "sandbox" / "server"
INFO = {"version": "1.2.0", "buildTime": "2026-11-23T10:00:00Z"}
NOWHERE = "postgresql://nobody:swordfish@127.0.0.1:1/nothing"
LEGACY, MODERN = "legacy", "2026-07-28"
MODERN_HEADERS = {"MCP-Protocol-Version": MODERN}
MODERN_META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "0"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
ACCEPT = {"Accept": "application/json, text/event-stream"}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}},
}
CALL_REORDER_POINT = {
    "jsonrpc": "2.0",
    "id": 2,
    "method": "tools/call",
    "params": {"name": "reorder_point", "arguments": {"daily_demand": 2, "lead_time_days": 3}},
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.05)
    pytest.fail(f"not seen within {seconds} s: {what}")


class Server:
    def __init__(self, folder, environment):
        port, self.metrics_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        (folder / "serverInfo.json").write_text(json.dumps(INFO))
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(SERVER),
            "LISTEN_ADDRESS": "127.0.0.1",
            "LISTEN_PORT": str(port),
            "LISTEN_PORT_METRICS": str(self.metrics_port),
            "DRAIN_SECONDS": "0",
            "POD_NAME": "example-blue-1",
            "MCP_POOL": "blue",
            **environment,
        }
        self.log = folder / "log"
        with self.log.open("w") as log:
            command = [sys.executable, "-m", "mcp_server_example"]
            self.process = subprocess.Popen(command, cwd=folder, env=self.environment, stdout=log, stderr=log)
        wait_for(lambda: self.process.poll() is not None or self.answers(), 20, "the server starts")

    def answers(self):
        with contextlib.suppress(requests.ConnectionError):
            return self.get("/ready") is not None

    def get(self, path, **headers):
        return requests.get(self.url + path, headers=headers, timeout=10)

    def post(self, message, **headers):
        return requests.post(f"{self.url}/mcp", json=message, headers={**ACCEPT, **headers}, timeout=10)

    def open_session(self):
        """The headers of a new legacy session."""
        headers = {
            "Mcp-Session-Id": self.post(INITIALIZE).headers["Mcp-Session-Id"],
            "MCP-Protocol-Version": "2025-11-25",
        }
        assert self.post({"jsonrpc": "2.0", "method": "notifications/initialized"}, **headers).status_code == 202
        return headers

    def metric(self, series):
        text = requests.get(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=10).text
        return float(re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)[1])

    def use(self, mode, work):
        """What the coroutine function makes of a connected client."""

        async def run():
            async with Client(f"{self.url}/mcp", mode=mode, read_timeout_seconds=10) as client:
                return await work(client)

        return asyncio.run(run())

    def health_check(self, *arguments, **environment):
        """The script as in an image: beside serverInfo.json."""
        script = self.folder / "health-check"
        shutil.copy(SERVER / "health-check", script)
        environment = {**self.environment, **environment, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        return subprocess.run(
            [script, *arguments], env=environment, capture_output=True, text=True, timeout=20, check=False
        )

    def stop(self):
        """The exit code after SIGTERM, and the seconds that it took."""
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20), time.monotonic() - start


class PostgreSQL:
    def __init__(self, programs, folder):
        self.programs, self.folder, self.port = programs, folder, free_port()
        # PostgreSQL refuses to run as root.
        self.user = "postgres" if os.getuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        shutil.chown(folder, self.user)
        self.url = f"postgresql://{self.user}@127.0.0.1:{self.port}/postgres"
        self.run("initdb", "--no-sync", "--auth=trust", "--encoding=UTF8")

    def run(self, program, *arguments):
        command = [self.programs / program, "-D", self.folder / "data", *arguments]
        log = self.folder / "log"
        with log.open("a") as output:
            user = self.user if os.getuid() == 0 else None
            subprocess.run(command, user=user, cwd=self.folder, stdout=output, stderr=output, check=True, timeout=30)

    def start(self):
        self.run(
            "pg_ctl", "-w", "-o", f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off", "start"
        )

    def stop(self):
        self.run("pg_ctl", "-w", "-m", "immediate", "stop")

    @contextlib.contextmanager
    def stopped(self):
        self.stop()
        try:
            yield
        finally:
            self.start()


@pytest.fixture(scope="module")
def installed_postgresql():
    """A running PostgreSQL, or None where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        yield None
        return
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    database = PostgreSQL(found[-1].parent, folder)
    database.start()
    yield database
    database.stop()
    shutil.rmtree(folder)


@pytest.fixture
def postgresql(installed_postgresql):
    # The sandbox installs it; the machine that runs only the unit tests need not have it.
    return installed_postgresql or pytest.skip("PostgreSQL is not installed")


@pytest.fixture(scope="module")
def start(installed_postgresql, tmp_path_factory):
    """A context manager: a server with these environment variables, killed at the end."""
    url = installed_postgresql.url if installed_postgresql else NOWHERE

    @contextlib.contextmanager
    def running(**environment):
        server = Server(tmp_path_factory.mktemp("server"), {"DATABASE_URL": url, **environment})
        try:
            yield server
        finally:
            server.process.kill()
            server.process.wait()

    return running


@pytest.fixture(scope="module")
def shared(start):
    with start() as server:
        yield server


@pytest.fixture
def good(shared, postgresql):
    """A server with its database, not to be changed."""
    return shared


async def search(client):
    return await client.call_tool("search_inventory", {"text": "m6"})


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"FAULT": "fire"}, "FAULT is 'fire': expected one of none, errors, "),
        ({"FAULT_FROM": "noon"}, "FAULT_FROM is 'noon': expected one of start, gateway"),
        ({"MCP_SESSIONS": "sticky"}, "MCP_SESSIONS is 'sticky': expected one of stateless, stateful, marked"),
        ({"LISTEN_PORT": "http"}, "LISTEN_PORT is 'http': a number was expected"),
        ({"FAULT_AFTER": "soon"}, "FAULT_AFTER is 'soon': a number was expected"),
    ],
)
def test_wrong_settings(environment, message):
    with pytest.raises(SettingsError, match=f"^{re.escape(message)}"):
        read(environment, INFO)


def test_settings():
    assert read({"FAULT": "", "HOME": "/"}, INFO) == Settings("1.2.0", "2026-11-23T10:00:00Z")
    assert read({"LISTEN_PORT": "1", "DRAIN_SECONDS": "0.5"}, INFO) == Settings(
        *INFO.values(), listen_port=1, drain_seconds=0.5
    )


def test_wrong_settings_end_the_process(start):
    with start(FAULT="fire") as server:
        assert server.process.returncode == 1
        assert server.log.read_text().startswith("mcp-server-example: FAULT is 'fire'")


def test_tags():
    tags = json.loads((SERVER / "tags.json").read_text())
    assert {"v1.1.5", "v1.2.0"} <= {tag for tag, settings in tags.items() if not settings}
    assert {settings["FAULT"] for settings in tags.values() if settings} == set(FAULTS) - {"none"}
    declared = set(re.findall(r"^ARG (\w+)", (SERVER / "Containerfile").read_text(), re.MULTILINE))
    for tag, settings in tags.items():
        read(settings, INFO)
        assert settings.keys() <= declared
        assert re.fullmatch(r"v\d+\.\d+\.\d+" if not settings else rf"v1\.2\.1-{settings['FAULT']}(-late)?", tag)
        assert tag.endswith("-late") == ("FAULT_AFTER" in settings)


def test_health(good):
    health = good.get("/health")
    document = health.json()
    assert re.fullmatch(r"2\d{3}-\d\d-\d\dT[\d:.]+\+00:00", document.pop("timestamp"))
    assert document == {
        "status": "HEALTHY",
        "version": "1.2.0",
        "instance_id": "example-blue-1",
        "buildTime": "2026-11-23T10:00:00Z",
        "pool": "blue",
    }
    assert good.get("/ready").status_code == 200


@pytest.mark.parametrize("mode", [LEGACY, MODERN, "auto"])
def test_mcp(good, mode):
    async def work(client):
        tools = await client.list_tools()
        await client.list_resources()
        await client.list_prompts()
        instance = await client.call_tool("which_instance")
        return [tool.name for tool in tools.tools], instance.structured_content, await search(client)

    names, instance, found = good.use(mode, work)
    assert names == ["search_inventory", "reorder_point", "which_instance"]
    assert instance == {"instance_id": "example-blue-1", "version": "1.2.0", "pool": "blue"}
    assert [item["sku"] for item in found.structured_content["result"]] == ["BLT-M6", "NUT-M6", "WSH-M6"]


@pytest.mark.parametrize("mode", [LEGACY, "auto"])
def test_server_info(good, mode):
    async def work(client):
        return client.server_info

    assert good.use(mode, work).version == "1.2.0"


def test_any_host_is_served(good):
    assert good.post(CALL_REORDER_POINT, Host="mcp-prod.example.com").json()["result"]["structuredContent"] == {
        "result": 6
    }


def test_metrics(good):
    assert good.metric('mcp_server_requests_total{code="503"}') == 0
    counted = [
        'mcp_server_requests_total{code="404"}',
        'mcp_server_requests_total{code="200"}',
        "mcp_server_request_duration_seconds_count",
    ]
    before = [good.metric(series) for series in counted]
    good.get("/nothing")
    good.get("/health")
    good.get("/ready")
    assert [good.metric(series) for series in counted] == [before[0] + 1, before[1] + 1, before[2] + 2]


@pytest.mark.parametrize(
    ("body", "outcomes"),
    [
        (b'{"jsonrpc": "2.0", "id": 1, "result": {"tools": []}}', ["ok"]),
        (b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "no"}}', ["error"]),
        (b'{"jsonrpc": "2.0", "id": 1, "result": {"isError": true, "content": []}}', ["tool_error"]),
        (
            b'event: message\r\ndata: {"jsonrpc": "2.0", "method": "notifications/progress"}\r\n\r\ndata: {"id": 1, "result": {}}\r\n\r\n',
            ["ok"],
        ),
        (b"<html>", []),
        (b"{", []),
        (b"", []),
    ],
)
def test_outcomes(body, outcomes):
    assert list(metrics.outcomes(body)) == outcomes


def test_errors_that_are_answered_200_are_counted(good):
    counted = [f'mcp_server_operations_total{{outcome="{outcome}"}}' for outcome in ("ok", "error", "tool_error")]
    before = [good.metric(series) for series in counted]
    good.post(CALL_REORDER_POINT)
    wrong = {**CALL_REORDER_POINT, "params": {"name": "reorder_point", "arguments": {"daily_demand": "many"}}}
    unknown = {**CALL_REORDER_POINT, "params": {"name": "no_such_tool"}}
    answers = [good.post(message).json() for message in (wrong, unknown)]
    errors = [sum("error" in answer for answer in answers), sum("result" in answer for answer in answers)]
    assert [good.metric(series) for series in counted] == [before[0] + 1, before[1] + errors[0], before[2] + errors[1]]


def test_health_check(good):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        services = f"{good.url}/nothing, 127.0.0.1:{listener.getsockname()[1]}"
        done = good.health_check("--database", "--external-services", EXTERNAL_SERVICES=services)
    assert (done.returncode, done.stdout) == (0, "Database connection: OK\nAll external services reachable\n")


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (["--database"], {"DATABASE_URL": NOWHERE}, r"Database connection: failed \(.*refused.*\)"),
        (
            ["--database"],
            {"DATABASE_URL": "swordfish"},
            "Database connection: DATABASE_URL is not a PostgreSQL connection string",
        ),
        (["--database"], {"DATABASE_URL": ""}, "Database connection: DATABASE_URL is not set"),
        (["--database"], {"FAULT": "database"}, r"Database connection: failed \(.*refused.*\)"),
        (
            ["--external-services"],
            {"EXTERNAL_SERVICES": "127.0.0.1:1 http://127.0.0.1:1/x nonsense"},
            r"External services not reachable: 127\.0\.0\.1:1: .*refused; http://127\.0\.0\.1:1/x: .*refused; nonsense is neither .*",
        ),
    ],
)
def test_health_check_fails(good, arguments, environment, message):
    done = good.health_check(*arguments, **environment)
    assert (done.returncode, done.stderr) == (1, "")
    assert re.fullmatch(message + "\n", done.stdout)
    assert "swordfish" not in done.stdout


def test_serves_without_its_database(start):
    with start(DATABASE_URL=NOWHERE) as server:
        assert server.get("/ready").status_code == 200
        health = server.get("/health")
        assert (health.status_code, health.json()["status"]) == (200, "UNHEALTHY")
        errors = server.metric("mcp_server_database_errors_total")
        refused = server.use(MODERN, search)
        assert refused.is_error and "try again later" in refused.content[0].text
        assert server.metric("mcp_server_database_errors_total") > errors
        assert "swordfish" not in server.log.read_text()


def test_finds_its_database_later(start, postgresql):
    with contextlib.ExitStack() as stack:
        with postgresql.stopped():
            server = stack.enter_context(start())
            assert server.get("/health").json()["status"] == "UNHEALTHY"
        wait_for(lambda: server.get("/health").json()["status"] == "HEALTHY", 12, "the server finds its database")
        assert not server.use(LEGACY, search).is_error


def test_sessions(start):
    with start(MCP_SESSIONS="stateful") as server:

        async def work(client):
            await client.call_tool("which_instance")
            return server.metric("mcp_server_sessions_open")

        assert server.use(LEGACY, work) == 1
        assert server.metric("mcp_server_sessions_open") == 0
        assert server.post(CALL_REORDER_POINT).status_code == 400


def test_marked_sessions(start):
    """Ids carry the pool's colour; a session of another colour, or one without, is unknown."""
    with start(MCP_SESSIONS="marked") as server:
        headers = server.open_session()
        session = headers["Mcp-Session-Id"]
        assert session.startswith("blue-")
        answer = server.post(CALL_REORDER_POINT, **headers)
        assert (answer.status_code, answer.headers["Mcp-Session-Id"]) == (200, session)
        for other in (session.replace("blue-", "green-"), f"blue-{session}", "blue-0", "x"):
            assert server.post(CALL_REORDER_POINT, **{**headers, "Mcp-Session-Id": other}).status_code == 404
        assert server.metric("mcp_server_sessions_open") == 1
        assert requests.delete(f"{server.url}/mcp", headers=headers, timeout=10).status_code == 200
        assert server.metric("mcp_server_sessions_open") == 0

        async def work(client):
            return (await client.call_tool("which_instance")).structured_content["pool"]

        assert [server.use(mode, work) for mode in (LEGACY, MODERN, "auto")] == ["blue"] * 3


# Leaving


def test_drains_before_it_leaves(start):
    """While it drains, it says so, serves on, and asks keep-alive clients to connect anew."""
    with start(DRAIN_SECONDS="1") as server, requests.Session() as client:
        assert "close" not in client.get(f"{server.url}/health").headers.get("Connection", "")
        server.process.send_signal(signal.SIGTERM)
        wait_for(lambda: server.get("/ready").status_code == 503, 1, "/ready says that the server drains")
        answer = client.get(f"{server.url}/health")
        assert (answer.status_code, answer.headers["Connection"]) == (200, "close")
        assert server.process.wait(timeout=5) == 0
        assert "Traceback" not in server.log.read_text()


def test_finishes_requests_in_flight(start):
    """Both wait 2 s for a database that is not there; the legacy one has its event stream open by then."""
    call = {"name": "search_inventory", "arguments": {"text": "m6"}}
    legacy = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}
    modern = {**legacy, "params": {**call, "_meta": MODERN_META}}
    with start(MCP_SESSIONS="stateful", DATABASE_URL=NOWHERE) as server, ThreadPoolExecutor() as clients:
        session = server.open_session()
        answers = [
            clients.submit(server.post, legacy, **session),
            clients.submit(
                server.post, modern, **MODERN_HEADERS, **{"Mcp-Method": "tools/call", "Mcp-Name": "search_inventory"}
            ),
        ]
        time.sleep(0.5)
        code, seconds = server.stop()
        assert all('"isError":true' in answer.result().text for answer in answers)
        assert code == 0 and 1 < seconds < 4


def test_streams_end_before_the_drain(start):
    """Those that are open, at once; one that comes during the drain, at its end."""
    listen = {
        "jsonrpc": "2.0",
        "id": 3,
        "method": "subscriptions/listen",
        "params": {"_meta": MODERN_META, "notifications": {}},
    }
    headers = {**ACCEPT, **MODERN_HEADERS, "Mcp-Method": "subscriptions/listen"}
    with start(DRAIN_SECONDS="2") as server:
        open_stream = functools.partial(
            requests.post, f"{server.url}/mcp", json=listen, headers=headers, stream=True, timeout=10
        )
        first, began = open_stream(), time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        first.raw.read()
        assert time.monotonic() - began < 1
        second = open_stream()
        second.raw.read()
        assert time.monotonic() - began > 1.8
        assert server.process.wait(timeout=5) == 0


@pytest.mark.parametrize("sessions", ["stateless", "stateful"])
def test_open_streams_do_not_hold_it(start, sessions):
    """Legacy clients hold a GET stream, modern ones listen: each is completed, not cut."""
    listen = {
        "jsonrpc": "2.0",
        "id": 3,
        "method": "subscriptions/listen",
        "params": {"_meta": MODERN_META, "notifications": {}},
    }
    with start(MCP_SESSIONS=sessions) as server:
        headers = server.open_session() if sessions == "stateful" else {}
        legacy = requests.get(f"{server.url}/mcp", headers={**ACCEPT, **headers}, stream=True, timeout=10)
        modern = requests.post(
            f"{server.url}/mcp",
            json=listen,
            headers={**ACCEPT, **MODERN_HEADERS, "Mcp-Method": "subscriptions/listen"},
            stream=True,
            timeout=10,
        )
        assert [stream.headers["Content-Type"].split(";")[0] for stream in (legacy, modern)] == [
            "text/event-stream"
        ] * 2
        code, seconds = server.stop()
        for stream in (legacy, modern):
            stream.raw.read()  # raises when the answer was cut
        assert code == 0 and seconds < 3
        assert "Traceback" not in server.log.read_text()


# Faults


@pytest.mark.parametrize(
    ("fault", "path", "status"),
    [
        ("errors", "/health", 500),
        ("errors", "/mcp", 500),
        ("errors", "/ready", None),
        ("slow", "/mcp", None),
        ("not-mcp", "/mcp", 200),
        ("not-mcp", "/health", 200),
        ("not-mcp", "/ready", None),
        ("unready", "/ready", 503),
        ("unready", "/health", None),
    ],
)
def test_faults_in_answers(fault, path, status):
    middleware = faults.FaultMiddleware(None, Settings(*INFO.values(), fault=fault, fault_rate=1, fault_delay=0))
    answer = asyncio.run(middleware.misbehave(path))
    assert (answer and answer.status_code) == status


def test_errors_after_a_time(start):
    with start(FAULT="errors", FAULT_AFTER="2", FAULT_RATE="1") as server:
        assert server.get("/health").status_code == 200
        wait_for(lambda: server.get("/health").status_code == 500, 6, "the fault begins")
        assert server.get("/ready").status_code == 200
        assert server.metric('mcp_server_requests_total{code="500"}') >= 1


def test_errors_end(start):
    with start(FAULT="errors", FAULT_RATE="1", FAULT_SECONDS="3") as server:
        wait_for(lambda: server.get("/health").status_code == 200, 6, "the fault is over")
        assert server.metric('mcp_server_requests_total{code="500"}') >= 1


def test_errors_once_the_gateway_asks(start):
    with start(FAULT="errors", FAULT_RATE="1", FAULT_FROM="gateway") as server:
        assert server.get("/health").status_code == 200
        server.get("/ready", **{"X-Forwarded-For": "192.0.2.1"})
        assert server.get("/health").status_code == 500


def test_slow_scrape(start):
    def seconds():
        begin = time.monotonic()
        assert server.metric('mcp_server_requests_total{code="500"}') == 0
        return time.monotonic() - begin

    with start(FAULT="slow-scrape", FAULT_DELAY="1", FAULT_SECONDS="4") as server:
        assert seconds() >= 1
        wait_for(lambda: seconds() < 1, 6, "the fault is over")


def test_crash_after_a_time(start):
    with start(FAULT="crash", FAULT_AFTER="1") as server:
        assert server.process.wait(timeout=5) == 1


def test_wrong_version(start):
    with start(FAULT="version") as server:
        assert server.get("/health").json()["version"] == "1.0.0"
        assert server.post(INITIALIZE).json()["result"]["serverInfo"]["version"] == "1.0.0"


def test_database_fault(start, postgresql):
    with start(FAULT="database", FAULT_AFTER="2") as server:
        assert server.get("/health").json()["status"] == "HEALTHY"
        wait_for(lambda: server.use(MODERN, search).is_error, 5, "the fault begins")
        assert server.get("/health").json()["status"] == "UNHEALTHY"
        assert server.metric("mcp_server_database_errors_total") >= 1


def test_leak(start):
    with start(FAULT="leak", FAULT_MIB_PER_SECOND="64") as server:
        before = server.metric("process_resident_memory_bytes")
        wait_for(lambda: server.metric("process_resident_memory_bytes") > before + 60 * 2**20, 5, "memory grows")


def test_broken_contract():
    mcp, database = MCPServer("test"), Database()
    inventory.register(mcp, database, Settings(*INFO.values()))

    def contract():
        return {tool.name: tool.input_schema.get("required", []) for tool in asyncio.run(mcp.list_tools())}

    assert contract() == {
        "search_inventory": ["text"],
        "reorder_point": ["daily_demand", "lead_time_days"],
        "which_instance": [],
    }
    asyncio.run(faults.misbehave(Settings(*INFO.values(), fault="contract"), mcp, database))
    assert contract() == {"which_instance": [], "search_inventory": ["warehouse", "text"]}
