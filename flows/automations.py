"""What Prefect does of itself when something happens: deployments and places to send to in, automations out.

A load starts the publish deployment. Everything else tells a person: through each block named `stancewatch-alerts`, a webhook
or any notification (e-mail, Slack and the like). Without one they fire all the same, and the event feed shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from prefect.events.actions import ActionTypes, CallWebhook, DoNothing, RunDeployment, SendNotification
from prefect.events.schemas.automations import AutomationCore, EventTrigger, Posture

from flows import signals

PREFIX = "Stancewatch: "
ALERTS = "stancewatch-alerts"  # name of the blocks that alerts go to
TAGGED = {"prefect.resource.id": "prefect.tag.stancewatch", "prefect.resource.role": "tag"}
SILENCE = timedelta(hours=3)  # no pass in so long: six times the interval of the deployment
QUIET = timedelta(hours=6)  # runs are late together, when no worker is there: one alert is enough
# what our own events say in words, and what is known of a run that broke
OWN = "{{ event.payload.text }}"
RUN = '{{ event.resource["prefect.resource.name"] }}: {{ event.resource["prefect.state-name"] }} {{ event.resource["prefect.state-message"] }}'
LATE = "A run of {{ deployment.name }} should have begun and did not: is a worker running?"
WAREHOUSE: dict[str, Any] = {"warehouse": {"__prefect_kind": "jinja", "template": "{{ event.payload.warehouse }}"}}
SILENT = "No pass has ended in three hours: the worker, the server's scheduler or the passes are in trouble."


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A block that alerts go to."""

    block_id: UUID
    webhook: bool  # else a block that notifies


def automations(publish: UUID, alerts: Sequence[Alert]) -> list[AutomationCore]:
    """Return every automation; `publish` is the deployment to run after a load."""

    def telling(name: str, about: str, says: str, **trigger: Any) -> AutomationCore:
        return _automation(name, about, [_send(alert, name, says) for alert in alerts] or [DoNothing()], **trigger)

    troubles = {f"{signals.SOURCE}{status}" for status in ("dark", "gone", "failing")}
    broken = {f"prefect.flow-run.{state}" for state in ("Crashed", "Failed", "TimedOut")}
    late = {"expect": {"prefect.flow-run.Late"}, "within": QUIET, "match_related": TAGGED}
    silence = {
        "posture": Posture.Proactive,
        "match": {signals.FLOW: "ingest"},
        "expect": {signals.RUN_FINISHED},
        "within": SILENCE,
    }
    return [
        _automation(
            "publish after a load", "Readers get a fresh copy, and the report beside it, after each event stancewatch.load.finished.",
            [RunDeployment(source="selected", deployment_id=publish, parameters=WAREHOUSE, job_variables=None)],
            expect={signals.LOAD_FINISHED},
        ),
        telling("source dark", "Outlets went dark, are gone or fail: events stancewatch.source.*, of the flow source-health.", OWN, expect=troubles),
        telling("quarantine growing", "More entries than usual were given up: event stancewatch.quarantine.growing.", OWN, expect={signals.QUARANTINE_GROWING}),
        telling("language share shifted", "Other languages than in the weeks before: event stancewatch.language.shifted.", OWN, expect={signals.LANGUAGE_SHIFTED}),
        telling("model drift", "Labels or their confidence are distributed otherwise: event stancewatch.labels.drifted.", OWN, expect={signals.LABELS_DRIFTED}),
        telling("run failed or crashed", "A run of any deployment broke.", RUN, expect=broken, match_related=TAGGED),
        telling("run late", "A run was to begin and did not; at most one alert in six hours.", LATE, **late),
        telling("no pass", "No ingest ended in three hours; again after three more.", SILENT, **silence),
    ]  # fmt: skip


def _automation(name: str, about: str, actions: Sequence[ActionTypes], **trigger: Any) -> AutomationCore:
    given = {"posture": Posture.Reactive, "threshold": 1, "within": timedelta(0), **trigger}
    return AutomationCore(name=PREFIX + name, description=about, trigger=EventTrigger(**given), actions=list(actions))


def _send(alert: Alert, name: str, says: str) -> ActionTypes:
    if not alert.webhook:
        return SendNotification(block_document_id=alert.block_id, subject=PREFIX + name, body=says)
    body = '{"text": {{ said | tojson }}, "automation": {{ automation.name | tojson }}, "event": {{ (event.event if event else "nothing") | tojson }}}'
    return CallWebhook(block_document_id=alert.block_id, payload=f"{{% set said %}}{says}{{% endset %}}{body}")
