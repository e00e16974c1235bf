resource "aws_iam_role" "serving" {
  name = "serving"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "sagemaker.amazonaws.com" } }]
  })
}

resource "aws_sagemaker_model" "ranker" {
  name               = "ranker"
  execution_role_arn = aws_iam_role.serving.arn

  primary_container {
    image          = "111122223333.dkr.ecr.eu-central-1.amazonaws.com/ranker@sha256:0000000000000000000000000000000000000000000000000000000000000000"
    model_data_url = "s3://acme-weights/ranker.tar.gz"
  }
}
