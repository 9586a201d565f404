data "aws_cloudfront_distribution" "edge" { id = "E1" }
data "aws_cloudfront_cache_policy" "off" { name = "Managed-CachingDisabled" }
output "domain" { value = data.aws_cloudfront_distribution.edge.domain_name }
