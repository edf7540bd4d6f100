# Copyright (c) 2026, the mcp.server authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    # Mirrors OPTIONS of module_utils/_server.py
    DOCUMENTATION = r"""
options:
  namespace:
    description: Namespace of the server.
    type: str
    required: true
  server:
    description:
      - Name of the MCP server, by which its route, its pools and what a release writes are named, where no other names
        are given.
    type: str
    required: true
  pool_name_format:
    description: Name of the Deployment and of the Service of each pool, where O(blue) and O(green) name no others.
    type: str
    default: "{server}-{pool}"
  blue:
    description:
      - The objects of pool blue, where they have other names. A text is the name of both its Deployment and its
        Service. A dictionary has C(deployment) or C(stateful_set), and C(service).
      - What is left out has the name by O(pool_name_format).
      - The pool's pods are those that its Service selects, whatever their labels and names are. The Services of the two
        pools must not select the same pods.
    type: raw
  green:
    description: The objects of pool green, likewise.
    type: raw
  route:
    description: Name of the object that leads to both pools, by its O(route_kind); default is O(server).
    type: str
  route_kind:
    description:
      - What kind of object O(route) is. C(docs/routes.md) in the collection lists what each needs, and which were
        tested on a data plane.
      - V(httproute) is the Gateway API's HTTPRoute, V(httpproxy) Contour's HTTPProxy, V(traefik) a weighted
        TraefikService, V(openshift_route) a Route with alternate backends, V(istio) a VirtualService, V(ingress_nginx)
        an Ingress with a canary named O(route) and C(-canary), V(custom) what O(route_custom) says.
      - V(service) is a plain Service, which moves new connections only. It selects what one pool's Service selects and,
        while a split is set, the label C(mcp.server/serving) instead, which is put on ready pods of both pools. So it
        reaches few shares, and refuses others.
    type: str
    choices: [httproute, service, httpproxy, traefik, openshift_route, istio, ingress_nginx, custom]
    default: httproute
  route_nearest:
    description: Set the nearest share that the route reaches, instead of refusing one that it can't.
    type: bool
    default: false
  route_custom:
    description: Where the weights are in an object of another kind. Required with O(route_kind=custom).
    type: dict
    suboptions:
      api_version:
        description: Its API, such as V(example.io/v1).
        type: str
        required: true
      kind:
        description: What people call it, such as V(TrafficSplit).
        type: str
        required: true
      resource:
        description: Its name in URLs, such as V(trafficsplits); default is the kind in small letters with an s.
        type: str
      blue:
        description:
          - Place of blue's weight, a path of fields, positions and filters, such as
            V(spec.backends[?name=='mcp-server-blue'].weight).
          - Without it blue has what green leaves of O(route_custom.total). One of both places is required.
        type: str
      green:
        description: Place of green's weight, likewise.
        type: str
      total:
        description: What the weights that are written come to together.
        type: int
        default: 100
      accepted:
        description: JMESPath expressions on the object that are true once it is in force.
        type: list
        elements: str
        default: []
  container:
    description:
      - Name of the container that is the MCP server, whose image a release changes.
      - By default it is the only container of the pod template, or the one with the port that the pool's Service leads
        to, or the one that is called O(server).
    type: str
  port:
    description:
      - The port of the pods at which the server speaks MCP.
      - By default it is where the pool's Service leads to (its C(targetPort)). Of several ports, it is the one that is
        named C(mcp) or C(http), or whose C(appProtocol) is HTTP. With none of these, or several, set it.
    type: int
  health_path:
    description:
      - A path at which the server answers 200 while it is healthy, with any text. Requests that measure shares and
        errors are sent to it.
      - Without it, MCP requests are sent, and the handshake is the check.
    type: str
  health_checks:
    description:
      - JMESPath expressions that must be true for what O(health_path) answers, which then must be JSON, such as
        V(status == 'HEALTHY').
    type: list
    elements: str
    default: []
  pool_header:
    description:
      - The header by which the route says which pool answered. Clients see it. The route sets it on the answers of each
        backend, with the value V(blue) or V(green) (C(docs/routes.md)).
    type: str
    default: X-MCP-Pool
  pool_key:
    description: The key by which the JSON document at O(health_path) says which pool answered, where no header does.
    type: str
    default: pool
"""
