import { CloudFrontClient, AssociateAliasCommand, CreateInvalidationCommand } from "@aws-sdk/client-cloudfront";
const client = new CloudFrontClient({});
await client.send(new AssociateAliasCommand({ TargetDistributionId: id, Alias: "www.example.com" }));
await client.send(new CreateInvalidationCommand({ DistributionId: id }));
