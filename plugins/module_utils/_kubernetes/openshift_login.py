# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A token of OpenShift for a user and a password, by the package C(openshift), which is imported only here.

The token is not revoked: the package's logout asks for a path that no API
server has, with the token in it. It expires by itself (in a day, unless the
cluster says otherwise).
"""

from __future__ import annotations

import functools
import traceback
from contextlib import nullcontext

from ansible_collections.mcp.server.plugins.module_utils._kubernetes.outage import Unreachable
from ansible_collections.mcp.server.plugins.module_utils._kubernetes.tls import as_file
from ansible_collections.mcp.server.plugins.module_utils._task import Failure, bounded


@functools.cache  # the Lease is kept by connections of its own
def token(host: str, username: str, password: str, verify: bool, ca: str | None, seconds: float) -> str:
    """Return a token. ca: PEM. Raises Unreachable, Failure, without the password."""
    try:
        from openshift.helper.userpassauth import OCPLoginConfiguration, OCPLoginRequestException
        from requests.exceptions import SSLError
    except ImportError:
        raise Failure(
            "username and password log in to OpenShift with the Python package openshift, which is missing where this task runs: "
            "pip install openshift, or give a token instead (api_key, or a kubeconfig after oc login).",
            exception=traceback.format_exc(),
        ) from None

    class Login(OCPLoginConfiguration):
        def __init__(self) -> None:
            # Not by the package's own, which gives kubernetes 37 an argument that it does not take
            super(OCPLoginConfiguration, self).__init__(host=host)
            self.ocp_username, self.ocp_password = username, password
            self.verify_ssl, self.ssl_ca_cert = verify, ca_file

    try:
        with as_file(ca.encode("latin-1")) if ca else nullcontext() as ca_file:
            login = Login()
            bounded(login.get_token, seconds)
        return login.token["access_token"]
    except OCPLoginRequestException as error:
        status = error.req_info.get("req_status_code")
        refused = f"refuses user {username}" if status == 401 else f"answered {status}"
        raise (Unreachable if isinstance(status, int) and status >= 500 else Failure)(
            f"No login to OpenShift: {host} {refused} ({str(error.msg).rstrip('.')}); check username and password, and that the cluster has a password login."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, Warning) as error:
        away = isinstance(error, OSError) and not isinstance(error, SSLError)
        raise (Unreachable if away else Failure)(
            f"No login to OpenShift: {host} has no OAuth server that answers ({type(error).__name__}); check host, network and CA."
        ) from None
