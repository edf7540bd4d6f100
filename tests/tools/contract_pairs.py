# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collect what two versions of a published MCP server offer, show the plain difference, and print the table of all.

    contract_pairs.py collect FILE npm|pypi|go|cargo PACKAGE OLD NEW [--command NAME] [--argument ...] ...
    contract_pairs.py diff FILE
    contract_pairs.py table

A pair is a file in tests/unit/plugins/module_utils/_contract/pairs. It keeps names, types and schemas, and none of the
package's texts. Whoever collects a pair judges it by hand from its plain difference, before compare() does.

The servers run without a network, and without this machine's environment. They are asked over stdio, where a server
has one session for each process.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "playbooks" / "collections"))

from ansible_collections.mcp.server.plugins.module_utils._contract import schema  # noqa: E402
from ansible_collections.mcp.server.plugins.module_utils._contract.normalise import (  # noqa: E402
    LISTS,
    SCHEMAS,
    TEXTS,
    VOLATILE,
)

PAIRS = ROOT / "tests/unit/plugins/module_utils/_contract/pairs"
# The newest first: the lists are those that a current client gets.
REVISIONS = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
METHODS = {
    "tools": ("tools/list", "tools"),
    "prompts": ("prompts/list", "prompts"),
    "resources": ("resources/list", "resources"),
    "resource_templates": ("resources/templates/list", "resourceTemplates"),
}
# Keywords of tools that make forms and editors: texts, too.
MORE_TEXTS = frozenset({"markdownDescription", "enumDescriptions", "enumNames", "errorMessage"})
LONGEST_NAME, LONGEST_DEFAULT = 40, 60
# Items that both versions offer alike are kept up to this number in each list: a pair stays readable.
UNCHANGED = 2
INSTALL_SECONDS, START_SECONDS, ANSWER_SECONDS = 600, 120, 30
MAX_PAGES = 50


class Silent(Exception):
    """The server gave no answer in time, or ended."""


# Without texts


def plain_schema(part: t.Any) -> t.Any:
    """Return a schema without texts. Titles and defaults stay as far as they are as short as names."""
    if isinstance(part, list):
        return list(map(plain_schema, part))
    if not isinstance(part, dict):
        return part
    dropped = {*(schema.TEXTS - {"title"}), *MORE_TEXTS}
    dropped |= {
        name
        for name, longest in (("title", LONGEST_NAME), ("default", LONGEST_DEFAULT))
        if isinstance(part.get(name), str) and len(part[name]) > longest
    }
    return schema.rebuilt({name: value for name, value in part.items() if name not in dropped}, plain_schema)


def plain_item(item: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return a tool, prompt, resource or template without texts, and without what changes while the contract stays."""
    kept = {name: value for name, value in item.items() if name not in VOLATILE | TEXTS and value is not None}
    for name in SCHEMAS:
        if name in kept:
            kept[name] = plain_schema(kept[name])
    if "arguments" in kept:
        kept["arguments"] = [
            {name: value for name, value in argument.items() if name not in TEXTS} for argument in kept["arguments"]
        ]
    if "annotations" in kept:
        kept["annotations"] = {name: value for name, value in kept["annotations"].items() if name != "title"}
    return kept


# Asking a server


class Server:
    """A process that speaks newline-delimited JSON-RPC over stdio."""

    def __init__(self, command: list[str], env: dict[str, str], folder: str, *, isolated: bool = True) -> None:
        """isolated: without a network, which needs root."""
        self._process = subprocess.Popen(
            [*(["unshare", "--net"] if isolated else []), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=env,
            cwd=folder,
            text=True,
            start_new_session=True,
        )
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._ids = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout
        with contextlib.suppress(OSError, ValueError):
            for line in self._process.stdout:
                self._lines.put(line)
        self._lines.put(None)

    def _send(self, message: dict[str, t.Any]) -> None:
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise Silent("the server has ended") from None

    def notify(self, method: str) -> None:
        self._send({"method": method})

    def request(self, method: str, params: dict[str, t.Any], seconds: float) -> dict[str, t.Any]:
        """Return the answer, or an object with its error."""
        self._ids += 1
        self._send({"id": self._ids, "method": method, "params": params})
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise Silent(f"no answer to {method} in {seconds} s") from None
            if line is None:
                raise Silent(f"the server ended at {method}")
            try:
                message = json.loads(line)
            except ValueError:
                continue  # a log line: some servers write them to stdout
            if not isinstance(message, dict):
                continue
            if "method" in message and "id" in message:
                refusal = {"code": -32601, "message": "not supported"}
                self._send({"id": message["id"], "error": refusal})
            elif message.get("id") == self._ids:
                result = message.get("result")
                return result if isinstance(result, dict) else {"error": message.get("error")}

    def end(self) -> None:
        assert self._process.stdin
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, 9)
            self._process.wait()


def initialize(server: Server, revision: str) -> dict[str, t.Any]:
    params = {
        "protocolVersion": revision,
        "capabilities": {},
        "clientInfo": {"name": "contract_pairs", "version": "1"},
    }
    return server.request("initialize", params, START_SECONDS)


def listed(server: Server, method: str, name: str) -> list[dict[str, t.Any]]:
    items: list[dict[str, t.Any]] = []
    cursor = None
    for _page in range(MAX_PAGES):
        answer = server.request(method, {"cursor": cursor} if cursor else {}, ANSWER_SECONDS)
        items += answer.get(name, [])
        cursor = answer.get("nextCursor")
        if not cursor:
            break
    return items


def offer(command: list[str], env: dict[str, str], folder: str) -> dict[str, t.Any]:
    """Return what a server offers, without texts, as normalise() takes it, and what it calls itself."""
    accepted: list[str] = []
    lists: dict[str, t.Any] = {}
    greeting: dict[str, t.Any] = {}
    for revision in REVISIONS:
        server = Server(command, env, folder)
        try:
            answer = initialize(server, revision)
            if answer.get("protocolVersion") == revision:
                accepted.append(revision)
            if lists or "capabilities" not in answer:
                continue
            greeting = answer
            server.notify("notifications/initialized")
            time.sleep(1)  # server-everything adds tools once it is initialized
            lists = {key: list(map(plain_item, listed(server, *method))) for key, method in METHODS.items()}
        finally:
            server.end()
    if not lists:
        raise Silent("the server accepts none of the revisions")
    info = greeting.get("serverInfo", {})
    return {
        "server_info": {name: info.get(name) for name in ("name", "version")},
        "protocol_versions": sorted({*accepted, greeting["protocolVersion"]}),
        "session_mode": "stateful",
        "capabilities": greeting["capabilities"],
        **{key: sorted(items, key=lambda item: str(item.get(LISTS[key][0]))) for key, items in lists.items()},
    }


# Installing


def run(*command: str, **env: str) -> None:
    subprocess.run(command, check=True, timeout=INSTALL_SECONDS, env={**os.environ, **env}, stdout=subprocess.DEVNULL)


def install(registry: str, package: str, version: str, more: list[str], folder: str, name: str | None) -> str:
    """Install a version in a folder of its own. Return the path of its command."""
    last = package.rsplit("/", 1)[-1]
    if registry == "npm":
        run(
            "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", "--prefix", folder,
            f"{package}@{version}", *more,
        )  # fmt: skip
        manifest = json.loads((Path(folder) / "node_modules" / package / "package.json").read_text())
        names = manifest["bin"]
        return f"{folder}/node_modules/.bin/{name or (last if isinstance(names, str) else next(iter(names)))}"
    if registry == "pypi":
        run(sys.executable, "-m", "venv", folder)
        run(f"{folder}/bin/pip", "install", "--quiet", "--disable-pip-version-check", f"{package}=={version}", *more)
        return f"{folder}/bin/{name or last}"
    if registry == "go":
        run("go", "install", f"{package}@{version}", GOBIN=f"{folder}/bin")
        return f"{folder}/bin/{name or last}"
    run("cargo", "install", "--quiet", "--root", folder, package, "--version", version)
    return f"{folder}/bin/{name or last}"


def collected(options: argparse.Namespace, version: str, more: list[str], parent: str) -> dict[str, t.Any]:
    with tempfile.TemporaryDirectory(dir=parent) as folder, tempfile.TemporaryDirectory(dir=parent) as home:
        command = install(options.registry, options.package, version, more, folder, options.command)
        given = dict(pair.split("=", 1) for pair in options.env)
        env = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "HOME": home, **given}
        arguments = [argument.replace("HOME", home) for argument in options.argument]
        return {"version": version, **({"with": more} if more else {}), **offer([command, *arguments], env, home)}


def shortened(pair: dict[str, t.Any]) -> dict[str, t.Any]:
    """Leave out all but a few of the items that both versions have alike, and say how many."""
    left_out = {}
    for key, (name, _noun) in LISTS.items():
        texts = [{schema.key(item) for item in pair[side][key]} for side in ("old", "new")]
        same = sorted(texts[0] & texts[1], key=lambda text: str(json.loads(text).get(name)))[UNCHANGED:]
        if same:
            left_out[key] = len(same)
            for side in ("old", "new"):
                pair[side][key] = [item for item in pair[side][key] if schema.key(item) not in same]
    return {**pair, "left_out": left_out}


# Files


def written(pair: dict[str, t.Any]) -> str:
    """Return a pair as JSON with one item on each line."""
    sides = {}
    for side in ("old", "new"):
        parts = [
            f"  {json.dumps(key)}: [\n" + ",\n".join(f"   {json.dumps(item)}" for item in value) + "\n  ]"
            if key in LISTS and value
            else f"  {json.dumps(key)}: {json.dumps(value)}"
            for key, value in pair[side].items()
        ]
        sides[side] = "{\n" + ",\n".join(parts) + "\n }"
    lines = [
        f" {json.dumps(key)}: {sides.get(key) or json.dumps(value, indent=2 if key == 'judgement' else None)}"
        for key, value in pair.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def plain_diff(pair: dict[str, t.Any]) -> t.Iterator[str]:
    """Yield the lines that differ, with the items that they belong to: no idea of MCP or of JSON Schema in it."""
    rest = [{key: value for key, value in pair[side].items() if key not in LISTS} for side in ("old", "new")]
    yield from compared("server", *rest)
    for key, (name, _noun) in LISTS.items():
        old, new = ({item[name]: item for item in pair[side][key]} for side in ("old", "new"))
        for one in sorted(old.keys() | new.keys()):
            if one in old and one in new:
                yield from compared(f"{key} {one}", old[one], new[one])
            else:
                yield f"{'+' if one in new else '-'} {key} {one}"


def compared(title: str, old: t.Any, new: t.Any) -> t.Iterator[str]:
    before, after = (json.dumps(side, indent=1, sort_keys=True).splitlines() for side in (old, new))
    lines = list(difflib.unified_diff(before, after, lineterm="", n=4))[2:]
    if lines:
        yield from ("", f"== {title}", *lines)


def table() -> t.Iterator[str]:
    """Yield a row for each pair, for docs/mcp.md."""
    for file in sorted(PAIRS.glob("*.json")):
        pair = json.loads(file.read_text())
        package = f"`{pair['package']}` ({pair['registry']})"
        versions = " to ".join(
            f"{pair[side]['version'].removeprefix('v')}{' with ' * ('with' in pair[side])}"
            + ", ".join(pair[side].get("with", []))
            for side in ("old", "new")
        )
        judgement = pair["judgement"]
        yield f"| {package} | {versions} | {judgement['what']} | {judgement['verdict']} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    commands = parser.add_subparsers(dest="action", required=True)
    collect = commands.add_parser("collect", help="install and ask both versions, and write a pair")
    collect.add_argument("file", type=Path)
    collect.add_argument("registry", choices=("npm", "pypi", "go", "cargo"))
    for name in ("package", "old", "new"):
        collect.add_argument(name)
    collect.add_argument("--command", help="the server's command, if it is not called as the package")
    collect.add_argument("--argument", action="append", default=[], help="HOME stands for an empty folder")
    collect.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    for side in ("old", "new"):
        collect.add_argument(
            f"--{side}-with", action="append", default=[], help="a requirement, as of the time of that version"
        )
    commands.add_parser("diff", help="print the plain difference of a pair").add_argument("file", type=Path)
    commands.add_parser("table", help="print the rows of docs/mcp.md")
    options = parser.parse_args()
    if options.action == "diff":
        print("\n".join(plain_diff(json.loads(options.file.read_text()))))
    elif options.action == "table":
        print("\n".join(table()))
    else:
        with tempfile.TemporaryDirectory() as parent:
            old = collected(options, options.old, options.old_with, parent)
            new = collected(options, options.new, options.new_with, parent)
        pair = {"package": options.package, "registry": options.registry, "old": old, "new": new}
        options.file.write_text(written(shortened(pair)))


if __name__ == "__main__":
    main()
