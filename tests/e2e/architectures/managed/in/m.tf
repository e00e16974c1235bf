provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_s3_bucket" "secret_corpus" {
  bucket = "secret-corpus"
}
resource "aws_secretsmanager_secret" "s" {
  name = "api"
}
resource "aws_dynamodb_table" "t" {
  name = "t"
  hash_key = "id"
}
resource "aws_sqs_queue" "q" {
  name = "q"
}
