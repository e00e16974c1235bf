provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_s3_bucket" "training_set" {
  bucket = "training-set"
}

resource "aws_secretsmanager_secret" "s" { name = "hf" }
resource "aws_dynamodb_table" "t" {
  name = "features"
  hash_key = "id"
  attribute {
    name = "id"
    type = "S"
  }
}
resource "aws_sagemaker_model" "m" {
  name = "scorer"
  execution_role_arn = "arn:aws:iam::111122223333:role/sm"
  primary_container {
    image = "111122223333.dkr.ecr.us-east-1.amazonaws.com/x@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    model_data_url = "s3://training-set/m.tar.gz"
  }
}
