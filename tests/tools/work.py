# SPDX-License-Identifier: GPL-3.0-or-later
"""How each job of the table is done: the commands, and the copy of the collection that they run in."""

from __future__ import annotations

import contextlib
import json
import os
import random
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import typing as t
import venv
from pathlib import Path

import jobs

ROOT = Path(__file__).resolve().parents[2]
LOGS = Path(tempfile.gettempdir()) / f"mcp-server-test-{secrets.token_hex(4)}"
INFO = Path("/var/lib/mcp-sandbox/sandbox.json")
# ansible-test fetches get-pip from a host of its own; this stands in for it with what Python brings along.
GET_PIP = """import subprocess, sys
subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL)
words = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", *words]))
"""
# What speaks to the cluster.
API_PACKAGES = ("_kubernetes", "_release", "_workload")
# Jobs without a virtual environment
WITH_OWN_TOOLS = ("sandbox", "traefik", "kustomize_controller", "vegeta", "strangers_images", "site", "recovery")
# Nice values: the cluster comes before the tests, whose time limits are those of what it does.
NICE, NICE_LOW = 5, 10
# Where Linux groups processes by session, which each Ansible task has for itself, nice values count for nothing.
BY_SESSION = Path("/proc/sys/kernel/sched_autogroup_enabled")
UNIT_UTILS = "tests/unit/plugins/module_utils"
# What tests draw by chance is drawn by this, so that a run can be repeated.
SEED = os.environ.get("MCP_TEST_SEED") or str(random.randrange(10**6))

RUNNING: set[subprocess.Popen[bytes]] = set()
STOPPED = threading.Event()


class Spent(threading.local):
    """cpu: CPU seconds of the commands that this thread ran, with all their children that ended."""

    cpu = 0.0


SPENT = Spent()


def collection(folder: Path) -> Path:
    """Return where the collection is below a folder that ansible-test and Ansible find it in."""
    return folder / "ansible_collections" / "mcp" / "server"


COPY = collection(LOGS / "collections")


class Tools:
    """Commands that run with one virtual environment's tools, and print into one log. low_priority: as of a Job."""

    def __init__(
        self, name: str, log: t.TextIO, folder: Path = LOGS / "collections", *, low_priority: bool = False
    ) -> None:
        self.bin = venv.make(name) / "bin"
        (library,) = (self.bin.parent / "lib").glob("python3.*")
        self.python = library.name.removeprefix("python")
        self.copy = collection(folder)
        self.log = log
        self.nice = NICE_LOW if low_priority else NICE
        # ansible-test takes a pyenv shim for the Python that it is named after.
        path = [place for place in os.get_exec_path() if not place.endswith("/shims")]
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
            "PATH": os.pathsep.join([str(self.bin), *path]),
            "LC_ALL": "C.UTF-8",
            "PIP_NO_INPUT": "1",
            "ANSIBLE_COLLECTIONS_PATH": str(folder),
            "PYTHONPATH": str(folder),
        }

    def __call__(self, *words: str | Path, cwd: Path | None = None, minutes: float = 10, **environment: str) -> None:
        """Run a command. Raises CalledProcessError or TimeoutExpired."""
        command(
            self.log,
            *words,
            cwd=cwd or self.copy,
            minutes=minutes,
            environment={**self.environment, **environment},
            nice=self.nice,
        )


def command(
    log: t.TextIO,
    *words: str | Path,
    cwd: Path,
    minutes: float,
    environment: t.Mapping[str, str] | None = None,
    nice: int = 0,
) -> None:
    """Run a command; end it with its children when it is late. Raise CalledProcessError or TimeoutExpired."""
    log.write(f"$ {' '.join(map(str, words))}\n")
    log.flush()
    process = subprocess.Popen(
        ["nice", "-n", str(nice), *map(str, words)],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    RUNNING.add(process)
    try:
        _wait(process, 60 * minutes)
    finally:
        RUNNING.discard(process)
        if process.poll() is None:  # too slow, or we are stopped: its children go with it
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, words)


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait for a process as Popen.wait does, and add its CPU time to SPENT. Raises TimeoutExpired."""
    end = time.monotonic() + seconds
    while True:
        found, status, usage = os.wait4(process.pid, os.WNOHANG)
        if found:
            process.returncode = os.waitstatus_to_exitcode(status)
            SPENT.cpu += usage.ru_utime + usage.ru_stime
            return
        if time.monotonic() > end:
            raise subprocess.TimeoutExpired(process.args, seconds)
        time.sleep(0.1)


@contextlib.contextmanager
def priorities() -> t.Iterator[None]:
    """Have nice values count, where we may."""
    before = None
    with contextlib.suppress(OSError):
        before = BY_SESSION.read_text()
        BY_SESSION.write_text("0")
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if before is not None:
                BY_SESSION.write_text(before)


def copy(log: t.TextIO) -> None:
    """ansible-test wants .../ansible_collections/NAMESPACE/NAME and a git repository: what git knows or would know of
    ours.
    """
    listed = ["git", "ls-files", "-coz", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True).stdout
    for name in filter(None, names.decode().split("\0")):
        source, target = ROOT / name, COPY / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink() or source.is_file():
            shutil.copy2(source, target, follow_symlinks=False)
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost")
    for words in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-q", "-m", "copy")):
        command(log, "git", *words, cwd=COPY, minutes=1)
    key = Path.home() / ".ansible" / "test" / "id_rsa"
    if not key.exists():  # each ansible-test would make it, and two at once fail
        key.parent.mkdir(parents=True, exist_ok=True)
        command(log, "ssh-keygen", "-m", "PEM", "-q", "-t", "rsa", "-N", "", "-f", key, cwd=COPY, minutes=1)


def sandbox_says() -> dict[str, t.Any]:
    """Return the state of the sandbox, see `python3 -m sandbox status`."""
    status = [sys.executable, "-m", "sandbox", "status"]
    return json.loads(subprocess.run(status, cwd=ROOT, check=True, capture_output=True, text=True).stdout)


class Work:
    """kind: test or soak."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def do(self, one: jobs.Running, log: t.TextIO) -> None:
        """Do a job. Raises CalledProcessError, TimeoutExpired, OSError, ValueError, and NoPython where it can't be
        tried.
        """
        if one.lane is not None:
            self._integration(one.job.targets, one.lane, log)
        elif one.job.name in WITH_OWN_TOOLS:
            getattr(self, f"_{one.job.name}")(log)
        else:
            tools = Tools(one.job.environment, log, low_priority=one.job.low_priority)
            getattr(self, f"_{one.job.name}")(tools)

    def _lint(self, run: Tools) -> None:
        run("ruff", "check", ".")
        run("ruff", "format", "--check", ".")
        run("mypy", "-p", "ansible_collections.mcp.server.plugins")
        run("yamllint", "-s", ".")
        run("ansible-lint", "--offline", "--profile", "production")
        run("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=dependent", ".")
        run("antsibull-changelog", "lint")

    def _sanity(self, run: Tools, *words: str) -> None:
        """All tests of ansible-test; pylint, which takes as long as all others together, in `make soak` only."""
        if self.kind != "soak" and "pylint" not in words:
            words = (*words, "--skip-test", "pylint")
        cache = Path.home() / ".ansible" / "test" / "cache"
        cache.mkdir(parents=True, exist_ok=True)
        for version in ("24_2", "25_2"):
            if not (cache / f"get_pip_{version}.py").exists():
                (cache / f"get_pip_{version}.py").write_text(GET_PIP)
        # Neither is in the artifact: a link to this very folder, and manifests of several YAML documents.
        left_out = ("--exclude", "playbooks/collections/", "--exclude", "sandbox/manifests/")
        run("ansible-test", "sanity", *left_out, *words, "--local", "--python", run.python, "--color", "no", minutes=20)

    def _sanity_newest_core(self, run: Tools) -> None:
        """All but what goes by the code alone, or is in tests/plays too (each module is imported by this core's
        Python), and takes most of the time.
        """
        alike = ("pylint", "pep8", "yamllint", "import")
        self._sanity(run, *(word for test in alike for word in ("--skip-test", test)))

    def _pytest(self, run: Tools, *words: str, minutes: float = 10, **environment: str) -> None:
        run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", *words, minutes=minutes, **environment)

    def _unit(self, run: Tools, *words: str) -> None:
        self._pytest(run, "--durations=20", "--durations-min=2", *words, minutes=30)

    def _unit_modules(self, run: Tools) -> None:
        self._unit(run, f"{UNIT_UTILS}/_modules")

    def _unit_utils(self, run: Tools) -> None:
        self._unit(run, UNIT_UTILS, f"--ignore={UNIT_UTILS}/_modules")

    def _unit_plugins(self, run: Tools) -> None:
        """The rest: plays, playbooks, pages, the sandbox's server and the tools."""
        self._unit(run, "tests/unit", f"--ignore={UNIT_UTILS}")

    def _unit_oldest_client(self, run: Tools) -> None:
        """What speaks to the cluster, with the oldest kubernetes library that requirements.txt allows."""
        self._pytest(run, *(f"{UNIT_UTILS}/{one}" for one in API_PACKAGES))

    def _plays(self, run: Tools) -> None:
        """Plays that need no cluster: how tasks run, in which process, and how they are stopped."""
        self._pytest(run, "tests/plays")

    def _plays_newest_core(self, run: Tools) -> None:
        """All but the payloads for AWX, which are the same whatever sends them."""
        self._pytest(run, "tests/plays", "--ignore=tests/plays/test_controller.py")

    def _matrix(self, run: Tools) -> None:
        """mcp_health against real MCP servers, with the machine's own Go and Node."""
        path = os.pathsep.join([str(run.bin), os.environ["PATH"]])
        self._pytest(run, "tests/matrix", PATH=path, MCP_TEST_KIND=self.kind)

    def _histories(self, run: Tools) -> None:
        """The whole matrix of histories, of which the unit tests have a part."""
        test = "tests/unit/plugins/module_utils/_replay/test_histories.py"
        self._pytest(run, "-s", test, minutes=30, MCP_TEST_KIND=self.kind)

    def _package(self, run: Tools) -> None:
        """The artifact is the same each time, passes Galaxy's importer, and works when it is installed."""
        self._pytest(run, "--durations=5", "tests/package", minutes=20, MCP_TEST_KIND=self.kind)
        run("python", "tests/tools/build_artifact.py", LOGS)
        (artifact,) = LOGS.glob("mcp-server-*.tar.gz")
        run("python", "-m", "galaxy_importer.main", artifact, cwd=LOGS, GALAXY_IMPORTER_CHECK_REQUIRED_TAGS="true")
        installed = LOGS / "installed"
        # Of this path alone: beside the copy of the checkout nothing would be installed, and the copy would be tried.
        alone = {"ANSIBLE_COLLECTIONS_PATH": str(installed), "PYTHONPATH": str(installed)}
        run("ansible-galaxy", "collection", "install", "--offline", "-p", installed, artifact, **alone)
        modules = sorted(path.stem for path in (COPY / "plugins" / "modules").glob("mcp_*.py"))
        names = [f"mcp.server.{name}" for name in modules]
        run("ansible-doc", "-t", "module", *names, cwd=LOGS, **alone)
        examples = collection(installed) / "docs" / "examples"
        for book in ("mcp.server.bluegreen", examples / "release.yml"):
            words = (
                "ansible-playbook",
                book,
                "-i",
                examples / "inventory.yml",
                "--syntax-check",
                "-e",
                "version=v1.2.0",
            )
            run(*words, cwd=LOGS, **alone)

    def _sandbox(self, log: t.TextIO) -> None:
        # With the machine's own PATH: the tools' one has no Go.
        command(log, sys.executable, "-m", "sandbox", "up", cwd=ROOT, minutes=40)

    def _traefik(self, log: t.TextIO) -> None:
        command(log, sys.executable, "-m", "sandbox.traefik", cwd=ROOT, minutes=25)

    def _gateway_api(self, run: Tools) -> None:
        """HTTPRoutes on the real Traefik, a second implementation of the Gateway API."""
        self._pytest(run, "tests/gateway_api")

    def _kustomize_controller(self, log: t.TextIO) -> None:
        command(log, sys.executable, "-m", "sandbox.flux", cwd=ROOT, minutes=25)

    def _vegeta(self, log: t.TextIO) -> None:
        command(log, sys.executable, "-m", "sandbox.load_tool", cwd=ROOT, minutes=10)

    def _strangers_images(self, log: t.TextIO) -> None:
        script = ROOT / "tests" / "strangers" / "images.py"
        words = [] if self.kind == "soak" else ["--short"]
        command(log, sys.executable, script, *words, cwd=ROOT, minutes=25)

    def _site(self, log: t.TextIO) -> None:
        """The site of `make docs`, built where it is found again the next time, and looked at in a browser."""
        command(log, sys.executable, "-m", "sandbox.browser", cwd=ROOT, minutes=20)
        python, folder = venv.make("docs") / "bin" / "python", venv.CACHE / "site"
        command(log, python, COPY / "tests" / "tools" / "documentation.py", folder, cwd=COPY, minutes=20)
        environment = {**os.environ, "MCP_TEST_SITE": str(folder / "html"), "MCP_TEST_KIND": self.kind}
        words = (python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/site")
        command(log, *words, cwd=COPY, minutes=20, environment=environment)

    def _recovery(self, log: t.TextIO) -> None:
        """Killed and started from another checkout; then taken away without a trace."""
        for words, checkout in (("kill", ROOT), ("up", COPY), ("down", COPY)):
            command(log, sys.executable, "-m", "sandbox", words, cwd=checkout, minutes=10)
        interfaces = [name for name in os.listdir("/sys/class/net") if name.startswith(("veth", "mcp"))]
        if (left := sandbox_says()["leftovers"]) or interfaces:
            raise ValueError(f"left behind: {left} {interfaces}")

    def servers(self) -> list[dict[str, str]]:
        """Return what tests need to know of each example server that they may use at the same time."""
        if os.environ.get("KUBECONFIG"):
            given = {"kubeconfig": "KUBECONFIG", "namespace": "MCP_NAMESPACE", "host": "MCP_HOST"}
            defaults = {"namespace": "mcp-sandbox", "host": "mcp.sandbox.example"}
            return [{key: os.environ.get(name) or defaults.get(key, "") for key, name in given.items()}]
        return json.loads(INFO.read_text())["servers"] if INFO.exists() else []

    def lanes(self) -> int:
        return len(self.servers())

    def _integration(self, targets: t.Sequence[str], lane: int, log: t.TextIO) -> None:
        """ansible-test hands no environment on: what the targets need to know is in the file that it reads, in a copy
        of the lane's own.
        """
        folder = LOGS / f"lane-{lane}"
        root = collection(folder)
        if not root.exists():
            shutil.copytree(COPY, root, symlinks=True)
        config = {**self._config(lane), "root": str(root), "soak": self.kind == "soak", "seed": SEED}
        (root / "tests" / "integration" / "integration_config.yml").write_text(json.dumps(config))
        run = Tools("tools", log, folder)
        run(
            "ansible-test",
            "integration",
            "--local",
            "--python",
            run.python,
            "--color",
            "no",
            "--continue-on-error",
            *targets,
            minutes=30,
        )

    def _config(self, lane: int) -> dict[str, t.Any]:
        server = self.servers()[lane]
        config = {
            "image": "ghcr.io/org/mcp-server",
            "admin_kubeconfig": "",
            "prometheus_url": "none",
            "kubeconfig": server["kubeconfig"],
            "test_namespace": server["namespace"],  # namespace is a reserved name in plays
            "public_host": server["host"],
        }
        given = {"public_url": "MCP_URL", "registry_url": "MCP_REGISTRY", "prometheus_url": "MCP_PROMETHEUS"}
        named = {key: os.environ[name] for key, name in given.items() if os.environ.get(name)}
        if not os.environ.get("KUBECONFIG"):  # another cluster has none of these, and needs no administrator
            info = json.loads(INFO.read_text())
            known = ("image", "admin_kubeconfig", "prometheus_url", "alertmanager_url", "public_url", "registry_url")
            config |= {key: info[key] for key in known}
        return config | named
