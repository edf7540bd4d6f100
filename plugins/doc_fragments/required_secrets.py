# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors OPTION of module_utils/_preflight/secrets.py, and OPTIONS of module_utils/_preflight/service_account.py.
    DOCUMENTATION = r"""
options:
  required_secrets:
    description: Secrets that must exist in the namespace. They are read, which needs the right to get each by its name;
      no value is returned.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the Secret.
        type: str
        required: true
      keys:
        description: The keys that must have a value.
        type: list
        elements: str
        default: []
      max_age_days:
        description: The days within which a value of the Secret must have changed. An older one is warned of. Without
          it, the age is only shown.
        type: int
  service_account:
    description: The ServiceAccount whose rights are looked at. Without it, those of the pods of both pools.
    type: str
  service_account_rights:
    description:
      - What this ServiceAccount must be permitted in the namespace, as the rules of a Role.
      - The API server is asked by a C(LocalSubjectAccessReview), which needs the right to create
        C(localsubjectaccessreviews.authorization.k8s.io). Without that right, it is skipped.
    type: list
    elements: dict
    default: []
    suboptions: &rules
      apiGroups:
        description: The API groups; the empty text is the one of Secrets and pods.
        type: list
        elements: str
        default: [""]
      resources:
        description: The kinds of objects, such as C(secrets) or C(pods/exec).
        type: list
        elements: str
        required: true
      resourceNames:
        description: The names of the objects; without any, all objects of the kind.
        type: list
        elements: str
        default: []
      verbs:
        description: What is done with them, such as V(get).
        type: list
        elements: str
        required: true
  service_account_forbidden:
    description:
      - What this ServiceAccount must not be permitted in the namespace. A right that is also in
        O(service_account_rights) is not looked at.
      - Default is C(get), C(list) and C(watch) of all Secrets, C(pods/exec), C(patch) and C(update) of Deployments and
        StatefulSets, and C(escalate) and C(bind) of Roles. An empty list turns the check off.
      - While this and O(service_account_also_forbidden) are not set, a right in the default list is only warned of.
    type: list
    elements: dict
    suboptions: *rules
  service_account_also_forbidden:
    description: More that it must not be permitted, beside O(service_account_forbidden) or its default.
    type: list
    elements: dict
    default: []
    suboptions: *rules
"""
