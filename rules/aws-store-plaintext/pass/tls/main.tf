resource "aws_elasticache_replication_group" "prompts" {
  replication_group_id       = "prompts"
  description                = "cache of prompts"
  node_type                  = "cache.t4g.small"
  transit_encryption_enabled = true
}

resource "aws_msk_cluster" "features" {
  cluster_name           = "features"
  kafka_version          = "3.6.0"
  number_of_broker_nodes = 3
  encryption_info {
    encryption_in_transit {
      client_broker = "TLS"
    }
  }
}

resource "aws_opensearch_domain" "vectors" {
  domain_name = "vectors"
  domain_endpoint_options {
    enforce_https       = true
    tls_security_policy = "Policy-Min-TLS-1-2-2019-07"
  }
}
