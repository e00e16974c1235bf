"""Every limit on what is read or written, with the reason for its size.

A limit that is reached raises ``InputError`` (or becomes a skip in a scan); nothing is read past it.
"""

from __future__ import annotations

from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

# JSON that we sign or verify. RFC 8259 section 9 lets a parser set limits; ours are far above real statements.
JSON_MAX_BYTES: Final = 64 * MIB
JSON_MAX_DEPTH: Final = 64
# I-JSON (RFC 7493 section 2.2): integers beyond this are not interoperable.
JSON_MAX_INTEGER: Final = 2**53 - 1

# DSSE envelopes: a statement is small; the largest is a scan report of a folder of many files.
ENVELOPE_MAX_BYTES: Final = 32 * MIB
ENVELOPE_MAX_SIGNATURES: Final = 64
STATEMENT_MAX_SUBJECTS: Final = 10_000

# Manifests: a line a file. A million files is above the largest data sets kept as plain folders.
MANIFEST_MAX_FILES: Final = 1_000_000
MANIFEST_MAX_BYTES: Final = 512 * MIB
PATH_MAX_BYTES: Final = 4096  # PATH_MAX of Linux

# Provenance: an environment of some thousand distributions and the files that a run was seen to open.
PROVENANCE_MAX_DEPENDENCIES: Final = 100_000
# Recording a run. Distinct paths that a program was seen to open: a training opens some thousand beside its declared
# data, which is not counted. What is digested and listed of them afterwards takes half a second, and no reader looks
# through more than a thousand files that nobody declared.
RECORD_MAX_PATHS: Final = 100_000
RECORD_MAX_OBSERVED_FILES: Final = 1_000
RECORD_MAX_OBSERVED_BYTES: Final = 512 * MIB
# What an interpreter says of its distributions: some thousand, with two paths each. And one RECORD of them.
RECORD_MAX_PROBE_BYTES: Final = 16 * MIB
RECORD_MAX_LISTING_BYTES: Final = 64 * MIB
# Ancestors of one subject: far above real chains of fine-tunes and merges, small enough to decide in a second.
LINEAGE_MAX_SUBJECTS: Final = 10_000

# Root documents: people and workloads of one tenant.
ROOT_MAX_BYTES: Final = 4 * MIB
ROOT_MAX_VERSIONS: Final = 10_000
ROOT_MAX_KEYS: Final = 10_000
# Tries at one envelope's signatures whose key id is empty or unknown: every key of a root of some dozens of people
# under each of the signatures that an envelope may have (64 x 64), about 0.3 s. Known key ids are always tried.
VERIFY_MAX_ATTEMPTS: Final = 4_096
# A PEM of one key is below 1 KiB; this leaves room for comments and certificates beside it.
KEY_FILE_MAX_BYTES: Final = 64 * KIB

# Policies are written by people.
POLICY_MAX_BYTES: Final = 1 * MIB
POLICY_MAX_REQUIREMENTS: Final = 1_000
# tomllib is quadratic in the parts of a dotted key; ours have four.
POLICY_MAX_KEY_PARTS: Final = 16
# A list of roles or of values in a condition, and a text for people, in characters.
POLICY_MAX_VALUES: Final = 1_000
POLICY_MAX_TEXT: Final = 2_000
# More signatures than an envelope can carry are asked of nobody.
POLICY_MAX_THRESHOLD: Final = 64
# A number in a condition, in digits on either side of its point: far above any measure, and compared in a moment.
POLICY_MAX_DIGITS: Final = 40
# Environments that inherit from one another: dev, staging, production and their regions are four deep.
POLICY_MAX_INHERITANCE: Final = 16
# Requirements of all environments together, those that are inherited counted anew in each.
POLICY_MAX_RESOLVED: Final = 10_000
# The longest time that an age or an exception may have: a policy outlives ten years less often than people forget.
POLICY_MAX_DURATION_SECONDS: Final = 3_650 * 86_400
# A team's own cases for a policy, and the statements of all of them.
CASES_MAX_BYTES: Final = 4 * MIB
CASES_MAX: Final = 10_000
# A decision is asked for anew at least once a day: what was contained meanwhile is then noticed.
DECISION_MAX_VALIDITY_SECONDS: Final = 86_400
DECISION_DEFAULT_VALIDITY_SECONDS: Final = 3_600

# C2SP signed-note and tlog-checkpoint: "a note MUST NOT be larger than 1 MB" in practice; 16 signatures is
# torchwood's limit for checkpoints, ours leaves room for a large quorum.
NOTE_MAX_BYTES: Final = 1 * MIB
NOTE_MAX_SIGNATURES: Final = 100
PROOF_MAX_HASHES: Final = 63  # a tree of 2**63 leaves
PROOF_MAX_BYTES: Final = 2 * MIB  # a note, an entry in base64 and 63 hashes, with room
# C2SP tlog-tiles: 256 hashes a tile; an entry's length is a uint16.
TILE_WIDTH: Final = 256
ENTRY_MAX_BYTES: Final = 65_535
TREE_MAX_SIZE: Final = 2**63 - 1

# One offline file with a decision and all it rests on.
DOSSIER_MAX_BYTES: Final = 1 * GIB
DOSSIER_MAX_ENTRIES: Final = 100_000

# Attempts: one subject and some ids; a name is a host, an origin (255) or an environment.
ATTEMPT_MAX_BYTES: Final = 64 * KIB
ATTEMPT_MAX_NAME: Final = 255
ATTEMPT_MAX_REQUIREMENTS: Final = 64  # more unmet ones than a person reads; the decision itself lists all
# Kinds of attempts that a point counts apart: the models of a large cluster. About 0.5 MiB in memory.
ATTEMPT_MAX_KINDS: Final = 1_024
# A day of one new kind of attempt a minute at seven points, and never more than a small disk holds.
SPOOL_MAX_FILES: Final = 10_000
SPOOL_MAX_BYTES: Final = 64 * MIB
# A review of the admission webhook: an API server takes objects up to 3 MiB, and an update carries the old one too.
ADMISSION_MAX_BYTES: Final = 7 * MIB
ADMISSION_MAX_MODELS: Final = 64  # of one object; a pod that loads more is split
ADMISSION_MAX_TEXT: Final = 3_000  # characters of a refusal's message: what people read in a terminal
ADMISSION_MAX_ANSWERS: Final = 4_096  # answers kept at once: the models of a large cluster, some megabytes
# What is under way at once; above it the webhook says 503 rather than answer after the API server gave up. 64 new
# questions take about a second on two cores.
ADMISSION_MAX_REVIEWS: Final = 256
ADMISSION_MAX_QUESTIONS: Final = 64
ADMISSION_MAX_WAITING_BYTES: Final = 64 * MIB
ADMISSION_MAX_HEAD_BYTES: Final = 32 * KIB  # of one HTTP request's line and headers
# A source whose changed files are larger is taken for changed without hashing: 2 s are promised, and hashing
# 256 MiB takes a third of one.
WATCH_MAX_REHASH_BYTES: Final = 256 * MIB

# What SQLite's write-ahead log of our log may keep of the disk after a large batch.
SQLITE_JOURNAL_BYTES: Final = 16 * MIB
# How long a writer waits for another one that holds the log, seconds.
LOCK_WAIT_SECONDS: Final = 30.0
# How far the clock may step back between two entries before an append is refused, seconds (NTP corrections).
CLOCK_SKEW_SECONDS: Final = 5

# Sandbox, for one file.
SANDBOX_MEMORY_BYTES: Final = 1 * GIB
SANDBOX_CPU_SECONDS: Final = 25
SANDBOX_WALL_SECONDS: Final = 30.0
SANDBOX_OUTPUT_BYTES: Final = 16 * MIB
# Files that share a worker when a large tree is scanned (ADR 0015), and how large one of them may be.
SANDBOX_BATCH_FILES: Final = 256
SANDBOX_BATCH_BYTES: Final = 64 * KIB
# A file that is read by ranges from elsewhere: blocks of this size, so many of them kept, and so much in all; more is
# better fetched as a whole. A network is slow: it may take ten times as long.
SCAN_CACHE_FILES: Final = 10_000  # reports that are kept: some kilobytes each
REMOTE_BLOCK_BYTES: Final = 64 * KIB
REMOTE_KEPT_BLOCKS: Final = 512
REMOTE_MAX_BYTES: Final = 512 * MIB
REMOTE_WALL_SECONDS: Final = 1_200.0
REMOTE_MAX_LISTED: Final = 10_000  # files of one model in a hub or bucket
REMOTE_MAX_LIST_BYTES: Final = 32 * MIB

# Another scanner's run over one model. Of those that we measured the hungriest took 4.5 GB for a pickle of 500 MB,
# and the slowest 33 s for it.
OPINION_MEMORY_BYTES: Final = 8 * GIB
OPINION_SECONDS: Final = 300
OPINION_OUTPUT_BYTES: Final = 16 * MIB
OPINION_FILE_BYTES: Final = 256 * MIB  # the largest file that it may write in its own folder
OPINION_MAX_FILES: Final = 200  # of a model, where a scanner is started once for each: 0.2 s of start-up each
OPINION_MAX_FINDINGS: Final = 100  # that a statement repeats; the number of all is said
OPINION_MAX_TEXT: Final = 500

# Scanning.
SCAN_MAX_OPCODES: Final = 20_000_000  # about 30 s of our machine; facts: a 2 GB checkpoint needs some thousand
SCAN_MAX_STRING: Final = 64 * KIB  # longer pickle strings are known by length only
SCAN_MAX_FINDINGS: Final = 1_000  # of one file; more are counted, and the report says so
SCAN_MAX_NESTING: Final = 8  # containers within containers
SCAN_MAX_TEXT_BYTES: Final = 128 * MIB  # tokenizer vocabularies are tens of megabytes
ZIP_MAX_ENTRIES: Final = 100_000
ZIP_MAX_DIRECTORY_BYTES: Final = 64 * MIB  # 640 bytes for each of the most entries
ZIP_MAX_INFLATED_BYTES: Final = 256 * MIB  # of one compressed member that must be read whole
ZIP_MAX_LZMA_DICTIONARY: Final = 64 * MIB  # the most that LZMA's presets use
# A compressed file is unpacked twice, 300 MB/s each time, and kept in memory when it is small. zlib reaches a ratio
# of 1,032; weights stay below 20, and vocabularies below 100.
INFLATED_MAX_BYTES: Final = 4 * GIB
INFLATED_KEPT_BYTES: Final = 64 * MIB
INFLATED_MAX_RATIO: Final = 400
INFLATED_MAX_RESTARTS: Final = 8
TAR_MAX_ENTRIES: Final = 100_000
TAR_MAX_EXTENDED_BYTES: Final = MIB  # names of a member; PATH_MAX_BYTES and a few records
SEVENZIP_MAX_HEADER_BYTES: Final = 16 * MIB
SEVENZIP_MAX_ENTRIES: Final = 100_000
NUMPY_MAX_HEADER_BYTES: Final = 64 * KIB  # NumPy refuses above 10,000 characters unless it is told otherwise
# safetensors: the reference reader refuses a header above 100 MB.
SAFETENSORS_MAX_HEADER_BYTES: Final = 100_000_000
SCAN_MAX_LISTED: Final = 10_000  # examined members and skips listed for one file; more are counted in one line
SCAN_MAX_NESTED_BYTES: Final = 64 * MIB  # of text that a pickle decodes and loads: bytes of protocol 2
MEDIA_MAX_PARTS: Final = 1_000_000  # chunks, boxes or pages; an hour of Ogg has some ten thousand
SPARSE_MAX_BYTES: Final = 64 * MIB  # of indices of one sparse tensor, 8 bytes each: read and compared in a second
SCAN_MAX_DICT_ITEMS: Final = 20_000  # keys and values of one pickled dict that are remembered; a state has dozens
SCAN_MAX_LIST_ITEMS: Final = 100_000  # items of one pickled list that are remembered; a list of keys has hundreds
# One text in a report: a path (PATH_MAX_BYTES) fits; nothing longer helps a reader.
REPORT_MAX_TEXT: Final = 4096
REPORT_MAX_NAME: Final = 200  # a name out of a hostile file, within a message
# APPNOTE 4.3.16: the comment of the end record has a 16-bit length; Python's zipfile looks one byte further.
ZIP_MAX_TAIL: Final = 22 + 65_536
# CPython starts to refuse decimal integers at 4,300 digits (CVE-2020-10735).
PICKLE_MAX_DIGITS: Final = 4_300
PICKLE_MAX_SPARE_SLOTS: Final = 4 * MIB  # memo slots that a stream may leave out: 64 MiB in the C reader
PICKLE_MAX_INTEGER_BYTES: Final = 1_024  # longer LONG1/LONG4 values are known by length only

# Identifying models in a tree. Nearly every file costs one page; what may be read of one in all: the directory of an
# archive of 50,000 members takes about this much.
IDENTIFY_HEAD_BYTES: Final = 4 * KIB
IDENTIFY_MAX_BYTES: Final = 16 * MIB
IDENTIFY_MAX_OPCODES: Final = 20_000  # of a pickle, about 30 ms: what it imports is near its beginning
IDENTIFY_MAX_FIELDS: Final = 10_000  # of a message: an ONNX model may bring some thousand functions
IDENTIFY_MAX_MEMBERS: Final = 256  # of an archive, whose first bytes are looked at
IDENTIFY_INFLATED_BYTES: Final = 64 * KIB  # of a compressed file's beginning
IDENTIFY_REFERENCES_BYTES: Final = MIB  # of an ONNX file, where names of files beside it are looked for

# Graph formats. A field of a protocol buffer takes about 3 microseconds: 10 s; the largest graphs that are written
# (unrolled language models) have some hundred thousand nodes of about ten fields.
GRAPH_MAX_FIELDS: Final = 3_000_000
GRAPH_MAX_TEXT_FIELDS: Final = 1_000_000  # of a graph as text: 7 s and 500 MB
GRAPH_MAX_DEPTH: Final = (
    32  # graphs within nodes within graphs, elements of a tree: real ones nest fewer than ten deep
)
GRAPH_MAX_NAME: Final = 64 * KIB  # a name, path or operator; the longest that are written have some hundred bytes
# Python's parser takes up to 300 bytes for each byte of source; the largest traced models bring about a megabyte.
TORCHSCRIPT_MAX_BYTES: Final = 2 * MIB
# GGUF: the vocabularies of language models have up to 300,000 words, with scores and types; tensors some thousand.
GGUF_MAX_KEYS: Final = 100_000
GGUF_MAX_TENSORS: Final = 1_000_000
GGUF_MAX_STRINGS: Final = 5_000_000  # about 8 s
GGUF_MAX_STRING: Final = MIB  # of a chat template; they have some kilobytes
FLATBUFFERS_MAX_ITEMS: Final = 2_000_000  # tables and items of lists: about 10 s; large models have some ten thousand
XML_MAX_ELEMENTS: Final = 10_000_000  # a forest of a thousand trees in PMML has about a million; 10 s
XML_MAX_DEPTH: Final = 256  # decision trees nest as deep as they are
R_MAX_ITEMS: Final = 5_000_000  # objects in R data, each element of a list or of a vector of texts among them: 10 s
TABLE_MAX_ITEMS: Final = 5_000_000  # values of UBJSON and MessagePack that are not in typed arrays: 10 s

# Jinja templates: the largest public chat templates have 40 kB and 5,000 tokens.
JINJA_MAX_BYTES: Final = 1 * MIB
JINJA_MAX_TOKENS: Final = 200_000
# Nesting of expressions and statements, each a dozen frames of the parser's recursion.
JINJA_MAX_DEPTH: Final = 40
# Operands of one chain and links of one path: a tree that deep is walked recursively.
JINJA_MAX_CHAIN: Final = 200

# HDF5: the largest Keras models have some ten thousand objects; a header has a message an attribute or link.
HDF5_MAX_OBJECTS: Final = 100_000
HDF5_MAX_MESSAGES: Final = 100_000
HDF5_MAX_READ_BYTES: Final = 64 * MIB  # of structure in all, with 64 for each block; arrays are never read
HDF5_MAX_NAME_BYTES: Final = 64 * KIB  # of a link or file, as a link message can have
# Arrays in chunks: a band of them, and one chunk, are in memory. Chunks are of 10 KiB to 1 MiB as h5py guesses them.
HDF5_MAX_BAND_BYTES: Final = 192 * MIB
HDF5_MAX_CHUNKS: Final = 500_000
HDF5_MAX_LINES: Final = 20_000_000  # slices that are copied for one array: about 30 s
HDF5_MAX_TEXT_BYTES: Final = 32 * MIB  # the configuration of a model, as JSON

# YAML: a configuration is some kilobytes; a lock file of an environment some megabytes.
YAML_MAX_BYTES: Final = 4 * MIB
YAML_MAX_DEPTH: Final = 64
YAML_MAX_NODES: Final = 500_000

# Source code: the largest modeling files have 300 kB; a syntax tree takes up to 600 bytes a character.
CODE_MAX_BYTES: Final = 1 * MIB
CODE_MAX_FINDINGS: Final = 100  # of one source file; nobody reads more of them

# SentencePiece: 256,000 pieces of Gemma take 4 MB.
SENTENCEPIECE_MAX_BYTES: Final = 64 * MIB
SENTENCEPIECE_MAX_PIECES: Final = 2_000_000

# Converting. The largest checkpoints have some ten thousand tensors; numpy has 64 dimensions at most, torch fewer.
CONVERT_MAX_TENSORS: Final = 200_000
CONVERT_MAX_DIMENSIONS: Final = 64
CONVERT_MAX_HDF5_DIMENSIONS: Final = 32  # H5S_MAX_RANK
CONVERT_MAX_NODES: Final = 2_000_000  # containers, objects and values of one pickle: about 10 s
CONVERT_MAX_NAME: Final = (
    8 * KIB
)  # of a tensor: the path to it; the longest that are written have some hundred characters
CONVERT_MAX_DROPPED: Final = 1_000  # things that are left behind and named; more are counted
# Tensors that share bytes, or repeat one by a stride of zero, take more bytes when each is written in full.
CONVERT_MAX_EXPANSION: Final = 8
CONVERT_SPARE_BYTES: Final = 64 * MIB
CONVERT_OUTPUT_BYTES: Final = 128 * MIB  # of a plan: 200,000 tensors, and values beside them
CONVERT_TREE_BYTES: Final = (
    32 * MIB
)  # of values that are kept as JSON in the header; safetensors' own limit is 100 MB
# A tensor whose elements do not lie in order is gathered in memory.
CONVERT_MAX_GATHERED_BYTES: Final = 4 * GIB
CONVERT_MAX_STEPS: Final = 20_000_000  # slices of one such tensor: about 30 s
CONVERT_CHUNK_BYTES: Final = 8 * MIB
KERAS_MAX_NESTING: Final = 16  # models and layers within layers; the deepest that are written have four levels

# Architectures. The authorization details of an account with 5,000 roles have some 30 MB.
LOCATED_MAX_BYTES: Final = 128 * MIB
LOCATED_MAX_DEPTH: Final = 100
LOCATED_MAX_NODES: Final = 10_000_000
CEL_MAX_CHARACTERS: Final = 16_384  # IAM takes conditions of 12 logical operators; this is far above
CEL_MAX_DEPTH: Final = 24  # of parentheses, each nine frames of the parser
CEL_MAX_HEIGHT: Final = 120  # of the tree, a chain of operators counted; each level is three frames of the evaluation
ABAC_MAX_CHARACTERS: Final = 16_384  # Azure takes conditions of 8 KB
ABAC_MAX_DEPTH: Final = 64
ABAC_MAX_HEIGHT: Final = 240
ASSESS_MAX_PATHS: Final = 1_000  # that are listed; how many there are in all is said beside
ASSESS_MAX_FILE_BYTES: Final = 128 * MIB
ASSESS_MAX_TOTAL_BYTES: Final = 1 * GIB
ASSESS_MAX_FILES: Final = 100_000
ASSESS_MAX_REACH: Final = 100_000  # triples in a report; the counts are of all of them
# What lies packed in an architecture. People's own files are smaller; a bundle of code has some hundred.
ARCHIVE_MAX_FILE_BYTES: Final = 4 * MIB
ARCHIVE_MAX_READ_BYTES: Final = 8 * GIB  # unpacked of one archive, archives in it included; images by what is read
ARCHIVE_MAX_NESTED_BYTES: Final = 64 * MIB  # of an archive in an archive, which is read whole
ARCHIVE_MAX_DEPTH: Final = 2  # of archives in archives
ARCHIVE_MAX_FILES: Final = 20_000
ARCHIVE_MAX_BYTES: Final = 16 * GIB  # packed; images of CUDA with torch have some 8
IMAGE_MAX_BYTES: Final = 32 * GIB  # unpacked, of all layers of one image; a layer that is named twice counts twice
IMAGE_MAX_LAYERS: Final = 1_000  # Docker takes 127
IMAGE_MAX_JSON_BYTES: Final = 4 * MIB  # of a manifest or configuration; registries take 4 MiB
IMAGE_MAX_INDEX_DEPTH: Final = 4
HCL_MAX_BYTES: Final = 16 * MIB
HCL_MAX_DEPTH: Final = 60  # of expressions and blocks; each level takes about ten frames of Python's stack
HCL_MAX_CHAIN: Final = 200  # operators of one level in a row
TERRAFORM_MAX_INSTANCES: Final = 20_000  # of count and for_each, in all
TERRAFORM_MAX_VALUES: Final = 100_000  # of one list that a function makes
# A policy: AWS's largest (a bucket's, a key's) have 32 kB, about 200 statements and some thousand values.
AWS_POLICY_MAX_STATEMENTS: Final = 10_000
AWS_POLICY_MAX_VALUES: Final = 100_000
# Bytes in a pickle that are no array: longer ones become a tensor of bytes, and are copied and compared as such.
CONVERT_MAX_INLINE_BYTES: Final = 512
CONVERT_MAX_NESTED_BYTES: Final = 256 * MIB  # of text that holds a tensor of torch and is decoded in memory
# What a confined process unpacks for a conversion, on disk: as much as a scan unpacks, in the same proportion.
# zlib takes 15 s for it, bzip2 some minutes: what takes longer is unpacked by hand.
CONVERT_MAX_DERIVED_BYTES: Final = INFLATED_MAX_BYTES
CONVERT_CPU_SECONDS: Final = 120
CONVERT_WALL_SECONDS: Final = 150.0
# Source code that is assessed: a function of a thousand lines, entered from a hundred places, stays below the steps.
SOURCE_MAX_STEPS: Final = 1_000_000  # statements and expressions that one module's flows are followed over: 3 s
SOURCE_MAX_DEPTH: Final = 3  # calls that a flow is followed into
SECRETS_MAX_BYTES: Final = 2 * MIB  # of one file that is searched for credentials; what people write is smaller
DOCKERFILE_MAX_BYTES: Final = 1 * MIB  # a thousand times a usual one
DOCKERFILE_MAX_INSTRUCTIONS: Final = 5_000  # an image has at most 127 layers
REQUIREMENTS_MAX_BYTES: Final = 16 * MIB  # 100,000 digests
REQUIREMENTS_MAX_LINES: Final = 20_000
HELM_MAX_CHARTS: Final = 300  # of which one consists
GENERATORS_MAX_STEPS: Final = 10_000  # of one ApplicationSet; Argo CD nests two deep
HELM_MAX_RELEASES: Final = 20  # of one chart that are rendered
HELM_MAX_DEPTH: Final = 5  # of charts within charts
HELM_MAX_PACKED_BYTES: Final = 32 * MIB  # unpacked; Helm itself refuses charts of more than 20 MiB packed
HELM_MAX_PACKED_FILES: Final = 5_000
KUSTOMIZE_MAX_OBJECTS: Final = 20_000  # of one kustomization with all that it takes in
KUSTOMIZE_MAX_STEPS: Final = 2_000_000  # objects that transformers of one kustomization look at, all together
KUSTOMIZE_MAX_DEPTH: Final = 50  # of kustomizations within kustomizations
TEMPLATE_MAX_STEPS: Final = 200_000  # of one template of a chart: a large one takes some thousands
TEMPLATE_MAX_DEPTH: Final = 60
TEMPLATE_MAX_OUTPUT: Final = 4 * MIB  # Kubernetes takes objects of 1.5 MiB
ASSESS_MAX_DRAWN_PAIRS: Final = 10_000  # of workloads that network policies join; above, groups of them are drawn
ASSESS_MAX_THREATS: Final = 2_000  # of the threat model; open ones come first
