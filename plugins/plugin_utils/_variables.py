# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of the playbooks: their names, and the conversion of their values.

-e, AWX surveys and lookups in the environment give every value as text. This module converts it to the types in
roles/*/meta/argument_specs.yml and in the options of the modules for server and cluster. Pure, except for reading
these.
"""

from __future__ import annotations

import copy
import difflib
import fnmatch
import functools
import json
import re
import typing as t
from pathlib import Path

import yaml
from ansible.module_utils.common.validation import check_type_bool, check_type_dict, check_type_float, check_type_int
from ansible.module_utils.common.yaml import yaml_load

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.options import OPTIONS as CLUSTER
from ansible_collections.mcp.server.plugins.module_utils._server import HEADER_NAME
from ansible_collections.mcp.server.plugins.module_utils._server import OPTIONS as SERVER

ROLES = Path(__file__).resolve().parents[2] / "roles"
PREFIX = "mcp_"
SHOWN = 10  # names in one sentence
LONGEST = 60  # characters of a name or a value in a sentence
LONGEST_TEXT = 100_000  # characters of YAML
# None of the variables is negative.
NUMBER = re.compile(r"\+?(\d[\d_]{0,15}\.?\d{0,20}|\.\d{1,20})(e[+-]?\d{1,2})?", re.IGNORECASE)

Spec = dict[str, t.Any]

# Options of every module, by their variables. mcp_host would be mistaken for mcp_hosts.
TARGET: dict[str, str] = {
    {"host": "mcp_api_host"}.get(option, f"{PREFIX}{option}"): option
    for option in (*SERVER, *CLUSTER)
    if option != "api_retry_timeout"  # each role has its own
}
# Variables that the playbooks read themselves.
PLAYBOOKS: dict[str, Spec] = {
    "mcp_hosts": {
        "type": "str",
        "description": "The servers of the play, as a pattern of hosts or a list of these; C(-l) narrows it.",
    },
    "mcp_own_variables": {
        "type": "list",
        "elements": "str",
        "default": [],
        "description": "Names or patterns of your own variables that begin with C(mcp_), so that there is no warning "
        "of them.",
    },
}
# Variables that a release sets for the jobs that follow (set_stats).
PUBLISHED = ("mcp_release", "mcp_report")

KINDS = {
    "bool": ("true or false", check_type_bool),
    "int": ("a whole number", check_type_int),
    "float": ("a number", check_type_float),
}


# Variables that are a name or a dictionary of names.
OBJECTS = ("mcp_blue", "mcp_green", "mcp_staging_workload")
# Variables that say which version or pool an emergency returns to, or what break-glass does.
MEANT = (
    "mcp_rollback_version",
    "mcp_rollback_revision",
    "mcp_rollback_pool",
    "mcp_break_glass_pool",
    "mcp_replicas",
    "mcp_restore",
    "mcp_restore_keep",
)


# Options of every module without which an emergency only measures less.
MEASURING = ("health_path", "health_checks", "pool_header", "pool_key")


class Plain(yaml.SafeLoader):
    """YAML without aliases, by which a few lines could expand to gigabytes."""

    def compose_node(self, *place: t.Any) -> t.Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias")
        return super().compose_node(*place)


class Invalid(ValueError):
    """An invalid value, as a sentence that names its variable."""


@functools.cache
def of_role(role: str) -> dict[str, Spec]:
    """Return the variables that a role reads, by name."""
    text = (ROLES / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    options: dict[str, Spec] = yaml_load(text)["argument_specs"]["main"]["options"]
    return options


@functools.cache
def known() -> dict[str, Spec]:
    """Return all variables, by name."""
    target = {name: {**SERVER, **CLUSTER}[option] for name, option in TARGET.items()}
    roles = sorted(file.parents[1].name for file in ROLES.glob("*/meta/argument_specs.yml"))
    return {**PLAYBOOKS, **target, **{name: spec for role in roles for name, spec in of_role(role).items()}}


def can_be_left_out(name: str) -> bool:
    """Return whether an emergency can do without its value.

    It cannot when the variable says which server, cluster or version is meant: another one would be acted on.
    """
    if name not in TARGET:
        return name not in MEANT
    return known()[name].get("type") in KINDS or TARGET[name] in MEASURING


def is_unset(given: t.Any) -> bool:
    """Return whether a variable has no value. A survey gives an empty text for an answer that was left out."""
    return given is None or (isinstance(given, str) and not given.strip())


def value(name: str, given: t.Any) -> t.Any:
    """Return a value in the variable's type; its default, or None, when it is unset. Raises Invalid."""
    if name not in known():
        raise Invalid(f"{_shown(name)} is not a variable of mcp.server (docs/variables.md).")
    spec = known()[name]
    if spec.get("type") in ("list", "dict") and _parsed(given) is None:  # null
        given = None
    return copy.deepcopy(spec.get("default")) if is_unset(given) else _converted(name, spec, given)


def _converted(where: str, spec: Spec, given: t.Any) -> t.Any:
    kind = spec.get("type", "str")
    if kind == "list":
        found: t.Any = [
            _converted(f"{where}[{at}]", {**spec, "type": spec.get("elements", "raw")}, one)
            for at, one in enumerate(_list(where, spec, given))
        ]
    elif kind == "dict":
        found = _dict(where, spec.get("options"), given)
    elif kind in KINDS:
        found = _scalar(where, kind, given)
    elif where in OBJECTS and isinstance(given, str):
        # A name, or a dictionary as text; the module judges both.
        parsed = _parsed(given)
        found = parsed if isinstance(parsed, dict) else given.strip()
    else:
        # The module reports a version that was not quoted.
        if isinstance(given, (dict, list)) and kind != "raw":
            raise Invalid(f"{where} must be text, not {_shown(given)}.")
        found = given.strip() if isinstance(given, str) and "choices" in spec else given
        # Where no emergency needs it, it must not fail for it either.
        if where == f"{PREFIX}pool_header" and not HEADER_NAME.fullmatch(str(found)):
            raise Invalid(f"{where} must be the name of a header (letters, digits and hyphens), not {_shown(given)}.")
    if "choices" in spec and kind != "list" and found not in spec["choices"]:
        raise Invalid(f"{where} must be one of {', '.join(map(str, spec['choices']))}, not {_shown(given)}.")
    return found


def _scalar(where: str, kind: str, given: t.Any) -> t.Any:
    words, convert = KINDS[kind]
    refused = f"{where} must be {words}, not {_shown(given)}."
    try:
        text = str(given).strip()
        # Python would take minutes for the digits of 1e999999999.
        if kind != "bool" and (isinstance(given, bool) or not NUMBER.fullmatch(text)):
            raise Invalid(refused)
        return convert(text if isinstance(given, str) else given)
    except (TypeError, ValueError):
        raise Invalid(refused) from None


def _list(where: str, spec: Spec, given: t.Any) -> list[t.Any]:
    found = _parsed(given)
    if not isinstance(found, (list, tuple, dict)) and spec.get("elements") == "str":
        return [one.strip() for one in re.split(r"[,\n]", str(given)) if one.strip()]
    if not isinstance(found, (list, tuple)):
        raise Invalid(f"{where} must be a list, or one as JSON or YAML.")
    return list(found)


def _dict(where: str, options: dict[str, Spec] | None, given: t.Any) -> dict[str, t.Any]:
    try:
        found: dict[str, t.Any] = check_type_dict(_parsed(given))
    except (TypeError, ValueError):
        raise Invalid(f"{where} must be a dictionary, or one as JSON or YAML.") from None
    if options is None:
        return found
    if strange := [str(name) for name in found if name not in options]:
        raise Invalid(f"{where} has no key {_shown(strange[0])}; it may have {', '.join(options)}.")
    if missing := [name for name, spec in options.items() if spec.get("required") and is_unset(found.get(name))]:
        raise Invalid(f"{where} needs {missing[0]}.")
    return {name: _converted(f"{where}.{name}", options[name], one) for name, one in found.items() if not is_unset(one)}


def _parsed(given: t.Any) -> t.Any:
    """Return the value of a text as JSON or YAML, or the text itself."""
    if not isinstance(given, str):
        return given
    for parse in (json.loads, lambda text: yaml.load(text, Plain) if len(text) <= LONGEST_TEXT else text):
        try:
            return parse(str(given))
        except (ValueError, RecursionError, yaml.YAMLError):
            continue
    return given


def _shown(given: t.Any) -> str:
    try:
        # Ansible's dictionaries and lists have unusual names.
        kind = next((one.__name__ for one in (dict, list) if isinstance(given, one)), type(given).__name__)
        text = repr(given) if isinstance(given, (str, int, float, bool)) else f"a {kind}"
    except ValueError:  # more digits than Python shows
        text = "a number with too many digits"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def strangers(names: t.Iterable[t.Any], own: t.Iterable[str]) -> str:
    """Return a sentence about variables that begin with PREFIX but are unknown, with suggestions; empty without any."""
    patterns = (*known(), *PUBLISHED, *map(str, own))
    found = sorted(str(name) for name in names if str(name).lower().startswith(PREFIX))
    found = [name for name in found if not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]
    if not found:
        return ""
    shown = ", ".join(_shown(name)[1:-1] + _likely(name) for name in found[:SHOWN])
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return (
        f"no playbook of mcp.server reads {shown}{more}. "
        "Correct the name, or list it in mcp_own_variables if it is one of yours (docs/variables.md)."
    )


def _likely(name: str) -> str:
    known_names = {name.removeprefix(PREFIX): name for name in known()}
    close = difflib.get_close_matches(name.lower().removeprefix(PREFIX)[:LONGEST], known_names, n=1, cutoff=0.7)
    return f" (did you mean {known_names[close[0]]}?)" if close else ""


# Which variable may be set in place of a required one.
INSTEAD = {"version": "mcp_image_ref"}


def missing(
    roles: t.Iterable[str], is_given: t.Callable[[str], bool], target: t.Iterable[str] = tuple(TARGET)
) -> list[str]:
    """Return a sentence for each variable that these roles require and that is not set.

    target: the variables of server and cluster, without which there is no server.
    """
    server = ["mcp_namespace"] if "mcp_namespace" in target else []
    names = dict.fromkeys(
        [*server, *(name for role in roles for name, spec in of_role(role).items() if spec.get("required"))]
    )
    return [
        needed(name)
        for name in sorted(names, key=lambda name: name != "version")
        if not is_given(name) and not (name in INSTEAD and is_given(INSTEAD[name]))
    ]


def needed(name: str) -> str:
    """Return the sentence for a required variable that is not set."""
    if name == "version":
        return "version is not set: pass the version to release, such as -e version=v1.2.0."
    return f"{name} is not set: set it in the inventory (docs/variables.md)."
