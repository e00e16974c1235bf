provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["111122223333"]
}
provider "aws" {
  alias = "b"
  region = "us-east-1"
  assume_role {
    role_arn = "arn:aws:iam::222233334444:role/deploy"
  }
}
resource "aws_iam_role" "near" {
  name = "near"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": ["ec2.amazonaws.com"]}, "Action": "sts:AssumeRole"}]})
}
resource "aws_iam_role_policy" "near" {
  name = "p"
  role = aws_iam_role.near.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::al-data/*"}]})
}
resource "aws_iam_role" "near2" {
  name = "near2"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": ["ec2.amazonaws.com"]}, "Action": "sts:AssumeRole"}]})
}
resource "aws_iam_role_policy" "near2" {
  name = "p"
  role = aws_iam_role.near2.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::al-data/*"}]})
}
resource "aws_s3_bucket" "b" {
  provider = aws.b
  bucket = "al-data"
}
resource "aws_s3_bucket_policy" "b" {
  provider = aws.b
  bucket = aws_s3_bucket.b.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/near"}, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::al-data/*"}]})
}
module "m" {
  source = "./m"
  providers = { aws = aws.b }
}
