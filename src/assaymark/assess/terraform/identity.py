"""What Terraform's resources get when they are made: ARNs, ids and names that others refer to.

A name that a template leaves open keeps its text with ``<`` and ``>``, so that two references to one resource stay
equal. The account and region are those of the provider, else ``UNKNOWN_ACCOUNT`` and ``REGION``.
Source: Service Authorization Reference, "Resource types defined by ..." for the forms of ARNs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from assaymark.assess.terraform.identity_clouds import cloud_made, is_cloud
from assaymark.assess.unresolved import Unresolved
from assaymark.formats.located import Map, Seq

if TYPE_CHECKING:
    from collections.abc import Callable

ORGANISATION_ROOT: Final = "r-root"  # stands for the id of an organisation's root, of which there is one
REGION: Final = "us-east-1"  # stands for a region that the input does not show

# Type: (the attributes that may hold its name, the form of its ARN).
_ARNS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "aws_apprunner_service": (("service_name",), "arn:aws:apprunner:{region}:{account}:service/{name}"),
    "aws_launch_template": (("name",), "arn:aws:ec2:{region}:{account}:launch-template/{name}"),
    "aws_batch_job_definition": (("name",), "arn:aws:batch:{region}:{account}:job-definition/{name}:1"),
    "aws_bedrockagent_agent": (("agent_name",), "arn:aws:bedrock:{region}:{account}:agent/{name}"),
    "aws_bedrockagent_knowledge_base": (("name",), "arn:aws:bedrock:{region}:{account}:knowledge-base/{name}"),
    "aws_bedrockagentcore_agent_runtime": (
        ("agent_runtime_name",),
        "arn:aws:bedrock-agentcore:{region}:{account}:runtime/{name}",
    ),
    "aws_bedrockagentcore_code_interpreter": (
        ("name",),
        "arn:aws:bedrock-agentcore:{region}:{account}:code-interpreter-custom/{name}",
    ),
    "aws_cloudformation_stack": (("name",), "arn:aws:cloudformation:{region}:{account}:stack/{name}/0"),
    "aws_cloudwatch_log_group": (("name",), "arn:aws:logs:{region}:{account}:log-group:{name}"),
    "aws_codepipeline": (("name",), "arn:aws:codepipeline:{region}:{account}:{name}"),
    "aws_kinesis_firehose_delivery_stream": (("name",), "arn:aws:firehose:{region}:{account}:deliverystream/{name}"),
    "aws_mwaa_environment": (("name",), "arn:aws:airflow:{region}:{account}:environment/{name}"),
    "aws_pipes_pipe": (("name",), "arn:aws:pipes:{region}:{account}:pipe/{name}"),
    "aws_scheduler_schedule": (("name",), "arn:aws:scheduler:{region}:{account}:schedule/default/{name}"),
    "aws_codebuild_project": (("name",), "arn:aws:codebuild:{region}:{account}:project/{name}"),
    "aws_db_instance": (("identifier",), "arn:aws:rds:{region}:{account}:db:{name}"),
    "aws_dynamodb_table": (("name",), "arn:aws:dynamodb:{region}:{account}:table/{name}"),
    "aws_ecr_repository": (("name",), "arn:aws:ecr:{region}:{account}:repository/{name}"),
    "aws_ecs_cluster": (("name",), "arn:aws:ecs:{region}:{account}:cluster/{name}"),
    "aws_ecs_service": (("name",), "arn:aws:ecs:{region}:{account}:service/{name}"),
    "aws_ecs_task_definition": (("family",), "arn:aws:ecs:{region}:{account}:task-definition/{name}:1"),
    "aws_efs_file_system": ((), "arn:aws:elasticfilesystem:{region}:{account}:file-system/{name}"),
    "aws_eks_cluster": (("name",), "arn:aws:eks:{region}:{account}:cluster/{name}"),
    "aws_elasticsearch_domain": (("domain_name",), "arn:aws:es:{region}:{account}:domain/{name}"),
    "aws_glue_dev_endpoint": (("name",), "arn:aws:glue:{region}:{account}:devEndpoint/{name}"),
    "aws_glue_job": (("name",), "arn:aws:glue:{region}:{account}:job/{name}"),
    "aws_iam_group": (("name",), "arn:aws:iam::{account}:group{path}{name}"),
    "aws_iam_instance_profile": (("name",), "arn:aws:iam::{account}:instance-profile{path}{name}"),
    "aws_iam_openid_connect_provider": (("url",), "arn:aws:iam::{account}:oidc-provider/{name}"),
    "aws_iam_policy": (("name",), "arn:aws:iam::{account}:policy{path}{name}"),
    "aws_iam_role": (("name",), "arn:aws:iam::{account}:role{path}{name}"),
    "aws_iam_saml_provider": (("name",), "arn:aws:iam::{account}:saml-provider/{name}"),
    "aws_iam_user": (("name",), "arn:aws:iam::{account}:user{path}{name}"),
    "aws_instance": ((), "arn:aws:ec2:{region}:{account}:instance/{name}"),
    "aws_kinesis_stream": (("name",), "arn:aws:kinesis:{region}:{account}:stream/{name}"),
    "aws_kms_key": ((), "arn:aws:kms:{region}:{account}:key/{name}"),
    "aws_lambda_function": (("function_name",), "arn:aws:lambda:{region}:{account}:function:{name}"),
    "aws_opensearch_domain": (("domain_name",), "arn:aws:es:{region}:{account}:domain/{name}"),
    "aws_rds_cluster": (("cluster_identifier",), "arn:aws:rds:{region}:{account}:cluster:{name}"),
    "aws_s3_access_point": (("name",), "arn:aws:s3:{region}:{account}:accesspoint/{name}"),
    "aws_s3_bucket": (("bucket",), "arn:aws:s3:::{name}"),
    "aws_s3tables_table_bucket": (("name",), "arn:aws:s3tables:{region}:{account}:bucket/{name}"),
    "aws_s3tables_table": (("name",), "arn:aws:s3tables:{region}:{account}:bucket/{parent}/table/{name}"),
    "aws_s3vectors_index": (("index_name",), "arn:aws:s3vectors:{region}:{account}:bucket/{parent}/index/{name}"),
    "aws_s3vectors_vector_bucket": (("vector_bucket_name",), "arn:aws:s3vectors:{region}:{account}:bucket/{name}"),
    "aws_sagemaker_domain": ((), "arn:aws:sagemaker:{region}:{account}:domain/{name}"),
    "aws_sagemaker_endpoint": (("name",), "arn:aws:sagemaker:{region}:{account}:endpoint/{name}"),
    "aws_sagemaker_endpoint_configuration": (
        ("name",),
        "arn:aws:sagemaker:{region}:{account}:endpoint-config/{name}",
    ),
    "aws_sagemaker_feature_group": (
        ("feature_group_name",),
        "arn:aws:sagemaker:{region}:{account}:feature-group/{name}",
    ),
    "aws_sagemaker_model": (("name",), "arn:aws:sagemaker:{region}:{account}:model/{name}"),
    "aws_sagemaker_model_package_group": (
        ("model_package_group_name",),
        "arn:aws:sagemaker:{region}:{account}:model-package-group/{name}",
    ),
    "aws_sagemaker_notebook_instance": (("name",), "arn:aws:sagemaker:{region}:{account}:notebook-instance/{name}"),
    "aws_sagemaker_pipeline": (("pipeline_name",), "arn:aws:sagemaker:{region}:{account}:pipeline/{name}"),
    "aws_sagemaker_user_profile": (
        ("user_profile_name",),
        "arn:aws:sagemaker:{region}:{account}:user-profile/{name}",
    ),
    "aws_secretsmanager_secret": (("name",), "arn:aws:secretsmanager:{region}:{account}:secret:{name}"),
    "aws_sfn_state_machine": (("name",), "arn:aws:states:{region}:{account}:stateMachine:{name}"),
    "aws_sns_topic": (("name",), "arn:aws:sns:{region}:{account}:{name}"),
    "aws_sqs_queue": (("name",), "arn:aws:sqs:{region}:{account}:{name}"),
    "aws_ssm_parameter": (("name",), "arn:aws:ssm:{region}:{account}:parameter/{name}"),
}

# What ``id`` is, where it is neither the name nor the ARN.
_ID_IS_ARN: Final = frozenset(
    (
        *("aws_iam_policy", "aws_iam_openid_connect_provider", "aws_iam_saml_provider", "aws_sns_topic"),
        *("aws_secretsmanager_secret", "aws_lb", "aws_sagemaker_domain", "aws_ecs_cluster"),
    )
)
_BUCKET_HOSTS: Final = ("bucket_domain_name", "bucket_regional_domain_name", "domain_name", "regional_domain_name")
_NAMES: Final = frozenset(
    ("name", "id", "bucket", "function_name", "identifier", "family", "key_id", "unique_id", "user", "role")
)


def arn_of(kind: str, address: str, get: Callable[[str], Any], account: str, region: str) -> str:
    """The ARN of a resource; empty when its type has none here. ``get`` gives its attributes, None for none."""
    if kind not in _ARNS:
        return ""
    _, form = _ARNS[kind]
    path = get("path")
    parent = get("table_bucket_arn") or get("vector_bucket_name") or get("vector_bucket_arn")
    return form.format(
        parent=closed(parent).rpartition("/")[2] if isinstance(parent, str) else "<bucket>",
        region=region,
        account=account,
        name=name_of(kind, address, get).removeprefix("https://" if "openid" in kind else "/"),
        path=closed(path) if isinstance(path, str) and path.startswith("/") else "/",
    )


def name_of(kind: str, address: str, get: Callable[[str], Any]) -> str:
    """The name it has, by what its type is named by; its address stands for a name that is made when it is."""
    keys = _ARNS[kind][0] if kind in _ARNS else ("name",)
    for key in keys:
        value = get(key)
        if isinstance(value, str) and value:
            return closed(value)
    prefix = get("name_prefix") or get("bucket_prefix")
    return f"{closed(prefix)}<{address}>" if isinstance(prefix, str) else f"<{address}>"


def closed(text: str) -> str:
    """A text that may be open, so that it can be a part of a name: ``${var.x}`` as ``<var.x>``."""
    return text.replace("${", "<").replace("}", ">") if isinstance(text, Unresolved) else text


def as_made(kind: str, name: str, written: Any) -> Any:
    """What others read of an attribute that is written: IAM keeps the address of an issuer without its scheme."""
    scheme = kind == "aws_iam_openid_connect_provider" and name == "url" and type(written) is str
    return written.removeprefix("https://") if scheme else written


def _block(**values: Any) -> Seq:
    """A block that occurs once, of values that no line of a file says."""
    block, found = Map(0), Seq(0)
    for key, value in values.items():
        block.put(key, value, 0)
    found.put(block, 0)
    return found


def computed(kind: str, address: str, name: str, get: Callable[[str], Any], account: str, region: str) -> Any:
    """An attribute that the resource gets when it is made; None when that is not known here."""
    if is_cloud(kind):
        return cloud_made(kind, address, name, get, account, region)
    arn = arn_of(kind, address, get, account, region)
    if name in ("arn", "qualified_arn", "invoke_arn") and arn:
        return arn
    if name == "id" and kind in _ID_IS_ARN and arn:
        return arn
    if kind == "aws_cloudfront_distribution" and name == "arn":  # nothing that acts or holds something itself
        return f"arn:aws:cloudfront::{account}:distribution/{name_of(kind, address, get)}"
    if kind == "aws_eks_cluster" and name == "identity":
        issuer = f"https://oidc.eks.{region}.amazonaws.com/id/<{name_of(kind, address, get)}>"
        return _block(oidc=_block(issuer=issuer))
    if kind == "aws_ecr_repository" and name == "repository_url":
        return f"{account}.dkr.ecr.{region}.amazonaws.com/{name_of(kind, address, get)}"
    if kind.startswith("aws_organizations_") and name in ("id", "root_id"):
        own = kind if kind == "aws_organizations_organization" else address  # an account is in one organisation
        return ORGANISATION_ROOT if name == "root_id" else f"<{own}>"
    if name in _NAMES:
        return name_of(kind, address, get)
    if kind == "aws_s3_bucket" and name in _BUCKET_HOSTS:
        return f"{name_of(kind, address, get)}.s3.amazonaws.com"
    return None
