"""Permissions that needs of machine learning and its data name most: the table of Google's roles speaks of them too.

Source: Google Cloud IAM permissions reference.
"""

from __future__ import annotations

from typing import Final

_MADE: Final = ("create", "delete", "get", "list", "update")
_PLAIN: Final = ("create", "delete", "get", "list")
_OF: Final[dict[str, tuple[str, ...]]] = {
    "storage.buckets": (*_MADE, "getIamPolicy"),
    "storage.objects": (*_MADE, "getIamPolicy", "setIamPolicy"),
    "storage.multipartUploads": ("abort", "create", "list", "listParts"),
    "bigquery.datasets": ("create", "delete", "get", "getIamPolicy", "update"),
    "bigquery.tables": ("create", "get", "list", "update", "createSnapshot", "replicateData"),
    "bigquery.jobs": ("create", "get", "list", "listAll", "update"),
    "bigquery.readsessions": ("create", "getData", "update"),
    "bigquery.models": ("create", "delete", "getData", "getMetadata", "list", "updateData"),
    "bigquery.routines": ("create", "delete", "get", "list", "update"),
    "aiplatform.customJobs": ("cancel", "delete", "get", "list"),
    "aiplatform.pipelineJobs": ("cancel", "delete", "get", "list"),
    "aiplatform.batchPredictionJobs": (*_PLAIN, "cancel"),
    "aiplatform.hyperparameterTuningJobs": _PLAIN,
    "aiplatform.trainingPipelines": (*_PLAIN, "cancel"),
    "aiplatform.models": ("get", "list"),
    "aiplatform.endpoints": ("create", "delete", "get", "list", "undeploy"),
    "aiplatform.datasets": (*_MADE, "export", "import"),
    "aiplatform.artifacts": _MADE,
    "aiplatform.contexts": (*_MADE, "addContextArtifactsAndExecutions", "queryContextLineageSubgraph"),
    "aiplatform.executions": (*_MADE, "addExecutionEvents"),
    "aiplatform.metadataStores": _PLAIN,
    "aiplatform.tensorboards": _MADE,
    "aiplatform.tensorboardRuns": (*_MADE, "batchCreate", "write"),
    "aiplatform.featurestores": ("create", "delete", "get", "list", "update"),
    "aiplatform.indexEndpoints": ("create", "delete", "get", "list", "queryVectors", "update"),
    "secretmanager.secrets": _MADE,
    "secretmanager.versions": ("destroy", "disable", "enable", "get", "list"),
    "pubsub.topics": _MADE,
    "pubsub.subscriptions": _MADE,
    "artifactregistry.repositories": ("create", "delete", "get", "list", "update"),
    "artifactregistry.packages": ("delete", "get", "list"),
    "artifactregistry.tags": _MADE,
    "artifactregistry.versions": ("delete", "get", "list"),
    "artifactregistry.dockerimages": ("get", "list"),
    "cloudkms.cryptoKeyVersions": ("useToEncrypt", "useToSign", "viewPublicKey", "get", "list"),
    "cloudkms.cryptoKeys": ("get", "list"),
    "run.services": ("delete", "get", "list"),
    "run.jobs": ("delete", "get", "list"),
    "run.executions": ("cancel", "get", "list"),
    "logging.logEntries": ("create", "list"),
    "logging.logs": ("list",),
    "monitoring.timeSeries": ("create", "list"),
    "monitoring.metricDescriptors": ("create", "get", "list"),
    "cloudtrace.traces": ("patch", "get", "list"),
    "iam.serviceAccounts": ("create", "delete", "get", "getOpenIdToken", "list"),
    "resourcemanager.projects": ("get", "getIamPolicy", "list"),
    "compute.instances": ("delete", "get", "list", "start", "stop"),
    "container.clusters": ("get", "getCredentials", "list", "update"),
    "cloudbuild.builds": ("get", "list"),
    "cloudsql.instances": ("connect", "get", "list"),
    "spanner.sessions": ("create", "delete", "get"),
    "spanner.databases": ("beginReadOnlyTransaction", "beginOrRollbackReadWriteTransaction", "get", "list"),
    "bigtable.tables": ("get", "list", "sampleRowKeys"),
    "dataproc.jobs": ("get", "list", "cancel"),
    "serviceusage.services": ("use", "get", "list"),
    "datastore.entities": _MADE,
}
KNOWN: Final = tuple(f"{kind}.{one}" for kind, some in _OF.items() for one in some)
