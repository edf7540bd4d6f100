# SPDX-License-Identifier: GPL-3.0-or-later
"""All checks, or those named: run.py [lint sanity unit matrix package sandbox integration[:TARGET] recovery]. CI runs them all."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import typing as t
import venv
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOGS = Path(tempfile.mkdtemp(prefix="mcp-server-test-"))
COLLECTIONS = LOGS / "collections"
COPY = COLLECTIONS / "ansible_collections" / "mcp" / "server"
INFO = Path("/var/lib/mcp-sandbox/sandbox.json")
# ansible-test fetches get-pip from a host of its own; this stands in for it with what Python brings along.
GET_PIP = """import subprocess, sys
subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL)
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install"] + [a for a in sys.argv[1:] if a not in ("--no-setuptools", "--no-wheel")]))
"""
# Integration targets that run beside the others, on the sandbox's second server; and those during which nothing else may run.
BESIDE = ("mcp_guard", "releases", "rollbacks")
ALONE = ("load", "monitoring", "outages", "triggers")

RUNNING: set[subprocess.Popen[bytes]] = set()
STOPPED = threading.Event()


class Stages:
    """venv: the folder of the tools' executables."""

    def __init__(self, venv: Path) -> None:
        self.venv = venv
        (library,) = (venv.parent / "lib").glob("python3.*")
        self.python = library.name.removeprefix("python")
        # ansible-test takes a pyenv shim for the Python that it is named after.
        path = [folder for folder in os.get_exec_path() if not folder.endswith("/shims")]
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
            "PATH": os.pathsep.join([str(venv), *path]),
            "LC_ALL": "C.UTF-8",
            "PIP_NO_INPUT": "1",
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "PYTHONPATH": str(COLLECTIONS),
        }
        self.log: t.TextIO = sys.stdout
        self.targets: list[str] = []

    def do(self, *words: str | Path, cwd: Path = COPY, minutes: float = 10, **environment: str) -> None:
        """Raises CalledProcessError or TimeoutExpired."""
        self.log.write(f"$ {' '.join(map(str, words))}\n")
        self.log.flush()
        process = subprocess.Popen(
            [str(word) for word in words],
            cwd=cwd,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        RUNNING.add(process)
        try:
            status = process.wait(60 * minutes)
        finally:
            RUNNING.discard(process)
            if process.poll() is None:  # too slow, or we are stopped: its children go with it
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        if status:
            raise subprocess.CalledProcessError(status, words)

    def copy(self) -> None:
        """ansible-test wants .../ansible_collections/NAMESPACE/NAME and a git repository: what git knows or would know of ours."""
        names = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True).stdout
        for name in filter(None, names.decode().split("\0")):
            source, target = ROOT / name, COPY / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_symlink() or source.is_file():
                shutil.copy2(source, target, follow_symlinks=False)
        git = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost"]
        self.do("git", "init", "-q")
        self.do("git", "add", "-A")
        self.do(*git, "commit", "-q", "-m", "copy")

    def lint(self) -> None:
        self.do("ruff", "check", ".")
        self.do("yamllint", "-s", ".")
        self.do("ansible-lint", "--offline", "--profile", "production")
        self.do("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=dependent", ".")
        self.do("antsibull-changelog", "lint")

    def sanity(self) -> None:
        cache = Path.home() / ".ansible" / "test" / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        for version in ("24_2", "25_2"):
            if not (cache / f"get_pip_{version}.py").exists():
                (cache / f"get_pip_{version}.py").write_text(GET_PIP)
        # Neither is in the artifact: a link to this very folder, and manifests of several YAML documents.
        left_out = ("--exclude", "playbooks/collections/", "--exclude", "sandbox/manifests/")
        self.do("ansible-test", "sanity", *left_out, "--local", "--python", self.python, "--color", "no", minutes=20)

    sanity_newest_core = sanity

    def unit(self) -> None:
        self.do("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit")

    def unit_oldest_client(self) -> None:
        """What speaks to the cluster, with the oldest kubernetes library that requirements.txt allows."""
        self.do("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/plugins/module_utils/_cluster")

    def matrix(self) -> None:
        """mcp_health against real MCP servers, with the machine's own Go and Node."""
        path = os.pathsep.join([str(self.venv), os.environ["PATH"]])
        self.do("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/matrix", PATH=path)

    def package(self) -> None:
        """The artifact passes Galaxy's importer, and works when it is installed."""
        self.do("ansible-galaxy", "collection", "build", "--force", "--output-path", LOGS)
        (artifact,) = LOGS.glob("mcp-server-*.tar.gz")
        self.do("python", "-m", "galaxy_importer.main", artifact, cwd=LOGS, GALAXY_IMPORTER_CHECK_REQUIRED_TAGS="true")
        installed = LOGS / "installed"
        self.do("ansible-galaxy", "collection", "install", "--offline", "-p", installed, artifact)
        modules = sorted(path.stem for path in (COPY / "plugins" / "modules").glob("mcp_*.py"))
        names = [f"mcp.server.{name}" for name in modules]
        self.do("ansible-doc", "-t", "module", *names, cwd=LOGS, ANSIBLE_COLLECTIONS_PATH=str(installed))
        playbook = ("ansible-playbook", "mcp.server.bluegreen", "-i", ROOT / "inventory" / "sandbox", "--syntax-check", "-e", "version=v1.2.0")
        self.do(*playbook, cwd=LOGS, ANSIBLE_COLLECTIONS_PATH=str(installed))

    def sandbox(self) -> None:
        # With the machine's own PATH: the tools' one has no Go.
        self.do(sys.executable, "-m", "sandbox", "up", cwd=ROOT, minutes=40, PATH=os.environ["PATH"])

    def integration(self) -> None:
        """The targets in two lanes, each with a copy of the example server of its own; then those that trouble the whole cluster."""
        info = json.loads(INFO.read_text()) if INFO.exists() else {}
        second = info.pop("second", None)
        info.pop("namespace", None)  # a reserved name in plays
        defaults = {
            "test_namespace": "mcp-sandbox",
            "image": "ghcr.io/org/mcp-server",
            "public_host": "mcp.sandbox.example",
            "admin_kubeconfig": "",
            "prometheus_url": "none",
        }
        given = {
            "kubeconfig": "KUBECONFIG",
            "public_url": "MCP_URL",
            "registry_url": "MCP_REGISTRY",
            "test_namespace": "MCP_NAMESPACE",
            "public_host": "MCP_HOST",
            "prometheus_url": "MCP_PROMETHEUS",
        }
        named = {key: os.environ[name] for key, name in given.items() if os.environ.get(name)}
        if "kubeconfig" in named:
            # Another cluster: it has one server, and what needs an administrator's rights is left out there.
            info.pop("admin_kubeconfig", None)
            second = None
        config = {**defaults, **info, **named}
        targets = self.targets or sorted(os.listdir(COPY / "tests" / "integration" / "targets"))
        alone = [target for target in targets if target in ALONE]
        beside = [target for target in targets if target in BESIDE] if second else []
        first = [target for target in targets if target not in (*alone, *beside)]
        key = Path.home() / ".ansible" / "test" / "id_rsa"
        if not key.exists():  # each ansible-test would make it, and two at once fail
            key.parent.mkdir(parents=True, exist_ok=True)
            self.do("ssh-keygen", "-m", "PEM", "-q", "-t", "rsa", "-N", "", "-f", key)
        threads = []
        if beside:
            theirs = {"test_namespace": second["namespace"], "public_host": second["host"], "kubeconfig": second["kubeconfig"]}
            threads.append(threading.Thread(target=self._lane, args=("second", beside, {**config, **theirs})))
        self.failures: list[str] = []
        for thread in threads:
            thread.start()
        self._lane("first", first, config)
        for thread in threads:
            thread.join()
        self._lane("alone", alone, config)
        if self.failures:
            raise ValueError(f"failed: {', '.join(self.failures)}")

    def _lane(self, name: str, targets: list[str], config: dict[str, t.Any]) -> None:
        """ansible-test hands no environment on: what the targets need to know is in the file that it reads, in a copy of the lane's own."""
        if not targets:
            return
        root = LOGS / name / "ansible_collections" / "mcp" / "server"
        shutil.copytree(COPY, root, symlinks=True)
        (root / "tests" / "integration" / "integration_config.yml").write_text(json.dumps({**config, "root": str(root)}))
        lane = Stages(self.venv)
        lane.environment |= {"ANSIBLE_COLLECTIONS_PATH": str(LOGS / name), "PYTHONPATH": str(LOGS / name)}
        with (LOGS / f"integration-{name}.log").open("w") as lane.log:
            for target in targets:
                if STOPPED.is_set():
                    return
                start = time.monotonic()
                try:
                    lane.do("ansible-test", "integration", "--local", "--python", self.python, "--color", "no", target, cwd=root, minutes=30)
                except (subprocess.SubprocessError, OSError) as error:
                    self.failures.append(target)
                    lane.log.write(f"{error}\n")
                    lane.log.flush()
                    self.log.write("\n".join([f"--- {target} failed, the end of {lane.log.name}:", *tail(Path(lane.log.name), 60)]) + "\n")
                self.log.write(f"{name} lane: {target} {'FAILED' if target in self.failures else 'passed'} in {time.monotonic() - start:.0f} s\n")
                self.log.flush()

    def recovery(self) -> None:
        """Killed and started from another checkout; then taken away without a trace."""
        sandbox = (sys.executable, "-m", "sandbox")
        for command, checkout in (("kill", ROOT), ("up", COPY), ("down", COPY)):
            self.do(*sandbox, command, cwd=checkout, PATH=os.environ["PATH"])
        status = subprocess.run([*sandbox, "status"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
        interfaces = [name for name in os.listdir("/sys/class/net") if name.startswith(("veth", "mcp"))]
        if json.loads(status)["leftovers"] or interfaces:
            raise ValueError(f"left behind: {status} {interfaces}")


# Stages that run in a virtual environment of their own, by the name that venv.py gives it.
VENVS = {"sanity_newest_core": "newest-core", "unit_oldest_client": "oldest-client"}


def tail(log: Path, lines: int) -> list[str]:
    return log.read_text(errors="replace").strip().splitlines()[-lines:]


def sandbox_is_up() -> bool:
    status = subprocess.run([sys.executable, "-m", "sandbox", "status"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return json.loads(status)["state"] == "up"


@contextmanager
def heartbeat(name: str, log: Path) -> t.Iterator[None]:
    """Every half minute, where a long stage is: the last line of its log."""
    start, over = time.monotonic(), threading.Event()

    def beat() -> None:
        while not over.wait(30):
            print(f"{name}: {time.monotonic() - start:.0f} s, {(tail(log, 1) or [''])[0][:120]}", flush=True)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def main() -> int:
    stages = ["copy", "lint", "sanity", "sanity_newest_core", "unit", "unit_oldest_client", "matrix", "package", "sandbox", "integration", "recovery"]
    wanted = list(dict.fromkeys(word.partition(":")[0] for word in sys.argv[1:])) or stages
    if os.environ.get("KUBECONFIG"):
        wanted = [name for name in wanted if name not in ("sandbox", "recovery")]
    was_up = "sandbox" in wanted and not os.environ.get("CI") and sandbox_is_up()
    if was_up:  # somebody works with it
        wanted = [name for name in wanted if name != "recovery"]
    signal.signal(signal.SIGTERM, lambda *_args: sys.exit("stopped"))
    failed: list[str] = []
    skipped: list[str] = []
    print(f"logs: {LOGS}", flush=True)
    try:
        for name in ["copy", *(name for name in wanted if name != "copy")]:
            start, log = time.monotonic(), LOGS / f"{name}.log"
            print(f"{name} ...", flush=True)
            try:
                todo = Stages(venv.make(VENVS.get(name, "tools")) / "bin")
            except venv.NoPython as error:
                print(f"{name}: skipped, {error}", flush=True)
                skipped.append(name)
                continue
            todo.targets = [word.partition(":")[2] for word in sys.argv[1:] if ":" in word]
            with log.open("w") as todo.log, heartbeat(name, log):
                try:
                    getattr(todo, name)()
                except (subprocess.SubprocessError, OSError, ValueError) as error:
                    failed.append(name)
                    todo.log.write(f"{error}\n")
            print(f"{name}: {'FAILED' if name in failed else 'passed'} in {time.monotonic() - start:.0f} s", flush=True)
            if name in failed:
                print("\n".join(tail(log, 200)), flush=True)
    finally:
        STOPPED.set()
        for process in list(RUNNING):  # of the other lane, when we are stopped
            os.killpg(process.pid, signal.SIGKILL)
        if "sandbox" in wanted and not was_up:
            subprocess.run([sys.executable, "-m", "sandbox", "down"], cwd=ROOT, check=False)
    total = len({"copy", *wanted})
    print(f"{total - len(failed) - len(skipped)} passed, {len(failed)} failed, {len(skipped)} skipped", flush=True)
    return 1 if failed else 0


sys.exit(main())
