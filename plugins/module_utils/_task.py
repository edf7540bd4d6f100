# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shape of every plugin here: a spec, and a function from a Task to a result.

The same function runs in two places. As a module it is started by C(main())
on the managed host. As an action plugin (plugins/action) it runs in the
controller's process when the connection is local: that saves packing and
starting a second Python, 0.3 to 0.7 s of an emergency rollback, and it is the
only way to show progress while a wait goes on.

This file is private to the collection.
"""

from __future__ import annotations

import os
import queue
import threading
import time
import traceback
import typing as t
from dataclasses import dataclass, field

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.parameters import remove_values


class Failure(Exception):
    """What a user sees: one sentence that says what failed, where, why and what to do.

    Every keyword becomes a key of the failed task's result (its evidence).
    """

    def __init__(self, msg: str, **evidence: t.Any) -> None:
        super().__init__(msg)
        self.msg = msg
        self.evidence = evidence


class LeaseLost(Failure):
    """Another run releases the server now (_release/lease.py), and it is that one's to tell how it ends."""

    def __init__(self, msg: str) -> None:
        super().__init__(msg, taken_over=True)


class Interrupted(BaseException):
    """A signal asks the task to stop. No Exception, so that nothing that goes on after errors goes on after it.

    Whoever catches it cleans up within 3 s and raises it again; what add_note() was given follows in the message.
    """

    def __init__(self, signal: str) -> None:
        super().__init__(signal)
        self.signal = signal


@dataclass(frozen=True)
class Spec:
    """What C(AnsibleModule) takes, as data, so that both places validate alike."""

    options: dict[str, t.Any]
    mutually_exclusive: t.Sequence[t.Sequence[str]] = ()
    required_together: t.Sequence[t.Sequence[str]] = ()
    required_one_of: t.Sequence[t.Sequence[str]] = ()
    required_if: t.Sequence[t.Sequence[t.Any]] = ()
    required_by: dict[str, t.Any] = field(default_factory=dict)

    def rules(self) -> dict[str, t.Any]:
        """The relations between options, by the names that ansible-core gives them."""
        return {
            "mutually_exclusive": self.mutually_exclusive,
            "required_together": self.required_together,
            "required_one_of": self.required_one_of,
            "required_if": self.required_if,
            "required_by": self.required_by,
        }


@dataclass(frozen=True)
class Task:
    """One call of a module.

    params: the validated options. progress: shows one line to the person who
    waits (nothing in a module, a line of the play's output in an action).
    warn: a warning of the result. runner: the id of the process that runs the
    play, where the module runs in it. check_lease: raises Failure when the run that the
    task belongs to can't go on (_release/lease_renewal.py); for waits that ask the
    cluster nothing. traffic_back: called once a rollback is verified, before it looks whether that lasts.
    """

    params: dict[str, t.Any]
    check_mode: bool = False
    progress: t.Callable[[str], None] = lambda line: None
    warn: t.Callable[[str], None] = lambda text: None
    runner: int | None = None
    check_lease: t.Callable[[], None] = lambda: None
    traffic_back: t.Callable[[], None] = lambda: None


Run = t.Callable[[Task], dict[str, t.Any]]


def main(spec: Spec, run: Run) -> None:
    """The C(main()) of every module here; all of them support check mode."""
    module = AnsibleModule(argument_spec=spec.options, supports_check_mode=True, **spec.rules())

    def warn(text: str) -> None:
        module.warn(without_secrets(text))

    def shown(result: dict[str, t.Any]) -> dict[str, t.Any]:
        # The arguments too, which the result repeats: one may be a URL with a password.
        module.no_log_values = module.no_log_values | set(_SECRETS)
        return without_secrets(result)

    try:
        result = run(Task(module.params, module.check_mode, warn=warn))
    except Failure as failure:
        module.fail_json(**shown({"msg": failure.msg, **failure.evidence}))
    except Exception as error:
        module.fail_json(**shown({"msg": unexpected(error)}))
    module.exit_json(**shown(result))


# Secrets that are no option: of a kubeconfig, of the environment, from a plugin. Of this process, which has one task.
_SECRETS: set[str] = set()
SHORTEST = 6  # characters: what is shorter would tear holes into words


def conceal(*secrets: str) -> None:
    """Have these shown in no result, whoever puts them there."""
    for secret in secrets:
        _SECRETS.update(one for one in (secret, secret.strip()) if len(one) >= SHORTEST)


def without_secrets(value: t.Any) -> t.Any:
    """Return a value without the secrets that were concealed."""
    return remove_values(value, list(_SECRETS)) if _SECRETS else value


def unexpected(error: Exception) -> str:
    """Return the sentence for an error that nobody thought of. Without its text, which may hold anything, also a secret in another writing."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"{os.sep}plugins{os.sep}" in frame.filename]
    places = [f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in (ours[-1:] + frames[-1:])]
    where = " and ".join(dict.fromkeys(places)) or "an unknown place"
    return f"Unexpected error {type(error).__name__} at {where}: this is a fault of the collection, please report it with this line."


class Deadline:
    """Seconds that are left of a bounded wait, by the monotonic clock."""

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
        """Sleep, never past the deadline; whether there is time left afterwards."""
        time.sleep(min(seconds, self.left))
        return self.left > 0


def bounded(call: t.Callable[[], t.Any], seconds: float) -> t.Any:
    """What call() gives or raises, for libraries that take no time-out. Raises TimeoutError; what comes later is for nobody."""
    return started(call)(seconds)


def started(call: t.Callable[[], t.Any]) -> t.Callable[[float], t.Any]:
    """Start the call beside us; return what waits for it for some seconds and gives what it gave or raised, once. That raises TimeoutError."""
    done: queue.SimpleQueue[tuple[t.Any, Exception | None]] = queue.SimpleQueue()

    def work() -> None:
        try:
            done.put((call(), None))
        except Exception as error:
            done.put((None, error))

    def wait(seconds: float) -> t.Any:
        try:
            result, error = done.get(timeout=seconds)
        except queue.Empty:
            raise TimeoutError(f"no answer within {seconds:g} s") from None
        if error is not None:
            raise error
        return result

    threading.Thread(target=work, daemon=True).start()
    return wait
