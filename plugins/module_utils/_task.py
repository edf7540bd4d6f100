# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The form of every module of the collection: a Spec, and a function from a Task to a result.

The same function runs in two places. As a module, C(main()) starts it on the managed host. As an action plugin
(plugins/action), it runs in the controller's process when the connection is local. That saves packing and starting a
second Python, 0.3 to 0.7 s of an emergency rollback, and it is the only way to show progress during a wait.

An emergency waits for imports, so code that it does not always need is imported where it is used, marked with
C(lazy: emergency path).

This file is private to the collection.
"""

from __future__ import annotations

import functools
import os
import queue
import socket
import sys
import threading
import time
import traceback
import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.common.validation import check_type_dict

from ansible_collections.mcp.server.plugins.module_utils._text import fit_for_screen, hide, one_line


class Failure(Exception):
    """A failure for the user, as one sentence: what failed, on which server, why, and what to do.

    Each keyword becomes a key of the failed task's result (its evidence).
    """

    def __init__(self, msg: str, **evidence: t.Any) -> None:
        super().__init__(msg)
        self.msg = msg
        self.evidence = evidence


class LeaseLost(Failure):
    """Another run releases the server now (_release/lease.py) and reports how that ends."""

    def __init__(self, msg: str) -> None:
        super().__init__(msg, taken_over=True)


class FleetStopped(Failure):
    """Another server of the fleet failed, so that this one goes no further."""

    def __init__(self, msg: str) -> None:
        super().__init__(msg, fleet_stopped=True)


class Fleet(t.Protocol):
    """What a task of one server knows of its fleet, in the play's process (plugin_utils/_fleet.py)."""

    host: str
    on_failure: str
    max_failed: int

    def note(self, state: str, text: str = "", *, weight: int | None = None, failed: bool = False) -> None:
        """Write this server's row, and show the table now and then. The states are in _fleet/state.py."""

    def show(self, lines: t.Iterable[str]) -> None:
        """Show lines that are not about one server."""

    def rows(self) -> list[t.Any]:
        """Return the rows of all servers."""

    def refuse_stopped(self) -> None:
        """Raise FleetStopped once the fleet stops."""


class Interrupted(BaseException):
    """A signal asks the task to stop. Not an Exception, so that no code that continues after errors catches it.

    Code that catches it cleans up within 3 s and raises it again. Notes (add_note()) follow in the message.
    """

    def __init__(self, signal: str) -> None:
        super().__init__(signal)
        self.signal = signal


@dataclass(frozen=True)
class Spec:
    """The arguments of C(AnsibleModule), as data, so that both places validate the same way."""

    options: dict[str, t.Any]
    mutually_exclusive: t.Sequence[t.Sequence[str]] = ()
    required_together: t.Sequence[t.Sequence[str]] = ()
    required_one_of: t.Sequence[t.Sequence[str]] = ()
    required_if: t.Sequence[t.Sequence[t.Any]] = ()
    required_by: dict[str, t.Any] = field(default_factory=dict)

    def rules(self) -> dict[str, t.Any]:
        """Return the rules between options, by their names in ansible-core."""
        return {
            "mutually_exclusive": self.mutually_exclusive,
            "required_together": self.required_together,
            "required_one_of": self.required_one_of,
            "required_if": self.required_if,
            "required_by": self.required_by,
        }


@dataclass(frozen=True)
class Task:
    """One call of a module."""

    # The validated options.
    params: dict[str, t.Any]
    check_mode: bool = False
    # Show a line to the person who waits: in the play's output in an action plugin, not at all in a module.
    progress: t.Callable[[str], None] = lambda line: None
    # Add a warning to the result.
    warn: t.Callable[[str], None] = lambda text: None
    # The id of the process that runs the play, when the module runs in it.
    runner: int | None = None
    # Raise Failure when the run of this task must stop (_release/lease_renewal.py), for waits without requests.
    check_lease: t.Callable[[], None] = lambda: None
    # The fleet that is released in waves, where the server belongs to one and the task runs in the play's process.
    fleet: Fleet | None = None
    # Called once a rollback is verified, before it is watched for a while.
    traffic_back: t.Callable[[], None] = lambda: None


class _Module(AnsibleModule):
    """Repeats no arguments that it refuses: one may be a secret, where it does not belong."""

    def __init__(self, spec: Spec) -> None:
        self._refuses = True
        self._spec = spec
        self._given: dict[str, t.Any] = {}
        super().__init__(argument_spec=spec.options, supports_check_mode=True, **spec.rules())
        self._refuses = False

    def _load_params(self) -> None:
        super()._load_params()
        self._given = dict(self.params)  # the validation replaces them

    def _log_invocation(self) -> None:
        """Write the names of the arguments to the system's log; whether a value is a secret is not known yet."""
        self.log(f"Invoked with {', '.join(name for name in self._spec.options if self._given.get(name) is not None)}")

    def fail_json(self, msg: str, **result: t.Any) -> t.NoReturn:
        if self._refuses:
            msg = "; ".join(misplaced(self._spec.options, self._given)) or msg
            result["invocation"] = {"module_args": {}}
        super().fail_json(msg, **result)
        raise AssertionError("unreachable")


def misplaced(options: t.Mapping[str, t.Any], given: t.Mapping[str, t.Any], parent: str = "") -> list[str]:
    """Return a sentence for each value that may be a secret where the place of one belongs. Pure. Shows no value.

    Ansible's own sentences may repeat such a value, or a part of it. options: of a Spec.
    """
    problems = []
    for name, option in options.items():
        inner, value = option.get("options"), given.get(name)
        if inner is None or value is None:
            continue
        where = f"{parent}{name}"
        for one in value if isinstance(value, list) and option["type"] == "list" else [value]:
            found = as_dict(one, inner)
            if found is None:
                problems.append(f"{where} must be a dictionary, and is not shown, as it may have a secret")
                continue
            for key in found:
                places = [f"{where}.{place}" for place in inner if place in (f"{key}_file", f"{key}_env")]
                if key not in inner and places:
                    problems.append(f"{where}.{key} must not hold the {key} itself: set {' or '.join(places)}")
            problems += misplaced(inner, found, f"{where}.")
    return problems


def as_dict(value: t.Any, keys: t.Collection[str] = ()) -> dict[str, t.Any] | None:
    """Return a dictionary, which may be JSON, as AWX gives it; None for all else. Pure.

    keys: those that it may have as text in the form "key=value". Of a secret that ends with "=", Ansible makes a key.
    """
    try:
        found: dict[str, t.Any] = check_type_dict(value)
    except TypeError:
        return None
    is_other_text = isinstance(value, str) and not value.startswith("{")
    return None if is_other_text and not found.keys() <= set(keys) else found


Run = t.Callable[[Task], dict[str, t.Any]]
Answer = t.TypeVar("Answer")


def main(spec: Spec, run: Run) -> None:
    """Run a module; every module supports check mode."""
    module = _Module(spec)

    def warn(text: str) -> None:
        module.warn(one_line(without_secrets(text)))

    def shown(result: dict[str, t.Any]) -> dict[str, t.Any]:
        # The result repeats the arguments, of which one may be a URL with a password.
        module.no_log_values = module.no_log_values | set(_SECRETS)
        return t.cast(dict[str, t.Any], fit_for_screen(without_secrets(result)))

    try:
        result = run(Task(module.params, module.check_mode, warn=warn))
    except Failure as failure:
        module.fail_json(**shown({"msg": failure.msg, **failure.evidence}))
    except Exception as error:
        module.fail_json(**shown({"msg": unexpected(error)}))
    module.exit_json(**shown(result))


# Secrets that are not options: of a kubeconfig, the environment or a plugin. A process has one task.
_SECRETS: set[str] = set()
MIN_LENGTH = 6  # characters of a secret: a shorter one would be removed from within words


def conceal(*secrets: str) -> None:
    """Remove these secrets from every result, warning and line of progress."""
    for secret in secrets:
        _SECRETS.update(one for one in (secret, secret.strip()) if len(one) >= MIN_LENGTH)


def without_secrets(value: Answer) -> Answer:
    """Return a value without the secrets that were concealed."""
    return t.cast(Answer, remove_values(value, list(_SECRETS))) if _SECRETS else value


def without_part_of_secrets(text: str) -> str:
    """Return a text without the secrets that were concealed, also without the beginning of one that "..." cuts off."""
    return hide(text, _SECRETS)


def missing_library(name: str) -> str:
    """Return the sentence for a Python library that cannot be imported. name: as pip knows it.

    Ansible's own sentence names ansible_python_interpreter, which does nothing for a task in the controller's process.
    """
    return (
        f"The Python library {name} is missing on {socket.gethostname()}, in the Python that runs this task. "
        f"Install it: {sys.executable} -m pip install {name} (the collection's requirements.txt has the versions)."
    )


def unexpected(error: Exception) -> str:
    """Return the sentence for an unexpected error. It omits the error's text, which may contain a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    in_collection = [frame for frame in frames if f"{os.sep}plugins{os.sep}" in frame.filename]
    places = [f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in (in_collection[-1:] + frames[-1:])]
    where = " and ".join(dict.fromkeys(places)) or "an unknown place"
    return (
        f"Unexpected error {type(error).__name__} at {where}. This is a bug of the collection: please report this line."
    )


class Deadline:
    """The end of a bounded wait, by the monotonic clock. seconds: from now."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.started = time.monotonic()

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started

    @property
    def left(self) -> float:
        return max(0.0, self.seconds - self.elapsed)

    def pause(self, seconds: float) -> bool:
        """Sleep, never past the deadline; return whether time is left afterwards."""
        time.sleep(min(seconds, self.left))
        return self.left > 0


def bounded(call: t.Callable[[], Answer], seconds: float) -> Answer:
    """Return call(), for libraries without time-outs.

    Raises what call() raises, and TimeoutError, which leaves it running.
    """
    return started(call)(seconds)


def started(call: t.Callable[[], Answer]) -> t.Callable[[float], Answer]:
    """Start call() in a thread; return a function that waits for it.

    That function takes the seconds to wait, and returns or raises what call() did, once, or raises TimeoutError.
    """
    done: queue.SimpleQueue[t.Callable[[], Answer]] = queue.SimpleQueue()

    def work() -> None:
        try:
            result = call()
        except Exception as error:
            done.put(functools.partial(_raised, error))
        else:
            done.put(lambda: result)

    def wait(seconds: float) -> Answer:
        try:
            outcome = done.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError(f"no answer within {seconds:g} s") from None
        return outcome()

    threading.Thread(target=work, daemon=True).start()
    return wait


def _raised(error: Exception) -> t.NoReturn:
    raise error
