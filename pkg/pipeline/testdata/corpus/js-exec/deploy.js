const { execSync } = require('child_process');
execSync(`aws cloudfront create-invalidation --distribution-id ${id} --paths '/*'`);
execSync(`aws cloudfront delete-distribution --id ${id} --if-match ${etag}`);
// execSync('aws ram delete-resource-share --resource-share-arn a')
