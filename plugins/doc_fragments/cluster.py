# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors OPTIONS of module_utils/_kubernetes/options.py
    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of the kubeconfig file, or of several with C(:) between them, which are merged as kubectl merges them.
      - Without it, the E(K8S_AUTH_KUBECONFIG) and E(KUBECONFIG) environment variables, then C(~/.kube/config). The
        service account of the pod that Ansible runs in is used only when no kubeconfig, context, host or credential is
        given, and there is no C(~/.kube/config).
      - A task that names O(kubeconfig), O(context) or O(host) is not redirected by the environment. It ignores all
        C(K8S_AUTH_*) variables except E(K8S_AUTH_KUBECONFIG) as the file in which O(context) is looked up. The first
        line of a run names what was ignored.
    type: path
  context:
    description: The context of the kubeconfig file; default is its current one. Also E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description:
      - URL of the API server. Also E(K8S_AUTH_HOST).
      - With a credential (O(api_key), O(username) or O(client_cert)) no kubeconfig is read, unless O(kubeconfig) or
        O(context) is given; otherwise it replaces the server of the kubeconfig's context, and its C(tls-server-name).
    type: str
  api_key:
    description:
      - Bearer token for the API server. Also E(K8S_AUTH_API_KEY).
      - This, O(username) or O(client_cert) replaces the whole user of a kubeconfig, also whom it acts as. A task that
        gives one of them takes none from the environment.
    type: str
  username:
    description:
      - A user of OpenShift, who logs in with O(password) for a token. Also E(K8S_AUTH_USERNAME). Each task logs in
        again, and its token is left to expire.
      - Needs the Python package C(openshift), which nothing else does. A token (O(api_key), or a kubeconfig after C(oc
        login)) is quicker.
    type: str
  password:
    description: Password of O(username). Also E(K8S_AUTH_PASSWORD).
    type: str
  validate_certs:
    description: Whether the API server's certificate is verified; default is true. Also E(K8S_AUTH_VERIFY_SSL).
    type: bool
    aliases: [verify_ssl]
  ca_cert:
    description: Path of the CA certificate for the API server; default is the kubeconfig's, or the system's. Also
      E(K8S_AUTH_SSL_CA_CERT).
    type: path
    aliases: [ssl_ca_cert]
  client_cert:
    description: Path of a client certificate. Also E(K8S_AUTH_CERT_FILE).
    type: path
    aliases: [cert_file]
  client_key:
    description: Path of the client certificate's key; default is the file of O(client_cert). Also E(K8S_AUTH_KEY_FILE).
    type: path
    aliases: [key_file]
  proxy:
    description:
      - URL of a proxy for the API server (C(http), C(https), or C(socks5) with the Python package C(PySocks)), with
        user and password where it needs them. Also E(K8S_AUTH_PROXY).
      - Default is C(proxy-url) of the kubeconfig, then the E(HTTPS_PROXY), E(HTTP_PROXY) and E(NO_PROXY) environment
        variables.
    type: str
  api_timeout:
    description: Seconds that one request to the API server may take, from the lookup of its name to the end of the
      answer; also a credential plugin.
    type: float
    default: 10.0
  api_retry_timeout:
    description:
      - Seconds to wait for an API server that does not answer, or that answers 429, 502, 503 or 504. C(0) fails at
        once.
      - Nothing is written twice. After a write without an answer the object is read again, and a run that holds the
        server's Lease renews it first.
    type: float
    default: 0.0
requirements:
  - kubernetes >= 29 (Python), not 32.0.0
"""
