package rehearsal

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	cloudfronttypes "github.com/aws/aws-sdk-go-v2/service/cloudfront/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"

	"github.com/originhub/originhub/pkg/contract"
	"github.com/originhub/originhub/pkg/sandbox"
)

// Actor calls AWS APIs with the AWS SDK, in one account.
type Actor struct {
	Name, Account string

	cloudfront *cloudfront.Client
	ram        *ram.Client
}

// NewActor returns an actor with the permissions of the account's root user.
func NewActor(s *sandbox.Sandbox, name, account string) *Actor {
	cfg := s.Config(account, Region)
	return &Actor{Name: name, Account: account, cloudfront: cloudfront.NewFromConfig(cfg), ram: ram.NewFromConfig(cfg)}
}

// VPCOrigin identifies a VPC origin that an actor created.
type VPCOrigin struct{ ID, ARN string }

// endpoint returns the ARN of an instance if name is an instance id, and of an internal load balancer otherwise, in the actor's account.
func (a *Actor) endpoint(name string) string {
	if strings.HasPrefix(name, "i-") {
		return "arn:aws:ec2:" + Region + ":" + a.Account + ":instance/" + name
	}
	return "arn:aws:elasticloadbalancing:" + Region + ":" + a.Account + ":loadbalancer/app/" + name + "/50dc6c495c0c9188"
}

// Create creates a VPC origin in front of a load balancer or an instance, with tags.
func (a *Actor) Create(ctx context.Context, name, balancer string, tags map[string]string) (VPCOrigin, error) {
	in := &cloudfront.CreateVpcOriginInput{
		VpcOriginEndpointConfig: &cloudfronttypes.VpcOriginEndpointConfig{
			Name: &name, Arn: aws.String(a.endpoint(balancer)), HTTPPort: aws.Int32(80), HTTPSPort: aws.Int32(443),
			OriginProtocolPolicy: cloudfronttypes.OriginProtocolPolicyHttpsOnly,
			OriginSslProtocols: &cloudfronttypes.OriginSslProtocols{
				Items: []cloudfronttypes.SslProtocol{cloudfronttypes.SslProtocolTLSv12}, Quantity: aws.Int32(1),
			},
		},
	}
	if len(tags) > 0 {
		in.Tags = &cloudfronttypes.Tags{Items: tagItems(tags)}
	}
	out, err := a.cloudfront.CreateVpcOrigin(ctx, in)
	if err != nil {
		return VPCOrigin{}, fmt.Errorf("%s creates VPC origin %s: %w", a.Name, name, err)
	}
	return VPCOrigin{aws.ToString(out.VpcOrigin.Id), aws.ToString(out.VpcOrigin.Arn)}, nil
}

// Share shares resources with the hub and returns the share's ARN.
func (a *Actor) Share(ctx context.Context, name string, resources ...string) (string, error) {
	name = contract.SharePrefix + name
	out, err := a.ram.CreateResourceShare(ctx, &ram.CreateResourceShareInput{
		Name: &name, ResourceArns: resources, Principals: []string{HubAccount}, AllowExternalPrincipals: aws.Bool(true),
	})
	if err != nil {
		return "", fmt.Errorf("%s shares %s: %w", a.Name, name, err)
	}
	return aws.ToString(out.ResourceShare.ResourceShareArn), nil
}

// Tag sets one tag of a VPC origin with TagResource. CloudFormation would update the VPC origin instead, which AWS does not accept while
// the origin is in use.
func (a *Actor) Tag(ctx context.Context, arn, key, value string) error {
	_, err := a.cloudfront.TagResource(ctx, &cloudfront.TagResourceInput{
		Resource: &arn, Tags: &cloudfronttypes.Tags{Items: tagItems(map[string]string{key: value})},
	})
	if err != nil {
		return fmt.Errorf("%s tags %s: %w", a.Name, arn, err)
	}
	return nil
}

func tagItems(tags map[string]string) []cloudfronttypes.Tag {
	var items []cloudfronttypes.Tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		items = append(items, cloudfronttypes.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return items
}

// ClaimTags returns the tags by which an origin claims a host and paths.
func ClaimTags(host, paths string) map[string]string {
	return map[string]string{contract.TagHost: host, contract.TagPaths: paths, contract.TagDomain: "internal." + host}
}

// Get requests a path of a host from the CloudFront edge that listens at the address edge, and returns the status and the trimmed body.
func Get(ctx context.Context, edge, host, path string) (status int, body string, err error) {
	status, _, body, err = ask(ctx, edge, http.MethodGet, host, path)
	return status, body, err
}

// ask sends a request to the CloudFront edge that listens at the address edge.
func ask(ctx context.Context, edge, method, host, path string) (status int, header http.Header, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, method, edge+path, nil)
	if err != nil {
		return 0, nil, "", err
	}
	request.Host = host
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, "", fmt.Errorf("request %s%s: %w", host, path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, response.Header, strings.TrimSpace(string(text)), err
}
