// UpdateDistributionCommand from client-cloudfront is what we do not use
const text = "new DeleteDistributionCommand({})";
class DeleteDistributionCommand {}
module.exports = new DeleteDistributionCommand();
