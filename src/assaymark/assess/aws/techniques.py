"""How one principal of AWS becomes another: the documented ways, each with the actions that it takes.

Facts from the public catalogue of pathfinding.cloud (Apache-2.0) and from the services' documentation, in our own
words. A technique names what must be there too: a role that the service may assume, or a thing that runs as it.
This is one file because it is one table.

What a thing that is there can be started with: AWS Batch API Reference, ``SubmitJob`` (``containerOverrides``; no
role is passed); Amazon ECS API Reference, ``RunTask`` (``overrides``), and Developer Guide, "Amazon ECS EventBridge
IAM role" (the task's role has to be passed); AWS Glue Developer Guide, "AWS Glue job parameters"
(``--scriptLocation``, ``--extra-py-files``, ``--additional-python-modules``). State machines are given input alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class NewRole:
    """Start something new of a service that runs as a role which is passed (iam:PassRole).

    ``ways``: sets of actions, of which one is enough. ``how`` completes "it could ...". ``if_only``: what the input
    never shows and would decide it; empty for what works for certain.
    """

    id: str
    service: str
    ways: tuple[tuple[str, ...], ...]
    how: str
    if_only: str = ""


@dataclass(frozen=True, slots=True)
class TakeOver:
    """Get into, or change, a thing that runs already.

    ``kinds``: those of resources. ``service``: whom its role
    trusts.

    ``relation`` is ``takes-over`` where code runs at once, ``changes`` where it runs when the thing runs next.
    ``if_only``: what the input never shows and would decide it. ``beside``: what else the actions must be allowed
    on, as a pattern of ARNs with ``{account}``. ``passes``: the thing's role has to be passed, too.
    """

    id: str
    service: str
    kinds: tuple[str, ...]
    ways: tuple[tuple[str, ...], ...]
    how: str
    relation: str = "takes-over"
    if_only: str = ""
    beside: str = ""
    passes: bool = False


NEW: Final = (
    NewRole(
        "apprunner-001",
        "tasks.apprunner.amazonaws.com",
        (("apprunner:CreateService",),),
        "run an image in App Runner",
    ),
    NewRole(
        "batch-001",
        "ecs-tasks.amazonaws.com",
        (("batch:RegisterJobDefinition", "batch:SubmitJob"),),
        "submit a job to Batch",
    ),
    NewRole(
        "bedrock-001",
        "bedrock-agentcore.amazonaws.com",
        (
            (
                "bedrock-agentcore:CreateCodeInterpreter",
                "bedrock-agentcore:StartCodeInterpreterSession",
                "bedrock-agentcore:InvokeCodeInterpreter",
            ),
        ),
        "run code in a new code interpreter",
    ),
    NewRole(
        "bedrock-003",
        "bedrock-agentcore.amazonaws.com",
        (
            ("bedrock-agentcore:CreateAgentRuntime", "bedrock-agentcore:InvokeAgentRuntime"),
            ("bedrock-agentcore:UpdateAgentRuntime", "bedrock-agentcore:InvokeAgentRuntime"),
            ("bedrock-agentcore:CreateAgentRuntime", "bedrock-agentcore:InvokeAgentRuntimeCommand"),
            ("bedrock-agentcore:CreateAgentRuntime", "bedrock-agentcore:InvokeAgentRuntimeCommandShell"),
            ("bedrock-agentcore:CreateHarness", "bedrock-agentcore:InvokeHarness"),
            ("bedrock-agentcore:UpdateHarness", "bedrock-agentcore:InvokeHarness"),
        ),
        "run an agent of its own",
    ),
    NewRole(
        "cloudformation-001",
        "cloudformation.amazonaws.com",
        (
            ("cloudformation:CreateStack",),
            ("cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"),
            ("cloudformation:CreateStackSet", "cloudformation:CreateStackInstances"),
            ("cloudformation:UpdateStackSet",),
        ),
        "have a stack make what it likes",
    ),
    NewRole(
        "codebuild-001",
        "codebuild.amazonaws.com",
        (
            ("codebuild:CreateProject", "codebuild:StartBuild"),
            ("codebuild:CreateProject", "codebuild:StartBuildBatch"),
            ("codebuild:UpdateProject", "codebuild:StartBuild"),
        ),
        "run commands in a build",
    ),
    NewRole(
        "datapipeline-001",
        "datapipeline.amazonaws.com",
        (
            ("datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition", "datapipeline:ActivatePipeline"),
            ("datapipeline:CreatePipeline", "datapipeline:PutPipelineDefinition"),
        ),
        "run commands in a pipeline",
    ),
    NewRole(
        "ec2-001",
        "ec2.amazonaws.com",
        (("ec2:RunInstances",), ("ec2:RequestSpotInstances",)),
        "start an instance with commands of its own",
    ),
    NewRole(
        "ecs-001",
        "ecs-tasks.amazonaws.com",
        (
            ("ecs:RegisterTaskDefinition", "ecs:RunTask"),
            ("ecs:RegisterTaskDefinition", "ecs:CreateService"),
            ("ecs:RegisterTaskDefinition", "ecs:StartTask"),
            ("ecs:RegisterTaskDefinition", "ecs:UpdateService"),
            ("ecs:RegisterDaemonTaskDefinition", "ecs:CreateDaemon"),
            ("ecs:RegisterDaemonTaskDefinition", "ecs:UpdateDaemon"),
        ),
        "run a container",
    ),
    NewRole(
        "ecs-007",
        "ecs-tasks.amazonaws.com",
        (("ecs:RunTask",), ("ecs:StartTask",)),
        "run a task definition that is there with a command of its own",
        "there is a task definition that it may run, whose image runs the command that it is given",
    ),
    NewRole(
        "elasticmapreduce-001",
        "ec2.amazonaws.com",
        (("elasticmapreduce:RunJobFlow",),),
        "run steps in a new cluster",
    ),
    NewRole(
        "emrserverless-001",
        "emr-serverless.amazonaws.com",
        (
            ("emr-serverless:CreateApplication", "emr-serverless:StartJobRun"),
            ("emr-serverless:CreateApplication", "emr-serverless:StartSession", "emr-serverless:GetSessionEndpoint"),
        ),
        "run code in EMR Serverless",
    ),
    NewRole(
        "glue-001",
        "glue.amazonaws.com",
        (
            ("glue:CreateDevEndpoint",),
            ("glue:CreateJob", "glue:StartJobRun"),
            ("glue:CreateJob", "glue:CreateTrigger"),
            ("glue:UpdateJob", "glue:StartJobRun"),
            ("glue:UpdateJob", "glue:CreateTrigger"),
            ("glue:CreateSession", "glue:RunStatement"),
        ),
        "run code in Glue",
    ),
    NewRole(
        "lambda-001",
        "lambda.amazonaws.com",
        (
            ("lambda:CreateFunction", "lambda:InvokeFunction"),
            ("lambda:CreateFunction", "lambda:AddPermission"),
            ("lambda:CreateFunction", "lambda:PutResourcePolicy"),
            ("lambda:CreateFunction", "lambda:CreateEventSourceMapping"),
            ("lambda:CreateFunction", "lambda:CreateFunctionUrlConfig"),
            ("lambda:UpdateFunctionConfiguration", "lambda:InvokeFunction"),
        ),
        "run code in a function",
    ),
    NewRole(
        "lambda-008",
        "lambda.amazonaws.com",
        (
            ("lambda:CreateMicrovmImage", "lambda:RunMicrovm"),
            ("lambda:RunMicrovm", "lambda:CreateMicrovmShellAuthToken"),
        ),
        "run code in a MicroVM",
    ),
    NewRole(
        "sagemaker-001",
        "sagemaker.amazonaws.com",
        (
            ("sagemaker:CreateNotebookInstance",),
            ("sagemaker:CreateTrainingJob",),
            ("sagemaker:CreateProcessingJob",),
            ("sagemaker:CreateUserProfile", "sagemaker:CreatePresignedDomainUrl"),
            ("sagemaker:CreatePipeline", "sagemaker:StartPipelineExecution"),
            ("sagemaker:CreateModel", "sagemaker:CreateEndpointConfig", "sagemaker:CreateEndpoint"),
            ("sagemaker:CreateModel", "sagemaker:CreateTransformJob"),
        ),
        "run code in SageMaker",
    ),
    NewRole(
        "ssm-003",
        "ssm.amazonaws.com",
        (("ssm:CreateDocument", "ssm:StartAutomationExecution"),),
        "run an automation of its own",
    ),
    NewRole(
        "states-001",
        "states.amazonaws.com",
        (
            ("states:CreateStateMachine", "states:StartExecution"),
            ("states:UpdateStateMachine", "states:StartExecution"),
        ),
        "run a state machine that calls what it likes",
    ),
    NewRole(
        "scheduler-001",
        "scheduler.amazonaws.com",
        (("scheduler:CreateSchedule",), ("scheduler:UpdateSchedule",)),
        "schedule any call",
    ),
)

TAKE: Final = (
    TakeOver(
        "lambda-003",
        "lambda.amazonaws.com",
        ("lambda:function",),
        (("lambda:UpdateFunctionCode",),),
        "replace the function's code",
        "changes",
    ),
    TakeOver(
        "lambda-007",
        "lambda.amazonaws.com",
        ("lambda:function",),
        (("lambda:UpdateFunctionConfiguration",),),
        "put a layer with code of its own under the function",
        "changes",
    ),
    TakeOver(
        "apprunner-002",
        "tasks.apprunner.amazonaws.com",
        ("apprunner:service",),
        (("apprunner:UpdateService",),),
        "replace the service's image",
        "changes",
    ),
    TakeOver(
        "batch-002",
        "ecs-tasks.amazonaws.com",
        ("batch:job-definition",),
        (("batch:SubmitJob",),),
        "submit a job with a command and variables of its own",
        if_only="the image does what the command or the variables of the job say",
        beside="arn:aws:batch:*:{account}:job-queue/*",
    ),
    TakeOver(
        "bedrock-002",
        "bedrock-agentcore.amazonaws.com",
        ("bedrock-agentcore:code-interpreter", "bedrock-agentcore:code-interpreter-custom"),
        (("bedrock-agentcore:StartCodeInterpreterSession", "bedrock-agentcore:InvokeCodeInterpreter"),),
        "run code in the code interpreter",
    ),
    TakeOver(
        "bedrock-004",
        "bedrock-agentcore.amazonaws.com",
        ("bedrock-agentcore:agent-runtime", "bedrock-agentcore:runtime"),
        (
            ("bedrock-agentcore:InvokeAgentRuntimeCommand",),
            ("bedrock-agentcore:InvokeAgentRuntimeCommandShell",),
        ),
        "run commands in the agent's runtime",
    ),
    TakeOver(
        "cloudformation-002",
        "cloudformation.amazonaws.com",
        ("cloudformation:stack",),
        (("cloudformation:UpdateStack",), ("cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet")),
        "have the stack make what it likes with its role",
    ),
    TakeOver(
        "codebuild-002",
        "codebuild.amazonaws.com",
        ("codebuild:project",),
        (("codebuild:StartBuild",), ("codebuild:StartBuildBatch",)),
        "start a build with commands of its own",
    ),
    TakeOver(
        "datapipeline-002",
        "datapipeline.amazonaws.com",
        ("datapipeline:pipeline",),
        (("datapipeline:PutPipelineDefinition", "datapipeline:ActivatePipeline"),),
        "change what the pipeline runs",
    ),
    TakeOver(
        "ec2-connect-003",
        "ec2.amazonaws.com",
        ("ec2:instance",),
        (("ec2-instance-connect:SendSSHPublicKey",),),
        "log in with a key of its own",
    ),
    TakeOver(
        "ec2-002",
        "ec2.amazonaws.com",
        ("ec2:instance",),
        (("ec2:ModifyInstanceAttribute", "ec2:StopInstances", "ec2:StartInstances"),),
        "change the instance's user data and start it anew",
    ),
    TakeOver(
        "ssm-001", "ec2.amazonaws.com", ("ec2:instance",), (("ssm:StartSession",),), "open a session on the instance"
    ),
    TakeOver(
        "ssm-002", "ec2.amazonaws.com", ("ec2:instance",), (("ssm:SendCommand",),), "send the instance a command"
    ),
    TakeOver(
        "ecs-006",
        "ecs-tasks.amazonaws.com",
        ("ecs:service", "ecs:task", "ecs:task-definition"),
        (("ecs:ExecuteCommand",),),
        "run a command in the container",
    ),
    TakeOver(
        "ecs-008",
        "ecs-tasks.amazonaws.com",
        ("ecs:task-definition",),
        (("ecs:RunTask",), ("ecs:StartTask",)),
        "run the task with a command of its own",
        if_only="the image runs the command that it is given",
        passes=True,
    ),
    TakeOver(
        "glue-002",
        "glue.amazonaws.com",
        ("glue:dev-endpoint", "glue:devEndpoint"),
        (("glue:UpdateDevEndpoint",),),
        "put an SSH key of its own on the endpoint",
    ),
    TakeOver(
        "glue-007",
        "glue.amazonaws.com",
        ("glue:job",),
        (("glue:UpdateJob", "glue:StartJobRun"),),
        "change the job's script",
    ),
    TakeOver(
        "glue-008",
        "glue.amazonaws.com",
        ("glue:job",),
        (("glue:StartJobRun",),),
        "run the job with arguments of its own",
        if_only="the job can load the script, files or modules that its arguments name",
    ),
    TakeOver(
        "sagemaker-004",
        "sagemaker.amazonaws.com",
        ("sagemaker:notebook-instance",),
        (("sagemaker:CreatePresignedNotebookInstanceUrl",),),
        "open the notebook and run code in it",
    ),
    TakeOver(
        "sagemaker-005",
        "sagemaker.amazonaws.com",
        ("sagemaker:notebook-instance",),
        (
            (
                "sagemaker:CreateNotebookInstanceLifecycleConfig",
                "sagemaker:StopNotebookInstance",
                "sagemaker:UpdateNotebookInstance",
                "sagemaker:StartNotebookInstance",
            ),
        ),
        "have the notebook run a script when it starts",
    ),
    TakeOver(
        "sagemaker-006",
        "sagemaker.amazonaws.com",
        ("sagemaker:user-profile", "sagemaker:domain"),
        (("sagemaker:CreatePresignedDomainUrl",),),
        "open the studio as its user",
    ),
    TakeOver(
        "states-002",
        "states.amazonaws.com",
        ("states:stateMachine", "states:state-machine"),
        (("states:UpdateStateMachine",),),
        "change what the state machine calls",
        "changes",
    ),
)

# Who may change what an identity may do: the actions on the identity itself, by its kind.
GRANTS_ITSELF: Final = {
    "user": ("iam:AttachUserPolicy", "iam:PutUserPolicy"),
    "role": ("iam:AttachRolePolicy", "iam:PutRolePolicy"),
    "group": ("iam:AttachGroupPolicy", "iam:PutGroupPolicy"),
}
# Credentials of another user, with how hard it is: a password may be there or not.
CREDENTIALS: Final = (
    ("iam:CreateAccessKey", "make an access key for the user", 1),
    ("iam:CreateLoginProfile", "give the user a password for the console", 2),
    ("iam:UpdateLoginProfile", "set the user's password for the console", 2),
)
ADMINISTRATOR_POLICY: Final = "arn:aws:iam::aws:policy/AdministratorAccess"
