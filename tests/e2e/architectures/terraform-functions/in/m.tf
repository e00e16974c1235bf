provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["111122223333"]
}

locals {
  names = ["p", "q", "r"]
  cfg = yamldecode(file("${path.module}/cfg.yaml"))
  roles = { for n in local.names : n => "role-${n}" if n != "q" }
}
resource "aws_s3_bucket" "n" {
  count = length(local.names)
  bucket = format("tfm-%s-%d", local.names[count.index], count.index)
}
resource "aws_iam_role" "n" {
  for_each = local.roles
  name = each.value
  assume_role_policy = file("${path.module}/trust.json")
}
resource "aws_iam_role_policy" "n" {
  for_each = aws_iam_role.n
  role = each.value.id
  policy = templatefile("${path.module}/pol.tftpl", { arns = [for b in aws_s3_bucket.n : b.arn if endswith(b.bucket, "0")], actions = local.cfg.actions })
}
resource "aws_iam_role_policy_attachment" "m" {
  for_each = toset(["arn:aws:iam::aws:policy/AmazonS3FullAccess"])
  role = one([for k, v in aws_iam_role.n : v.name if k == "r"])
  policy_arn = each.value
}
