# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Get an OpenShift token for a user and a password, by the package C(openshift), which only this module imports.

The token is not revoked: the package's logout requests a path that no API server has, with the token in it. The token
expires (after a day, unless the cluster is configured otherwise).
"""

from __future__ import annotations

import functools
import traceback
from contextlib import nullcontext

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.tls import as_file
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, bounded


@functools.cache  # a task makes several connections
def token(host: str, username: str, password: str, verify: bool, ca: str | None, seconds: float) -> str:
    """Return a token. ca: PEM. Raises Unreachable and Failure, which never show the password."""
    try:
        from openshift.helper.userpassauth import OCPLoginConfiguration, OCPLoginRequestException
        from requests.exceptions import SSLError
    except ImportError:
        raise Failure(
            "A login to OpenShift with username and password needs the Python package openshift where this task runs. "
            "Install it (pip install openshift), or use a token (api_key, or a kubeconfig after oc login).",
            exception=traceback.format_exc(),
        ) from None

    class Login(OCPLoginConfiguration):
        def __init__(self) -> None:
            # Not the package's own method, which passes kubernetes 37 an argument that it does not accept.
            super(OCPLoginConfiguration, self).__init__(host=host)
            self.ocp_username, self.ocp_password = username, password
            self.verify_ssl, self.ssl_ca_cert = verify, ca_file

    try:
        with as_file(ca.encode("latin-1")) if ca else nullcontext() as ca_file:
            login = Login()
            bounded(login.get_token, seconds)
        return str(login.token["access_token"])
    except OCPLoginRequestException as error:
        status = error.req_info.get("req_status_code")
        refused = f"refuses user {username}" if status == 401 else f"answered {status}"
        raise (Unreachable if isinstance(status, int) and status >= 500 else Failure)(
            f"Login to OpenShift failed: {host} {refused} ({str(error.msg).rstrip('.')}). "
            "Check username and password, and that the cluster has a password login."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, Warning) as error:
        away = isinstance(error, OSError) and not isinstance(error, SSLError)
        raise (Unreachable if away else Failure)(
            f"Login to OpenShift failed: the OAuth server of {host} does not answer ({type(error).__name__}). "
            "Check host, network and CA."
        ) from None
