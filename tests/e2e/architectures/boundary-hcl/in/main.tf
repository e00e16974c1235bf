provider "aws" {
  region = "us-east-1"
  allowed_account_ids = ["111122223333"]
}
resource "aws_s3_bucket" "bnd_data" {
  bucket = "bnd-data"
}

module "team" {
  source   = "./team"
  for_each = { a = ["s3:GetObject"], b = ["s3:*"] }
  team     = each.key
  actions  = each.value
  bucket   = aws_s3_bucket.bnd_data.bucket
}
