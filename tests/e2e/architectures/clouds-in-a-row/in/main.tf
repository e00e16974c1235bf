provider "aws" {
  region              = "eu-west-1"
  allowed_account_ids = ["111122223333"]
}
provider "google" {
  project = "acme-ml"
  region  = "europe-west4"
}
provider "azurerm" {
  features {}
  subscription_id = "0f2d6a3c-0000-0000-0000-000000000001"
}
data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}
resource "aws_iam_role" "etl" {
  name               = "etl"
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}
resource "aws_iam_role" "other" {
  name               = "other"
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}
resource "google_iam_workload_identity_pool" "aws" {
  workload_identity_pool_id = "aws"
}
resource "google_iam_workload_identity_pool_provider" "aws" {
  workload_identity_pool_id          = google_iam_workload_identity_pool.aws.workload_identity_pool_id
  workload_identity_pool_provider_id = "aws"
  attribute_mapping = {
    "google.subject"     = "assertion.arn"
    "attribute.aws_role" = "assertion.arn.extract('assumed-role/{role}/')"
    "attribute.account"  = "assertion.account"
  }
  attribute_condition = "attribute.aws_role == 'etl'"
  aws { account_id = "111122223333" }
}
resource "google_service_account" "loader" { account_id = "loader" }
resource "google_service_account_iam_binding" "aws" {
  service_account_id = google_service_account.loader.name
  role               = "roles/iam.workloadIdentityUser"
  members            = ["principalSet://iam.googleapis.com/${google_iam_workload_identity_pool.aws.name}/attribute.aws_role/etl"]
}
resource "google_storage_bucket" "lake" {
  name     = "acme-lake"
  location = "EU"
}
resource "google_storage_bucket_iam_member" "lake" {
  bucket = google_storage_bucket.lake.name
  role   = "roles/storage.objectViewer"
  member = "serviceAccount:${google_service_account.loader.email}"
}
resource "aws_iam_role" "back" {
  name = "back"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = "accounts.google.com" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = { StringEquals = { "accounts.google.com:aud" = google_service_account.loader.unique_id, "accounts.google.com:oaud" = "aws" } }
    }]
  })
}
resource "aws_iam_role" "back2" {
  name = "back2"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = "accounts.google.com" }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = { StringEquals = { "accounts.google.com:sub" = google_service_account.loader.unique_id } }
    }]
  })
}
resource "aws_s3_bucket" "gold" { bucket = "acme-gold" }
resource "aws_s3_bucket" "gold2" { bucket = "acme-gold2" }
resource "aws_iam_role_policy" "back" {
  role   = aws_iam_role.back.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.gold.arn}/*" }] })
}
resource "aws_iam_role_policy" "back2" {
  role   = aws_iam_role.back2.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.gold2.arn}/*" }] })
}
resource "azurerm_resource_group" "r" {
  name     = "r"
  location = "westeurope"
}
resource "azurerm_user_assigned_identity" "g" {
  name                = "g"
  resource_group_name = azurerm_resource_group.r.name
  location            = azurerm_resource_group.r.location
}
resource "azurerm_federated_identity_credential" "g" {
  name                = "g"
  resource_group_name = azurerm_resource_group.r.name
  audience            = ["api://AzureADTokenExchange"]
  issuer              = "https://accounts.google.com"
  parent_id           = azurerm_user_assigned_identity.g.id
  subject             = google_service_account.loader.unique_id
}
resource "azurerm_storage_account" "s" {
  name                     = "acmestore"
  resource_group_name      = azurerm_resource_group.r.name
  location                 = azurerm_resource_group.r.location
  account_tier             = "Standard"
  account_replication_type = "LRS"
}
resource "azurerm_role_assignment" "s" {
  scope                = azurerm_storage_account.s.id
  role_definition_name = "Storage Blob Data Contributor"
  principal_id         = azurerm_user_assigned_identity.g.principal_id
}
# Azure to AWS
variable "tenant" { default = "3aa4a235-b6e2-48d5-9195-7fcf05b459b0" }
resource "aws_iam_openid_connect_provider" "entra" {
  url            = "https://sts.windows.net/${var.tenant}/"
  client_id_list = ["api://aws"]
}
resource "aws_iam_role" "fromaz" {
  name = "fromaz"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Federated = aws_iam_openid_connect_provider.entra.arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = { StringEquals = { "sts.windows.net/${var.tenant}/:sub" = azurerm_user_assigned_identity.g.principal_id, "sts.windows.net/${var.tenant}/:aud" = "api://aws" } }
    }]
  })
}
resource "aws_dynamodb_table" "t" {
  name     = "az-table"
  hash_key = "id"
  attribute {
    name = "id"
    type = "S"
  }
}
resource "aws_iam_role_policy" "fromaz" {
  role   = aws_iam_role.fromaz.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "dynamodb:GetItem", Resource = aws_dynamodb_table.t.arn }] })
}
