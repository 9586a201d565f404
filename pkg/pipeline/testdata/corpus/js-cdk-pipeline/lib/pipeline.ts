import * as codebuild from 'aws-cdk-lib/aws-codebuild';
new codebuild.PipelineProject(this, 'Deploy', {
  buildSpec: codebuild.BuildSpec.fromObject({
    version: '0.2',
    phases: {
      build: {
        commands: [
          `aws s3 sync . s3://${props.bucket.bucketName} --delete`,
          `aws cloudfront delete-distribution --id ${props.distribution.distributionId} --if-match $ETAG`,
        ],
      },
    },
  }),
});
