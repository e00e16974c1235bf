resource "aws_kms_key" "models" {
  enable_key_rotation = true
}
