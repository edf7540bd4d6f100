# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import io
import json
import re
import sys
import typing as t

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.testing import patch_module_args

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.connection import Cluster
from ansible_collections.mcp.server.plugins.module_utils._task import (
    Failure,
    Spec,
    Task,
    conceal,
    main,
    missing_library,
    unexpected,
    without_secrets,
)

PLANTED = "planted-secret-5b1f"
SPEC = Spec(options={"how": {"type": "str"}, "proxy": {"type": "str"}, "token": {"type": "str", "no_log": True}})


def run(task: Task) -> dict[str, t.Any]:
    conceal(f"{PLANTED}\n")
    if task.params["how"] == "result":
        task.warn(f"it is {PLANTED}")
        return {"header": f"Bearer {PLANTED}", "nested": [{"x": PLANTED}]}
    if task.params["how"] == "failure":
        raise Failure(f"It was {PLANTED}.", evidence=[f"Bearer {PLANTED}"])
    raise ValueError(f"Invalid header value b'Bearer {PLANTED}\\n' {task.params['token']}")


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("result", None),
        ("failure", "It was ********."),
        ("error", r"Unexpected error ValueError at test_task.py:\d+\. This is a bug of the collection"),
    ],
)
def test_a_module_shows_no_secret(how: str, said: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    with (
        patch_module_args({"how": how, "token": "another-planted", "proxy": f"http://joe:{PLANTED}@proxy"}),
        pytest.raises(SystemExit),
    ):
        main(SPEC, run)
    shown = capsys.readouterr()
    assert (
        PLANTED not in shown.out + shown.err
        and "another-planted" not in shown.out.replace('"token": "VALUE', "")
        and "Traceback" not in shown.out
    )
    answer = json.loads(shown.out)
    assert answer.get("failed", False) is (said is not None)
    if said is not None:
        assert re.match(said.replace("*", r"\*") if how == "failure" else said, answer["msg"])


def test_where_an_error_came_from() -> None:
    with pytest.raises(ValueError) as caught:
        json.load(io.StringIO(f"{{{PLANTED}"))
    said = unexpected(caught.value)
    assert "JSONDecodeError at test_task.py:" in said or "JSONDecodeError at decoder.py:" in said
    assert PLANTED not in said and unexpected(KeyError("x")).startswith("Unexpected error KeyError at an unknown place")


def test_the_log_of_the_system_has_the_names_of_arguments_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    logged: list[str] = []
    monkeypatch.setattr(AnsibleModule, "log", lambda _module, text, **_more: logged.append(text))
    with patch_module_args({"how": "result", "proxy": f"http://joe:{PLANTED}@proxy"}), pytest.raises(SystemExit):
        main(SPEC, run)
    assert "Invoked with how, proxy" in logged
    assert PLANTED not in capsys.readouterr().out + repr(logged)


def test_what_is_too_short_is_no_secret() -> None:
    conceal("", "a", "12345")
    assert without_secrets("a 12345") == "a 12345"
    conceal("123456")
    assert without_secrets({"x": ["a 123456"]}) == {"x": ["a ********"]}


def test_a_missing_library_is_named_with_the_python_and_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/opt/ansible/bin/python3")
    monkeypatch.setattr("socket.gethostname", lambda: "runner")
    assert missing_library("kubernetes") == (
        "The Python library kubernetes is missing on runner, in the Python that runs this task. "
        "Install it: /opt/ansible/bin/python3 -m pip install kubernetes (the collection's requirements.txt has the "
        "versions)."
    )


def test_a_port_forward_without_the_kubernetes_client_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kubernetes.stream.ws_client", None)
    with pytest.raises(Failure, match="^The Python library kubernetes is missing on"):
        Cluster._port_forward(t.cast(Cluster, None), "ns", "pod", 8080)
