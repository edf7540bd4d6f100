# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors CHECKS of module_utils/_checks/options.py
    DOCUMENTATION = r"""
options:
  checks:
    description:
      - The checks that run one after the other once the new version has all the traffic.
      - The first that fails rolls the release back.
      - Each has exactly one of O(checks[].mcp), O(checks[].http), O(checks[].pod) and O(checks[].command).
      - C(docs/checks.md) in the collection has examples.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What it is called in progress, failures and results.
        type: str
        required: true
      timeout:
        description:
          - Seconds that it may take; it fails when they are over. O(checks[].mcp) needs at least 1.
          - Waiting for an API server that does not answer does not count.
        type: float
        default: 30.0
      mcp:
        description: Call a tool at O(endpoint), with the credentials of the release. The session is ended in any case.
        type: dict
        suboptions:
          tool:
            description: Its name. The server has to list it.
            type: str
            required: true
          arguments:
            description: Its arguments.
            type: dict
            default: {}
          expect:
            description:
              - A JMESPath expression on the result (C(content), C(structuredContent)) that has to give true.
              - A result with C(isError) fails without it too.
            type: str
      http:
        description:
          - Send a request from where the module runs. Redirects are not followed, and proxies are not used.
          - An answer that is longer than 4 MiB fails.
        type: dict
        suboptions:
          url:
            description: The whole URL, without credentials. Its query is not shown.
            type: str
            required: true
          method:
            description: The method.
            type: str
            choices: [GET, POST, PUT, PATCH, DELETE, OPTIONS]
            default: GET
          headers:
            description: Headers. Their values are not shown.
            type: dict
            default: {}
          body:
            description: The body, which is sent in UTF-8.
            type: str
          status:
            description: The statuses of good answers.
            type: list
            elements: int
            default: [200]
          expect:
            description: A (Python) regular expression that has to be found in the first 256 KiB of the answer.
            type: str
          ca_cert:
            description: Path of the CA certificate for the server, instead of those that the system trusts.
            type: path
          validate_certs:
            description: Whether the server's certificate is verified.
            type: bool
            default: true
      pod:
        description:
          - Run a command in one ready pod, through the API server. It passes with exit code 0.
          - The Role needs C(get) and C(create) on C(pods/exec).
          - At the time limit it is no longer waited for, but it goes on in the pod.
        type: dict
        suboptions:
          pool:
            description: The pool of the pod. By default the one that has the traffic, which is the new version's.
            type: str
            choices: [blue, green]
          container:
            description: The container; by default that of the server.
            type: str
          command:
            description: The command and its arguments. There is no shell.
            type: list
            elements: str
            required: true
          expect:
            description: A (Python) regular expression that has to be found in the last 2000 characters of its output.
            type: str
      command:
        description:
          - Run a command where the module runs. It passes with exit code 0.
          - It is ended with its children when its time is over or the release is interrupted, first by C(SIGTERM), then
            by C(SIGKILL). What it leaves running when it ends by itself is ended too.
        type: dict
        suboptions:
          argv:
            description: The command and its arguments. There is no shell.
            type: list
            elements: str
            required: true
          environment:
            description:
              - Variables beside those that the module has, and C(MCP_SERVER), C(MCP_NAMESPACE), C(MCP_POOL),
                C(MCP_VERSION) and C(MCP_ENDPOINT).
              - Their values are not shown.
            type: dict
            default: {}
"""
