resource "aws_apigatewayv2_api" "scoring" {
  name          = "scoring"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_route" "predict" {
  api_id             = aws_apigatewayv2_api.scoring.id
  route_key          = "POST /predict"
  authorization_type = "AWS_IAM"
}

resource "aws_apigatewayv2_route" "health" {
  api_id    = aws_apigatewayv2_api.scoring.id
  route_key = "GET /health"
}

resource "aws_api_gateway_rest_api" "inner" {
  name = "inner"
  endpoint_configuration {
    types = ["PRIVATE"]
  }
}

resource "aws_api_gateway_method" "any" {
  rest_api_id   = aws_api_gateway_rest_api.inner.id
  resource_id   = aws_api_gateway_rest_api.inner.root_resource_id
  http_method   = "ANY"
  authorization = "NONE"
}
