"""Metrics and traces by OpenTelemetry, off unless the setting `telemetry` names a receiver of OTLP over HTTP.

The only module that knows OpenTelemetry. Its providers are ours, not the process's: libraries that speak OpenTelemetry
themselves, Prefect with the parameters of a run among them, send nothing here. Headers for the receiver, a token say, come from
the environment alone (OTEL_EXPORTER_OTLP_HEADERS), and so do further attributes (OTEL_RESOURCE_ATTRIBUTES). A receiver
that does not answer costs a line on standard error and some seconds at the end of the process, never a pass.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import ConfigError
from pipeline.settings import Settings, load_settings

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackOptions, Observation
    from opentelemetry.sdk.resources import Resource

NAME = "stancewatch"
PATIENCE = 5  # seconds for one export
SECONDS = (
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1,
    2.5,
    5,
    10,
    25,
    50,
    100,
    250,
    500,
)  # a load takes tenths, a slow fetch minutes
GAUGES = {  # name: unit, description; the readings are those of `stancewatch status`
    "stancewatch.entries": ("{entry}", "Entries of the ledger by outcome"),
    "stancewatch.rejected": ("{entry}", "Rejected entries by reason"),
    "stancewatch.pass.items": ("{item}", "Items of the newest pass that ended, by outcome"),
    "stancewatch.pass.age": ("s", "Time since a pass ended"),
    "stancewatch.queue.size": ("{item}", "What waits, by queue"),
    "stancewatch.queue.age": ("s", "How long the oldest of a queue has waited since its turn came"),
    "stancewatch.outlets": ("{outlet}", "Outlets by health"),
    "stancewatch.disk.free": ("By", "Free bytes where the data lie"),
    "stancewatch.warehouse.size": ("By", "Bytes of the warehouse file"),
    "stancewatch.attention": ("{reason}", "1 where a person is needed for this reason, else 0"),
}
Reading = tuple[str, float, Mapping[str, str]]  # name of a gauge, value, attributes


class Silence:
    """Telemetry that is off: the same methods, and nothing happens."""

    on = False

    @contextmanager
    def one_pass(self, flow: str, run_id: str) -> Iterator[None]:
        """Do nothing around a pass."""
        yield

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Do nothing around a stage."""
        yield

    def show(self, readings: Iterable[Reading]) -> None:
        """Drop the readings."""


class Telemetry(Silence):
    """The instruments of this process, sent to one receiver."""

    on = True

    def __init__(self, receiver: str, share: str | None) -> None:
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        base, resource = receiver.rstrip("/"), _resource(share)
        traces = TracerProvider(resource=resource)  # both are flushed when the process ends
        traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{base}/v1/traces", timeout=PATIENCE)))
        reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{base}/v1/metrics", timeout=PATIENCE))
        meter = MeterProvider([reader], resource=resource).get_meter(NAME)
        self._tracer = traces.get_tracer(NAME)
        self._duration = meter.create_histogram(
            "stancewatch.stage.duration",
            "s",
            "Time that a batch took in a stage",
            explicit_bucket_boundaries_advisory=SECONDS,
        )
        self._gauges = {name: meter.create_gauge(name, *about) for name, about in GAUGES.items()}
        meter.create_observable_gauge(
            "stancewatch.memory", [_memory], "By", "Resident memory of this process and of the processes that it began"
        )

    @contextmanager
    def one_pass(self, flow: str, run_id: str) -> Iterator[None]:
        """Make a pass one trace; spans of its stages are its children."""
        with self._span(flow, {"stancewatch.run_id": run_id}):
            yield

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Make a stage a span, and count its time, also where it fails."""
        began, said = time.perf_counter(), {"stage": name}
        try:
            with self._span(name, said):
                yield
        except BaseException as error:
            said["error.type"] = type(error).__name__
            raise
        finally:
            self._duration.record(time.perf_counter() - began, said)

    @contextmanager
    def _span(self, name: str, said: Mapping[str, str]) -> Iterator[None]:
        """Open a span. What fails in it is named by its kind, not by its message: that may hold addresses and texts."""
        from opentelemetry.trace import StatusCode  # noqa: PLC0415

        with self._tracer.start_as_current_span(
            name, attributes=said, record_exception=False, set_status_on_exception=False
        ) as span:
            try:
                yield
            except BaseException as error:
                span.set_attribute("error.type", type(error).__name__)
                span.set_status(StatusCode.ERROR)
                raise

    def show(self, readings: Iterable[Reading]) -> None:
        """Set the gauges."""
        for name, value, attributes in readings:
            self._gauges[name].set(value, dict(attributes))


def telemetry(settings: Settings | None = None) -> Silence:
    """Return the telemetry of the settings, made once a process. Raises ConfigError where its packages are missing."""
    settings = settings or load_settings()
    return _opened(settings.telemetry, settings.share) if settings.telemetry else _SILENCE


_SILENCE = Silence()


@lru_cache(maxsize=1)
def _opened(receiver: str, share: str | None) -> Telemetry:
    try:
        return Telemetry(receiver, share)
    except ImportError as error:
        raise ConfigError(
            f"the setting telemetry needs packages that are not here: pip install 'stancewatch[otel]', or unset it ({error})"
        ) from error


def _resource(share: str | None) -> Resource:
    """Name this machine, and its share: passes of one place are one series. A process that a pass began is one of its own."""
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415

    own = str(os.getpid()) if multiprocessing.parent_process() else None
    place = "/".join(filter(None, (socket.gethostname(), share, own)))
    return Resource.create({"service.name": NAME, "service.version": version(NAME), "service.instance.id": place})


def _memory(_: CallbackOptions) -> Iterator[Observation]:
    from opentelemetry.metrics import Observation  # noqa: PLC0415

    held = resident()
    yield Observation(held.pop(os.getpid(), 0), {"process": "pass"})
    yield Observation(sum(held.values()), {"process": "children"})


def resident() -> dict[int, int]:
    """Return the resident bytes of this process and of all that descend from it, by process id; {} where there is no /proc."""
    found: dict[int, tuple[int, int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text("ascii", "replace").rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        found[int(path.parent.name)] = int(fields[1]), int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    ours, size = {os.getpid()}, 0
    while len(ours) > size:
        size, ours = len(ours), ours | {one for one, (parent, _) in found.items() if parent in ours}
    return {one: found[one][1] for one in ours if one in found}
