resource "aws_db_instance" "tracking" {
  identifier          = "mlflow"
  engine              = "postgres"
  instance_class      = "db.t4g.small"
  publicly_accessible = false
}

resource "azurerm_postgresql_flexible_server_firewall_rule" "office" {
  name             = "office"
  server_id        = azurerm_postgresql_flexible_server.tracking.id
  start_ip_address = "203.0.113.10"
  end_ip_address   = "203.0.113.10"
}

resource "google_sql_database_instance" "tracking" {
  name             = "mlflow"
  database_version = "POSTGRES_16"
  settings {
    tier = "db-custom-2-8192"
    ip_configuration {
      ipv4_enabled    = false
      private_network = "projects/acme/global/networks/ml"
      ssl_mode        = "ENCRYPTED_ONLY"
    }
  }
}
