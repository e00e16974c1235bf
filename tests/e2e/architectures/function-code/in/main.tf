provider "aws" { region = "eu-west-1" }
data "archive_file" "code" {
  type        = "zip"
  source_dir  = "${path.module}/src"
  output_path = "${path.module}/build/code.zip"
}
resource "aws_iam_role" "fn" {
  name = "fn"
  assume_role_policy = jsonencode({Version="2012-10-17",Statement=[{Effect="Allow",Principal={Service="lambda.amazonaws.com"},Action="sts:AssumeRole"}]})
}
resource "aws_iam_role_policy" "p" {
  role = aws_iam_role.fn.name
  policy = jsonencode({Version="2012-10-17",Statement=[{Effect="Allow",Action="*",Resource="*"}]})
}
resource "aws_lambda_function" "score" {
  function_name = "score"
  role = aws_iam_role.fn.arn
  handler = "app.handler"
  runtime = "python3.12"
  filename = data.archive_file.code.output_path
  source_code_hash = data.archive_file.code.output_base64sha256
  environment { variables = { MODELS = "example-models" } }
}
resource "aws_lambda_function_url" "u" {
  function_name = aws_lambda_function.score.function_name
  authorization_type = "NONE"
}
resource "aws_s3_bucket" "m" { bucket = "example-models" }
