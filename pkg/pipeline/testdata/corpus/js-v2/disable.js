const AWS = require('aws-sdk');
const cloudfront = new AWS.CloudFront();
async function disable(Id) {
  const { ETag, DistributionConfig } = await cloudfront.getDistributionConfig({ Id }).promise();
  DistributionConfig.Enabled = false;
  await cloudfront.updateDistribution({ Id, IfMatch: ETag, DistributionConfig }).promise();
}
