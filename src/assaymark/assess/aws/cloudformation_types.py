"""CloudFormation's types and properties by the names that Terraform has for them.

This is one file because it is one table.
"""

from __future__ import annotations

from typing import Final

TYPES: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "AWS::ApiGateway::RestApi": (
        "aws_api_gateway_rest_api",
        {
            "Name": "name",
            "Body": "body",
            "Policy": "policy",
            "EndpointConfiguration": "endpoint_configuration",
            "DisableExecuteApiEndpoint": "disable_execute_api_endpoint",
        },
    ),
    "AWS::ApiGateway::Resource": (
        "aws_api_gateway_resource",
        {"RestApiId": "rest_api_id", "PathPart": "path_part"},
    ),
    "AWS::ApiGateway::Method": (
        "aws_api_gateway_method",
        {
            "RestApiId": "rest_api_id",
            "ResourceId": "resource_id",
            "HttpMethod": "http_method",
            "AuthorizationType": "authorization",
            "ApiKeyRequired": "api_key_required",
            "Integration": "integration",
        },
    ),
    "AWS::ApiGateway::Stage": (
        "aws_api_gateway_stage",
        {"RestApiId": "rest_api_id", "MethodSettings": "method_settings", "Variables": "variables"},
    ),
    "AWS::ApiGateway::BasePathMapping": (
        "aws_api_gateway_base_path_mapping",
        {"DomainName": "domain_name", "RestApiId": "api_id"},
    ),
    "AWS::ApiGateway::DomainName": (
        "aws_api_gateway_domain_name",
        {"DomainName": "domain_name", "MutualTlsAuthentication": "mutual_tls_authentication"},
    ),
    "AWS::ApiGatewayV2::ApiMapping": (
        "aws_apigatewayv2_api_mapping",
        {"ApiId": "api_id", "DomainName": "domain_name"},
    ),
    "AWS::ApiGatewayV2::DomainName": (
        "aws_apigatewayv2_domain_name",
        {"DomainName": "domain_name", "MutualTlsAuthentication": "mutual_tls_authentication"},
    ),
    "AWS::ApiGatewayV2::Stage": (
        "aws_apigatewayv2_stage",
        {"ApiId": "api_id", "StageVariables": "stage_variables"},
    ),
    "AWS::ApiGatewayV2::Api": (
        "aws_apigatewayv2_api",
        {
            "Name": "name",
            "ProtocolType": "protocol_type",
            "Target": "target",
            "RouteKey": "route_key",
            "Body": "body",
            "DisableExecuteApiEndpoint": "disable_execute_api_endpoint",
        },
    ),
    "AWS::ApiGatewayV2::Integration": (
        "aws_apigatewayv2_integration",
        {
            "ApiId": "api_id",
            "IntegrationType": "integration_type",
            "IntegrationUri": "integration_uri",
            "IntegrationSubtype": "integration_subtype",
            "CredentialsArn": "credentials_arn",
        },
    ),
    "AWS::ApiGatewayV2::Route": (
        "aws_apigatewayv2_route",
        {"ApiId": "api_id", "RouteKey": "route_key", "AuthorizationType": "authorization_type", "Target": "target"},
    ),
    "AWS::CloudFront::CloudFrontOriginAccessIdentity": ("aws_cloudfront_origin_access_identity", {}),
    "AWS::CloudFront::Distribution": (
        "aws_cloudfront_distribution",
        {"DistributionConfig": "distribution_config"},
    ),
    "AWS::GlobalAccelerator::Accelerator": (
        "aws_globalaccelerator_accelerator",
        {"Name": "name", "Enabled": "enabled"},
    ),
    "AWS::GlobalAccelerator::EndpointGroup": (
        "aws_globalaccelerator_endpoint_group",
        {
            "ListenerArn": "listener_arn",
            "EndpointConfigurations": "endpoint_configuration",
            "PortOverrides": "port_override",
        },
    ),
    "AWS::GlobalAccelerator::Listener": (
        "aws_globalaccelerator_listener",
        {"AcceleratorArn": "accelerator_arn", "PortRanges": "port_range", "Protocol": "protocol"},
    ),
    "AWS::WAFv2::WebACL": (
        "aws_wafv2_web_acl",
        {"Name": "name", "DefaultAction": "default_action", "Rules": "rule"},
    ),
    "AWS::WAFv2::WebACLAssociation": (
        "aws_wafv2_web_acl_association",
        {"ResourceArn": "resource_arn", "WebACLArn": "web_acl_arn"},
    ),
    "AWS::WAFv2::IPSet": ("aws_wafv2_ip_set", {"Name": "name", "Addresses": "addresses"}),
    "AWS::Bedrock::Agent": (
        "aws_bedrockagent_agent",
        {
            "AgentName": "agent_name",
            "AgentResourceRoleArn": "agent_resource_role_arn",
            "ActionGroups": "action_groups",
        },
    ),
    "AWS::Batch::JobDefinition": (
        "aws_batch_job_definition",
        {"JobDefinitionName": "name", "ContainerProperties": "container_properties"},
    ),
    "AWS::BedrockAgentCore::CodeInterpreterCustom": (
        "aws_bedrockagentcore_code_interpreter",
        {"Name": "name", "ExecutionRoleArn": "execution_role_arn"},
    ),
    "AWS::BedrockAgentCore::Runtime": (
        "aws_bedrockagentcore_agent_runtime",
        {"AgentRuntimeName": "agent_runtime_name", "RoleArn": "role_arn"},
    ),
    "AWS::CloudFormation::Stack": ("aws_cloudformation_stack", {"StackName": "name", "TemplateURL": "template_url"}),
    "AWS::CodeBuild::Project": (
        "aws_codebuild_project",
        {
            "Name": "name",
            "ServiceRole": "service_role",
            "Source": "source",
            "SecondarySources": "secondary_sources",
            "Environment": "environment",
        },
    ),
    "AWS::CodePipeline::Pipeline": (
        "aws_codepipeline",
        {"Name": "name", "RoleArn": "role_arn", "Stages": "stage", "ArtifactStore": "artifact_store"},
    ),
    "AWS::DynamoDB::Table": ("aws_dynamodb_table", {"TableName": "name"}),
    "AWS::EC2::EIP": ("aws_eip", {"InstanceId": "instance"}),
    "AWS::EC2::Instance": (
        "aws_instance",
        {
            "IamInstanceProfile": "iam_instance_profile",
            "NetworkInterfaces": "network_interfaces",
            "SecurityGroupIds": "vpc_security_group_ids",
            "SecurityGroups": "security_groups",
            "SubnetId": "subnet_id",
            "UserData": "user_data",
        },
    ),
    "AWS::EC2::LaunchTemplate": (
        "aws_launch_template",
        {"LaunchTemplateName": "name", "LaunchTemplateData": "launch_template_data"},
    ),
    "AWS::AppRunner::Service": (
        "aws_apprunner_service",
        {
            "ServiceName": "service_name",
            "SourceConfiguration": "source_configuration",
            "InstanceConfiguration": "instance_configuration",
            "NetworkConfiguration": "network_configuration",
        },
    ),
    "AWS::AutoScaling::AutoScalingGroup": (
        "aws_autoscaling_group",
        {
            "AutoScalingGroupName": "name",
            "LaunchTemplate": "launch_template",
            "TargetGroupARNs": "target_group_arns",
        },
    ),
    "AWS::EC2::SecurityGroup": ("aws_security_group", {"SecurityGroupIngress": "ingress"}),
    "AWS::EC2::SecurityGroupIngress": (
        "aws_vpc_security_group_ingress_rule",
        {
            "GroupId": "security_group_id",
            "SourceSecurityGroupId": "referenced_security_group_id",
            "SourcePrefixListId": "prefix_list_id",
            "CidrIp": "cidr_ipv4",
            "CidrIpv6": "cidr_ipv6",
            "FromPort": "from_port",
            "ToPort": "to_port",
            "IpProtocol": "ip_protocol",
        },
    ),
    "AWS::EC2::Subnet": ("aws_subnet", {"VpcId": "vpc_id", "MapPublicIpOnLaunch": "map_public_ip_on_launch"}),
    "AWS::EC2::SubnetRouteTableAssociation": (
        "aws_route_table_association",
        {"SubnetId": "subnet_id", "RouteTableId": "route_table_id"},
    ),
    "AWS::EC2::VPCEndpoint": (
        "aws_vpc_endpoint",
        {
            "VpcId": "vpc_id",
            "ServiceName": "service_name",
            "VpcEndpointType": "vpc_endpoint_type",
            "PolicyDocument": "policy",
            "PrivateDnsEnabled": "private_dns_enabled",
            "RouteTableIds": "route_table_ids",
        },
    ),
    "AWS::ECR::Repository": (
        "aws_ecr_repository",
        {"RepositoryName": "name", "ImageTagMutability": "image_tag_mutability", "RepositoryPolicyText": "policy"},
    ),
    "AWS::ECS::TaskDefinition": (
        "aws_ecs_task_definition",
        {
            "Family": "family",
            "TaskRoleArn": "task_role_arn",
            "ExecutionRoleArn": "execution_role_arn",
            "ContainerDefinitions": "container_definitions",
        },
    ),
    "AWS::ECS::Service": (
        "aws_ecs_service",
        {
            "ServiceName": "name",
            "TaskDefinition": "task_definition",
            "LoadBalancers": "load_balancers",
            "NetworkConfiguration": "network_configuration",
        },
    ),
    "AWS::EFS::FileSystem": ("aws_efs_file_system", {"Encrypted": "encrypted", "FileSystemPolicy": "policy"}),
    "AWS::EKS::Cluster": ("aws_eks_cluster", {"Name": "name", "RoleArn": "role_arn"}),
    "AWS::EKS::Nodegroup": (
        "aws_eks_node_group",
        {"ClusterName": "cluster_name", "NodegroupName": "node_group_name", "NodeRole": "node_role_arn"},
    ),
    "AWS::EKS::PodIdentityAssociation": (
        "aws_eks_pod_identity_association",
        {
            "ClusterName": "cluster_name",
            "Namespace": "namespace",
            "ServiceAccount": "service_account",
            "RoleArn": "role_arn",
            "TargetRoleArn": "target_role_arn",
        },
    ),
    "AWS::ElasticLoadBalancingV2::Listener": (
        "aws_lb_listener",
        {
            "LoadBalancerArn": "load_balancer_arn",
            "Port": "port",
            "Protocol": "protocol",
            "DefaultActions": "default_action",
            "MutualAuthentication": "mutual_authentication",
        },
    ),
    "AWS::ElasticLoadBalancingV2::ListenerRule": (
        "aws_lb_listener_rule",
        {"ListenerArn": "listener_arn", "Actions": "actions", "Conditions": "conditions"},
    ),
    "AWS::ElasticLoadBalancingV2::LoadBalancer": (
        "aws_lb",
        {"Name": "name", "Scheme": "scheme", "Type": "type", "SecurityGroups": "security_groups"},
    ),
    "AWS::ElasticLoadBalancingV2::TargetGroup": (
        "aws_lb_target_group",
        {"Name": "name", "Port": "port", "Targets": "targets"},
    ),
    "AWS::EMR::Cluster": (
        "aws_emr_cluster",
        {
            "Name": "name",
            "ServiceRole": "service_role",
            "JobFlowRole": "iam_instance_profile",
            "BootstrapActions": "bootstrap_action",
            "Steps": "step",
        },
    ),
    "AWS::Events::Rule": (
        "aws_cloudwatch_event_rule",
        {
            "Name": "name",
            "EventBusName": "event_bus_name",
            "EventPattern": "event_pattern",
            "State": "state",
            "Targets": "targets",
        },
    ),
    "AWS::Glue::Job": (
        "aws_glue_job",
        {"Name": "name", "Role": "role_arn", "Command": "command", "DefaultArguments": "default_arguments"},
    ),
    "AWS::IAM::AccessKey": ("aws_iam_access_key", {"UserName": "user"}),
    "AWS::IAM::UserToGroupAddition": ("aws_iam_group_membership", {"GroupName": "group", "Users": "users"}),
    "AWS::IAM::Group": (
        "aws_iam_group",
        {"GroupName": "name", "ManagedPolicyArns": "managed_policy_arns", "Policies": "inline_policy"},
    ),
    "AWS::IAM::InstanceProfile": ("aws_iam_instance_profile", {"InstanceProfileName": "name", "Roles": "role"}),
    "AWS::IAM::ManagedPolicy": (
        "aws_iam_policy",
        {"ManagedPolicyName": "name", "PolicyDocument": "policy", "Path": "path"},
    ),
    "AWS::IAM::OIDCProvider": ("aws_iam_openid_connect_provider", {"Url": "url", "ClientIdList": "client_id_list"}),
    "AWS::IAM::Role": (
        "aws_iam_role",
        {
            "RoleName": "name",
            "Path": "path",
            "AssumeRolePolicyDocument": "assume_role_policy",
            "ManagedPolicyArns": "managed_policy_arns",
            "Policies": "inline_policy",
            "PermissionsBoundary": "permissions_boundary",
        },
    ),
    "AWS::IAM::RolePolicy": ("aws_iam_role_policy", {"RoleName": "role", "PolicyDocument": "policy"}),
    "AWS::IAM::UserPolicy": ("aws_iam_user_policy", {"UserName": "user", "PolicyDocument": "policy"}),
    "AWS::IAM::GroupPolicy": ("aws_iam_group_policy", {"GroupName": "group", "PolicyDocument": "policy"}),
    "AWS::IAM::User": (
        "aws_iam_user",
        {
            "UserName": "name",
            "Path": "path",
            "ManagedPolicyArns": "managed_policy_arns",
            "Policies": "inline_policy",
            "PermissionsBoundary": "permissions_boundary",
        },
    ),
    "AWS::Kinesis::Stream": ("aws_kinesis_stream", {"Name": "name"}),
    "AWS::KinesisFirehose::DeliveryStream": (
        "aws_kinesis_firehose_delivery_stream",
        {
            "DeliveryStreamName": "name",
            "KinesisStreamSourceConfiguration": "kinesis_source_configuration",
            "ExtendedS3DestinationConfiguration": "extended_s3_configuration",
            "S3DestinationConfiguration": "s3_configuration",
            "RedshiftDestinationConfiguration": "redshift_configuration",
            "AmazonopensearchserviceDestinationConfiguration": "opensearch_configuration",
        },
    ),
    "AWS::KMS::Key": (
        "aws_kms_key",
        {"KeyPolicy": "policy", "EnableKeyRotation": "enable_key_rotation", "KeySpec": "customer_master_key_spec"},
    ),
    "AWS::Lambda::Function": (
        "aws_lambda_function",
        {
            "FunctionName": "function_name",
            "Role": "role",
            "Code": "code",
            "Environment": "environment",
            "Handler": "handler",
            "Layers": "layers",
            "VpcConfig": "vpc_config",
        },
    ),
    "AWS::Lambda::EventSourceMapping": (
        "aws_lambda_event_source_mapping",
        {"EventSourceArn": "event_source_arn", "FunctionName": "function_name", "Enabled": "enabled"},
    ),
    "AWS::Lambda::LayerVersion": ("aws_lambda_layer_version", {"LayerName": "layer_name", "Content": "content"}),
    "AWS::MWAA::Environment": (
        "aws_mwaa_environment",
        {"Name": "name", "ExecutionRoleArn": "execution_role_arn", "SourceBucketArn": "source_bucket_arn"},
    ),
    "AWS::Pipes::Pipe": (
        "aws_pipes_pipe",
        {
            "Name": "name",
            "RoleArn": "role_arn",
            "Source": "source",
            "Enrichment": "enrichment",
            "Target": "target",
            "TargetParameters": "target_parameters",
            "DesiredState": "desired_state",
        },
    ),
    "AWS::RDS::DBCluster": ("aws_rds_cluster", {"DBClusterIdentifier": "cluster_identifier"}),
    "AWS::RDS::DBInstance": (
        "aws_db_instance",
        {"DBInstanceIdentifier": "identifier", "PubliclyAccessible": "publicly_accessible"},
    ),
    "AWS::ElastiCache::ReplicationGroup": (
        "aws_elasticache_replication_group",
        {"ReplicationGroupId": "replication_group_id", "TransitEncryptionEnabled": "transit_encryption_enabled"},
    ),
    "AWS::Redshift::Cluster": (
        "aws_redshift_cluster",
        {"ClusterIdentifier": "cluster_identifier", "PubliclyAccessible": "publicly_accessible"},
    ),
    "AWS::S3::Bucket": (
        "aws_s3_bucket",
        {"BucketName": "bucket", "AccessControl": "acl", "NotificationConfiguration": "notification"},
    ),
    "AWS::S3::BucketPolicy": ("aws_s3_bucket_policy", {"Bucket": "bucket", "PolicyDocument": "policy"}),
    "AWS::SNS::Topic": ("aws_sns_topic", {"TopicName": "name", "Subscription": "subscription"}),
    "AWS::SNS::Subscription": (
        "aws_sns_topic_subscription",
        {"TopicArn": "topic_arn", "Protocol": "protocol", "Endpoint": "endpoint"},
    ),
    "AWS::SQS::Queue": ("aws_sqs_queue", {"QueueName": "name"}),
    "AWS::SNS::TopicPolicy": ("aws_sns_topic_policy", {"Topics": "arn", "PolicyDocument": "policy"}),
    "AWS::SQS::QueuePolicy": ("aws_sqs_queue_policy", {"Queues": "queue_url", "PolicyDocument": "policy"}),
    "AWS::SageMaker::Domain": (
        "aws_sagemaker_domain",
        {"DomainName": "domain_name", "AppNetworkAccessType": "app_network_access_type"},
    ),
    "AWS::SageMaker::Endpoint": (
        "aws_sagemaker_endpoint",
        {"EndpointName": "name", "EndpointConfigName": "endpoint_config_name"},
    ),
    "AWS::SageMaker::EndpointConfig": (
        "aws_sagemaker_endpoint_configuration",
        {
            "EndpointConfigName": "name",
            "DataCaptureConfig": "data_capture_config",
            "ProductionVariants": "production_variants",
        },
    ),
    "AWS::SageMaker::Model": (
        "aws_sagemaker_model",
        {
            "ModelName": "name",
            "ExecutionRoleArn": "execution_role_arn",
            "PrimaryContainer": "primary_container",
            "Containers": "container",
            "EnableNetworkIsolation": "enable_network_isolation",
        },
    ),
    "AWS::SageMaker::NotebookInstance": (
        "aws_sagemaker_notebook_instance",
        {
            "NotebookInstanceName": "name",
            "RoleArn": "role_arn",
            "DirectInternetAccess": "direct_internet_access",
            "RootAccess": "root_access",
            "LifecycleConfigName": "lifecycle_config_name",
        },
    ),
    "AWS::SageMaker::NotebookInstanceLifecycleConfig": (
        "aws_sagemaker_notebook_instance_lifecycle_configuration",
        {"NotebookInstanceLifecycleConfigName": "name", "OnCreate": "on_create", "OnStart": "on_start"},
    ),
    "AWS::SageMaker::Pipeline": (
        "aws_sagemaker_pipeline",
        {"PipelineName": "pipeline_name", "RoleArn": "role_arn", "PipelineDefinition": "pipeline_definition"},
    ),
    "AWS::Scheduler::Schedule": ("aws_scheduler_schedule", {"Name": "name", "Target": "target"}),
    "AWS::Organizations::Account": ("aws_organizations_account", {"AccountName": "name", "ParentIds": "parent_id"}),
    "AWS::Organizations::Organization": ("aws_organizations_organization", {}),
    "AWS::Organizations::OrganizationalUnit": (
        "aws_organizations_organizational_unit",
        {"Name": "name", "ParentId": "parent_id"},
    ),
    "AWS::Organizations::Policy": (
        "aws_organizations_policy",
        {"Name": "name", "Content": "content", "Type": "type", "TargetIds": "target_ids"},
    ),
    "AWS::SecretsManager::Secret": (
        "aws_secretsmanager_secret",
        {"Name": "name", "KmsKeyId": "kms_key_id", "SecretString": "secret_string"},
    ),
    "AWS::SSM::Parameter": ("aws_ssm_parameter", {"Name": "name", "Value": "value"}),
    "AWS::SecretsManager::ResourcePolicy": (
        "aws_secretsmanager_secret_policy",
        {"SecretId": "secret_arn", "ResourcePolicy": "policy"},
    ),
    "AWS::Serverless::Function": (
        "aws_lambda_function",
        {
            "FunctionName": "function_name",
            "Role": "role",
            "Handler": "handler",
            "CodeUri": "code_uri",
            "Environment": "environment",
            "Layers": "layers",
        },
    ),
    "AWS::Serverless::StateMachine": (
        "aws_sfn_state_machine",
        {"Name": "name", "Role": "role_arn", "Definition": "definition"},
    ),
    "AWS::StepFunctions::StateMachine": (
        "aws_sfn_state_machine",
        {
            "StateMachineName": "name",
            "RoleArn": "role_arn",
            "Definition": "definition",
            "DefinitionString": "definition_string",
        },
    ),
    "AWS::Lambda::Url": (
        "aws_lambda_function_url",
        {"TargetFunctionArn": "function_name", "AuthType": "authorization_type"},
    ),
    "AWS::Lambda::Permission": (
        "aws_lambda_permission",
        {
            "FunctionName": "function_name",
            "Action": "action",
            "Principal": "principal",
            "SourceArn": "source_arn",
            "SourceAccount": "source_account",
        },
    ),
}
