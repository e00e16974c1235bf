resource "aws_api_gateway_rest_api" "scoring" {
  name = "scoring"
  body = jsonencode({
    openapi = "3.0.1"
    info    = { title = "scoring", version = "1" }
    paths = {
      "/predict" = {
        post = {
          x-amazon-apigateway-integration = {
            type       = "aws_proxy"
            httpMethod = "POST"
            uri        = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:111122223333:function:score/invocations"
          }
        }
      }
    }
  })
}
