resource "aws_apigatewayv2_api" "scoring" {
  name          = "scoring"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_integration" "scoring" {
  api_id           = aws_apigatewayv2_api.scoring.id
  integration_type = "AWS_PROXY"
  integration_uri  = "arn:aws:lambda:eu-west-1:111122223333:function:score"
}

resource "aws_apigatewayv2_route" "predict" {
  api_id    = aws_apigatewayv2_api.scoring.id
  route_key = "POST /predict"
  target    = "integrations/${aws_apigatewayv2_integration.scoring.id}"
}
