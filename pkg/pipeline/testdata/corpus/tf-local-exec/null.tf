resource "null_resource" "drop" {
  provisioner "local-exec" {
    when    = destroy
    command = "aws cloudfront delete-vpc-origin --id ${self.triggers.id} --if-match ${self.triggers.etag}"
  }
  provisioner "local-exec" {
    command = <<-SH
      aws cloudfront create-invalidation --distribution-id ${var.id} --paths '/*'
      aws ram delete-resource-share --resource-share-arn ${var.share}
    SH
  }
}
