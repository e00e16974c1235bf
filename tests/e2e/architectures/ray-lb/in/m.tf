provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_s3_bucket" "ray_data" {
  bucket = "ray-data"
}

resource "aws_iam_role" "ray" {
  name = "ray"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "pods.eks.amazonaws.com" }, Action = ["sts:AssumeRole","sts:TagSession"] }] })
}
resource "aws_iam_role_policy" "ray" {
  role = aws_iam_role.ray.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["s3:*"], Resource = ["${aws_s3_bucket.ray_data.arn}", "${aws_s3_bucket.ray_data.arn}/*"] }] })
}
resource "aws_eks_pod_identity_association" "ray" {
  cluster_name    = "ml"
  namespace       = "ray"
  service_account = "raysa"
  role_arn        = aws_iam_role.ray.arn
}
