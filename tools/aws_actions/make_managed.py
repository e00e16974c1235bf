"""Condenses policies that AWS manages into src/assaymark/assess/aws/data/managed.txt, one a line: ARN's end, document.

Usage: python tools/aws_actions/make_managed.py DATE   (in an environment that has moto, whose copy is read: Apache-2.0)

Templates attach such policies by name and do not hold their text. Kept are those of the services that architectures for
models use, without Sid; those of service-linked roles, which nobody can attach, and a few very long ones are left out.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import moto
from moto.iam.aws_managed_policies import aws_managed_policies_data

TARGET = Path(__file__).parents[2] / "src/assaymark/assess/aws/data/managed.txt"
LONGEST = 3_000
ALWAYS = ("ReadOnlyAccess", "SecurityAudit", "ViewOnlyAccess", "PowerUserAccess")
WANTED = re.compile(
    r"Administrator|ReadOnlyAccess$|FullAccess$|Billing|IAM|S3|SageMaker|Bedrock|EC2|EKS|ECS|ECR|SSM|DynamoDB|SQS|SNS|RDS|"
    r"Redshift|Athena|Kinesis|ContainerRegistry|ElasticFileSystem|APIGateway|Cognito|EMR|ElasticMapReduce|MSK|OpenSearch|"
    r"EventBridge|MWAA|Lambda|Glue|StepFunctions|CodeBuild|CodePipeline|CodeDeploy|CloudFormation|Batch|KeyManagement|"
    r"SecretsManager|XRay|Deny|CloudWatch|AppRunner|LakeFormation|Organizations|DataScientist|Support|Prometheus|Backup|"
    r"Quarantine|Comprehend|Rekognition|Textract|Transcribe|Kendra|Amazon.*Role(Policy)?$|AWS.*Role(Policy)?$"
)


def main() -> None:
    """Writes the table and says its size."""
    rows = []
    for name, item in sorted(json.loads(aws_managed_policies_data).items()):
        document = item["Document"]
        statements = document["Statement"]
        for one in statements if isinstance(statements, list) else [statements]:
            one.pop("Sid", None)
        text = json.dumps(document, separators=(",", ":"), sort_keys=True)
        linked = item["Path"] == "/aws-service-role/"
        if linked or not WANTED.search(name) or (len(text) > LONGEST and name not in ALWAYS):
            continue
        rows.append(f"{item['Path'][1:]}{name}\t{text}")
    head = f"# Policies that AWS manages, by way of moto {moto.__version__} (Apache-2.0) of {sys.argv[1]}"
    TARGET.write_text("\n".join([head, *rows]) + "\n")
    print(len(rows), TARGET.stat().st_size)


if __name__ == "__main__":
    main()
