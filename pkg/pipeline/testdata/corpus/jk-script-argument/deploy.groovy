def call(String share) {
  def status = sh(returnStatus: true, script: "aws ram delete-resource-share --resource-share-arn ${share}")
  return status
}
