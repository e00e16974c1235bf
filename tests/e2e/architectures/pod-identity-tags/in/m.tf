provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_s3_bucket" "pi_data" {
  bucket = "pi-data"
}
resource "aws_iam_role" "full" {
  name = "full"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}]})
}
resource "aws_iam_role_policy" "full" {
  name = "p"
  role = aws_iam_role.full.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::pi-data/*"}]})
}
resource "aws_iam_role" "part" {
  name = "part"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": ["pods.eks.amazonaws.com"]}, "Action": "sts:AssumeRole"}]})
}
resource "aws_iam_role_policy" "part" {
  name = "p"
  role = aws_iam_role.part.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::pi-data/*"}]})
}
resource "aws_eks_pod_identity_association" "f" {
  cluster_name = "c"
  namespace = "ml"
  service_account = "full"
  role_arn = aws_iam_role.full.arn
}
resource "aws_eks_pod_identity_association" "p" {
  cluster_name = "c"
  namespace = "ml"
  service_account = "part"
  role_arn = aws_iam_role.part.arn
}
