"""Settings: environment `STANCEWATCH_*`, then `stancewatch.toml` of the working directory, then the defaults here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from pipeline.errors import ConfigError

NO_CONTACT = "set STANCEWATCH_USER_AGENT to a contact"
LAKE = "ducklake:postgres:"  # what a warehouse in DuckLake begins with


class Settings(BaseSettings):
    """What a person may set. Times in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(env_prefix="STANCEWATCH_", toml_file="stancewatch.toml", extra="forbid")

    warehouse: str = "stancewatch-data/stancewatch.duckdb"
    lake_data: str | None = None  # where a new lake keeps its files: a folder, or s3://bucket/prefix; None: in data_dir
    share: str | None = Field(
        default=None, pattern=r"^[1-9]\d*/[1-9]\d*$"
    )  # 2/4: the second of four parts of the feeds
    feeds: Path | None = None  # None: the feeds of the package
    data_dir: Path | None = None  # WARC, spool, owners' files; None: beside the warehouse
    model: Path | str | None = None  # None: the model of the package
    nli: Path | str | None = None  # a model of inference, for topics and targets that `model` has no heads for
    device: str = "auto"  # auto: onnxruntime, or torch where a model has no ONNX; else one of torch's, as cpu or cuda
    codebook: Path | None = None  # None: the codebook of the package
    events: Path | None = None  # None: the events of the package
    user_agent: str = f"Stancewatch/0.1 (research monitor of AI governance news; {NO_CONTACT})"
    host_delay: float = Field(default=5.0, ge=0)
    request_timeout: float = Field(default=30.0, gt=0)
    max_body: int = Field(default=10_000_000, gt=0)
    warc_size: int = Field(default=1_000_000_000, gt=0)  # a WARC file that is longer is not appended to
    task_runner: Literal["thread", "process", "dask"] = "thread"  # where pages are extracted and labelled
    task_workers: int = Field(default=0, ge=0)  # processes of `process` or a local Dask cluster; 0: one for two cores
    dask_address: str | None = Field(default=None, pattern=r"^(?:(?:tcp|tls)://)?(?:[^\s/:]+|\[[0-9a-fA-F:]+\]):\d+$")
    allow_hosts: list[str] = []  # host:port that may be private, and need no delay
    host_requests_a_day: int = Field(default=2_000, gt=0)
    host_bytes_a_day: int = Field(default=500_000_000, gt=0)
    proxy: str | None = Field(default=None, repr=False)  # may hold a password; never taken from the environment
    poll_interval: float = Field(default=1800.0, gt=0)  # the first one of a feed; steered from there
    max_attempts: int = Field(default=8, gt=0)  # fetches of one entry before it goes into quarantine
    keep_warc_days: int = Field(default=365, ge=0)  # retention, by `stancewatch maintenance`; 0: for ever
    keep_warc_bytes: int = Field(default=0, ge=0)  # the oldest files beyond it go; 0: no limit
    keep_text_days: int = Field(default=1825, ge=0)  # 0: for ever
    keep_authors: bool = False  # names of persons beside stances; docs/privacy.md
    keep_poll_days: int = Field(default=365, ge=0)  # details of polls, never their counts; 0: for ever
    telemetry: str | None = Field(
        default=None, pattern=r"^https?://[^/@\s]+(/\S*)?$"
    )  # receiver of OTLP over HTTP; None: off. A token for it belongs into OTEL_EXPORTER_OTLP_HEADERS
    pass_within: float = Field(default=10_800.0, gt=0)  # `stancewatch status` calls a pass overdue after that
    batch_size: int = Field(default=64, ge=1, le=1024)  # entries a task fetches, extracts and labels

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The command line wins, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @field_validator("warehouse")
    @classmethod
    def no_password(cls, value: str) -> str:
        """Refuse a password in the target, before Prefect keeps it as a parameter or a log shows it."""
        if value.startswith("ducklake:") and re.search(r"password\s*=|://[^/@]*:[^/@]*@", value):
            raise ValueError("a password does not belong into the target; set PGPASSWORD or write ~/.pgpass")
        return value

    @field_validator("share")
    @classmethod
    def within(cls, value: str | None) -> str | None:
        """Refuse a part that there is not."""
        if value and int(value.partition("/")[0]) > int(value.partition("/")[2]):
            raise ValueError(f"{value}: of n parts the n-th is the last")
        return value

    @model_validator(mode="after")
    def address_is_used(self) -> Self:
        """Refuse the address of a cluster that would get no work."""
        if self.dask_address and self.task_runner != "dask":
            raise ValueError(
                f"dask_address is set, but task_runner is {self.task_runner}: set it to dask, or leave the address out"
            )
        return self

    @property
    def data(self) -> Path:
        """The folder for WARC files and the spool: each part of the feeds has its own."""
        beside = Path("stancewatch-data") if self.warehouse.startswith(LAKE) else Path(self.warehouse).parent
        folder = (self.data_dir or beside).absolute()
        return folder / f"share-{self.share.replace('/', '-of-')}" if self.share else folder


def load_settings(**given: object) -> Settings:
    """Return the settings; values that are None count as not given. Raises ConfigError with every fault named."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"settings: {faults} (environment STANCEWATCH_*, or stancewatch.toml here)") from error
