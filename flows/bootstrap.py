"""Everything that a Prefect server must know, by one command that can be given again: pool, alerts, deployments, automations.

In: a server. Out: what was made, changed or left, a line a thing. Run twice it changes nothing; what an
operator set by hand (the pool's limit, a paused schedule, a disabled automation) stays.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

import httpx
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.responses import DeploymentResponse
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL, temporary_settings
from pydantic import SecretStr
from ruamel.yaml import YAML

from flows.automations import ALERTS, Alert, automations
from pipeline.errors import ConfigError

POOL = TAG = "stancewatch"
MOST_AT_ONCE = 4  # flow runs of one pool: each that labels loads a model of its own
PACKAGE, DEFINITION = files("flows"), "prefect.yaml"


def bootstrap(api: str, say: Callable[[str], None], alert_url: str | None = None) -> None:
    """Bring a server to what this version of the package needs, and say what was done.

    `alert_url` is where alerts are posted; it is kept in a block of the server, and None leaves that block as it is. Raises
    ConfigError where the server does not answer or refuses a deployment.
    """
    with _client(api) as client:
        say(f"work pool {POOL}: {_pool(client)}")
        if alert_url:
            say(f"block webhook/{ALERTS}: {_webhook(alert_url)}")
        before = _deployments(client)
        if set(before) != _names() or not all(map(_is_current, before.values())):
            deploy(api)
        known = _deployments(client)
        for name, each in known.items():
            say(f"deployment {name}: {_difference(before.get(name), each)}")
        alerts = _alerts(client)
        say(f"alerts go to: {', '.join(alerts) or f'the event feed alone, there is no block {ALERTS}'}")
        for wanted in automations(known["publish"].id, list(alerts.values())):
            say(f"automation {wanted.name}: {_automation(client, wanted)}")


def deployed_version() -> str:
    """Return the version of the package with a hash of what defines the deployments: a changed parameter deploys anew."""
    modules = sorted({each["entrypoint"].split(":")[0].removeprefix("flows.") for each in _defined()})
    text = b"".join((PACKAGE / name).read_bytes() for name in (DEFINITION, *(f"{module}.py" for module in modules)))
    return f"{version('stancewatch')}+{hashlib.sha256(text).hexdigest()[:8]}"


def deploy(api: str) -> None:
    """Register the deployments of the package's prefect.yaml; their runs work in the folder that this one was called in."""
    environment = {**os.environ, "PREFECT_API_URL": api, "DEPLOYED_VERSION": deployed_version()}
    arguments = ("--no-prompt", "deploy", "--all", "--prefect-file", str(PACKAGE / DEFINITION))
    done = subprocess.run(
        [sys.executable, "-m", "prefect", *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ConfigError(f"`prefect {' '.join(arguments)}` failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")


@contextmanager
def _client(api: str) -> Iterator[SyncPrefectClient]:
    with temporary_settings({PREFECT_API_URL: api}), get_client(sync_client=True) as client:
        try:
            client.hello()
        except httpx.HTTPError as error:
            raise ConfigError(
                f"no Prefect server answers at {api}: {error}; start one, or name it with --api"
            ) from error
        yield client


@cache
def _defined() -> list[dict[str, Any]]:
    """Return the deployments of prefect.yaml."""
    found: dict[str, Any] = YAML(typ="safe").load((PACKAGE / DEFINITION).read_text(encoding="utf-8"))
    return list(found["deployments"])


def _names() -> set[str]:
    return {each["name"] for each in _defined()}


def _pool(client: SyncPrefectClient) -> str:
    try:
        pool = client.read_work_pool(POOL)
    except ObjectNotFound:
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process", concurrency_limit=MOST_AT_ONCE))
        return f"made, {MOST_AT_ONCE} runs at once"
    if pool.concurrency_limit is None:
        return "left, without a limit"
    return f"left, {pool.concurrency_limit} runs at once"


def _webhook(url: str) -> str:
    """Keep the address in a block: it often carries a secret, so it stands nowhere else."""
    headers: Any = {"Content-Type": "application/json"}
    try:
        known = cast("Webhook", Webhook.load(ALERTS))
    except ValueError:
        Webhook(url=SecretStr(url), headers=headers).save(ALERTS)
        return "made"
    if known.url.get_secret_value() == url:
        return "left"
    known.url = SecretStr(url)
    known.save(ALERTS, overwrite=True)
    return "changed"


def _alerts(client: SyncPrefectClient) -> dict[str, Alert]:
    """Return the blocks that alerts go to, by type and name."""
    found = [each for each in client.read_block_documents(limit=200, include_secrets=False) if each.name == ALERTS]
    slugs = {each.id: each.block_type.slug if each.block_type else "" for each in found}
    return {
        f"{slugs[each.id]}/{ALERTS}": Alert(block_id=each.id, webhook=slugs[each.id] == "webhook") for each in found
    }


def _deployments(client: SyncPrefectClient) -> dict[str, DeploymentResponse]:
    return {each.name: each for each in client.read_deployments() if each.name in _names() and TAG in each.tags}


def _is_current(deployment: DeploymentResponse) -> bool:
    return deployment.version == deployed_version() and _folder(deployment) == str(Path.cwd())


def _folder(deployment: DeploymentResponse) -> str:
    """Return where the runs of a deployment work: `prefect deploy` notes its own folder."""
    steps = [step.get("prefect.deployments.steps.set_working_directory") for step in deployment.pull_steps or []]
    return next((str(step["directory"]) for step in steps if step), "")


def _difference(before: DeploymentResponse | None, after: DeploymentResponse) -> str:
    what = "made" if before is None else "left" if _is_current(before) else f"changed from version {before.version}"
    return f"{what}, version {after.version} in {_folder(after)}"


def _automation(client: SyncPrefectClient, wanted: AutomationCore) -> str:
    """Make an automation, or bring the one of its name up to date; whether it is enabled is the operator's to say."""
    known = client.read_automations_by_name(wanted.name)
    if not known:
        client.create_automation(wanted)
        return "made"
    wanted = wanted.model_copy(update={"enabled": known[0].enabled})
    if _content(known[0]) == _content(wanted):
        return "left"
    client.update_automation(known[0].id, wanted)
    return "changed"


def _content(automation: AutomationCore) -> dict[str, Any]:
    return AutomationCore.model_validate(automation.model_dump()).model_dump()  # sets stay sets: they have no order
