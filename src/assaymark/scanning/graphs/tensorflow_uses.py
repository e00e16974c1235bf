"""TensorFlow's operators that do more than compute: what each does, and which of its inputs names a file.

TensorFlow's own security policy calls models programs ("TensorFlow models are programs", SECURITY.md); CVE-2019-16778
and others came on top. What is listed here runs inside the server's process with its rights.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from assaymark.core.report import Severity


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule and what the operator does, as the end of a sentence; ``severity`` where it is not the rule's."""

    rule: str
    reason: str
    severity: Severity | None = None


# Operators of the ordinary saver -> the inputs that name files.
SAVER_WRITES: Final = {
    "SaveV2": (0,),
    "Save": (0,),
    "SaveSlices": (0,),
    "MergeV2Checkpoints": (0, 1),
}
SAVER_READS: Final = {"RestoreV2": (0,), "Restore": (0,), "RestoreSlice": (0,), "CheckpointExists": (0,)}

READS: Final = {
    "ReadFile": (0,),
    "MatchingFiles": (0,),
    "InitializeTableFromTextFile": (1,),
    "InitializeTableFromTextFileV2": (1,),
    "LoadAndRemapMatrix": (0,),
    "GenerateVocabRemapping": (0, 1),
    "TextLineDataset": (0,),
    "TFRecordDataset": (0,),
    "TFRecordDatasetV2": (0,),
    "FixedLengthRecordDataset": (0,),
    "FixedLengthRecordDatasetV2": (0,),
    "CSVDataset": (0,),
    "CSVDatasetV2": (0,),
    "ExperimentalCSVDataset": (0,),
    "LMDBDataset": (0,),
    "ExperimentalLMDBDataset": (0,),
    "MatchingFilesDataset": (0,),
    "ExperimentalMatchingFilesDataset": (0,),
    "LoadDataset": (0,),
    "ListSnapshotChunksDataset": (0,),
    "SnapshotChunkDataset": (0,),
    "SnapshotDatasetReader": (0,),
    # TensorFlow Decision Forests: a folder of trees among the assets.
    "SimpleMLLoadModelFromPath": (1,),
    "SimpleMLLoadModelFromPathWithHandle": (1,),
}

_PYTHON: Final = "calls back into Python when the model runs"
_WRITES: Final = "writes files when the model runs"
_READS: Final = "reads files when the model runs"
_NETWORK: Final = "talks to another process or machine"
_HIDDEN: Final = "runs a graph or program that is hidden in a value"

REFUSED: Final[dict[str, Refusal]] = {
    **dict.fromkeys(("PyFunc", "PyFuncStateless", "EagerPyFunc"), Refusal("graph-runs-code", _PYTHON)),
    **dict.fromkeys(
        ("LoadLibrary", "LoadOpLibrary", "RemoteFusedGraphExecute", "XlaCustomCall", "XlaCustomCallV2"),
        Refusal("graph-runs-code", "runs native code that the model names"),
    ),
    **dict.fromkeys(
        ("DatasetFromGraph", "TfLiteSubgraphExecute", "MlirPassthroughOp", "_TPUCompileMlir", "RewriteDataset",
         "DeserializeIterator"),
        Refusal("graph-runs-code", _HIDDEN),
    ),
    **dict.fromkeys(
        ("WriteFile", "SaveDataset", "SaveDatasetV2", "DistributedSave", "DatasetToTFRecord",
         "ExperimentalDatasetToTFRecord", "DumpTensor", "CalibrationStatisticsSaver", "SummaryWriter",
         "CreateSummaryFileWriter", "CreateSummaryDbWriter", "WriteSummary", "WriteScalarSummary",
         "WriteImageSummary",
         "WriteAudioSummary", "WriteHistogramSummary", "WriteGraphSummary", "WriteRawProtoSummary", "ImportEvent",
         "FlushSummaryWriter", "CloseSummaryWriter", "StatsAggregatorSetSummaryWriter", "CacheDataset",
         "CacheDatasetV2", "SnapshotDataset", "SnapshotDatasetV2"),
        Refusal("graph-file-access", _WRITES),
    ),
    **dict.fromkeys(
        ("ImmutableConst", "WholeFileReader", "WholeFileReaderV2", "TFRecordReader", "TFRecordReaderV2",
         "FixedLengthRecordReader", "FixedLengthRecordReaderV2", "TextLineReader", "TextLineReaderV2", "LMDBReader",
         "RecordInput", "Skipgram", "FixedUnigramCandidateSampler", "SqlDataset", "ExperimentalSqlDataset",
         "SnapshotNestedDatasetReader", "DTensorRestoreV2", "BigQueryReader", "DecodeProtoV2", "EncodeProto",
         "IdentityReader", "IdentityReaderV2"),
        Refusal("graph-file-access", _READS),
    ),
    **dict.fromkeys(
        ("RpcCall", "RpcClient", "RpcServer", "RpcServerStart", "RpcServerRegister", "RpcGetValue", "RpcCheckStatus",
         "Rpc", "TryRpc", "RemoteCall", "DataServiceDataset", "DataServiceDatasetV2", "DataServiceDatasetV3",
         "DataServiceDatasetV4", "RegisterDataset", "RegisterDatasetV2", "WorkerHeartbeat", "_Send", "_Recv",
         "_HostSend", "_HostRecv", "GcsConfigureCredentials", "GcsConfigureBlockCache", "FileSystemSetConfiguration",
         "ConfigureDistributedTPU", "XlaSend", "XlaRecv", "XlaSendToHost", "XlaRecvFromHost", "XlaHostCompute",
         "TensorFlowServingRemotePredict", "TfServingRemotePredict", "KafkaDataset", "KafkaGroupReadableInit"),
        Refusal("graph-file-access", _NETWORK),
    ),
    "Abort": Refusal("scan-resource", "ends the process that runs the model"),
}  # fmt: skip

# Well-known libraries that register operators of their own: pattern of the names -> library.
LIBRARIES: Final = (
    (
        re.compile(
            r"(?:CaseFoldUTF8|NormalizeUTF8\w*|ConstrainedSequence|FastBert\w*|FastWordpiece\w*|MaxSpanningTree"
            r"|NgramsStringJoin|RegexSplitWithOffsets|RoundRobin\w*|RougeL|Sentencepiece\w*|SentenceFragments\w*"
            r"|SplitMergeTokenize\w*|TokenizerFromLogits|UnicodeScriptTokenize\w*|WhitespaceTokenize\w*"
            r"|WordpieceTokenize\w*|UtfOffset\w*|FindSourceOffsets|Phrase\w+|HubModule\w+|Mst\w+|Byte\w+Splits\w*"
            r"|TFText>\w+)"
        ),
        "TensorFlow Text",
    ),
    (re.compile(r"SimpleML\w+"), "TensorFlow Decision Forests"),
    (re.compile(r"Addons>\w+"), "TensorFlow Addons"),
    (re.compile(r"(?:TRTEngineOp|CreateTRTResourceHandle|InitializeTRTResource|GetCalibrationDataOp)"), "TensorRT"),
    (re.compile(r"TFLite_\w+"), "TensorFlow Lite"),
    (re.compile(r"(?:Horovod\w+|BytepsPush\w*)"), "Horovod"),
)
