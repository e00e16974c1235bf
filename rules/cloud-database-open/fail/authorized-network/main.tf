resource "google_sql_database_instance" "tracking" {
  name             = "mlflow"
  database_version = "POSTGRES_16"
  settings {
    tier = "db-custom-2-8192"
    ip_configuration {
      ssl_mode = "ENCRYPTED_ONLY"
      authorized_networks {
        name  = "all"
        value = "0.0.0.0/0"
      }
    }
  }
}
