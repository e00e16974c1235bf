resource "aws_api_gateway_rest_api" "scoring" {
  name = "scoring"
}

resource "aws_api_gateway_resource" "predict" {
  rest_api_id = aws_api_gateway_rest_api.scoring.id
  parent_id   = aws_api_gateway_rest_api.scoring.root_resource_id
  path_part   = "predict"
}

resource "aws_api_gateway_method" "post" {
  rest_api_id   = aws_api_gateway_rest_api.scoring.id
  resource_id   = aws_api_gateway_resource.predict.id
  http_method   = "POST"
  authorization = "NONE"
}

resource "aws_api_gateway_integration" "endpoint" {
  rest_api_id             = aws_api_gateway_rest_api.scoring.id
  resource_id             = aws_api_gateway_resource.predict.id
  http_method             = "POST"
  integration_http_method = "POST"
  type                    = "AWS"
  uri                     = "arn:aws:apigateway:eu-west-1:runtime.sagemaker:path//endpoints/fraud/invocations"
  credentials             = "arn:aws:iam::111122223333:role/scoring-api"
}
