import { CloudFront } from '@aws-sdk/client-cloudfront';
const cf: CloudFront = new CloudFront({});
export async function edge(id: string, arn: string) {
  const res = await cf.getDistributionConfig({ Id: id });
  const config = res.DistributionConfig!;
  config.CacheBehaviors!.Items![0].Compress = true;
  config.Origins.Items[0].OriginPath = '/v2';
  await cf.updateDistribution({ Id: id, IfMatch: res.ETag, DistributionConfig: config });
}
