"""What others install: units and image that are linted and hardened, licences that allow it, a bill of materials, one version."""

from __future__ import annotations

import configparser
import importlib.util
import json
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.environment import DEFAULTS
from tests.test_docs import commands

ROOT = Path(__file__).parent.parent
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
BIN = Path(sys.executable).parent
HARDENED = {
    "NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes", "UMask": "0077",
    "CapabilityBoundingSet": "", "SystemCallFilter": "@system-service", "User": "stancewatch", "StateDirectoryMode": "0700",
}  # fmt: skip


def unit(path: Path) -> configparser.ConfigParser:
    read = configparser.ConfigParser(strict=False, interpolation=None, delimiters=["="])
    read.optionxform = str  # type: ignore[method-assign,assignment]
    read.read(path)
    return read


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_runs_what_there_is_with_few_rights(path: Path) -> None:
    service = unit(path)["Service"]
    assert {name: service.get(name) for name in HARDENED} == HARDENED
    program, *words = service["ExecStart"].split()
    assert program in {"/opt/stancewatch/bin/stancewatch", "/opt/stancewatch/bin/prefect"}
    if program.endswith("stancewatch"):
        assert words[0] in commands()
    assert "0.0.0.0" not in path.read_text(encoding="utf-8")


def test_the_server_of_the_unit_is_set_as_that_of_serve() -> None:
    text = (ROOT / "deploy" / "systemd" / "stancewatch-server.service").read_text(encoding="utf-8")
    for name, value in DEFAULTS.items():
        if name.startswith("PREFECT_SERVER_") and "EPHEMERAL" not in name:
            assert f"Environment={name}={value}\n" in text


def test_the_timer_is_of_a_service_that_there_is() -> None:
    (timer,) = (ROOT / "deploy" / "systemd").glob("*.timer")
    assert timer.with_suffix(".service") in UNITS
    assert unit(timer)["Timer"]["OnUnitInactiveSec"]


def test_systemd_takes_the_units_and_calls_them_safe(tmp_path: Path) -> None:
    """Where there is no systemd, the test above has to do."""
    verifier = shutil.which("systemd-analyze")
    for path in (ROOT / "deploy" / "systemd").glob("*.[st]*"):
        text = path.read_text(encoding="utf-8").replace("/opt/stancewatch/bin/", f"{BIN}/")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    names = [path.name for path in (*UNITS, *(ROOT / "deploy" / "systemd").glob("*.timer"))]
    assert len(names) == 4
    if verifier:
        done = subprocess.run(
            [verifier, "verify", "--man=no", *(f"./{name}" for name in names)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        for path in UNITS:
            asked = [verifier, "security", "--offline=true", "--threshold=20", "--no-pager", f"./{path.name}"]
            done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout


def test_the_containerfile_is_linted_and_gives_no_rights() -> None:
    path = ROOT / "deploy" / "Containerfile"
    done = subprocess.run([BIN / "hadolint", str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    text = path.read_text(encoding="utf-8")
    last = text.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert re.search(r'^HEALTHCHECK .* CMD \["stancewatch", "status", "--brief"\]$', last, re.MULTILINE)
    (told,) = re.findall(r'^CMD \["(\w+)"\]$', last, re.MULTILINE)
    assert told in commands()
    for name in re.findall(r"^COPY ([^-].*) \S+$", text, re.MULTILINE):
        assert all((ROOT / one).exists() for one in name.split()), name


def licences() -> ModuleType:
    spec = importlib.util.spec_from_file_location("licences", ROOT / "tools" / "licences.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_dependency_has_a_licence_that_allows_it() -> None:
    tool = licences()
    needed = tool.needed()
    assert {"duckdb", "prefect", "lxml", "pebble", "psycopg", "opentelemetry-sdk"} <= set(needed)
    assert {
        name: tool.licences(one)
        for name, one in needed.items()
        if not tool.allowed(tool.licences(one)) and name not in tool.BY_NAME
    } == {}
    assert set(tool.BY_NAME) <= set(needed), "an exception that nothing needs any more"


@pytest.mark.parametrize(
    ("expression", "fine"),
    [("MIT", True), ("AGPL-3.0", False), ("MIT OR GPL-3.0", True), ("MIT AND GPL-3.0", False), ("MPL-2.0 AND (Apache-2.0 OR MIT)", True), ("unknown", False), ("", False)],
)  # fmt: skip
def test_the_list_is_read_as_it_is_meant(expression: str, fine: bool) -> None:
    assert licences().allowed(expression) is fine


def test_the_bill_of_materials_names_what_is_installed(tmp_path: Path) -> None:
    """As `make sbom` makes it, without its check against the schema, which takes most of its time."""
    goal = tmp_path / "stancewatch.cdx.json"
    recipe = re.search(
        r"^\t\$\(BIN\)/(cyclonedx-py .*) -o ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert recipe
    program, *words = recipe[1].split()
    subprocess.run([BIN / program, *words, "--no-validate", "-o", str(goal)], check=True, capture_output=True)
    made = json.loads(goal.read_text(encoding="utf-8"))
    assert made["bomFormat"] == "CycloneDX"
    listed = {part["name"].lower(): part["version"] for part in made["components"]}
    for name in ("duckdb", "prefect", "trafilatura", "stancewatch"):
        assert listed[name] == metadata.version(name)


def test_the_version_is_that_of_the_package() -> None:
    said = CliRunner().invoke(app, ["--version"])
    assert (said.exit_code, said.stdout) == (0, f"stancewatch {metadata.version('stancewatch')}\n")


def test_the_version_is_the_tag_and_something_without_one(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        named = [
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "-c",
            "commit.gpgsign=false",
            "-c",
            "tag.gpgsign=false",
        ]
        subprocess.run(["git", *named, *words], cwd=tmp_path, check=True, capture_output=True)

    def version() -> str:
        done = subprocess.run(
            [sys.executable, "-m", "hatchling", "version"], cwd=tmp_path, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    assert version() == "0.0.0", "an archive of the sources"
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "one")
    assert re.match(r"0\.\d+(\.\d+)?\.?dev1\+g", version()), "a clone without tags"
    git("tag", "v0.3.0")
    assert version() == "0.3.0"
    git("commit", "-qm", "two", "--allow-empty")
    assert version().startswith("0.3.1.dev1+g")
    shutil.rmtree(tmp_path / ".git")
    (tmp_path / "PKG-INFO").write_text("Metadata-Version: 2.4\nName: stancewatch\nVersion: 0.3.0\n", encoding="utf-8")
    assert version() == "0.3.0", "an sdist"


def test_the_changelog_begins_with_what_is_not_released() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)
    assert heads[0] == "Unreleased"
    assert "0.1.0" in heads
    assert len(set(heads)) == len(heads)
