"""Which attributes of Terraform's AWS resources name a role, carry a policy of another, or set something of it."""

from __future__ import annotations

from typing import Final

# The word of a type to the service of its ARNs, where they differ.
SERVICES: Final = {
    "bedrockagent": "bedrock",
    "bedrockagentcore": "bedrock-agentcore",
    "cloudwatch": "logs",
    "db": "rds",
    "instance": "ec2",
    "sfn": "states",
}
# Where a resource names the role that it runs as: an attribute, or a block and its attribute.
ROLES: Final[dict[str, tuple[str, ...]]] = {
    "aws_apprunner_service": ("instance_configuration.instance_role_arn",),
    "aws_bedrockagent_agent": ("agent_resource_role_arn",),
    "aws_bedrockagent_knowledge_base": ("role_arn",),
    "aws_bedrockagentcore_agent_runtime": ("role_arn",),
    "aws_bedrockagentcore_browser": ("execution_role_arn",),
    "aws_bedrockagentcore_code_interpreter": ("execution_role_arn",),
    "aws_bedrockagentcore_gateway": ("role_arn",),
    "aws_cloudformation_stack": ("iam_role_arn",),
    "aws_codebuild_project": ("service_role",),
    "aws_codepipeline": ("role_arn",),
    "aws_datapipeline_pipeline": ("role",),
    "aws_ecs_task_definition": ("task_role_arn", "execution_role_arn"),
    "aws_eks_cluster": ("role_arn",),
    "aws_eks_node_group": ("node_role_arn",),
    "aws_emr_cluster": ("service_role",),
    "aws_glue_crawler": ("role",),
    "aws_glue_dev_endpoint": ("role_arn",),
    "aws_glue_job": ("role_arn",),
    "aws_kinesis_firehose_delivery_stream": ("extended_s3_configuration.role_arn", "s3_configuration.role_arn"),
    "aws_lambda_function": ("role",),
    "aws_mwaa_environment": ("execution_role_arn",),
    "aws_pipes_pipe": ("role_arn",),
    "aws_sagemaker_domain": ("default_user_settings.execution_role",),
    "aws_sagemaker_feature_group": ("role_arn",),
    "aws_sagemaker_model": ("execution_role_arn",),
    "aws_sagemaker_notebook_instance": ("role_arn",),
    "aws_sagemaker_pipeline": ("role_arn",),
    "aws_sagemaker_user_profile": ("user_settings.execution_role",),
    "aws_scheduler_schedule": ("target.role_arn",),
    "aws_sfn_state_machine": ("role_arn",),
}
# A resource that carries the policy of another: the attribute that names that one.
OF_POLICIES: Final = {
    "aws_ecr_repository_policy": "repository",
    "aws_efs_file_system_policy": "file_system_id",
    "aws_elasticsearch_domain_policy": "domain_name",
    "aws_kms_key_policy": "key_id",
    "aws_opensearch_domain_policy": "domain_name",
    "aws_s3_bucket_policy": "bucket",
    "aws_s3tables_table_bucket_policy": "table_bucket_arn",
    "aws_s3vectors_vector_bucket_policy": "vector_bucket_arn",
    "aws_sagemaker_model_package_group_policy": "model_package_group_name",
    "aws_secretsmanager_secret_policy": "secret_arn",
    "aws_sns_topic_policy": "arn",
    "aws_sqs_queue_policy": "queue_url",
}
# A resource that sets something of another: what it is called among the other's settings, and who names that one.
SETTINGS: Final = {
    "aws_s3_bucket_public_access_block": ("public_access_block", "bucket"),
    "aws_s3_bucket_server_side_encryption_configuration": ("encryption", "bucket"),
    "aws_s3_bucket_versioning": ("versioning", "bucket"),
    "aws_s3_bucket_logging": ("logging", "bucket"),
    "aws_s3_bucket_acl": ("acl", "bucket"),
    "aws_s3_bucket_ownership_controls": ("ownership", "bucket"),
    "aws_lambda_function_url": ("url", "function_name"),
}
