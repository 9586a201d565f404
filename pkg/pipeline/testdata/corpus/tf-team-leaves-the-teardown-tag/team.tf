resource "aws_cloudfront_vpc_origin" "api" {
  tags = {
    "originhub:host" = "team-a.example.com"
  }
  lifecycle {
    ignore_changes = [tags["originhub:teardown"], tags_all["originhub:teardown"]]
  }
}
resource "null_resource" "apply" {
  provisioner "local-exec" { command = "terraform apply" }
}
