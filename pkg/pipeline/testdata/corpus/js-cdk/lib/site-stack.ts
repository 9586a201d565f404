import * as cdk from 'aws-cdk-lib';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
export class SiteStack extends cdk.Stack {
  constructor(scope, id) {
    super(scope, id);
    new cloudfront.Distribution(this, 'Site', { defaultBehavior: { origin } });
  }
}
