resource "aws_iam_role" "untagged" {
  name = "untagged"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": ["pods.eks.amazonaws.com"]}, "Action": "sts:AssumeRole"}]})
}
resource "aws_iam_role_policy" "untagged" {
  name = "p"
  role = aws_iam_role.untagged.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::pi-data/*"}]})
}
resource "aws_iam_role" "mid" {
  name = "mid"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}]})
}
resource "aws_iam_role_policy" "mid" {
  name = "p"
  role = aws_iam_role.mid.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:PutObjectAcl", "Resource": "arn:aws:s3:::pi-data/*"}, {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"], "Resource": "arn:aws:iam::111122223333:role/tgt"}]})
}
resource "aws_iam_role" "tgt" {
  name = "tgt"
  assume_role_policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:role/mid"}, "Action": ["sts:AssumeRole", "sts:TagSession"]}]})
}
resource "aws_iam_role_policy" "tgt" {
  name = "p"
  role = aws_iam_role.tgt.id
  policy = jsonencode({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::pi-data/*"}]})
}
resource "aws_eks_pod_identity_association" "u" {
  cluster_name = "c"
  namespace = "ml"
  service_account = "untagged"
  role_arn = aws_iam_role.untagged.arn
  disable_session_tags = true
}
resource "aws_eks_pod_identity_association" "m" {
  cluster_name = "c"
  namespace = "ml"
  service_account = "chained"
  role_arn = aws_iam_role.mid.arn
  target_role_arn = aws_iam_role.tgt.arn
}
