# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hostile text in each place that others may write, and what of it comes out in each place that people look at."""

from __future__ import annotations

import json
import re
import sys
import typing as t
from types import SimpleNamespace

import pytest

from ansible_collections.mcp.server.plugins.module_utils import _task
from ansible_collections.mcp.server.plugins.module_utils._announce import payload
from ansible_collections.mcp.server.plugins.module_utils._guard.job import job
from ansible_collections.mcp.server.plugins.module_utils._mcp.health import kept, version_problem, version_text
from ansible_collections.mcp.server.plugins.module_utils._modules import mcp_release_info
from ansible_collections.mcp.server.plugins.module_utils._release import failed_versions, lease, record
from ansible_collections.mcp.server.plugins.module_utils._report.page import page
from ansible_collections.mcp.server.plugins.module_utils._server import Server
from ansible_collections.mcp.server.plugins.module_utils._status import fleet, judge
from ansible_collections.mcp.server.plugins.module_utils._status import server as shown_server
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, Spec, Task
from ansible_collections.mcp.server.plugins.module_utils._text import MAX_MESSAGE
from ansible_collections.mcp.server.plugins.plugin_utils import _in_process, _outcomes
from ansible_collections.mcp.server.tests.unit.fakes.api_server import ApiServer
from ansible_collections.mcp.server.tests.unit.fakes.records import RECORD, release
from ansible_collections.mcp.server.tests.unit.fakes.statuses import instance, pool, status

SERVER = Server("prod", "mcp", "{server}-{pool}", "mcp", "mcp")
LEASE = "/apis/coordination.k8s.io/v1/namespaces/prod/leases/mcp-release"

# The cursor, the window's title, 8-bit codes, forged lines, templates, mentions, markup, the direction of writing, and
# what is no text at all.
HOSTILE = (
    "\x1b[2J\x1b[1;31m\x1b]0;title\x07\x9b31m\r\nok: [mcp-prod]\n\x0bfatal\x0c\x85\u2028\u2029"
    "{{ 7*7 }} {% set x = 1 %} {# y #} $(HOME) @all @here <!channel> <@U123> <script>alert(1)</script> "
    "[click](http://evil.example) ![x](http://evil.example/x.png) <http://evil.example|click> "
    "\u202ereversed\u2066\u200f\ufeff\U000e0041 \ud800 \x00"
)
BIG = HOSTILE + "A" * (10 * 2**20)


def is_clean(text: str, keep: str = "") -> bool:
    return all(char.isprintable() or char in keep for char in set(text))


def texts(found: t.Any) -> t.Iterator[str]:
    """Yield all texts of a result, also the keys."""
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict):
        for key, value in found.items():
            yield from (*texts(key), *texts(value))
    elif isinstance(found, (list, tuple)):
        for value in found:
            yield from texts(value)


def planted(text: str) -> record.ReleaseRecord:
    """Return the record of a release in which each text is this one, as it is read from the cluster."""
    one = release("rolled_back", reason=text, by=text, server=text, run_id=text, announced=text)
    for side in ("from", "to"):
        one[side] = {**one[side], "image_ref": text, "digest": text, "version": text, text[:50]: text}
    one["to"]["contract"] = {"structure_hash": text, "text_hash": text, "accepted": [text] * 1000}
    one["steps"] = [{**step, "verdict": text, "at": text, text[:50]: text} for step in one["steps"] * 50]
    one |= {"id": text, "guard": {"id": text, "action": text, "state": text, "at": text, "reason": text}}
    data = {"current": json.dumps(one), "history": json.dumps([one] * 2)}
    return record.read(ApiServer({RECORD: {"data": data}}), SERVER)[0]


@pytest.fixture(scope="module", params=["short", "long"])
def book(request: pytest.FixtureRequest) -> record.ReleaseRecord:
    return planted(HOSTILE if request.param == "short" else HOSTILE + "A" * 2**10)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    lines: list[str] = []
    monkeypatch.setattr(_in_process.display, "display", lambda line, stderr: lines.append(line))
    return lines


def run(task: Task) -> dict[str, t.Any]:
    """Stand in for a module that repeats what others say."""
    task.progress(BIG)
    task.progress(HOSTILE)
    task.warn(HOSTILE)
    if task.params["fails"]:
        raise Failure(f"The server answered {BIG}.", health={HOSTILE: [HOSTILE]})
    return {"msg": HOSTILE, "contract": {HOSTILE: [HOSTILE, 1, None]}, "lines": (HOSTILE,)}


class Action(_in_process.InProcessAction):
    SPEC = Spec(options={"fails": {"type": "bool"}, "one_of": {"type": "str", "choices": ["a"]}})
    RUN = run


def in_process(**arguments: t.Any) -> dict[str, t.Any]:
    task = SimpleNamespace(
        args=arguments,
        check_mode=False,
        environment=None,
        async_val=0,
        action="mcp_x",
        delegate_to=None,
        timeout=30,
    )
    shell = SimpleNamespace(tmpdir=None, env_prefix=lambda **_variables: "")
    connection = SimpleNamespace(transport="local", become=None, has_native_async=False, _shell=shell)
    templar = SimpleNamespace(template=lambda value: value)
    return Action(task, connection, None, None, templar, None).run(task_vars={"inventory_hostname": "mcp-prod"})


@pytest.mark.parametrize("fails", [True, False])
def test_progress_warnings_messages_and_results(shown: list[str], fails: bool) -> None:
    result = in_process(fails=fails)
    assert len(shown) == 2 and all(is_clean(line, "\t") and len(line) <= MAX_MESSAGE + 20 for line in shown)
    assert all(line.startswith("  [mcp-prod] ") for line in shown)
    assert is_clean(result["msg"], "\t") and len(result["msg"]) <= MAX_MESSAGE
    assert [is_clean(text, "\t") for text in result["warnings"]] == [True]
    assert all(is_clean(text, "\n\t") for text in texts(result))
    assert json.dumps(result, ensure_ascii=False).encode()


def test_a_message_of_ansible_itself_that_repeats_an_option(shown: list[str]) -> None:
    with pytest.raises(Exception) as raised:  # the class differs between versions of ansible-core
        in_process(one_of=HOSTILE)
    assert is_clean(str(raised.value), "\t")


@pytest.mark.parametrize("fails", [True, False])
def test_a_module_in_another_process(fails: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: dict[str, t.Any] = {}

    def end(**result: t.Any) -> t.NoReturn:
        ended.update(result)
        sys.exit()

    warnings: list[str] = []
    module = SimpleNamespace(
        params={"fails": fails},
        check_mode=False,
        warn=warnings.append,
        fail_json=end,
        exit_json=end,
        no_log_values=set(),
    )
    monkeypatch.setattr(_task, "_Module", lambda _spec: module)
    with pytest.raises(SystemExit):
        _task.main(Action.SPEC, run)
    assert is_clean(ended["msg"], "\t") and all(is_clean(text, "\n\t") for text in texts(ended))
    assert len(warnings) == 1 and is_clean(warnings[0], "\t")


def test_what_roles_say_of_the_failure_of_a_task_of_others() -> None:
    assert is_clean(_outcomes.failure_message({"msg": HOSTILE}), "\t")
    assert len(_outcomes.failure_message({"msg": BIG})) <= MAX_MESSAGE


def test_the_record_is_bounded(book: record.ReleaseRecord) -> None:
    assert len(json.dumps([book.current, *book.history])) < 512 * 1024


@pytest.mark.parametrize("event", payload.EVENTS)
def test_webhooks(book: record.ReleaseRecord, event: str) -> None:
    found = payload.event(book.current, ("prod", "mcp"), event, BIG if event == "release_failed" else HOSTILE, [])
    for name, form in payload.PAYLOADS.items():
        for text in texts(form(found)):
            assert is_clean(text, "\n\u200b") and len(text) <= 3000
            # Mentions, links and tags, of Slack, Mattermost and whatever shows HTML or Markdown
            is_active = re.search(r"(?<![\w.])@\w|<[!@#\w/]|\]\(|\w://", text)
            assert name == "json" or not is_active, text  # data stay as they are: programs compare them
        assert len(json.dumps(form(found))) < 200_000


def test_lines_are_not_forged_in_a_chat(book: record.ReleaseRecord) -> None:
    message = payload.slack_payload(payload.event(book.current, ("prod", "mcp"), "ended", HOSTILE, []))
    (why,) = [line for line in message["text"].splitlines() if line.startswith("*Why:*")]
    assert "ok: [mcp-prod] fatal" in why


def test_the_report(book: record.ReleaseRecord) -> None:
    assert book.current is not None
    verdict = {"gate": HOSTILE, "pool": HOSTILE, "verdict": HOSTILE, "at": HOSTILE, "unit": HOSTILE, "reason": BIG}
    text = page(book.current, "prod/mcp", verdicts=[verdict])
    assert is_clean(text, "\n") and text.encode() and len(text) < 2**20
    assert "<script" not in text and "<!channel" not in text and "<http" not in text


def test_the_status(book: record.ReleaseRecord) -> None:
    for text in (HOSTILE, BIG):
        words = ("namespace", "pod", "node", "state", "version", "health_version", "instance_id", "digest")
        one = instance(**dict.fromkeys(words, text), restarts=1, restart_reason=text, problem=text)
        found = status(
            instances=[one, {**one, "ready": False}] * 2,
            pools={name: pool(name, image_ref=text, missing=[text]) for name in ("blue", "green")},
            release={
                "record": {**book.current, "bypassed": [text], "bypass_reason": text},
                "history": list(book.history),
                "holder": {"by": text, "since": text},
            },
            share={"msg": text},
            triggers=[{"pool": "blue", "gate": "errors", "verdict": "breach", "reason": text}],
            drift=[text],
            unread=[text],
        )
        found["findings"] = [one.text for one in judge.judge(found)]
        several = [{"host": "a", "status": found}, {"host": "b", "status": {"msg": text}}]
        lines = [
            *shown_server.lines(found, 5),
            *fleet.lines(several),
            fleet.strangers(several, [{**one, "pod": "other"}], text),
        ]
        assert all(is_clean(line, "\t") and len(line) <= MAX_MESSAGE for line in lines)


def test_sentences_about_a_bad_version(book: record.ReleaseRecord) -> None:
    one = {**release("rolled_back", reason=BIG), "ended": HOSTILE}
    sentence = failed_versions.refusal(record.ReleaseRecord(t.cast(record.Release, one)), "v1.2.0", None)
    assert is_clean(sentence) and len(sentence) < 1000


def test_the_lease() -> None:
    api = ApiServer()
    own = lease.Lease(api, "prod", "mcp")
    own.acquire("a-run", HOSTILE + "A" * 2**18, "a-process")
    holder, _version = own.read()
    assert holder is not None and is_clean(holder.by) and len(holder.by) <= lease.MAX_BY
    assert is_clean(lease.refusal("prod/mcp", holder, "another", api.now()))
    found = mcp_release_info.holder(api, SERVER)
    assert found is None or is_clean(found["by"])


def test_versions_that_a_server_reports() -> None:
    for found in (BIG, [BIG], {"a": BIG}):
        text = version_text(found)
        assert text is not None and is_clean(text) and len(text) <= 128
    assert version_text(None) is None and version_text(1.1) == "1.1"
    problem = version_problem(BIG, "v1.2.0")
    assert problem is not None and is_clean(problem) and len(problem) < 200
    assert kept({"version": BIG}) is None and kept({"version": "1"}) == {"version": "1"}


def test_the_guards_job() -> None:
    options = {"release_id": HOSTILE, "triggers": {HOSTILE: {"query": HOSTILE}}}
    (container,) = job(SERVER, "run", "ee:1", "guard", options)["spec"]["template"]["spec"]["containers"]
    assert not any(re.search(r"\{\{|\{%|\{#|\$", word) for word in container["command"])
    found = json.loads(json.loads(container["command"][-1])["options"])
    assert {key: found[key] for key in options} == options
