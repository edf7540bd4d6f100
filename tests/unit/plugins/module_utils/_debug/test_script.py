# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import typing as t
from pathlib import Path

import pytest

from ansible_collections.mcp.server.plugins.module_utils._debug import judge, objects, script
from ansible_collections.mcp.server.plugins.module_utils._debug.probes import Outcome, Probe

COMMON = ("sh", "cat", "head", "mktemp", "sed", "tr", "rm", "sleep", "timeout")
FULL = (*COMMON, "base64", "getent", "bash", "curl")


@pytest.fixture
def tools(tmp_path: Path) -> t.Callable[..., str]:
    """Return a PATH with these tools alone, as an image may have them."""

    def path(*names: str) -> str:
        folder = tmp_path / f"tools-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        for name in names:
            found = shutil.which(name)
            if found is None:
                pytest.fail(f"this machine has no {name}")
            (folder / name).symlink_to(found)
        return str(folder)

    return path


@pytest.fixture
def web() -> t.Iterator[str]:
    """Yield the address of a server that answers what its path says."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status = int(self.path.strip("/") or 200)
            body = f"host {self.headers['Host']}, password=hunter2hunter2".encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", "https://elsewhere.example/")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: t.Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def closed() -> str:
    """Return an address at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def steps(command: list[str], path: str) -> tuple[list[script.Step], bool]:
    done = subprocess.run(command, env={"PATH": path}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and not done.stderr, done
    return script.read(done.stdout.splitlines())


def ask(path: str, *asked: Probe, shell: str = "sh") -> list[Outcome]:
    command = [as_kubernetes(word) for word in objects.command(asked, objects.Options("x"))]
    found, complete = steps([shutil.which(shell) or shell, *command[1:]], path)
    assert complete
    return judge.outcomes(asked, found)


def as_kubernetes(word: str) -> str:
    """Return a word of a command as the kubelet hands it on, where a container has a variable HOME."""
    return re.sub(r"\$(\$|\(HOME\))", lambda found: "$" if found[1] == "$" else "/tmp", word)


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_names_ports_and_urls(tools: t.Callable[..., str], web: str, closed: str, shell: str) -> None:
    asked = [
        Probe("dns", "localhost"),
        Probe("dns", "nothing.invalid"),
        Probe("tcp", web),
        Probe("tcp", closed),
        Probe("http", f"http://{web}/", "mcp.example"),
        Probe("http", f"http://{web}/503"),
        Probe("http", f"http://{web}/302"),
        Probe("http", f"http://{closed}/"),
        Probe("mcp", f"http://{web}/"),
    ]
    found = ask(tools(*FULL), *asked, shell=shell)
    assert [one.probe for one in found] == asked
    assert [one.ok for one in found] == [True, False, True, False, True, False, True, False, False]
    assert "127.0.0.1" in found[0].detail or "::1" in found[0].detail
    assert found[1].detail == "the name does not resolve"
    assert "refused" in found[3].detail and "refused" in found[7].detail
    assert found[4].detail == "answers 200 (host mcp.example, password=********)"
    assert found[5].detail.startswith("answers 503 (host 127.0.0.1")
    assert found[6].detail == "answers 302, which redirects to https://elsewhere.example/"
    assert found[8].detail.startswith("initialize returned 501")
    assert not [one for one in found if "hunter2" in one.detail]


@pytest.mark.parametrize(
    ("names", "works", "missing"),
    [
        (("base64",), [], ["dns", "tcp", "http", "mcp"]),
        (("od", "getent", "curl"), ["dns", "tcp", "http"], []),
        (("base64", "bash", "getent"), ["dns", "tcp"], ["http", "mcp"]),
    ],
)
def test_what_an_image_lacks_is_said(
    tools: t.Callable[..., str], web: str, names: tuple[str, ...], works: list[str], missing: list[str]
) -> None:
    asked = [
        Probe("dns", "localhost"),
        Probe("tcp", web),
        Probe("http", f"http://{web}/"),
        Probe("mcp", f"http://{web}/"),
    ]
    found = ask(tools(*COMMON, *names), *asked)
    assert [one.probe.kind for one in found if one.ok] == works
    assert [one.probe.kind for one in found if "the tool is missing in the debug image" in one.detail] == missing


def test_a_port_that_refuses_is_seen_by_curl_alone(tools: t.Callable[..., str], closed: str) -> None:
    (found,) = ask(tools(*COMMON, "base64", "curl"), Probe("tcp", closed))
    assert not found.ok and "refused" in found.detail


def test_an_mcp_server_is_recognised_and_keeps_no_session(tools: t.Callable[..., str], sdk: dict[str, str]) -> None:
    import urllib.request

    for mode, url in sdk.items():
        (found,) = ask(tools(*FULL), Probe("mcp", f"{url}/mcp"))
        assert found.ok and "weather 1.2.0" in found.detail, found
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
            assert json.load(answer)["open"] == 0, mode


def test_words_are_never_a_part_of_the_script(tools: t.Callable[..., str], tmp_path: Path) -> None:
    """Also of whoever gets past the checks of targets."""
    mark = tmp_path / "mark"
    hostile = [
        f"$(touch {mark})",
        f"`touch {mark}`",
        f'"; touch {mark}; "',
        f"'; touch {mark}; '",
        f"a\ntouch {mark}\n",
        "$$(HOME)",
    ]
    given = ["2", "0", "{}", "r", "{}"]
    for word in hostile:
        for kind in ("dns", "tcp", "http", "mcp"):
            given += [kind, word, word]
    command = [as_kubernetes(script.literal(word)) for word in ("sh", "-c", script.SCRIPT, "debug", *given)]
    assert command[4:] == given
    found, complete = steps([shutil.which("sh") or "sh", *command[1:]], tools(*FULL, "touch"))
    assert complete and {step.probe for step in found} == set(range(4 * len(hostile)))
    assert not mark.exists() and not [step for step in found if step.name == "GET" and step.code == 0]


def test_an_answer_without_end_is_cut_off(tools: t.Callable[..., str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _address = server.accept()
            try:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
                while True:
                    connection.sendall(b"x" * 65536)
            except OSError:
                connection.close()

        threading.Thread(target=serve, daemon=True).start()
        (found,) = ask(tools(*FULL), Probe("http", f"http://127.0.0.1:{server.getsockname()[1]}/"))
    assert found.ok and found.seconds < 4 and len(found.detail) <= judge.MAX_DETAIL


def test_the_script_ends_with_its_signal(tools: t.Callable[..., str]) -> None:
    command = [as_kubernetes(word) for word in objects.command([], objects.Options("x", stay=60))]
    process = subprocess.Popen(
        [shutil.which("sh") or "sh", *command[1:]], env={"PATH": tools(*FULL)}, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "done\n"
    process.terminate()
    assert process.wait(5) == 143
    process.stdout.close()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "null",
        "[1]",
        "{",
        "[" * 100_000,
        '{"probe": 0}',
        '{"probe": 0, "step": "s", "tool": "t", "code": 0, "begun": 1, "ended": 2, "coding": "base64", "output": "@", '
        '"errors": 7}',
        '{"probe": 0, "step": "s", "tool": "t", "code": 1e999, "begun": 1, "ended": 2, "coding": "hex", "output": "", '
        '"errors": ""}',
    ],
)
def test_what_is_no_line_of_the_script_is_left_out(line: str) -> None:
    assert script.read([line, "done", line]) == ([], True)
    assert script.read([line]) == ([], False)


def test_it_is_a_script_for_any_posix_shell() -> None:
    assert subprocess.run(["sh", "-n", "-c", script.SCRIPT], check=False).returncode == 0
    assert os.sep not in script.END and "[[" not in script.SCRIPT and "local " not in script.SCRIPT
