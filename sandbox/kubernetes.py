# SPDX-License-Identifier: GPL-3.0-or-later
"""One Kubernetes node from kubeadm, without systemd: network, containerd, kubelet, control plane."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import typing as t
import urllib.request
from pathlib import Path

from . import machine
from .images import KUBERNETES_VERSION, binaries
from .machine import SandboxError, run, say, start_daemon, wait_for
from .paths import (
    ADMIN_KUBECONFIG,
    KUBELET,
    KUBERNETES,
    LOGS,
    NODE_ADDRESS,
    NODE_BRIDGE,
    POD_RANGE,
    REGISTRY,
    RUN,
    SERVICE_RANGE,
    SOCKET,
    STATE,
)

API = "https://127.0.0.1:6443"
NODE = "sandbox"


def up() -> None:
    """From nothing to a node that is Ready."""
    machine.make_cgroups()
    _network()
    _containerd()
    _control_plane()


def kubectl(*words: str | Path, stdin: str | None = None, timeout: float = 120) -> str:
    """kubectl's output, as the cluster's administrator. Raises SandboxError."""
    return run([binaries() / "kubectl", "--kubeconfig", ADMIN_KUBECONFIG, *words], stdin=stdin, timeout=timeout)


def answers() -> bool:
    """Whether the API server says that it is ready. Asked of any machine in any state: it builds nothing."""
    try:
        context = ssl.create_default_context(cafile=KUBERNETES / "pki" / "ca.crt")
        with urllib.request.urlopen(f"{API}/readyz", timeout=3, context=context) as answer:
            return answer.read() == b"ok"
    except OSError:
        return False


def _network() -> None:
    if NODE_BRIDGE not in machine.our_interfaces():
        run(["ip", "link", "add", NODE_BRIDGE, "type", "bridge"])
    run(["ip", "address", "replace", f"{NODE_ADDRESS}/24", "dev", NODE_BRIDGE])
    run(["ip", "link", "set", NODE_BRIDGE, "up"])
    for address_range in (POD_RANGE, SERVICE_RANGE):  # a fallback: no packet for these leaves the machine
        run(["ip", "route", "replace", address_range, "dev", NODE_BRIDGE])
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


def _write(path: Path, content: t.Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
    return path


def _containerd() -> None:
    local = {
        "type": "host-local",
        "dataDir": str(STATE / "ipam"),
        "ranges": [[{"subnet": POD_RANGE}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    plugins = [
        {"type": "ptp", "ipMasq": False, "ipam": local},
        {"type": "portmap", "capabilities": {"portMappings": True}, "snat": True},
    ]
    _write(STATE / "cni" / "10-sandbox.conflist", {"cniVersion": "0.4.0", "name": "mcp-sandbox", "plugins": plugins})
    mirror = f'[host."http://{REGISTRY}"]\n  capabilities = ["pull", "resolve"]\n'
    _write(STATE / "certs.d" / "ghcr.io" / "hosts.toml", 'server = "https://ghcr.io"\n' + mirror)
    _write(STATE / "certs.d" / REGISTRY / "hosts.toml", f'server = "http://{REGISTRY}"\n' + mirror)
    config = f"""version = 2
root = "{STATE}/containerd"
state = "{RUN}/containerd"
[grpc]
  address = "{SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{REGISTRY}/sandbox/pause:3.10"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{STATE}/cni"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{STATE}/certs.d"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"""
    start_daemon("containerd", ["containerd", "--config", _write(RUN / "containerd.toml", config)])
    wait_for("containerd", SOCKET.exists, 20)


def _kubeadm_config() -> Path:
    def arguments(**values: str) -> list[dict[str, str]]:
        return [{"name": name.replace("_", "-"), "value": value} for name, value in values.items()]

    api = "kubeadm.k8s.io/v1beta4"
    documents = [
        {
            "apiVersion": api,
            "kind": "InitConfiguration",
            "localAPIEndpoint": {"advertiseAddress": NODE_ADDRESS, "bindPort": 6443},
            "nodeRegistration": {
                "name": NODE,
                "criSocket": f"unix://{SOCKET}",
                "taints": [],
                "kubeletExtraArgs": arguments(
                    node_ip=NODE_ADDRESS, containerd=str(SOCKET)
                ),  # cAdvisor looks for it elsewhere
            },
        },
        {
            "apiVersion": api,
            "kind": "ClusterConfiguration",
            "kubernetesVersion": KUBERNETES_VERSION,
            "imageRepository": f"{REGISTRY}/sandbox",
            "networking": {"podSubnet": POD_RANGE, "serviceSubnet": SERVICE_RANGE},
            "apiServer": {"certSANs": ["127.0.0.1", "localhost"]},
            "etcd": {
                "local": {
                    "imageTag": KUBERNETES_VERSION,
                    "dataDir": str(STATE / "etcd"),
                    "extraArgs": arguments(unsafe_no_fsync="true"),
                }
            },
            "dns": {"imageTag": KUBERNETES_VERSION},
            # A leader that can't renew its Lease ends, and comes back with growing pauses; there is nobody here to take over from it.
            # Whoever takes over elsewhere gives the nodes time to be heard of again.
            "controllerManager": {"extraArgs": arguments(leader_elect="false", node_monitor_grace_period="5m0s")},
            "scheduler": {"extraArgs": arguments(leader_elect="false")},
        },
        {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{machine.CGROUP}",
            "failCgroupV1": False,
            "failSwapOn": False,
            "oomScoreAdj": 0,
            "enforceNodeAllocatable": [],
            "evictionHard": {
                "memory.available": "100Mi",
                "nodefs.available": "0%",
                "imagefs.available": "0%",
                "nodefs.inodesFree": "0%",
            },
            "imageGCHighThresholdPercent": 100,
            "maxPods": 220,  # benchmarks make fifty pods and more beside the sandbox's own
        },
        {
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
            "kind": "KubeProxyConfiguration",
            "mode": "iptables",
            "oomScoreAdj": 0,
            "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        },
    ]
    return _write(RUN / "kubeadm.yaml", "\n---\n".join(json.dumps(document) for document in documents))


def _control_plane() -> None:
    _write(machine.MARKER, "made by the sandbox of the mcp.server collection\n")
    KUBELET.mkdir(parents=True, exist_ok=True)
    flags = KUBELET / "kubeadm-flags.env"
    say("kubernetes: kubeadm init")
    LOGS.mkdir(parents=True, exist_ok=True)
    with (LOGS / "kubeadm.log").open("w") as log:
        kubeadm = subprocess.Popen(
            [binaries() / "kubeadm", "init", "--config", _kubeadm_config(), "--skip-phases", "preflight", "--v", "1"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # kubeadm restarts the kubelet through systemctl, where there is one; this kubelet is ours.
            env={**os.environ, "PATH": f"{binaries()}:/usr/sbin:/usr/bin:/sbin:/bin"},
        )
    try:
        wait_for("kubeadm's files for the kubelet", lambda: flags.exists() or kubeadm.poll() is not None, 60)
        extra = flags.read_text().partition("=")[2].strip().strip('"').split() if flags.exists() else []
        kubeconfigs = [
            f"--kubeconfig={KUBERNETES}/kubelet.conf",
            f"--bootstrap-kubeconfig={KUBERNETES}/bootstrap-kubelet.conf",
        ]
        start_daemon("kubelet", [binaries() / "kubelet", *kubeconfigs, f"--config={KUBELET}/config.yaml", *extra])
        wait_for("the control plane", lambda: kubeadm.poll() is not None, 240)
    finally:
        if kubeadm.poll() is None:
            kubeadm.kill()
    if kubeadm.returncode != 0:
        raise SandboxError(
            f"kubeadm init failed: {(LOGS / 'kubeadm.log').read_text().strip().splitlines()[-1]} (whole log: {LOGS}/kubeadm.log)"
        )
    admin = (KUBERNETES / "admin.conf").read_text().replace(f"https://{NODE_ADDRESS}:6443", API)
    _write(ADMIN_KUBECONFIG, admin).chmod(0o600)
    wait_for("the node", lambda: "True" in _node_ready(), 90)


def _node_ready() -> str:
    return kubectl("get", "node", NODE, "-o", 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')
