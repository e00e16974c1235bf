resource "aws_elasticache_replication_group" "prompts" {
  replication_group_id = "prompts"
  description          = "cache of prompts"
  node_type            = "cache.t4g.small"
}
