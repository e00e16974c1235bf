
resource "aws_s3_bucket" "m" { bucket = "acme-models" }
resource "aws_iam_role" "r" {
  name = "scorer"
  assume_role_policy = jsonencode({Version="2012-10-17",Statement=[{Effect="Allow",Principal={Service="lambda.amazonaws.com"},Action="sts:AssumeRole"}]})
}
resource "aws_iam_role_policy" "p" {
  role = aws_iam_role.r.id
  policy = jsonencode({Version="2012-10-17",Statement=[{Effect="Allow",Action=["s3:GetObject","s3:PutObject"],Resource="${aws_s3_bucket.m.arn}/*"}]})
}
resource "aws_lambda_function" "f" {
  function_name = "scorer"
  role = aws_iam_role.r.arn
  handler = "app.handler"
  runtime = "python3.12"
  filename = "x.zip"
}
resource "aws_lambda_permission" "perm" {
  action = "lambda:InvokeFunction"
  function_name = aws_lambda_function.f.function_name
  principal = "apigateway.amazonaws.com"
}

resource "aws_sqs_queue" "q" { name = "jobs" }
resource "aws_iam_role" "gw" {
  name = "gw"
  assume_role_policy = jsonencode({Version="2012-10-17",Statement=[{Effect="Allow",Principal={Service="apigateway.amazonaws.com"},Action="sts:AssumeRole"}]})
}
resource "aws_iam_role_policy" "gw" {
  role = aws_iam_role.gw.id
  policy = jsonencode({Version="2012-10-17",Statement=[{Effect="Allow",Action="sqs:SendMessage",Resource=aws_sqs_queue.q.arn}]})
}
resource "aws_lambda_event_source_mapping" "e" {
  event_source_arn = aws_sqs_queue.q.arn
  function_name = aws_lambda_function.f.arn
}
resource "aws_iam_role_policy" "poll" {
  role = aws_iam_role.r.id
  policy = jsonencode({Version="2012-10-17",Statement=[{Effect="Allow",Action=["sqs:ReceiveMessage","sqs:DeleteMessage","sqs:GetQueueAttributes"],Resource=aws_sqs_queue.q.arn}]})
}

resource "aws_api_gateway_rest_api" "a" { name = "scores"  }
resource "aws_api_gateway_resource" "r" { 
 rest_api_id = aws_api_gateway_rest_api.a.id 
 parent_id = aws_api_gateway_rest_api.a.root_resource_id 
 path_part = "predict" 
}
resource "aws_api_gateway_method" "m" {
  rest_api_id = aws_api_gateway_rest_api.a.id
  resource_id = aws_api_gateway_resource.r.id
  http_method = "POST"
  authorization = "NONE"
  
}
resource "aws_api_gateway_integration" "i" {
  rest_api_id = aws_api_gateway_rest_api.a.id
  resource_id = aws_api_gateway_resource.r.id
  http_method = aws_api_gateway_method.m.http_method
  integration_http_method = "POST"
  type = "AWS"
 credentials = aws_iam_role.gw.arn
 uri = "arn:aws:apigateway:us-east-1:sqs:path/${aws_sqs_queue.q.name}"
}
