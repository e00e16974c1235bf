
data "aws_caller_identity" "me" {}
resource "aws_s3_bucket" "models" { bucket = "acme-models" }
resource "aws_iam_user" "contractor" { name = "contractor" }
resource "aws_iam_user_policy" "c" {
  user = aws_iam_user.contractor.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:PutObject"], Resource = "arn:aws:s3:::acme-models/*" }] })
}
resource "aws_iam_role" "task" {
  name = "scorer"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "ecs-tasks.amazonaws.com" }, Action = "sts:AssumeRole" }] })
}
resource "aws_iam_role_policy" "t" {
  role = aws_iam_role.task.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:GetObject"], Resource = "arn:aws:s3:::acme-models/*" }, { Effect = "Allow", Action = ["iam:*"], Resource = "*" }] })
}
resource "aws_ecs_task_definition" "score" {
  family = "score"
  task_role_arn = aws_iam_role.task.arn
  container_definitions = jsonencode([{ name = "c", image = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/scorer:1", environment = [{ name = "MODEL_BUCKET", value = "acme-models" }] }])
}
