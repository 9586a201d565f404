resource "aws_cloudfront_distribution" "site" {
  enabled = true
  lifecycle {
    ignore_changes = [origin, ordered_cache_behavior, aliases, comment]
  }
}
