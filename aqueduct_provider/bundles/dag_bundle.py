"""``AqueductDagBundle``: what Airflow 3 knows of a bundle -> the modules next to this file.

In: ``kwargs`` of ``[dag_processor] dag_bundle_config_list``. Out: a folder of stubs, one for each spec, its
version, and the folder of any version that a run is pinned to. Made in many processes, so nothing is read or
written before ``initialize``. Failures leave the last good state and are logged in one line; where there
never was one, a stub shows the failure as an import error.
"""

from __future__ import annotations

import logging
import time
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from aqueduct_provider.bundles import latest, pinned_folder, pins
from aqueduct_provider.bundles.contents import content_of
from aqueduct_provider.bundles.source import BundleStore, keep_source, make_source
from aqueduct_provider.bundles.stub import TRACKING, stub_name, stub_text
from aqueduct_provider.compat import (
    BaseDagBundle,
    bundle_version,
    conf,
    get_bundle_tracking_dir,
    get_parsing_context,
)
from aqueduct_provider.errors import AqueductError
from aqueduct_provider.spec_sources import mirror
from aqueduct_provider.storage.disk_errors import translate_disk_errors
from aqueduct_provider.storage.layout import DELIVERED_PREFIX
from aqueduct_provider.storage.private_folder import private_folder

log = logging.getLogger(__name__)

# Seconds between two clean-ups.
_CLEAN_SECONDS = 3600.0
_FAILURE = "aqueduct_bundle"
_REMEDY = "Set dag_bundle_storage_path in the [dag_processor] section of airflow.cfg to another folder"


class AqueductDagBundle(BaseDagBundle):
    """Aqueduct specs as a versioned bundle of Airflow 3: one DAG file for each spec.

    In airflow.cfg (``aqueduct-airflow init --bundle`` prints it)::

        [dag_processor]
        dag_bundle_config_list = [{"name": "aqueduct",
            "classpath": "aqueduct_provider.bundles.AqueductDagBundle",
            "kwargs": {"connection_id": "aqueduct_default", "refresh_interval": 30}}]

    :param connection_id: Airflow connection of type ``aqueduct``; its store holds the specs.
    :param prefix: of the specs' keys, below the connection's root dir.
    :param folder: instead of a connection: a folder of specs that every machine of this Airflow has.
    :param versioned: whether runs finish on the version that they began with. Pins are written below
        ``bundles/`` of the store, or below ``.aqueduct-pins`` in the folder.
    :param keep_versions_days: after so many days a version that is not the latest cannot be rebuilt any more.
    :param kwargs: ``refresh_interval``, in seconds, and what else Airflow's bundles take.
    :raises ConfigError: the ``kwargs`` contradict each other.
    """

    supports_versioning = True

    def __init__(
        self,
        *,
        connection_id: str = "",
        prefix: str = DELIVERED_PREFIX,
        folder: str = "",
        versioned: bool = True,
        keep_versions_days: float = 90,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.source = make_source(connection_id, prefix, folder)
        self.supports_versioning = versioned
        self.keep_versions_days = keep_versions_days
        self._cleaned_at = 0.0

    @property
    def path(self) -> Path:
        """The folder of the stubs: the latest ones, or those of the bundle's version."""
        version: str | None = self.version
        return Path(self.versions_dir, version) if version else Path(self.base_dir, TRACKING)

    def initialize(self) -> None:
        """Make the stubs. Pinned: those of the version, fetched from the store where this machine lacks it.

        :raises AqueductError: a pinned version cannot be rebuilt.
        """
        if self.version:
            # Without the lock: the start of a task must not wait for a refresh.
            self._prepare_base()
            wanted = get_parsing_context().dag_id
            with self._door():
                pinned_folder.prepare(self.path, self.version, self._fetch, wanted)
        elif not self._is_fresh():
            self.refresh()
        super().initialize()

    def refresh(self) -> None:
        """Bring the stubs up to date; when that fails, everything stays as it was."""
        if self.version:
            raise RuntimeError("A bundle that is pinned to a version cannot be refreshed.")
        with self.lock():
            self._prepare_base()
            self._refresh()

    def get_current_version(self) -> Any:
        """Return the version of the stubs; None where there is none yet, or where they are not versioned."""
        if not self.supports_versioning:
            return None
        if self.version:
            return bundle_version(self.version)
        state = latest.state_of(self.base_dir)
        return None if state is None else bundle_version(state.version.id)

    def view_url_template(self) -> str | None:
        """Return where a version is seen: as configured, else the list of its files in the AWS console."""
        # Airflow 3.0 has no such option.
        configured: str | None = getattr(self, "_view_url_template", None)
        if configured or not isinstance(self.source, BundleStore):
            return configured
        try:
            return self.source.console_url()
        except AqueductError:
            return None

    def _prepare_base(self) -> None:
        mirror.prepare(self.base_dir / "specs")
        with self._door():
            keep_source(self.base_dir, self.source)

    def _door(self) -> AbstractContextManager[None]:
        return translate_disk_errors(self.base_dir.parent, _REMEDY)

    def _is_fresh(self) -> bool:
        """Check whether a process of this machine has just looked; a task then need not look itself."""
        # Negative when the clock was set back since.
        age = time.time() - latest.last_look(self.base_dir)
        return get_parsing_context().dag_id is not None and 0 <= age < self.refresh_interval

    def _refresh(self) -> None:
        before = latest.state_of(self.base_dir)
        self._report_write_interval()
        try:
            with self._door():
                state = self._latest(before)
        except AqueductError as error:
            self._keep_last(error, known=before is not None)
            return
        self._clean(state)

    def _latest(self, before: latest.BundleState | None) -> latest.BundleState:
        specs = self.source.specs(self.base_dir)
        keep_source(self.base_dir, self.source, specs.origin)
        state = latest.scan(specs, self.base_dir, before)
        if self.supports_versioning:
            state = self._pinned(state, before)
        return latest.write_stubs(state, self.base_dir, before)

    def _pinned(self, state: latest.BundleState, before: latest.BundleState | None) -> latest.BundleState:
        """Return the state, once its version is in the store."""
        known = before.version if before and before.pinned and before.origin == state.origin else None
        if known is None or known.id != state.version.id:
            content = partial(content_of, self.base_dir)
            pins.pin(self.source.pins(), state.version, known, content)
        return replace(state, pinned=True)

    def _keep_last(self, error: AqueductError, *, known: bool) -> None:
        if known:
            log.warning("Bundle %s: the specs are shown as they last were. %s", self.name, error)
            return
        log.error("Bundle %s: the specs cannot be read. %s", self.name, error)
        with self._door():
            private_folder(self.path)
            latest.write_stub(self.path / stub_name(_FAILURE), stub_text("", problem=str(error)))

    def _fetch(self, version_id: str) -> Any:
        return pins.pinned(self.source.pins(), version_id)

    def _clean(self, state: latest.BundleState) -> None:
        """Remove what nothing needs any more, now and then. A failure must not hide the DAGs."""
        if time.monotonic() - self._cleaned_at < _CLEAN_SECONDS:
            return
        self._cleaned_at = time.monotonic()
        try:
            latest.drop_unused(self.base_dir, state)
            seconds = conf.getint("dag_processor", "stale_bundle_cleanup_age_threshold", fallback=21_600)
            pinned_folder.drop_unused(self.versions_dir, get_bundle_tracking_dir(self.name), seconds)
            if self.supports_versioning:
                pins.forget_old(self.source.pins(), state.version, self.keep_versions_days)
        except (AqueductError, OSError) as error:
            log.warning("Bundle %s: old versions could not be removed. %s", self.name, error)

    def _report_write_interval(self) -> None:
        """Report a setting by which Airflow 3.3 pins a run to new code with the tasks of the old spec."""
        seconds = conf.getint("core", "min_serialized_dag_update_interval", fallback=30)
        if seconds > 0 and self.supports_versioning and not self.is_initialized:
            log.error(
                "Bundle %s: [core] min_serialized_dag_update_interval is %d. A flow that is published twice "
                "within so many seconds runs its new code with its old list of tasks. Set it to 0.",
                self.name,
                seconds,
            )
