provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_s3_bucket" "ecs_inputs" {
  bucket = "ecs-inputs"
}

resource "aws_ecr_repository" "api" { name = "api" }
resource "aws_ecr_repository" "fixed" {
  name = "fixed"
  image_tag_mutability = "IMMUTABLE"
}
resource "aws_iam_role" "task" {
  name = "task"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "ecs-tasks.amazonaws.com" }, Action = "sts:AssumeRole" }] })
}
resource "aws_iam_role_policy" "task" {
  role = aws_iam_role.task.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:GetObject"], Resource = "${aws_s3_bucket.ecs_inputs.arn}/private/*" }] })
}
resource "aws_ecs_task_definition" "api" {
  family = "api"
  task_role_arn = aws_iam_role.task.arn
  container_definitions = jsonencode([{ name = "api", image = "${aws_ecr_repository.api.repository_url}:latest", essential = true }])
}
resource "aws_iam_user" "push" { name = "push" }
resource "aws_iam_user_policy" "push" {
  user = aws_iam_user.push.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["ecr:PutImage"], Resource = aws_ecr_repository.api.arn }] })
}
resource "aws_iam_user" "pull" { name = "pull" }
resource "aws_iam_user_policy" "pull" {
  user = aws_iam_user.pull.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], Resource = "*" }] })
}
