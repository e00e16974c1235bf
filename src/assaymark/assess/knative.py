"""``is_cloud_run``: services and jobs of Cloud Run that are written in the form of Knative's objects.

Source: Cloud Run documentation, "Deploying container images" (``gcloud run services replace``, ``describe``).
"""

from __future__ import annotations

from typing import Any


def is_cloud_run(value: dict[str, Any]) -> bool:
    """Whether a document that looks like an object of a cluster is one of Cloud Run's."""
    version, metadata = str(value.get("apiVersion")), value.get("metadata")
    if version.startswith("run.googleapis.com/"):
        return True
    if not version.startswith("serving.knative.dev/") or not isinstance(metadata, dict):
        return False
    notes = [metadata.get(name) for name in ("labels", "annotations")]
    keys = [key for some in notes if isinstance(some, dict) for key in some if isinstance(key, str)]
    ours = any(key.startswith(("run.googleapis.com/", "cloud.googleapis.com/")) for key in keys)
    return ours or str(metadata.get("namespace")).isdecimal()
